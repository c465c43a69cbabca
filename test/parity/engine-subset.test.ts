// A subset of the samples that stands for all in the curvature, both engines: products are those of an engine on the subset alone with
// each of its samples weighing n / |subset| times its own; a rough factor changes nothing in the step it is the preconditioner of.

import { describe, expect, it } from "vitest";
import type { Precision } from "../../src/backend/curvature.js";
import { type EngineData, failed, type LinearizeRequest } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { EngineFactory, NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { singleTolerance } from "../../src/backend/single.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { drawSubset } from "../../src/step/subset.js";
import { difference, type EngineProblem, problems, sure, tolerance } from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const engines: Record<string, EngineFactory> = loadNative().ok
  ? { native: createNativeEngine, reference: createReferenceEngine }
  : { reference: createReferenceEngine };

/** The samples of the subset, each with the weight of those it stands for. */
function alone({ architecture, data }: EngineProblem, subset: Uint32Array): EngineData {
  const { inputSize: d, outputSize: c } = architecture;
  const pick = (from: Float64Array, width: number) =>
    Float64Array.from([...subset].flatMap((i) => [...from.subarray(i * width, (i + 1) * width)]));
  const share = data.sampleCount / subset.length;
  return {
    sampleCount: subset.length,
    inputs: pick(data.inputs, d),
    targets: pick(data.targets, c),
    weights: Float64Array.from(subset, (i) => share * (data.weights?.[i] ?? 1)),
  };
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, j) => sum + value * b[j], 0);

/** The damped matrix A = G + shift I of an engine, which holds the primal curvature in double precision whenever one of these is called. */
function energyOf(engine: NetworkEngine, shift: number) {
  const image = async (v: Float64Array) => (await engine.curvatureProduct(v)).map((value, j) => value + shift * v[j]);
  return {
    image,
    /** Norm of a - b in A. */
    async ofDifference(a: Float64Array, b: Float64Array): Promise<number> {
      const e = a.map((value, j) => value - b[j]);
      return Math.sqrt(dot(e, await image(e)));
    },
    async trace(): Promise<number> {
      const matrix = await engine.curvature();
      const p = engine.parameterCount;
      return matrix.reduce((sum, value, k) => (k % (p + 1) === 0 ? sum + value : sum), p * shift);
    },
  };
}

/** Sums of products of a few numbers that are rounded to float32, n c of them in it: c (layers + 2) eps32 and the sums' own. */
const singles = 20 * 2 ** -24 * Math.sqrt(400);

const share = fc.double({ min: 0.1, max: 1, noNaN: true });
const countOf = (problem: EngineProblem, part: number) => Math.max(1, Math.floor(part * problem.data.sampleCount));

