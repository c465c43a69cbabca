// The jet engines against differences and closed forms: jets of the outputs, rows of J and the second derivative along a step, for all
// smooth activations, several outputs, terms and residuals, mixed channels, sums of channels, unknowns, factors, output scale and the NTK
// parametrization.
import { describe, expect, it } from "vitest";
import type { JetEngine, JetEngineFactory } from "../../src/backend/jet-engine.js";
import { createNativeJetEngine } from "../../src/backend/native/jet-engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceJetEngine } from "../../src/backend/reference/jets/engine.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import type { ActivationName } from "../../src/network/architecture.js";
import { network } from "../../src/network/network.js";
import type { NetworkOptions } from "../../src/network/network-options.js";
import { Random } from "../../src/random.js";
import { drawPoints, jetTerm, twoTerms } from "../helpers/jet-problems.js";

const SMOOTH = ACTIVATION_NAMES.filter((name) => name !== "relu");
const ENGINES: readonly (readonly [string, JetEngineFactory])[] = [
  ["reference", createReferenceJetEngine],
  ...(loadNative().ok ? [["native", createNativeJetEngine] as const] : []),
];

async function caseOf(create: JetEngineFactory, options: NetworkOptions, seed = 3) {
  const random = new Random(seed, 5);
  const problem = await twoTerms(random);
  const net = network({ seed, ...options });
  const engine = create(net.architecture, problem, { threads: 2 });
  const draw = (size: number) => Float64Array.from({ length: engine.parameterCount }, () => size * random.normal());
  const parameters = draw(0.1).map((value, j) => value + (net.parameters[j] ?? 0.3));
  return { engine, parameters, direction: draw(1), problem, net };
}

/** Fourth-order differences of f at 0: error about eps^(4/5). */
async function slopeOf(f: (t: number) => Promise<Float64Array>, h = Number.EPSILON ** 0.2): Promise<Float64Array> {
  const [a, b, c, d] = [await f(-2 * h), await f(-h), await f(h), await f(2 * h)];
  return a.map((value, i) => (value - 8 * b[i] + 8 * c[i] - d[i]) / (12 * h));
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) / scale;
}

const moved = (w: Float64Array, v: Float64Array, t: number) => w.map((value, j) => value + t * v[j]);

/** rows x p times a vector. */
function times(rows: Float64Array, vector: Float64Array): Float64Array {
  const p = vector.length;
  return Float64Array.from({ length: rows.length / p }, (_, i) =>
    vector.reduce((sum, value, j) => sum + rows[i * p + j] * value, 0),
  );
}

const NETWORKS: readonly (readonly [string, NetworkOptions])[] = [
  ...SMOOTH.map((activation): [string, NetworkOptions] => [activation, { layers: [2, 6, 5, 2], activation }]),
  ["an output activation and scale", { layers: [2, 5, 2], outputActivation: "softplus", outputScale: 3 }],
  ["the NTK parametrization", { layers: [2, 9, 4, 2], initialization: "ntk" }],
  ["no biases", { layers: [2, 5, 5, 2], bias: false, activation: "sin" }],
];

