// Defines the records of what conjugate gradients did for one step: on the matrix-free route, and for a step on the exact Hessian on any
// route. matrix-free.ts and hessian-step.ts make them from the answer of conjugate-gradients.ts, and the training record contains them.
import type { PreconditionerName } from "../linearize/problem.js";

/** How the matrix-free route solved for a step. */
export interface InnerSolve {
  /** Number of conjugate-gradient iterations. */
  readonly iterations: number;
  /** The preconditioner. */
  readonly preconditioner: PreconditionerName;
  /** |residual| / |gradient| of the damped system at the end, in the units of D. */
  readonly residual: number;
  /** The relative residual that was requested. */
  readonly tolerance: number;
  /** The reason of the end. */
  readonly end: InnerEnd;
}

/**
 * Why conjugate gradients ended: the residual, a model that no longer fell, the limit of iterations, rounding, or, on the exact Hessian, a
 * direction of negative curvature.
 */
export type InnerEnd = "residual" | "model" | "iterations" | "rounding" | "negative-curvature";
export const INNER_ENDS: readonly InnerEnd[] = ["residual", "model", "iterations", "rounding", "negative-curvature"];

/** How a step on the exact Hessian was solved for. */
export interface HessianSolve {
  /** Number of conjugate-gradient iterations; 0: the Gauss-Newton step was taken, because its direction has negative curvature. */
  readonly iterations: number;
  /** |residual| / |gradient| of the damped system at the end; in the matrix-free route in the units of D. */
  readonly residual: number;
  /** The relative residual that was requested. */
  readonly tolerance: number;
  /** The reason of the end. */
  readonly end: InnerEnd;
}