describe.each(Object.entries(engines))("a subset of the samples, %s engine", (_, create) => {
  it("gives the products of the subset, and the rest of all samples", async () => {
    await fc.assert(
      fc.asyncProperty(problems, share, async (problem, part) => {
        const subset = drawSubset(countOf(problem, part), problem.data.sampleCount, 1);
        const [engine, few, all] = [problem.data, alone(problem, subset), problem.data].map((data) =>
          create(problem.architecture, data, { threads: 2 }),
        ) as [ReturnType<EngineFactory>, ReturnType<EngineFactory>, ReturnType<EngineFactory>];
        const random = new Random(7);
        const v = Float64Array.from({ length: 2 * engine.parameterCount }, () => random.normal());
        const [mine, theirs, fresh] = [0, 0, 0].map(() => new Float64Array(engine.parameterCount));
        const again = new Float64Array(engine.parameterCount).fill(Number.MIN_VALUE);
        const request = { curvature: "matrix-free", decay: 0.1, scaling: mine } as const;
        const point = await sure(engine.linearize(problem.parameters, { ...request, subset }));
        const whole = await sure(all.linearize(problem.parameters, { ...request, scaling: fresh }));
        expect([point.loss, point.gradient]).toEqual([whole.loss, whole.gradient]);
        // The diagonal and the scaling are the subset's.
        const sampled = await sure(few.linearize(problem.parameters, { ...request, scaling: theirs }));
        // A fresh scaling starts from all samples.
        const seen = sampled.diagonal as Float64Array;
        const raised = seen.map((value, j) => Math.max(value, fresh[j]));
        expect(difference(raised, mine)).toBeLessThan(tolerance);
        await sure(engine.linearize(problem.parameters, { ...request, scaling: again, subset }));
        const least = seen.map((value) => Math.max(value, Number.MIN_VALUE));
        expect(difference(least, again)).toBeLessThan(tolerance);
        expect(difference(sampled.diagonal as Float64Array, point.diagonal as Float64Array)).toBeLessThan(tolerance);
        const product = await engine.curvatureProduct(v);
        expect(difference(await few.curvatureProduct(v), product)).toBeLessThan(singles);
        // The next linearization without a subset has none.
        await sure(engine.linearize(problem.parameters, request));
        await sure(all.linearize(problem.parameters, request));
        expect(await engine.curvatureProduct(v)).toEqual(await all.curvatureProduct(v));
        for (const one of [engine, few, all]) one.dispose();
      }),
      { numRuns: 40 },
    );
  });

  it("leaves float32 where a product does not fit its range", async () => {
    const [problem] = fc.sample(
      problems.filter(
        ({ data, architecture }) => data.sampleCount > 20 && architecture.layers[0].activation === "tanh",
      ),
      { numRuns: 1, seed: 4 },
    );
    // J of the first layer's weights is some 1e25, its square beyond 3e38.
    const far = { ...problem, data: { ...problem.data, inputs: problem.data.inputs.map((value) => 1e25 * value) } };
    const { weightOffset, inputSize, outputSize } = far.architecture.layers[0];
    const end = weightOffset + inputSize * outputSize;
    const small = far.parameters.map((value, j) => (j >= weightOffset && j < end ? 1e-26 * value : value));
    const subset = drawSubset(10, far.data.sampleCount, 1);
    const [engine, few] = [far.data, alone(far, subset)].map((data) =>
      create(far.architecture, data, { threads: 2 }),
    ) as [ReturnType<EngineFactory>, ReturnType<EngineFactory>];
    const request = { curvature: "matrix-free", decay: 0, scaling: null } as const;
    await sure(engine.linearize(small, { ...request, subset }));
    await sure(few.linearize(small, request));
    const v = new Float64Array(engine.parameterCount).fill(1);
    const product = await engine.curvatureProduct(v);
    expect(product.every(Number.isFinite)).toBe(true);
    expect(Math.max(...product.map(Math.abs))).toBeGreaterThan(2 ** 128);
    expect(difference(await few.curvatureProduct(v), product)).toBeLessThan(tolerance);
    for (const one of [engine, few]) one.dispose();
  });

  it("of fewer equations than half of the parameters is the same preconditioner: all samples as a subset leave little to do", async () => {
    const net = network({ layers: [5, 18, 2], activation: "tanh", seed: 4 });
    const n = 30;
    const values = (count: number, step: number) =>
      Float64Array.from({ length: count }, (_, k) => Math.sin(1 + step * k));
    const data = { sampleCount: n, inputs: values(5 * n, 3), targets: values(2 * n, 5) };
    const engine = create(net.architecture, data, { threads: 2 });
    // 120 = 2 n c below p = 146.
    const subset = Uint32Array.from({ length: n }, (_, i) => i);
    const scaling = new Float64Array(engine.parameterCount);
    const step = async (precision: Precision, few: Uint32Array | null) => {
      const request = { curvature: "primal", decay: 0.01, scaling, precision, subset: few } as const;
      await sure(engine.linearize(net.parameters, request));
      return sure(engine.solve({ damping: 0.1, decay: 0.01, scaling }));
    };
    const exact = await step("double", null);
    const rows = await step("single", subset);
    // A float32 factor of the system itself leaves a residual of 1e-5 or so a step: two or three come to 1e-8.
    expect(rows.steps).toBeLessThanOrEqual(4);
    expect(difference(exact.step, rows.step)).toBeLessThan(1e-6);
    engine.dispose();
  });

  it("preconditions the damped system of all samples in single precision", async () => {
    await fc.assert(
      fc.asyncProperty(problems, share, async (problem, part) => {
        const subset = drawSubset(countOf(problem, part), problem.data.sampleCount, 2);
        const engine = create(problem.architecture, problem.data, { threads: 2 });
        const linearize = (request: Pick<LinearizeRequest, "precision" | "subset">) =>
          sure(engine.linearize(problem.parameters, { curvature: "primal", decay: 0.1, scaling: null, ...request }));
        const solve = (tolerance?: number) => engine.solve({ damping: 1, decay: 0.1, scaling: null, tolerance });
        // Along one velocity, for the second derivative is the same then.
        const accelerate = () => engine.accelerate(problem.parameters, null);
        const { gradient } = await linearize({ precision: "double" });
        const double = await sure(solve());
        const exact = await sure(accelerate());
        const energy = energyOf(engine, 1.1);
        const right = await energy.image(exact.acceleration);
        const trace = await energy.trace();
        await linearize({ precision: "single", subset });
        const single = await solve();
        const curved = failed(single) ? single : await accelerate();
        const inverse = async (b: Float64Array) => dot(b, await sure(engine.dampedInverse(b)));
        const starts = failed(single) ? [] : [await inverse(gradient), await inverse(right)];
        await linearize({ precision: "single", subset });
        const rough = await sure(solve(0.5));
        await linearize({ precision: "double" });
        // With few of the samples 40 steps may not do: then it says so.
        if (failed(single)) expect(single.code).toBe("imprecise");
        else {
          // The gradients end at r^T M^-1 r <= tolerance^2 b^T M^-1 b. The error e = A^-1 r has e^T A e = r^T A^-1 r, and M, with n / |subset| times
          // the products of the subset, is at most n / |subset| times A: so e^T A e <= (n / |subset|) r^T M^-1 r. In float32 sums of n c products and a
          // factor of order p move the entries of M by (n c + p) 2^-24 sqrt(M_ii M_jj), its eigenvalues by that times the trace; A >= 1.1.
          const { sampleCount, outputSize, parameterCount } = engine;
          const times = sampleCount / subset.length;
          const rounded = (sampleCount * outputSize + parameterCount) * 2 ** -24 * times * trace;
          const ratio = Math.sqrt(times + rounded / 1.1) * singleTolerance;
          expect(await energy.ofDifference(single.step, double.step)).toBeLessThanOrEqual(ratio * Math.sqrt(starts[0]));
          expect(rough.steps ?? 0).toBeLessThanOrEqual(single.steps ?? 0);
          // The acceleration solves a system with a right-hand side of its own.
          if (failed(curved)) expect(curved.code).toBe("imprecise");
          else {
            const error = await energy.ofDifference(curved.acceleration, exact.acceleration);
            expect(error).toBeLessThanOrEqual(ratio * Math.sqrt(starts[1]));
          }
        }
        engine.dispose();
      }),
      { numRuns: 40 },
    );
  });

  it("refuses what it cannot be", async () => {
    const [problem] = fc.sample(
      problems.filter(({ data }) => data.sampleCount > 20),
      { numRuns: 1, seed: 3 },
    );
    const engine = create(problem.architecture, problem.data, { threads: 1 });
    const linearize = async (more: Partial<LinearizeRequest>) =>
      engine.linearize(problem.parameters, { curvature: "matrix-free", decay: 0, scaling: null, ...more });
    const n = problem.data.sampleCount;
    await expect(linearize({ subset: Uint32Array.of(0, n) })).rejects.toThrow(
      `subset[1] must be below ${n} and above the index before it; received ${n}`,
    );
    await expect(linearize({ subset: Uint32Array.of(3, 3) })).rejects.toThrow("subset[1] must be below");
    await expect(linearize({ subset: new Uint32Array(0) })).rejects.toThrow(
      "subset must be a Uint32Array with at least",
    );
    await expect(linearize({ subset: [1] as unknown as Uint32Array })).rejects.toThrow("subset must be a Uint32Array");
    await expect(linearize({ curvature: "primal", subset: Uint32Array.of(1) })).rejects.toThrow(
      "subset must be null unless the curvature is matrix-free or in single precision",
    );
    const scaling = new Float64Array(engine.parameterCount);
    await sure(linearize({ curvature: "primal", precision: "single", scaling }));
    await expect(engine.solve({ damping: 1, decay: 0, scaling, tolerance: 1 })).rejects.toThrow(
      "tolerance must be a number between 0 and 1; received 1",
    );
    engine.dispose();
  });
});
