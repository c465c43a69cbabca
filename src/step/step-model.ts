// Defines the type of a damped step: the solution of one damped linear system, with the reduction that the quadratic model predicts for it.
// damped-step.ts, hessian-step.ts and matrix-free.ts make it; the methods propose it as a trial.
//
//   (G + decay I + mu D) s = -gradient,     predicted reduction = -1/2 gradient.s + 1/2 mu s^T D s
//
// The second formula is the decrease of the model, with s^T (G + decay I) s eliminated by the first, so that it needs no product with the
// curvature (Madsen, Nielsen, Tingleff 2004, eq. 3.14).
// A step on the exact Hessian (hessian-step.ts) has F'' in place of G, and its residual in the prediction.
import type { HessianSolve, InnerSolve } from "./inner-solve.js";

/** A step s and its model. */
export interface DampedStep {
  /** Tells it from a failure. */
  readonly ok: true;
  /** s, p entries. */
  readonly step: Float64Array;
  /** Decrease of the objective that the quadratic model predicts; positive up to rounding. */
  readonly predicted: number;
  /** gradient . step, negative for a descent direction. */
  readonly slope: number;
  /** Damping that the step was solved with; 0 without damping. */
  readonly damping: number;
  /** Condition estimate of the damped system; NaN or null where there is none. */
  readonly condition: number | null;
  /** Single precision: steps of the conjugate gradients. */
  readonly steps?: number | undefined;
  /** Matrix-free route: how the step was solved for. */
  readonly inner?: InnerSolve | undefined;
  /** A step on the exact Hessian: how it was solved for. `predicted` is then the decrease of the exact quadratic model. */
  readonly hessian?: HessianSolve | undefined;
  /** Matrix-free route: direction^T (G + decay I + mu D) direction, which an exact step has as -slope. */
  readonly quadratic?: number | undefined;
  /** Seconds spent solving for this step; 0 where a direction was used again. */
  readonly seconds: number;
}
