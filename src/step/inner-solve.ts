// What the conjugate gradients of the matrix-free route did for a step.
import type { PreconditionerName } from "../linearize/problem.js";

/** How the matrix-free route solved for a step. */
export interface InnerSolve {
  /** Of the conjugate gradients, and what they were preconditioned with. */
  readonly iterations: number;
  /** What the conjugate gradients were preconditioned with. */
  readonly preconditioner: PreconditionerName;
  /** |residual| / |gradient| of the damped system in the units of D, and how far down it was asked for. */
  readonly residual: number;
  /** How far down the residual was asked for. */
  readonly tolerance: number;
  /** What ended them: the residual, a model that no longer fell, the number allowed, or rounding. */
  readonly end: "residual" | "model" | "iterations" | "rounding";
}
