// Single precision of the primal curvature, both engines: the step is that of double precision to the tolerance of the conjugate
// gradients, the scaling and the gradient are exact, and where float32 does not do the engine says so.

import { describe, expect, it } from "vitest";
import type { Precision } from "../../src/backend/curvature.js";
import { failed } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { mostSingleSteps, singleTolerance } from "../../src/backend/single.js";
import { difference, type EngineProblem, problems, tolerance } from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const engines = loadNative().ok
  ? { native: createNativeEngine, reference: createReferenceEngine }
  : { reference: createReferenceEngine };

/** Linearization, step, and the acceleration along `velocity`, by default the step's. */
async function steps(
  engine: NetworkEngine,
  w: Float64Array,
  precision: Precision,
  damping: number,
  decay: number,
  velocity?: Float64Array,
) {
  const scaling = new Float64Array(engine.parameterCount);
  const point = await engine.linearize(w, { curvature: "primal", precision, decay, scaling });
  if (failed(point)) throw new Error(point.message);
  const solved = await engine.solve({ damping, decay, scaling });
  if (failed(solved)) throw new Error(solved.message);
  const accelerated = await engine.accelerate(velocity ?? solved.step, scaling);
  if (failed(accelerated)) throw new Error(accelerated.message);
  return { point, scaling, solved, acceleration: accelerated.acceleration };
}

/** Norm of v in the damped matrix; the engine holds the linearization in double. */
async function energy(engine: NetworkEngine, v: Float64Array, shift: Float64Array): Promise<number> {
  const image = await engine.curvatureProduct(v);
  return Math.sqrt(v.reduce((sum, value, j) => sum + value * (image[j] + shift[j] * value), 0));
}

/** Two units with equal weights in and out: equal columns, so a singular Gram. */
function singular(): EngineProblem {
  const [problem] = fc.sample(
    problems.filter(
      ({ architecture: { layers } }) => layers.length === 2 && layers[0].outputSize > 1 && layers[0].bias,
    ),
    { numRuns: 1, seed: 5 },
  );
  const parameters = problem.parameters.slice();
  const [first, second] = problem.architecture.layers;
  for (let k = 0; k < first.inputSize; k++)
    parameters[first.weightOffset + first.inputSize + k] = parameters[first.weightOffset + k];
  parameters[first.biasOffset + 1] = parameters[first.biasOffset];
  for (let o = 0; o < second.outputSize; o++) {
    const at = second.weightOffset + o * second.inputSize;
    parameters[at + 1] = parameters[at];
  }
  return { ...problem, parameters };
}

describe.each(Object.entries(engines))("single precision, %s engine", (_, create) => {
  it("gives the step and the acceleration of double precision", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.constantFrom(1, 1e-2), fc.boolean(), async (problem, damping, decayed) => {
        const engine = create(problem.architecture, problem.data, { threads: 2 });
        const decay = decayed ? 0.3 : 0;
        // Along one velocity: a second derivative that nearly cancels magnifies the difference of two.
        const { step } = (await steps(engine, problem.parameters, "double", damping, decay)).solved;
        const single = await steps(engine, problem.parameters, "single", damping, decay, step);
        const double = await steps(engine, problem.parameters, "double", damping, decay, step);
        // The same sums of squares and products in another order.
        expect(difference(single.scaling, double.scaling)).toBeLessThan(tolerance);
        expect(difference(single.point.gradient, double.point.gradient)).toBe(0);
        expect(Math.abs(single.point.gradientCosine - double.point.gradientCosine)).toBeLessThan(tolerance);
        const shift = double.scaling.map((value) => decay + damping * value);
        // The preconditioner is the matrix but for p eps32 cond <= 100 * 6e-8 * 1e4: a few per cent.
        for (const [a, b] of [
          [single.solved.step, double.solved.step],
          [single.acceleration, double.acceleration],
        ]) {
          const error = await energy(
            engine,
            a.map((value, j) => value - b[j]),
            shift,
          );
          expect(error).toBeLessThanOrEqual(2 * singleTolerance * (await energy(engine, b, shift)));
        }
        expect(single.solved.steps ?? 0).toBeLessThanOrEqual(mostSingleSteps);
        engine.dispose();
      }),
      { numRuns: 60 },
    );
  });

  it("says where it does not do, and double precision goes on from there", async () => {
    const problem = singular();
    const engine = create(problem.architecture, problem.data, { threads: 2 });
    const scaling = new Float64Array(engine.parameterCount);
    const request = { curvature: "primal", precision: "single", decay: 0, scaling } as const;
    await engine.linearize(problem.parameters, request);
    // Below eps32 the damping is lost in a factor with a unit diagonal.
    const answer = await engine.solve({ damping: 1e-13, decay: 0, scaling });
    expect(failed(answer) ? answer.code : "solved").toMatch(/^(imprecise|indefinite)$/);
    // A failed solve leaves no factor for an acceleration, whatever it failed of.
    const codes = new Set<string>();
    for (let damping = 1e-8; ; damping *= 1.05) {
      const tried = await engine.solve({ damping, decay: 0, scaling });
      if (!failed(tried)) break;
      codes.add(tried.code);
      await expect(engine.accelerate(problem.parameters, scaling)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    }
    expect(codes).toContain("imprecise");
    await engine.linearize(problem.parameters, { ...request, precision: "double" });
    expect(failed(await engine.solve({ damping: 1e-6, decay: 0, scaling }))).toBe(false);
    engine.dispose();
  });

  it("has exact products and no entries", async () => {
    const [problem] = fc.sample(problems, { numRuns: 1, seed: 3 });
    const engine = create(problem.architecture, problem.data, { threads: 2 });
    const request = { curvature: "primal", decay: 0, scaling: null } as const;
    const v = problem.parameters.map((_value, j) => Math.cos(j));
    await engine.linearize(problem.parameters, { ...request, precision: "single" });
    const product = await engine.curvatureProduct(v);
    await expect(engine.curvature()).rejects.toThrow(/held in single precision/);
    await expect(engine.eigen(false)).rejects.toThrow(/held in single precision/);
    await expect(engine.curvatureInverse(v, 1)).rejects.toThrow(/held in single precision/);
    await engine.linearize(problem.parameters, request);
    expect(difference(product, await engine.curvatureProduct(v))).toBeLessThan(tolerance);
    await expect(
      engine.linearize(problem.parameters, { ...request, curvature: "dual", precision: "single" }),
    ).rejects.toThrow(/precision/);
    engine.dispose();
  });
});