describe.each(ENGINES)("the %s jet engine", (_name, create) => {
  it.each(NETWORKS)("%s: rows of J are the differences of the residuals", async (_, options) => {
    const { engine, parameters } = await caseOf(create, options);
    const p = engine.parameterCount;
    const jacobian = await engine.jacobian(parameters, 0, engine.sampleCount);
    let worst = 0;
    for (let j = 0; j < p; j++) {
      const unit = new Float64Array(p);
      unit[j] = 1;
      const slope = await slopeOf((t) => engine.residuals(moved(parameters, unit, t)));
      const column = slope.map((_, i) => jacobian[i * p + j]);
      worst = Math.max(worst, largestDifference(slope, column));
    }
    expect(worst).toBeLessThan(1e-8);
  });

  it.each(NETWORKS)("%s: gradient, curvature and measure are those of these rows", async (_, options) => {
    const { engine, parameters } = await caseOf(create, options);
    const [p, n] = [engine.parameterCount, engine.sampleCount];
    const jacobian = await engine.jacobian(parameters, 0, n);
    const residuals = await engine.residuals(parameters);
    const gradient = Float64Array.from({ length: p }, (_, j) =>
      residuals.reduce((sum, r, i) => sum + r * jacobian[i * p + j], 0),
    );
    const scaling = new Float64Array(p);
    const answer = await engine.linearize(parameters, { curvature: "primal", decay: 0, scaling });
    const alone = await engine.linearize(parameters, { curvature: "none", decay: 0, scaling: null });
    if (!("ok" in answer) || !("ok" in alone)) throw new Error("the engine failed");
    // n sums of p terms: n eps relative to their sizes.
    const tolerance = n * Number.EPSILON * 10;
    expect(largestDifference(gradient, answer.gradient)).toBeLessThan(tolerance);
    expect(largestDifference(gradient, alone.gradient)).toBeLessThan(tolerance);
    expect(answer.loss).toBeCloseTo(residuals.reduce((sum, r) => sum + r * r, 0) / 2, 10);
    await engine.linearize(parameters, { curvature: "primal", decay: 0, scaling });
    const gram = await engine.curvature();
    const expected = new Float64Array(p * p);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < p; j++)
        for (let k = 0; k < p; k++) expected[j * p + k] += jacobian[i * p + j] * jacobian[i * p + k];
    expect(largestDifference(expected, gram)).toBeLessThan(tolerance);
    expect(
      largestDifference(
        scaling,
        scaling.map((value, j) => expected[j * p + j] || value),
      ),
    ).toBeLessThan(tolerance);
  });

  it.each(NETWORKS)("%s: the acceleration solves with the second derivative along the step", async (_, options) => {
    const { engine, parameters, direction } = await caseOf(create, options);
    const [p, n] = [engine.parameterCount, engine.sampleCount];
    const rows = (t: number) => engine.jacobian(moved(parameters, direction, t), 0, n);
    // r_vv is the derivative of J v along v.
    const second = await slopeOf(async (t) => times(await rows(t), direction));
    const jacobian = await rows(0);
    await engine.linearize(parameters, { curvature: "primal", decay: 0, scaling: null });
    const solved = await engine.solve({ damping: 0.5, decay: 0.1, scaling: null });
    const answer = await engine.accelerate(direction, null);
    if (!("ok" in solved) || !("ok" in answer)) throw new Error("the engine failed");
    const { acceleration } = answer;
    const along = times(jacobian, acceleration);
    const [left, right] = [new Float64Array(p), new Float64Array(p)];
    for (let j = 0; j < p; j++) {
      left[j] = 0.6 * acceleration[j];
      for (let i = 0; i < n; i++) {
        left[j] += jacobian[i * p + j] * along[i];
        right[j] -= jacobian[i * p + j] * second[i];
      }
    }
    expect(largestDifference(right, left)).toBeLessThan(1e-8);
  });

  it("a damped step solves (J^T J + decay I + damping D) step = -gradient, and others use its factor", async () => {
    const { engine, parameters, direction } = await caseOf(create, { layers: [2, 5, 2] });
    const p = engine.parameterCount;
    const scaling = new Float64Array(p);
    const at = await engine.linearize(parameters, { curvature: "primal", decay: 0.2, scaling });
    const request = { damping: 0.5, decay: 0.2, scaling, condition: true };
    const solved = await engine.solve(request);
    if (!("ok" in at) || !("ok" in solved)) throw new Error("the engine failed");
    const image = await engine.curvatureProduct(solved.step);
    const left = image.map((value, j) => value + (0.2 + 0.5 * scaling[j]) * solved.step[j]);
    expect(
      largestDifference(
        at.gradient.map((g) => -g),
        left,
      ),
    ).toBeLessThan(1e-12);
    expect(solved.condition).toBeGreaterThan(1);
    const x = await engine.dampedInverse(direction);
    if (!(x instanceof Float64Array)) throw new Error(x.message);
    const product = (await engine.curvatureProduct(x)).map((value, j) => value + (0.2 + 0.5 * scaling[j]) * x[j]);
    expect(largestDifference(direction, product)).toBeLessThan(1e-10);
    const y = await engine.curvatureInverse(direction, 0.3);
    if (!(y instanceof Float64Array)) throw new Error(y.message);
    const again = (await engine.curvatureProduct(y)).map((value, j) => value + 0.3 * y[j]);
    expect(largestDifference(direction, again)).toBeLessThan(1e-12);
    const { values } = await engine.eigen(false);
    const gram = await engine.curvature();
    const trace = scaling.reduce((sum, _, j) => sum + gram[j * p + j], 0);
    expect(values.reduce((sum, value) => sum + value, 0) / trace).toBeCloseTo(1, 12);
  });
});

