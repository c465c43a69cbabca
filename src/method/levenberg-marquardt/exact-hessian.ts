// Decides when Levenberg-Marquardt steps on the exact Hessian (`../../step/hessian-step.ts`) in place of the
// Gauss-Newton matrix, and when such a step is taken although the objective can no longer tell whether it helps.
// propose.ts asks the first for each trial, fidelity.ts for each linearization, judge.ts the second.
//
// The rule: with every loss but squared error, from the first step on, wherever the curvature is that of all samples
// and the engine has Hessian products. Such a step has no geodesic acceleration, whose model is that of Gauss-Newton,
// and no secant correction, whose part of the Hessian it has exactly.
//
// Near the minimum of such a loss, which is not 0, the last reductions of the objective are below its rounding while
// the gradient still falls by orders of magnitude. A step whose predicted and actual changes are both at rounding level
// is therefore accepted. The loop ends the run if the gradient has not fallen by half after it (`../../train/stop.ts`).
//
// A step that ended at negative curvature promises only what one direction gives, and keeps the promise: with gain
// ratios of 1 the damping would fall to nothing, where every step is as short. A loss that is not convex (gaussian-nll)
// has such steps all along its valleys, so that the damping does not fall after them: a larger one makes the system
// definite, and its steps long. With the other losses these steps are those of the first iterations, and the damping
// may fall.
import type { Engine } from "../../backend/engine.js";
import type { Point, Problem } from "../../linearize/problem.js";
import type { DampedStep } from "../../step/step-model.js";
import type { Proposal } from "../method.js";

/** `auto`: by the rule of this file; `never`: always the Gauss-Newton matrix. */
export type HessianChoice = "auto" | "never";

/** True if a run takes steps on the exact Hessian. */
export function hessianRun(
  choice: HessianChoice,
  { engine, route, gradientStart }: Pick<Problem, "engine" | "route" | "gradientStart">,
): boolean {
  return choice === "auto" && gradientStart !== undefined && hasHessian(engine, route);
}

/** True if the engine has what such steps need on this route. */
export function hasHessian(engine: Pick<Engine, "hessianProduct" | "dampedInverse">, route: Problem["route"]): boolean {
  return engine.hessianProduct !== undefined && (route === "matrix-free" || engine.dampedInverse !== undefined);
}

/** True if the steps from this point are on the exact Hessian. */
export function usesHessian(choice: HessianChoice, problem: Problem, point: Point): boolean {
  return point.subset === null && hessianRun(choice, problem);
}

/** True if the damping must not fall after this step. */
export function holdsTheDamping({ convex = true }: Problem, { hessian }: DampedStep): boolean {
  return !convex && hessian?.end === "negative-curvature";
}

/**
 * True if the predicted and the actual change of the objective are both at its rounding level, in a step on the exact
 * Hessian or in a fit whose engine knows that level.
 */
export function isUnresolved({ predicted, rounding }: Proposal, actual: number): boolean {
  return rounding !== undefined && predicted <= rounding && Math.abs(actual) <= rounding;
}
