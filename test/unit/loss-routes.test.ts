// Every loss through every route: against J, Q and the gradient written out densely, primal against dual, and where the residual of a
// prediction that is sure and wrong is not finite.

import { describe, expect, it } from "vitest";
import { type EngineData, type Failure, failed, type LinearizeRequest } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine as Engine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { logistic, network, Random, softmaxCrossEntropy } from "../../src/index.js";
import { type Loss, lossRule } from "../../src/loss/rules.js";
import { outputCount } from "../../src/loss/target-rules.js";
import type { Architecture } from "../../src/network/architecture.js";
import { ENGINES, LOSSES } from "../helpers/losses.js";
import { fc } from "../helpers/property.js";

interface Case {
  readonly architecture: Architecture;
  readonly w: Float64Array;
  readonly data: EngineData;
}

/**
 * A random network and data whose targets suit the loss.
 * @param layers the last of them as many as targets
 */
function caseOf(loss: Loss, layers: readonly number[], samples: number, weighted: boolean, seed: number): Case {
  const c = layers[layers.length - 1] as number;
  const all = [...layers.slice(0, -1), outputCount(loss, c)];
  const net = network({ layers: all, activation: "tanh", outputScale: 2, seed });
  const random = new Random(seed, 7);
  const inputs = Float64Array.from({ length: samples * net.inputSize }, () => random.normal());
  const kind = lossRule(loss).targets;
  const targets = Float64Array.from({ length: samples * c }, () =>
    kind === "real" ? random.normal() : kind === "count" ? Math.floor(4 * random.uniform()) : random.uniform(),
  );
  if (kind === "distribution")
    for (let i = 0; i < samples; i++) {
      const row = targets.subarray(i * c, (i + 1) * c);
      const sum = row.reduce((total, value) => total + value, 0);
      for (let a = 0; a < c; a++) row[a] /= sum;
    }
  const weights = weighted ? Float64Array.from({ length: samples }, () => 0.2 + random.uniform()) : undefined;
  const w = net.parameters.map((value) => value + 0.3 * random.normal());
  return { architecture: net.architecture, w, data: { sampleCount: samples, inputs, targets, weights, loss } };
}

const cases = (loss: Loss) =>
  fc
    .record({
      layers: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      outputs: fc.integer({ min: loss.kind === "softmax-cross-entropy" ? 2 : 1, max: 4 }),
      samples: fc.integer({ min: 1, max: 12 }),
      weighted: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1e6 }),
    })
    .map(({ layers, outputs, samples, weighted, seed }) => caseOf(loss, [...layers, outputs], samples, weighted, seed));

/** Loss, gradient, G and K of a case, from J and the rule, sample by sample. */
async function dense(engine: Engine, { data, w }: Case) {
  const { sampleCount: n, outputSize: c, parameterCount: p } = engine;
  const rule = lossRule(data.loss as Loss);
  const j = await engine.jacobian(w, 0, n);
  const psi = await engine.forward(w);
  const roots = data.weights?.map(Math.sqrt) ?? null;
  const size = rule.factor === "full" ? n * c * c : n * c;
  const seeds = { factor: new Float64Array(size), z: new Float64Array(n * c), gradient: new Float64Array(n * c) };
  const block = { count: n, outputSize: c, predictions: psi, targets: data.targets, roots, first: 0 };
  const loss = rule.apply(block, seeds);
  const rows = Array.from({ length: n * c }, (_, row) => {
    const [i, b] = [Math.floor(row / c), row % c];
    return Float64Array.from({ length: p }, (_, k) => {
      if (rule.factor === "diagonal") return seeds.factor[row] * j[row * p + k];
      let sum = 0;
      for (let a = 0; a < c; a++) sum += seeds.factor[(i * c + b) * c + a] * j[(i * c + a) * p + k];
      return sum;
    });
  });
  const gradient = new Float64Array(p);
  for (let row = 0; row < n * c; row++) for (let k = 0; k < p; k++) gradient[k] += seeds.gradient[row] * j[row * p + k];
  const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  const columns = Array.from({ length: p }, (_, k) => Float64Array.from(rows, (row) => row[k]));
  return {
    loss,
    gradient,
    gram: Float64Array.from(columns.flatMap((a) => columns.map((b) => inner(a, b)))),
    kernel: Float64Array.from(rows.flatMap((a) => rows.map((b) => inner(a, b)))),
  };
}

/** |a - b|_max relative to |b|_max. */
function off(a: Float64Array, b: Float64Array): number {
  let [worst, size] = [0, Number.MIN_VALUE];
  for (let k = 0; k < b.length; k++) {
    worst = Math.max(worst, Math.abs(a[k] - b[k]));
    size = Math.max(size, Math.abs(b[k]));
  }
  return worst / size;
}