describe.each(ENGINES)("jets of the outputs of the %s engine", (_name, create) => {
  it.each(SMOOTH)("%s: each channel is the derivative of those before it along the coordinates", async (activation) => {
    const { engine, parameters } = await caseOf(create, { layers: [2, 6, 5, 2], activation });
    const channels = {
      firsts: 2,
      seconds: [
        [[0, 0, 1]],
        [[0, 1, 1]],
        [
          [0, 0, 1],
          [1, 1, 2],
        ],
      ],
    } as const;
    const at = (x: number, t: number) => Float64Array.of(x, t, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    const jets = (x: number, t: number) => engine.outputJets(parameters, channels, at(x, t));
    const [x, t] = [0.3, -0.4];
    const whole = await jets(x, t);
    const byX = await slopeOf((s) => jets(x + s, t));
    const byT = await slopeOf((s) => jets(x, t + s));
    for (const o of [0, 6]) {
      const expected = [byX[o], byT[o], byX[o + 1], byX[o + 2], byX[o + 1] + 2 * byT[o + 2]];
      expect(largestDifference(Float64Array.from(expected), whole.slice(o + 1, o + 6))).toBeLessThan(1e-9);
    }
  });
});

describe.each(ENGINES)("misuse and failures of the %s jet engine", (_name, create) => {
  const engineOf = async (activation: ActivationName): Promise<JetEngine> =>
    (await caseOf(create, { layers: [2, 4, 2], activation })).engine;

  it("relu has no second-order channels, and may have first derivatives", async () => {
    await expect(engineOf("relu")).rejects.toThrow(/terms\[0\]\.channels\.seconds .* relu/);
    const points = drawPoints(new Random(1), 3, 1);
    const term = await jetTerm({
      name: "a",
      outputs: ["u"],
      coordinates: ["x"],
      firsts: ["x"],
      residuals: ["u_x-1"],
      points,
    });
    const net = network({ layers: [1, 4, 1], activation: "relu" });
    const engine = create(net.architecture, { terms: [term], unknownCount: 0 });
    expect(await engine.evaluate(net.parameters)).toHaveProperty("ok", true);
  });

  it("a residual that is not finite is a failure that names its term and point", async () => {
    const points = Float64Array.of(0.5, -0.5, 0.25);
    const term = await jetTerm({ name: "a", outputs: ["u"], coordinates: ["x"], residuals: ["u + log(x)"], points });
    const net = network({ layers: [1, 4, 1] });
    const engine = create(net.architecture, { terms: [term], unknownCount: 0 });
    for (const answer of [
      await engine.evaluate(net.parameters),
      await engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null }),
    ])
      expect(answer).toMatchObject({ code: "non-finite", message: 'residual of "a" is not finite, first at point 1' });
  });

  it("new points take the place of the old ones, and end the linearization", async () => {
    const random = new Random(8);
    const [old, fresh] = [drawPoints(random, 200, 1), drawPoints(random, 200, 1)];
    const termAt = (points: Float64Array) =>
      jetTerm({ name: "a", outputs: ["u"], coordinates: ["x"], firsts: ["x"], residuals: ["u_x - x*u"], points });
    const net = network({ layers: [1, 4, 1] });
    const [engine, other] = await Promise.all(
      [old, fresh].map(async (points) => create(net.architecture, { terms: [await termAt(points)], unknownCount: 0 })),
    );
    const { inputs, auxiliary } = await termAt(fresh);
    await engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null });
    engine.loadTerm(0, inputs, auxiliary);
    expect(engine.held).toBe("none");
    await expect(engine.solve({ damping: 1, decay: 0, scaling: null })).rejects.toThrow(/linearize/);
    expect(await engine.evaluate(net.parameters)).toEqual(await other.evaluate(net.parameters));
    expect(() => engine.loadTerm(0, inputs.slice(1), auxiliary)).toThrow(/inputs/);
    expect(() => engine.loadTerm(1, inputs, auxiliary)).toThrow(/term/);
  });

  it("only the primal curvature in double precision is formed", async () => {
    const { engine, parameters } = await caseOf(create, { layers: [2, 4, 2] });
    await expect(engine.linearize(parameters, { curvature: "dual", decay: 0, scaling: null })).rejects.toThrow(
      /primal/,
    );
    await expect(
      engine.linearize(parameters, { curvature: "primal", precision: "single", decay: 0, scaling: null }),
    ).rejects.toThrow(/double/);
    await expect(engine.evaluate(parameters.slice(1))).rejects.toThrow(/parameters must have/);
    engine.dispose();
    await expect(engine.evaluate(parameters)).rejects.toThrow(/disposed/);
  });
});
