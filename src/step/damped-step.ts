// Computes the damped step at a point by the route of the run; Levenberg-Marquardt and Gauss-Newton call it for every trial.
// `step-model.ts` documents the system and the reduction that its solution predicts.

import { plainVectors } from "../algebra/vectors.js";
import type { LowRank } from "../backend/curvature.js";
import { type Failure, failed } from "../backend/engine.js";
import { singleTolerance } from "../backend/single.js";
import type { Point, Problem } from "../linearize/problem.js";
import { layerNormSquared } from "./dual.js";
import { matrixFreeStep } from "./matrix-free.js";
import { diagonalNormSquared } from "./primal.js";
import type { DampedStep } from "./step-model.js";

/**
 * Solves the damped system at `point` (the engine's last linearization), with `correction` added to G. A non-finite step is a failure,
 * not a step.
 */
export async function dampedStep(
  problem: Problem,
  point: Point,
  damping: number,
  signal?: AbortSignal,
  correction: LowRank | null = null,
): Promise<DampedStep | Failure> {
  if (problem.route === "matrix-free") return matrixFreeStep(problem, point, damping, signal);
  const { engine, decay, condition, spare } = problem;
  const { vectors = plainVectors } = engine;
  const { scaling, tolerance = singleTolerance } = point;
  const request = { damping, decay, scaling, condition, tolerance, correction, step: spare?.take() };
  const solved = await engine.solve(request, signal);
  if (failed(solved)) return solved;
  spare?.borrow(solved.step);
  const lengthSquared = scaledNormSquared(problem, scaling, solved.step);
  // The sum is not finite if an entry is not; it may also overflow with finite entries.
  const bad = Number.isFinite(lengthSquared) ? -1 : solved.step.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const message = `the damped system with damping ${damping.toExponential(3)} gave a step that is not finite, first at parameter ${bad}`;
    return { code: "non-finite", message, where: { what: "step", parameter: bad } };
  }
  const slope = vectors.dot(point.gradient, solved.step);
  return {
    ok: true,
    step: solved.step,
    predicted: solved.predicted ?? -0.5 * slope + 0.5 * damping * lengthSquared,
    slope,
    damping,
    condition: condition ? solved.condition : null,
    ...(solved.steps === undefined ? {} : { steps: solved.steps }),
    seconds: solved.seconds,
  };
}

/** s^T D s, with D in the form of the route. */
export function scaledNormSquared(problem: Problem, scaling: Float64Array | null, step: Float64Array): number {
  if (scaling === null) return (problem.engine.vectors ?? plainVectors).dot(step, step);
  switch (problem.route) {
    case "primal":
    case "matrix-free":
      return diagonalNormSquared(scaling, step);
    case "dual":
      return layerNormSquared(scaling, problem.layerSizes, step);
    default:
      problem.route satisfies never;
      throw new Error("unreachable");
  }
}