const sure = <T extends { readonly ok: true }>(answer: T | Failure): T => {
  if (failed(answer)) throw new Error(answer.message);
  return answer;
};

async function stepOf(
  engine: Engine,
  w: Float64Array,
  curvature: "primal" | "dual" | "orthogonal",
  damping: number,
  decay: number,
) {
  sure(await engine.linearize(w, { curvature, decay, scaling: null }));
  return sure(await engine.solve({ damping, decay, scaling: null })).step;
}

/**
 * The unit of a damping: the largest R^2 of the Gaussian negative log-likelihood, which grows with the precision 1/s of a prediction and
 * with its squared error without a bound; 1 with the other losses.
 */
async function unitOf(engine: Engine, { data, w }: Case): Promise<number> {
  const { sampleCount: count, outputSize } = engine;
  const rule = lossRule(data.loss as Loss);
  if (rule.link !== "gaussian") return 1;
  const array = () => new Float64Array(count * outputSize);
  const seeds = { factor: array(), z: array(), gradient: array() };
  const predictions = await engine.forward(w);
  rule.apply({ count, outputSize, predictions, targets: data.targets, roots: null, first: 0 }, seeds);
  return Math.max(1, ...seeds.factor.map((r) => r * r));
}

// Sums of at most n c = 96 terms of size 1, through at most 3 layers of width 8.
const ROUNDING = 1e-13;

