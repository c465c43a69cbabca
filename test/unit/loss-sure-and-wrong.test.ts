// Losses other than squared error where z of a sample is huge, not finite, or of no weight: steps of every route against the primal one,
// memory, failures, and trainings that begin there.
import { describe, expect, it } from "vitest";
import { type EngineData, failed, type LinearizeRequest } from "../../src/backend/engine.js";
import type { NetworkEngine as Engine } from "../../src/backend/network-engine.js";
import {
  type Loss,
  logistic,
  network,
  networkOf,
  Random,
  softmaxCrossEntropy,
  type TrainRoute,
  train,
} from "../../src/index.js";
import { ENGINES } from "../helpers/losses.js";

const LOSSES = [logistic(), softmaxCrossEntropy()].map((loss) => [loss.kind, loss] as const);

/** A hidden layer whose first unit sees the last input alone, which only sample 0 has: its first output is `logit` where it should be low. */
function wrongAt(loss: Loss, logit: number) {
  const [n, d, h] = [60, 3, 5];
  const c = loss.kind === "logistic" ? 1 : 3;
  const random = new Random(4, 4);
  const inputs = Float64Array.from({ length: n * d }, (_, k) => (k % d === 2 ? 0 : random.normal()));
  inputs[2] = 1;
  const targets = new Float64Array(n * c);
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    if (c === 1) targets[i] = i > 0 && u < 0.5 ? 1 : 0;
    else targets[i * c + (i === 0 ? 2 : Math.floor(u * 3))] = 1;
  }
  const { architecture, parameters } = network({ layers: [d, h, c], activation: "tanh", seed: 3 });
  const w = parameters.slice();
  const [first, last] = architecture.layers;
  w.set([0, 0, 1], first?.weightOffset);
  w[first?.biasOffset as number] = 0;
  // The factor of a layer multiplies its weights.
  const hidden = Math.tanh(first?.factor as number);
  w[last?.weightOffset as number] = logit / (hidden * (last?.factor as number));
  return { architecture, w, data: { sampleCount: n, inputs, targets, loss } satisfies EngineData };
}

/** |a - b|_max relative to |b|_max. */
function off(a: Float64Array, b: Float64Array): number {
  let [worst, size] = [0, Number.MIN_VALUE];
  for (let k = 0; k < b.length; k++) {
    worst = Math.max(worst, Math.abs((a[k] as number) - (b[k] as number)));
    size = Math.max(size, Math.abs(b[k] as number));
  }
  return worst / size;
}

const plain = { decay: 0, scaling: null } as const;

async function stepBy(
  engine: Engine,
  w: Float64Array,
  curvature: LinearizeRequest["curvature"],
  damping: number,
  decay: number,
) {
  const linearized = await engine.linearize(w, { curvature, decay, scaling: null });
  if (failed(linearized)) throw new Error(linearized.message);
  const solved = await engine.solve({ damping, decay, scaling: null });
  if (failed(solved)) throw new Error(solved.message);
  return solved;
}

