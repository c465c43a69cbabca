// The reference engine against dense linear algebra written out here: Jacobian by differences, G and K from that Jacobian, steps and
// condition numbers by elimination. Several outputs, weights, layers without bias, NTK factors, an output scale.
import { describe, expect, it } from "vitest";
import { failed, type LinearizeRequest, type SolveRequest } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { type NetworkOptions, network, Random } from "../../src/index.js";
import { eliminate, inverseNorm1, multiply, norm1, transpose } from "../helpers/dense.js";

interface Case {
  readonly name: string;
  readonly options: NetworkOptions;
  readonly samples: number;
  readonly weighted: boolean;
}

// 150 samples cross the 128 of a pass; 9 parameters and less leave tiles of the rank update unfilled.
const cases: readonly Case[] = [
  { name: "one output", options: { layers: [3, 5, 1] }, samples: 40, weighted: false },
  { name: "three outputs, weighted", options: { layers: [2, 4, 3, 3] }, samples: 30, weighted: true },
  { name: "no bias", options: { layers: [2, 3, 1], bias: false, activation: "sin" }, samples: 150, weighted: true },
  {
    name: "some biases",
    options: { layers: [2, 3, 2], bias: [false, true], outputScale: 3 },
    samples: 20,
    weighted: false,
  },
  { name: "ntk", options: { layers: [4, 6, 2], initialization: "ntk", outputScale: 0.5 }, samples: 25, weighted: true },
  {
    name: "more parameters than rows",
    options: { layers: [4, 9, 9, 2], activation: "gelu" },
    samples: 7,
    weighted: true,
  },
  {
    name: "a bounded output",
    options: { layers: [2, 4, 1], outputActivation: "logistic" },
    samples: 20,
    weighted: true,
  },
];

function problem({ options, samples: n, weighted }: Case) {
  const net = network({ seed: 4, ...options });
  const random = new Random(9, 1);
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const inputs = draw(n * net.inputSize);
  const targets = draw(n * net.outputSize);
  const weights = weighted ? draw(n).map(Math.abs) : undefined;
  const w = net.parameters.map((value) => value + 0.1 * random.normal());
  const engine = createReferenceEngine(net.architecture, { sampleCount: n, inputs, targets, weights });
  const root = Float64Array.from({ length: n * net.outputSize }, (_, k) =>
    weights === undefined ? 1 : Math.sqrt(weights[Math.floor(k / net.outputSize)]),
  );
  return { net, engine, w, targets, root, rows: n * net.outputSize, p: net.parameterCount };
}

type Problem = ReturnType<typeof problem>;

async function linearized(engine: NetworkEngine, w: Float64Array, request: LinearizeRequest) {
  const answer = await engine.linearize(w, request);
  if (failed(answer)) throw new Error(answer.message);
  return answer;
}

async function solved(engine: NetworkEngine, request: SolveRequest) {
  const answer = await engine.solve(request);
  if (failed(answer)) throw new Error(answer.message);
  return answer;
}

/** J~ and r~ from the unweighted Jacobian and the predictions. */
async function weightedSystem({ engine, w, targets, root, rows, p }: Problem) {
  const jacobian = await engine.jacobian(w, 0, engine.sampleCount);
  const psi = await engine.forward(w);
  return {
    J: jacobian.map((value, k) => root[Math.floor(k / p)] * value),
    r: psi.map((value, k) => root[k] * (value - targets[k])),
    rows,
    p,
  };
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, what = ""): void {
  expect(actual.length, what).toBe(expected.length);
  let size = Number.MIN_VALUE;
  let worst = 0;
  for (let k = 0; k < expected.length; k++) {
    size = Math.max(size, Math.abs(expected[k]));
    worst = Math.max(worst, Math.abs(actual[k] - expected[k]));
  }
  expect(worst / size, what).toBeLessThan(relative);
}

/** One layer index a parameter. */
const layerOf = ({ net }: Problem) =>
  net.architecture.layers.flatMap((layer, l) =>
    new Array<number>(layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0))).fill(l),
  );