describe.each(ENGINES)("%s", (_, create) => {
  describe.each(LOSSES.map((loss) => [loss.kind, loss] as const))("%s", (_, loss) => {
    it("sums what J and the loss make", async () => {
      await fc.assert(
        fc.asyncProperty(cases(loss), async (one) => {
          const engine = create(one.architecture, one.data);
          try {
            const exact = await dense(engine, one);
            const evaluated = sure(await engine.evaluate(one.w));
            const primal = sure(await engine.linearize(one.w, { curvature: "primal", decay: 0, scaling: null }));
            expect(Math.abs(evaluated.loss / exact.loss - 1)).toBeLessThan(ROUNDING);
            expect(Math.abs(primal.loss / exact.loss - 1)).toBeLessThan(ROUNDING);
            const size = Math.max(1e-3, ...exact.gradient.map(Math.abs));
            for (const [k, value] of primal.gradient.entries())
              expect(Math.abs(value - exact.gradient[k])).toBeLessThan(ROUNDING * size);
            expect(off(await engine.curvature(), exact.gram)).toBeLessThan(ROUNDING);
            sure(await engine.linearize(one.w, { curvature: "dual", decay: 0, scaling: null }));
            expect(off(await engine.curvature(), exact.kernel)).toBeLessThan(ROUNDING);
            sure(await engine.linearize(one.w, { curvature: "orthogonal", decay: 0, scaling: null }));
            expect(off(await engine.curvature(), exact.gram)).toBeLessThan(ROUNDING);
            const free = sure(await engine.linearize(one.w, { curvature: "matrix-free", decay: 0, scaling: null }));
            const p = engine.parameterCount;
            const unit = (k: number) => Float64Array.from({ length: p }, (_, j) => (j === k ? 1 : 0));
            for (let k = 0; k < p; k++) {
              expect(off(await engine.curvatureProduct(unit(k)), exact.gram.slice(k * p, (k + 1) * p))).toBeLessThan(
                // A column may be all but 0 beside the others.
                ROUNDING *
                  Math.max(1, Math.max(...exact.gram) / Math.max(1e-300, ...exact.gram.slice(k * p, (k + 1) * p))),
              );
              expect(Math.abs((free.diagonal as Float64Array)[k] - exact.gram[k * p + k])).toBeLessThan(
                ROUNDING * Math.max(...exact.gram),
              );
            }
          } finally {
            engine.dispose();
          }
        }),
        { numRuns: 25 },
      );
    });

    it.each([1, 1e-2, 1e-4])("primal, dual and orthogonal steps agree at damping %f", async (damping) => {
      // The dual step divides by the damping a difference whose rounding is that of terms of size 1.
      const bound = damping >= 1e-2 ? 1e-10 : 1e-12 / damping;
      await fc.assert(
        fc.asyncProperty(cases(loss), fc.constantFrom(0, 0.1), async (one, decay) => {
          const engine = create(one.architecture, one.data);
          try {
            const shift = damping * (await unitOf(engine, one));
            const primal = await stepOf(engine, one.w, "primal", shift, decay);
            expect(off(await stepOf(engine, one.w, "dual", shift, decay), primal)).toBeLessThan(bound);
            expect(off(await stepOf(engine, one.w, "orthogonal", shift, decay), primal)).toBeLessThan(bound);
          } finally {
            engine.dispose();
          }
        }),
        { numRuns: 25 },
      );
    });

    it("accelerations of primal and dual agree", async () => {
      await fc.assert(
        fc.asyncProperty(cases(loss), fc.constantFrom(0, 0.1), async (one, decay) => {
          const engine = create(one.architecture, one.data);
          try {
            const velocity = await stepOf(engine, one.w, "primal", 0.1, decay);
            const primal = sure(await engine.accelerate(velocity, null)).acceleration;
            await stepOf(engine, one.w, "dual", 0.1, decay);
            const dual = sure(await engine.accelerate(velocity, null)).acceleration;
            // An acceleration may be all but 0 beside the velocity it bends.
            const size = Math.max(...velocity.map(Math.abs)) ** 2;
            for (const [k, value] of primal.entries())
              expect(Math.abs(dual[k] - value)).toBeLessThan(1e-10 * Math.max(size, Math.abs(value)));
          } finally {
            engine.dispose();
          }
        }),
        { numRuns: 25 },
      );
    });

    it("a step in single precision is that in double, within its tolerance", async () => {
      const one = caseOf(loss, [3, 5, 3], 40, true, 5);
      const engine = create(one.architecture, one.data);
      const scaling = new Float64Array(engine.parameterCount);
      const exact = sure(await engine.linearize(one.w, { curvature: "primal", decay: 0.1, scaling }));
      const request = { damping: 0.1, decay: 0.1, scaling };
      const { step } = sure(await engine.solve(request));
      for (const subset of [null, Uint32Array.from({ length: 20 }, (_, k) => 2 * k)]) {
        const fresh = scaling.slice();
        const single = sure(
          await engine.linearize(one.w, {
            curvature: "primal",
            decay: 0.1,
            scaling: fresh,
            precision: "single",
            subset,
          }),
        );
        expect(off(single.gradient, exact.gradient)).toBeLessThan(ROUNDING);
        expect(off(sure(await engine.solve(request)).step, step)).toBeLessThan(1e-6);
      }
      engine.dispose();
    });

    it("the factors of a layer are those of J~", async () => {
      const one = caseOf(loss, [2, 3], 9, true, 8);
      const engine = create(one.architecture, one.data);
      const exact = await dense(engine, one);
      sure(await engine.linearize(one.w, { curvature: "matrix-free", decay: 0, scaling: null }));
      const [layer] = await engine.layerFactors();
      // One layer, whose delta by the output is its bias column of J~: the left factor is G of the biases.
      const p = engine.parameterCount;
      const c = engine.outputSize;
      const left = Float64Array.from({ length: c * c }, (_, k) => {
        const [a, b] = [Math.floor(k / c), k % c];
        return exact.gram[(layer.biasOffset + a) * p + layer.biasOffset + b];
      });
      expect(off(layer.left, left)).toBeLessThan(ROUNDING);
      engine.dispose();
    });
  });

  describe("predictions that are sure and wrong", () => {
    /** One linear layer whose outputs are w x: logits of +-800 and beyond at inputs of 800. */
    const wrong = (loss: Loss): Case => {
      const { architecture } = network({ layers: [1, 2], bias: false, seed: 1 });
      const targets = Float64Array.of(0, 1, 1, 0, 0, 1);
      const data = { sampleCount: 3, inputs: Float64Array.of(800, 1, -2), targets, loss };
      return { architecture, w: Float64Array.of(1, -1), data };
    };

    it.each([logistic(), softmaxCrossEntropy()])("$kind: every route has the step of the gradient", async (loss) => {
      const one = wrong(loss);
      const engine = create(one.architecture, one.data);
      const exact = await dense(engine, one);
      for (const decay of [0, 0.3]) {
        const primal = await stepOf(engine, one.w, "primal", 0.1, decay);
        expect(primal.every(Number.isFinite)).toBe(true);
        // (G + (0.1 + decay) I) step = -(gradient + decay w), by the dense G.
        for (let a = 0; a < 2; a++) {
          const image = exact.gram[2 * a] * primal[0] + exact.gram[2 * a + 1] * primal[1];
          const miss = image + (0.1 + decay) * primal[a] + exact.gradient[a] + decay * one.w[a];
          expect(Math.abs(miss)).toBeLessThan(1e-13 * 800);
        }
        expect(off(await stepOf(engine, one.w, "dual", 0.1, decay), primal)).toBeLessThan(1e-11);
        expect(off(await stepOf(engine, one.w, "orthogonal", 0.1, decay), primal)).toBeLessThan(1e-11);
      }
      const linearized = sure(await engine.linearize(one.w, { curvature: "dual", decay: 0, scaling: null }));
      expect(linearized.residualSquare).toBe(Number.POSITIVE_INFINITY);
      expect(failed(await engine.solve({ damping: 0, decay: 0, scaling: null }))).toBe(true);
      engine.dispose();
    });
  });
});

