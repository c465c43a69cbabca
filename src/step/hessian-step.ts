// Computes the damped step on the exact Hessian, for Levenberg-Marquardt's propose.ts on losses other than squared error. Gauss-Newton leaves
// out sum_i r_i (Hessian of psi_i), which does not vanish where the minimum of the loss is not 0: there it converges only linearly, and slowly.
//
//   (F'' + decay I + mu D) s = -gradient        by conjugate gradients, preconditioned with (G + decay I + mu D)^-1
//
// The preconditioner is the factor that the Gauss-Newton step of the same damping has just been solved with, so that the first direction is
// that step. The matrix-free route (matrix-free.ts) has its own preconditioner.
//
// F'' may be indefinite. Conjugate gradients end at a direction of negative curvature, and where the first one has it, the step is that of
// Gauss-Newton. The predicted reduction is that of the exact model, -gradient.s - 1/2 s^T (F'' + decay I) s; with the residual r of the system
//   predicted = 1/2 (r.s - gradient.s + mu s^T D s)
import { plainVectors } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import type { Point, Problem } from "../linearize/problem.js";
import { conjugateGradients } from "./conjugate-gradients.js";
import { dampedStep, scaledNormSquared } from "./damped-step.js";
import { exactPrediction, type HessianEngine, hessianImage, hessianTolerance } from "./hessian-model.js";
import type { HessianSolve } from "./inner-solve.js";
import { matrixFreeStep } from "./matrix-free.js";
import type { DampedStep } from "./step-model.js";

/** Largest number of conjugate-gradient iterations of a step, each of one Hessian product. */
const mostIterations = 200;

/** The step at `point` (the engine's last linearization), for an engine that has Hessian products. */
export async function hessianStep(
  problem: Problem,
  point: Point,
  damping: number,
  signal?: AbortSignal,
): Promise<DampedStep | Failure> {
  if (problem.route === "matrix-free") return matrixFreeStep(problem, point, damping, signal, true);
  const velocity = await dampedStep(problem, point, damping, signal);
  return failed(velocity) ? velocity : onward(problem, point, velocity, signal);
}

/** From the Gauss-Newton step with this factor to the step on the Hessian. */
async function onward(
  problem: Problem,
  point: Point,
  velocity: DampedStep,
  signal: AbortSignal | undefined,
): Promise<DampedStep | Failure> {
  const start = performance.now();
  const { damping } = velocity;
  const solved = await solve(problem, point, damping, signal);
  if ("code" in solved) return solved;
  const { x, r, hessian } = solved;
  const seconds = () => velocity.seconds + (performance.now() - start) / 1000;
  if (hessian.iterations === 0)
    return { ...velocity, predicted: await exactPrediction(problem, velocity, signal), hessian, seconds: seconds() };
  const lengthSquared = scaledNormSquared(problem, point.scaling, x);
  // The sum is not finite if an entry is not; it may also overflow with finite entries.
  const bad = Number.isFinite(lengthSquared) ? -1 : x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const message = `the products with the Hessian are not finite: no step with damping ${damping.toExponential(3)}`;
    return { code: "non-finite", message, where: { what: "curvature", parameter: bad } };
  }
  const { vectors = plainVectors } = problem.engine;
  const slope = vectors.dot(point.gradient, x);
  const predicted = 0.5 * (vectors.dot(r, x) - slope + damping * lengthSquared);
  return { ...velocity, step: x, predicted, slope, hessian, seconds: seconds() };
}

/** Conjugate gradients on the damped Hessian, with the factor of the last solve. */
async function solve(
  problem: Problem,
  point: Point,
  damping: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly x: Float64Array; readonly r: Float64Array; readonly hessian: HessianSolve } | Failure> {
  const engine = problem.engine as HessianEngine;
  const shift = dampingDiagonal(problem, point.scaling, damping);
  const refused: Failure[] = [];
  const tolerance = hessianTolerance(point.gradientCosine);
  const { x, r, iterations, residual, end } = await conjugateGradients(
    point.gradient.map((value) => -value),
    {
      multiply: async (x) => {
        const image = await hessianImage(problem, x, signal);
        for (let j = 0; j < image.length; j++) image[j] += shift[j] * x[j];
        return image;
      },
      precondition: async (r) => {
        const answer = await engine.dampedInverse(r, signal);
        if (!("code" in answer)) return answer;
        refused.push(answer);
        return new Float64Array(r.length); // ends the iteration
      },
      tolerance,
      iterations: mostIterations,
      indefinite: true,
      start: null,
    },
  );
  return refused[0] ?? { x, r, hessian: { iterations, residual, tolerance, end } };
}

/** mu D, p entries. */
function dampingDiagonal(
  { route, layerSizes, engine }: Problem,
  scaling: Float64Array | null,
  damping: number,
): Float64Array {
  if (scaling !== null && route !== "dual") return scaling.map((d) => damping * d);
  const shift = new Float64Array(engine.parameterCount).fill(damping);
  if (scaling === null) return shift;
  let offset = 0;
  layerSizes.forEach((size, layer) => {
    shift.fill(damping * scaling[layer], offset, offset + size);
    offset += size;
  });
  return shift;
}