describe.each(cases)("reference engine, $name", (theCase) => {
  const given = problem(theCase);
  const { engine, w, rows, p } = given;
  // Sums of at most 500 terms of order 1.
  const tolerance = 500 * Number.EPSILON * 8;

  it("its Jacobian is the derivative of its predictions, and J v, J^T u are products with it", async () => {
    const J = await engine.jacobian(w, 0, engine.sampleCount);
    const h = 1e-5;
    const differences = new Float64Array(rows * p);
    for (let j = 0; j < p; j++) {
      const up = await engine.forward(w.map((value, i) => (i === j ? value + h : value)));
      const down = await engine.forward(w.map((value, i) => (i === j ? value - h : value)));
      for (let k = 0; k < rows; k++) differences[k * p + j] = (up[k] - down[k]) / (2 * h);
    }
    close(J, differences, 1e-8); // h^2 of truncation, eps / h of rounding
    const v = w.map((value, j) => Math.sin(j) + value);
    const u = Float64Array.from({ length: rows }, (_, k) => Math.cos(k));
    close(await engine.jacobianProduct(w, v), multiply(J, v, rows, p, 1), tolerance);
    close(await engine.transposeProduct(w, u), multiply(transpose(J, rows, p), u, p, rows, 1), tolerance);
    const last = engine.sampleCount - 1;
    close(await engine.jacobian(w, last, 1), J.slice(-p * engine.outputSize), Number.EPSILON);
  });

  it("primal: loss, gradient, cosine, G and the scaling state", async () => {
    const { J, r } = await weightedSystem(given);
    const decay = 0.3;
    const scaling = new Float64Array(p);
    const point = await linearized(engine, w, { curvature: "primal", decay, scaling });
    const Jt = transpose(J, rows, p);
    const G = multiply(Jt, J, p, rows, p);
    close(await engine.curvature(), G, tolerance, "G");
    const g = multiply(Jt, r, p, rows, 1);
    close(
      point.gradient,
      g.map((value, j) => value + decay * w[j]),
      tolerance,
      "gradient",
    );
    const sum = r.reduce((total, value) => total + value * value, 0);
    expect(Math.abs(point.loss / (sum / 2) - 1)).toBeLessThan(tolerance);
    const diagonal = Float64Array.from({ length: p }, (_, j) => G[j * p + j]);
    const cosine = Math.max(
      ...g.map((value, j) => (diagonal[j] > 0 ? Math.abs(value) / Math.sqrt(diagonal[j] * sum) : 0)),
    );
    expect(Math.abs(point.gradientCosine - cosine)).toBeLessThan(tolerance);
    close(
      scaling,
      diagonal.map((value) => value || 1),
      tolerance,
      "scaling",
    );
    // A running maximum: larger entries stay, smaller ones are raised.
    const state = diagonal.map((value, j) => (j % 2 === 0 ? 2 * value + 1 : value / 2));
    await linearized(engine, w, { curvature: "primal", decay, scaling: state });
    close(
      state,
      diagonal.map((value, j) => (j % 2 === 0 ? 2 * value + 1 : value || 1)),
      tolerance,
      "maximum",
    );
  });

  it("dual: K with layer factors, the same loss, gradient and cosine", async () => {
    const { J } = await weightedSystem(given);
    const primal = await linearized(engine, w, { curvature: "primal", decay: 0, scaling: null });
    const G = await engine.curvature();
    const factors = new Float64Array(engine.layerCount);
    const dual = await linearized(engine, w, { curvature: "dual", decay: 0, scaling: factors });
    expect([dual.loss, dual.gradientCosine]).toEqual([primal.loss, primal.gradientCosine]);
    expect(dual.gradient).toEqual(primal.gradient);
    const layers = layerOf(given);
    const means = Float64Array.from(factors, (_, l) => {
      const own = layers.flatMap((layer, j) => (layer === l ? [G[j * p + j]] : []));
      return own.reduce((a, b) => a + b, 0) / own.length;
    });
    close(factors, means, tolerance, "factors");
    const scaled = J.map((value, k) => value / factors[layers[k % p]]);
    close(await engine.curvature(), multiply(scaled, transpose(J, rows, p), rows, p, rows), tolerance, "K");
  });

  it("the step solves the damped system in both routes, with decay, scaling and layer factors", async () => {
    const { J, r } = await weightedSystem(given);
    const Jt = transpose(J, rows, p);
    const layers = layerOf(given);
    /** (J~^T J~ + decay I + damping D) step = -(J~^T r~ + decay w), by elimination. */
    const expected = (damping: number, decay: number, d: (j: number) => number) => {
      const A = multiply(Jt, J, p, rows, p);
      for (let j = 0; j < p; j++) A[j * p + j] += decay + damping * d(j);
      return eliminate(
        A,
        multiply(Jt, r, p, rows, 1).map((value, j) => -value - decay * w[j]),
        p,
      );
    };
    for (const curvature of ["primal", "dual"] as const)
      for (const [damping, decay, withScaling] of [
        [0.5, 0, false],
        [0.5, 0.2, false],
        [0, 0.7, false],
        [0.5, 0, true],
        ...(curvature === "primal" ? [[0.5, 0.2, true] as const] : []),
      ] as const) {
        const scaling = withScaling ? new Float64Array(curvature === "primal" ? p : engine.layerCount) : null;
        await linearized(engine, w, { curvature, decay, scaling });
        const { step, residual } = await solved(engine, { damping, decay, scaling });
        const d = (j: number) => (scaling === null ? 1 : scaling[curvature === "primal" ? j : layers[j]]);
        const what = `${curvature}, damping ${damping}, decay ${decay}, scaling ${withScaling}`;
        // Condition numbers here stay below 1e6.
        close(step, expected(damping, decay, d), 1e6 * tolerance, what);
        expect(residual, what).toBeLessThan(1e-9);
      }
  });

  it("solves again for another damping, and estimates the condition number", async () => {
    for (const curvature of ["primal", "dual"] as const) {
      await linearized(engine, w, { curvature, decay: 0, scaling: null });
      const M = await engine.curvature();
      const order = curvature === "primal" ? p : rows;
      const first = await solved(engine, { damping: 1, decay: 0, scaling: null, condition: true });
      await solved(engine, { damping: 100, decay: 0, scaling: null });
      expect((await solved(engine, { damping: 1, decay: 0, scaling: null })).step).toEqual(first.step);
      for (let i = 0; i < order; i++) M[i * order + i] += 1;
      // A lower bound up to rounding, which Hager's estimate rarely misses by more than 3.
      const exact = norm1(M, order) * inverseNorm1(M, order);
      expect(first.condition / exact).toBeLessThan(1 + 1e-8);
      expect(first.condition / exact).toBeGreaterThan(1 / 3);
    }
  });
});