// More samples than a tile, and than a block of a few hundred: what the small cases cannot see.
describe.runIf(loadNative().ok)("both engines", () => {
  it.each(LOSSES.map((loss) => [loss.kind, loss] as const))("agree on 700 samples: %s", async (_, loss) => {
    const one = caseOf(loss, [4, 9, 7, 3], 700, true, 4);
    const engines = [createReferenceEngine(one.architecture, one.data), createNativeEngine(one.architecture, one.data)];
    const p = engines[0].parameterCount;
    const random = new Random(3, 1);
    const vector = Float64Array.from({ length: p }, () => random.normal());
    const subset = (count: number) => Uint32Array.from({ length: count }, (_, k) => Math.floor((k * 700) / count));
    const both = async (ask: (engine: Engine) => Promise<Float64Array>, bound: number) => {
      const [reference, native] = [await ask(engines[0]), await ask(engines[1])];
      expect(off(native, reference)).toBeLessThan(bound);
    };
    const linearized =
      (request: Partial<LinearizeRequest>, then: (engine: Engine) => Promise<Float64Array>) =>
      async (engine: Engine) => {
        const scaling = new Float64Array(request.curvature === "dual" ? engine.layerCount : p);
        sure(await engine.linearize(one.w, { curvature: "primal", decay: 0.2, scaling, ...request }));
        return then(engine);
      };
    const solved = async (engine: Engine) =>
      sure(await engine.solve({ damping: 0.3, decay: 0.2, scaling: null, tolerance: 1e-10 })).step;
    // A few samples precondition well only where the damping is large.
    const large = 300 * (await unitOf(engines[0], one));
    const damped = async (engine: Engine) =>
      sure(await engine.solve({ damping: large, decay: 0.2, scaling: null, tolerance: 1e-10 })).step;
    // 2,100 equations of size 1 through three layers; steps: times a condition of some 1e3.
    await both(async (engine) => Float64Array.of(sure(await engine.evaluate(one.w)).loss), 1e-12);
    await both(
      async (engine) => sure(await engine.linearize(one.w, { curvature: "none", decay: 0.2, scaling: null })).gradient,
      1e-12,
    );
    await both(
      linearized({}, (engine) => engine.curvature()),
      1e-12,
    );
    await both(linearized({}, solved), 1e-9);
    await both(
      linearized({}, async (engine) => sure(await engine.accelerate(await solved(engine), null)).acceleration),
      1e-9,
    );
    await both(linearized({ curvature: "orthogonal" }, solved), 1e-9);
    await both(linearized({ precision: "single", scaling: null }, solved), 1e-8);
    // By the Gram matrix of the subset, and by its rows where they are few.
    await both(linearized({ precision: "single", scaling: null, subset: subset(200) }, damped), 1e-8);
    await both(linearized({ precision: "single", scaling: null, subset: subset(12) }, damped), 1e-8);
    await both(
      linearized({ curvature: "matrix-free" }, (engine) => engine.curvatureProduct(vector)),
      1e-12,
    );
    // In float32.
    await both(
      linearized({ curvature: "matrix-free", subset: subset(300) }, (engine) => engine.curvatureProduct(vector)),
      1e-5,
    );
    const factors = async (engine: Engine) =>
      Float64Array.from((await engine.layerFactors()).flatMap(({ left, right }) => [...left, ...right]));
    await both(linearized({ curvature: "matrix-free" }, factors), 1e-12);
    for (const engine of engines) engine.dispose();
  });

  it.each([logistic(), softmaxCrossEntropy()])("take the gradient by itself in any block: $kind", async (loss) => {
    const one = caseOf(loss, [2, 5, 2], 600, false, 9);
    // The last sample is sure and wrong: the residual of one block is not finite.
    const w = one.w.map((value) => 40 * value);
    const engines = [createReferenceEngine(one.architecture, one.data), createNativeEngine(one.architecture, one.data)];
    const wide = { ...one, w: w.map((value) => 40 * value) };
    const [reference, native] = await Promise.all(
      engines.map(async (engine) =>
        sure(await engine.linearize(wide.w, { curvature: "primal", decay: 0, scaling: null })),
      ),
    );
    expect(reference.residualSquare).toBe(Number.POSITIVE_INFINITY);
    expect(native.residualSquare).toBe(Number.POSITIVE_INFINITY);
    expect(off(native.gradient, (await dense(engines[0], wide)).gradient)).toBeLessThan(1e-11);
    expect(off(reference.gradient, native.gradient)).toBeLessThan(1e-11);
    for (const engine of engines) engine.dispose();
  });
});
