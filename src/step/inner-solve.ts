// Defines the record of what the conjugate gradients of the matrix-free route did for one step. conjugate-gradients.ts makes it, and the
// training record contains it.
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
  /** The reason of the end: the residual, a model that no longer fell, the limit of iterations, or rounding. */
  readonly end: "residual" | "model" | "iterations" | "rounding";
}
