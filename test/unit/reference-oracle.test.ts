// The reference engine against an oracle that shares no code with it: a network written out unit by unit, its Jacobian by
// differences, and textbook dense algebra. (The parity test cannot see a mistake that both engines make.)

import { describe, expect, it } from "vitest";
import { type EngineData, failed } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { activationValue } from "../../src/network/activations.js";
import type { ActivationName, Architecture } from "../../src/network/architecture.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { fc } from "../helpers/property.js";

interface Case {
  readonly architecture: Architecture;
  readonly w: Float64Array;
  readonly data: EngineData;
}

const cases = fc
  .record({
    layers: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
    activation: fc.constantFrom<ActivationName>("tanh", "logistic", "softplus", "silu", "gelu", "erf", "sin"),
    bias: fc.boolean(),
    ntk: fc.boolean(),
    outputScale: fc.constantFrom(1, 0.5, 3),
    samples: fc.integer({ min: 1, max: 14 }),
    weighted: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ layers, activation, bias, ntk, outputScale, samples, weighted, seed }): Case => {
    const initialization = ntk ? "ntk" : "glorot-uniform";
    const net = network({ layers, activation, bias, outputScale, seed, initialization });
    const random = new Random(seed, 3);
    const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
    const inputs = draw(samples * net.inputSize);
    const targets = draw(samples * net.outputSize);
    const weights = weighted ? Float64Array.from({ length: samples }, () => 2 * random.uniform()) : undefined;
    const w = net.parameters.map((value) => value + 0.1 * random.normal());
    return { architecture: net.architecture, w, data: { sampleCount: samples, inputs, targets, weights } };
  });

/** psi of all samples, from the formula in architecture.ts. */
function psi({ architecture, data }: Case, w: Float64Array): number[] {
  const { layers, inputSize, outputScale } = architecture;
  const all: number[] = [];
  for (let i = 0; i < data.sampleCount; i++) {
    let h = Array.from(data.inputs.subarray(i * inputSize, (i + 1) * inputSize));
    for (const layer of layers) {
      const below = h;
      h = Array.from({ length: layer.outputSize }, (_, o) => {
        let z = layer.bias ? w[layer.biasOffset + o] : 0;
        below.forEach((value, k) => {
          z += layer.factor * w[layer.weightOffset + o * layer.inputSize + k] * value;
        });
        return activationValue(layer.activation, z);
      });
    }
    all.push(...h.map((value) => outputScale * value));
  }
  return all;
}

/** J by fourth-order central differences: truncation h^4, rounding eps/h, so about 1e-11 of the derivatives' size. */
function differences(one: Case): number[][] {
  const h = 2e-3;
  const columns = Array.from(one.w, (_, j) => {
    const at = (by: number) =>
      psi(
        one,
        one.w.map((value, k) => (k === j ? value + by : value)),
      );
    const [a, b, c, d] = [at(-2 * h), at(-h), at(h), at(2 * h)];
    return a.map((_, row) => (a[row] - 8 * b[row] + 8 * c[row] - d[row]) / (12 * h));
  });
  return columns[0].map((_, row) => columns.map((column) => column[row]));
}

/** Rows of a flat matrix. */
function rowsOf(flat: Float64Array, columns: number): number[][] {
  return Array.from({ length: flat.length / columns }, (_, i) =>
    Array.from(flat.subarray(i * columns, (i + 1) * columns)),
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
};

/** Largest difference over the largest entry of `b`, with a floor for entries that are all but zero. */
function off(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  let size = 1e-3;
  for (let k = 0; k < b.length; k++) {
    worst = Math.max(worst, Math.abs(a[k] - b[k]));
    size = Math.max(size, Math.abs(b[k]));
  }
  return worst / size;
}

/** x with A x = b by Gaussian elimination with row exchanges. */
function eliminate(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]]);
  const n = b.length;
  for (let j = 0; j < n; j++) {
    let best = j;
    for (let i = j + 1; i < n; i++) if (Math.abs(m[i][j]) > Math.abs(m[best][j])) best = i;
    [m[j], m[best]] = [m[best], m[j]];
    for (let i = j + 1; i < n; i++) {
      const factor = m[i][j] / m[j][j];
      for (let k = j; k <= n; k++) m[i][k] -= factor * m[j][k];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = m[i][n];
    for (let k = i + 1; k < n; k++) sum -= m[i][k] * x[k];
    x[i] = sum / m[i][i];
  }
  return x;
}

