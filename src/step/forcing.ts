// Chooses the tolerance of the next damped system, the forcing term of inexact Newton methods. Levenberg-Marquardt's fidelity.ts calls it
// before each linearization, and fidelity.ts of this folder at the point.
//
// Matrix-free:
//
//   eta_k = gamma (|g_k| / |g_(k-1)|)^2,   not below gamma eta_(k-1)^2 where that is above 0.1
//
// This is choice 2 of Eisenstat and Walker (SIAM J. Sci. Comput. 17, 1996) with their safeguard. Far from a minimum few products are
// enough. Near a minimum the term falls with the square of the gradient, and so does the error of the step: convergence stays superlinear.
//
// Single precision, where the first steps cover most of the distance:
//
//   eta_k = sqrt |1 - gain_(k-1)|, at most 0.3
//
// An error eta changes the predicted reduction by its square, so the system is solved as exactly as the model was right at the last step.
// Near a minimum without residuals 1 - gain falls like the step, and convergence stays superlinear.
import { singleTolerance } from "../backend/single.js";
import type { TrialHistory } from "./trial-history.js";

const gamma = 0.9;
const first = 0.1;
const most = 0.1;
const least = 1e-10;

/** The last accepted step by conjugate gradients: the norm of the gradient it started from, and its tolerance. */
export interface ForcingTerm {
  /** null before the first such step. */
  readonly last: {
    /** Euclidean norm of the gradient that the step started from. */
    readonly gradientNorm: number;
    /** Relative residual that its conjugate gradients had to reach. */
    readonly tolerance: number;
  } | null;
}

/** Where conjugate gradients stop: a relative residual, or the forcing term, which the norm of the next gradient completes. */
export type Tolerance = number | ForcingTerm;

/** The term after `records`. It depends on nothing else, so a resumed run has the same. */
export function forcingTerm(records: readonly TrialHistory[]): ForcingTerm {
  const before = records.findLast((record) => record.accepted && record.inner !== undefined);
  if (before?.inner === undefined || !(before.gradientNorm > 0)) return { last: null };
  return { last: { gradientNorm: before.gradientNorm, tolerance: before.inner.tolerance } };
}

/** The relative residual at a point whose gradient has this norm. */
export function toleranceAt(tolerance: Tolerance, gradientNorm: number): number {
  if (typeof tolerance === "number") return tolerance;
  const { last } = tolerance;
  if (last === null) return first;
  const eta = gamma * (gradientNorm / last.gradientNorm) ** 2;
  const safe = gamma * last.tolerance ** 2;
  return Math.min(most, Math.max(least, eta, safe > 0.1 ? safe : 0));
}

const mostSingle = 0.3;

/** The term of single precision after `records`, from the gain ratio of the last accepted step alone. */
export function gainTerm(records: readonly TrialHistory[]): number {
  const gain = records.findLast(({ accepted, gainRatio }) => accepted && gainRatio !== null)?.gainRatio ?? null;
  if (gain === null) return mostSingle;
  return Math.min(mostSingle, Math.max(singleTolerance, Math.sqrt(Math.abs(1 - gain))));
}