describe.each(ENGINES)("%s engine", (name, create) => {
  describe.each(LOSSES)("%s", (_, loss) => {
    it.each([5, 20, 40, 80, 160, 400, 690, 720, 800])(
      "a wrong logit of %i: dual and orthogonal steps are the primal one, and say so",
      async (logit) => {
        const { architecture, w, data } = wrongAt(loss, logit);
        const engine = create(architecture, data);
        for (const decay of [0, 0.3]) {
          const primal = await stepBy(engine, w, "primal", 0.1, decay);
          // 60 samples of curvature 1, damping 0.1: a condition of some 1e3, times n eps; and a factor 1/damping for the dual route.
          const bound = 1e-11;
          expect(off((await stepBy(engine, w, "dual", 0.1, decay)).step, primal.step)).toBeLessThan(bound);
          const orthogonal = await stepBy(engine, w, "orthogonal", 0.1, decay);
          expect(off(orthogonal.step, primal.step)).toBeLessThan(bound);
          expect(orthogonal.residual).toBeLessThan(1e-12);
        }
        engine.dispose();
      },
    );

    it("an undamped triangle that is singular is named as one", async () => {
      const { architecture, w, data } = wrongAt(loss, 400);
      const engine = create(architecture, data);
      await engine.linearize(w, { ...plain, curvature: "orthogonal" });
      expect(await engine.solve({ ...plain, damping: 0 })).toMatchObject({
        code: "indefinite",
        message: expect.stringMatching(/^the triangle of the damped Jacobian is singular.*more damping$/),
      });
      engine.dispose();
    });

    it("a damping that differs by 1e300 from one parameter to another leaves the triangle regular", async () => {
      const { architecture, w, data } = wrongAt(loss, 800);
      const engine = create(architecture, data);
      const steps: Float64Array[] = [];
      for (const curvature of ["primal", "orthogonal"] as const) {
        // D of the weight that sample 0 alone has is some exp(-800) = 0 beside the others, and raised to 1e-300.
        const scaling = new Float64Array(engine.parameterCount).fill(1e-300);
        await engine.linearize(w, { curvature, decay: 0, scaling });
        expect(Math.min(...scaling)).toBeLessThan(1e-290);
        const solved = await engine.solve({ damping: 0.1, decay: 0, scaling });
        if (failed(solved)) throw new Error(solved.message);
        steps.push(solved.step.map((value, j) => value * Math.sqrt(scaling[j] as number)));
      }
      expect(off(steps[1] as Float64Array, steps[0] as Float64Array)).toBeLessThan(1e-11);
      engine.dispose();
    });

    it.runIf(name === "native")("needs no memory more where z is not finite", async () => {
      const [usual, wrong] = [wrongAt(loss, 5), wrongAt(loss, 800)];
      const requests: readonly LinearizeRequest[] = (["primal", "dual", "orthogonal", "matrix-free"] as const).map(
        (curvature) => ({ ...plain, curvature }),
      );
      for (const request of requests) {
        const engine = create(usual.architecture, usual.data);
        await engine.linearize(usual.w, request);
        const before = engine.bytes();
        expect(await engine.linearize(wrong.w, request)).toMatchObject({ ok: true, residualSquare: Infinity });
        expect(engine.bytes()).toBe(before);
        engine.dispose();
      }
    });
  });

  it("a wrong sample of weight 0 is no sample", async () => {
    const [n, d] = [40, 2];
    const random = new Random(2, 2);
    const inputs = Float64Array.from({ length: n * d }, () => random.normal());
    inputs.set([900, 0]);
    const targets = Float64Array.from({ length: n }, (_, i) => (i > 0 && random.uniform() < 0.5 ? 1 : 0));
    const weights = new Float64Array(n).fill(1);
    weights[0] = 0;
    const { architecture } = network({ layers: [d, 1], activation: "identity", seed: 1 });
    const w = Float64Array.of(1, 0.3, 0.1);
    const loss = logistic();
    const [one, other] = [
      create(architecture, { sampleCount: n, inputs, targets, weights, loss }),
      create(architecture, { sampleCount: n - 1, inputs: inputs.slice(d), targets: targets.slice(1), loss }),
    ];
    const squares: number[] = [];
    for (const engine of [one, other]) {
      const linearized = await engine.linearize(w, { ...plain, curvature: "dual" });
      if (failed(linearized)) throw new Error(linearized.message);
      squares.push(linearized.residualSquare as number);
    }
    // The same numbers in another order of tiles.
    expect(Math.abs((squares[0] as number) / (squares[1] as number) - 1)).toBeLessThan(n * Number.EPSILON);
    for (const damping of [1, 1e-6, 1e-10]) {
      const steps = await Promise.all([one, other].map((engine) => stepBy(engine, w, "dual", damping, 0)));
      // K has the rank 3: what is beside it is damped by `damping` alone.
      expect(off(steps[0]?.step as Float64Array, steps[1]?.step as Float64Array)).toBeLessThan(
        Math.min(1e-4, Math.max(1e-13, 1e-14 / damping)),
      );
    }
    for (const engine of [one, other]) engine.dispose();
  });

  it("softmax: a logit of -Infinity is found where its target is 0 too", async () => {
    const { architecture } = network({ layers: [1, 2], activation: "identity", bias: false, seed: 1 });
    const data = { sampleCount: 2, inputs: Float64Array.of(1, 2), targets: Float64Array.of(1, 0, 1, 0) };
    const engine = create(architecture, { ...data, loss: softmaxCrossEntropy() });
    const where = { what: "activation", layer: 0, sample: 1, unit: 1 };
    const w = Float64Array.of(1, -1.7e308);
    expect(await engine.evaluate(w)).toMatchObject({ code: "non-finite", where });
    expect(await engine.linearize(w, { ...plain, curvature: "primal" })).toMatchObject({ code: "non-finite", where });
    engine.dispose();
  });

  it.each([1, 40, 150])("the dual route trains from a start with a wrong logit of %i", async (input) => {
    const [n, d] = [30, 2];
    const random = new Random(11, 3);
    const rows = Array.from({ length: n }, () => [random.normal(), random.normal()]);
    const targets = Array.from({ length: n }, () => [random.uniform() < 0.5 ? 1 : 0]);
    rows[0] = [input, 0];
    targets[0] = [0];
    const net = networkOf({ layers: [d, 1], activation: "identity", parameters: Float64Array.of(2, 0, 0) });
    const run = (route: TrainRoute) =>
      train(
        net,
        { inputs: rows, targets },
        { loss: logistic(), route, validation: false, standardize: false, stop: { iterations: 40 }, backend: name },
      );
    const [primal, dual] = [await run("primal"), await run("dual")];
    // The same minimum: it is flat to rounding.
    expect(Math.abs(dual.loss / primal.loss - 1)).toBeLessThan(1e-9);
  });
});