/** J~ (rows times the root of the sample's weight) and r~, from J and psi. */
function weightedSystem({ data, architecture }: Case, j: number[][], predictions: ArrayLike<number>) {
  const root = (row: number) => Math.sqrt(data.weights?.[Math.floor(row / architecture.outputSize)] ?? 1);
  return {
    jacobian: j.map((row, k) => row.map((value) => root(k) * value)),
    residual: j.map((_, k) => root(k) * (predictions[k] - data.targets[k])),
  };
}

/** The layer, from 0, that each parameter belongs to. */
function layerOf({ layers }: Architecture, p: number): number[] {
  return Array.from({ length: p }, (_, j) => layers.findLastIndex((layer) => layer.weightOffset <= j));
}

async function withEngine(one: Case, body: (engine: NetworkEngine) => Promise<void>): Promise<void> {
  const engine = createReferenceEngine(one.architecture, one.data);
  await body(engine);
  engine.dispose();
}

// Sums of at most 14 * 4 rows or 60 parameters, a few roundings a term: c n eps with c = 16 for the layers in between.
const ROUNDING = 16 * 60 * Number.EPSILON;

describe("the reference engine against differences and dense algebra", () => {
  it("forms predictions, loss, Jacobian and products", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) =>
        withEngine(one, async (engine) => {
          const { w, data } = one;
          const expected = psi(one, w);
          expect(off(await engine.forward(w), expected)).toBeLessThan(ROUNDING);
          const flat = await engine.jacobian(w, 0, data.sampleCount);
          const j = rowsOf(flat, w.length);
          // 1e-8: three digits above the accuracy of the differences (their fifth derivatives are of order alpha |x|^5).
          expect(off(flat, differences(one).flat())).toBeLessThan(1e-8);
          const v = w.map((_, k) => Math.sin(k + 1));
          const u = Float64Array.from(j, (_, k) => Math.cos(k));
          const forwards = j.map((row) => dot(row, v));
          const back = Array.from(w, (_, k) =>
            dot(
              j.map((row) => row[k]),
              u,
            ),
          );
          expect(off(await engine.jacobianProduct(w, v), forwards)).toBeLessThan(ROUNDING);
          expect(off(await engine.transposeProduct(w, u), back)).toBeLessThan(ROUNDING);
          const { residual } = weightedSystem(one, j, expected);
          const evaluation = await engine.evaluate(w);
          if (failed(evaluation)) throw new Error(evaluation.message);
          expect(off([evaluation.loss], [0.5 * dot(residual, residual)])).toBeLessThan(ROUNDING);
        }),
      ),
      { numRuns: 40 },
    );
  });

  it.each(["primal", "dual"] as const)(
    "forms gradient, measure, scaling, matrix and step, %s route",
    async (curvature) => {
      await fc.assert(
        fc.asyncProperty(cases, fc.boolean(), fc.boolean(), async (one, scaled, decayed) =>
          withEngine(one, async (engine) => {
            const { w, architecture } = one;
            const p = w.length;
            const decay = decayed && !(curvature === "dual" && scaled) ? 0.4 : 0;
            const damping = 0.7;
            const j = rowsOf(await engine.jacobian(w, 0, one.data.sampleCount), p);
            const { jacobian, residual } = weightedSystem(one, j, psi(one, w));
            const column = (k: number) => jacobian.map((row) => row[k]);
            const columns = Array.from({ length: p }, (_, k) => column(k));
            const layer = layerOf(architecture, p);

            // The running maximum starts above some entries and below others.
            const size = curvature === "primal" ? p : architecture.layers.length;
            const state = Float64Array.from({ length: size }, (_, k) => (k % 2 === 0 ? 0 : 0.9));
            const diagonal = columns.map((c) => dot(c, c));
            const mean = (l: number) => {
              const part = diagonal.filter((_, k) => layer[k] === l);
              return part.reduce((sum, value) => sum + value, 0) / part.length;
            };
            const raised = Array.from(state, (kept, k) =>
              Math.max(kept, curvature === "primal" ? diagonal[k] : mean(k)),
            );
            const scaling = scaled ? state : null;

            const point = await engine.linearize(w, { curvature, decay, scaling });
            if (failed(point)) throw new Error(point.message);
            if (scaled)
              expect(
                off(
                  state,
                  raised.map((value) => value || 1),
                ),
              ).toBeLessThan(ROUNDING);
            const d = columns.map((_, k) => (scaled ? state[curvature === "primal" ? k : layer[k]] : 1));

            const pure = columns.map((c) => dot(c, residual));
            expect(
              off(
                point.gradient,
                pure.map((value, k) => value + decay * w[k]),
              ),
            ).toBeLessThan(ROUNDING);
            const length = Math.sqrt(dot(residual, residual));
            const measure = pure.map((value, k) =>
              diagonal[k] > 0 && length > 0 ? Math.abs(value) / (Math.sqrt(diagonal[k]) * length) : 0,
            );
            expect(Math.abs(point.gradientCosine - Math.max(...measure))).toBeLessThan(ROUNDING);

            const matrix =
              curvature === "primal"
                ? columns.flatMap((a) => columns.map((b) => dot(a, b)))
                : jacobian.flatMap((a) =>
                    jacobian.map((b) =>
                      dot(
                        a,
                        b.map((value, k) => value / d[k]),
                      ),
                    ),
                  );
            expect(off(await engine.curvature(), matrix)).toBeLessThan(ROUNDING);

            // Both routes solve the same p x p system.
            const system = columns.map((a, i) =>
              columns.map((b, k) => dot(a, b) + (i === k ? decay + damping * d[i] : 0)),
            );
            const expected = eliminate(
              system,
              Array.from(point.gradient, (value) => -value),
            );
            const solved = await engine.solve({ damping, decay, scaling });
            if (failed(solved)) throw new Error(solved.message);
            // The damped system's condition number is at most 1 + trace / smallest entry of the damping.
            const condition = 1 + diagonal.reduce((sum, value) => sum + value, 0) / (damping * Math.min(...d) + decay);
            expect(off(solved.step, expected)).toBeLessThan(ROUNDING * condition);
            expect(solved.residual).toBeLessThan(ROUNDING * condition);
          }),
        ),
        { numRuns: 60 },
      );
    },
  );

  it("solves again with another damping from the same matrix", async () => {
    const one = fc.sample(cases, { numRuns: 1, seed: 5 })[0];
    await withEngine(one, async (engine) => {
      await engine.linearize(one.w, { curvature: "primal", decay: 0, scaling: null });
      const before = await engine.curvature();
      const first = await engine.solve({ damping: 1, decay: 0, scaling: null });
      await engine.solve({ damping: 100, decay: 0, scaling: null });
      expect(await engine.solve({ damping: 1, decay: 0, scaling: null })).toMatchObject({
        step: !failed(first) && first.step,
      });
      expect(await engine.curvature()).toEqual(before);
    });
  });

  it("has a tangent kernel of layer terms delta.delta (1 + h.h / fan-in) in the NTK parametrization", async () => {
    const net = network({ layers: [3, 5, 1], initialization: "ntk", seed: 4 });
    const inputs = Float64Array.of(0.3, -1, 0.5, 1.2, 0.1, -0.4);
    const data = { sampleCount: 2, inputs, targets: new Float64Array(2) };
    const w = net.parameters;
    const hidden = [0, 1].map((i) =>
      Array.from({ length: 5 }, (_, o) =>
        Math.tanh(dot(w.subarray(3 * o, 3 * o + 3), inputs.subarray(3 * i, 3 * i + 3)) / Math.sqrt(3)),
      ),
    );
    const delta = hidden.map((h) => h.map((value, o) => ((1 - value * value) * w[20 + o]) / Math.sqrt(5)));
    const entry = (a: number, b: number) =>
      1 +
      dot(hidden[a], hidden[b]) / 5 +
      dot(delta[a], delta[b]) * (1 + dot(inputs.subarray(3 * a, 3 * a + 3), inputs.subarray(3 * b, 3 * b + 3)) / 3);
    const engine = createReferenceEngine(net.architecture, data);
    await engine.linearize(w, { curvature: "dual", decay: 0, scaling: null });
    const expected = [entry(0, 0), entry(0, 1), entry(1, 0), entry(1, 1)];
    expect(off(await engine.curvature(), expected)).toBeLessThan(ROUNDING);
  });
});
