// The answer to one damped linear system, and what the quadratic model promises for it.
//
//   (G + decay I + mu D) s = -gradient,     predicted reduction = -1/2 gradient.s + 1/2 mu s^T D s
//
// The second formula is the model's decrease with s^T (G + decay I) s eliminated by the first, so that no product with the
// curvature is needed (Madsen, Nielsen, Tingleff 2004, eq. 3.14).
import type { InnerSolve } from "./inner-solve.js";

/** A step s and its model. */
export interface DampedStep {
  readonly ok: true;
  /** s, p entries. */
  readonly step: Float64Array;
  /** Decrease of the objective that the quadratic model promises; positive but for rounding. */
  readonly predicted: number;
  /** gradient . s, negative for a descent direction. */
  readonly slope: number;
  readonly damping: number;
  /** Condition estimate of the damped matrix; null when not asked for. */
  readonly condition: number | null;
  /** Single precision: steps of the conjugate gradients. */
  readonly steps?: number | undefined;
  /** Matrix-free: how it was solved for, and s^T (G + decay I + mu D) s, which an exact step has as -slope. */
  readonly inner?: InnerSolve | undefined;
  readonly quadratic?: number | undefined;
  readonly seconds: number;
}
