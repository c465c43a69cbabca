// Computes a structured secant correction for the part of the Hessian that Gauss-Newton leaves out, from changes of the gradient.
// Levenberg-Marquardt adds it to G once a run stalls (`../method/levenberg-marquardt/residual-curvature.ts`, which calls this file at each
// point of such a run). The update and its sizing are those of NL2SOL (Dennis, Gay and Welsch, An adaptive nonlinear least-squares
// algorithm, ACM Trans. Math. Softw. 7, 1981). Unlike NL2SOL, this file keeps the last few pairs instead of a matrix, and computes y# in
// another way.
//
//   Hessian of F = G + decay I + S*,   S* = sum_i r_i (Hessian of psi_i)
//   for a step s:   y = change of the gradient,   y# = y - (mean of G at both ends + decay I) s ~ S* s
//                   at the old end from the system that s solves, (G + decay I) s = -gradient - S s - mu D s; at the new one a product
//   update          w = y# - tau S s,   tau = min(1, |s.y#| / |s.S s|)
//                   S <- tau S + (w y^T + y w^T) / s.y - (w.s) y y^T / (s.y)^2
//
// With G of the old end alone, y# has an error of half of the change of G along s: measured at the stalled points of four UCI sets, the
// error is 0.4 to 28 times |S* s| in the median, and 0.03 to 0.22 times with the mean of both ends. The y# of NL2SOL, J_new^T r_new -
// J_old^T r_new, is closer still, and trained no better.
//
// Where residuals stay large (noisy tables), S* is as large as G along the directions in which G is small. Without the correction a damping
// has to cover it, and keeps every step short.
import { dot, norm } from "../algebra/vectors.js";
import type { LowRank } from "../backend/curvature.js";
import { multiplyLowRank } from "../backend/low-rank.js";

/** `auto`: once a run stalls, by the rule of `../method/levenberg-marquardt/residual-curvature.ts`; `none`: never. */
export type ResidualCurvature = "auto" | "none";

/** Number of pairs that are kept. Measured on wine, 16-16: 20 or 60 pairs end no lower than 10 after the same number of iterations. */
const mostPairs = 10;
/** Least |s.y| relative to |s| |y|; below it s.y is no information about the curvature along s. */
const leastCurvature = 1e-8;

/** Rows of p numbers each, oldest first. */
export interface Pairs {
  readonly steps: Float64Array;
  /** y. */
  readonly changes: Float64Array;
  /** y#. */
  readonly residuals: Float64Array;
}

const NONE = new Float64Array(0);
export const noPairs: Pairs = { steps: NONE, changes: NONE, residuals: NONE };

/** The part of a pair that an accepted step leaves; the next gradient completes the pair. */
export interface Pending {
  readonly step: Float64Array;
  readonly gradient: Float64Array;
  /** (G + decay I) s at its start. */
  readonly image: Float64Array;
}

export const nothingPending: Pending = { step: NONE, gradient: NONE, image: NONE };

/**
 * Adds the pair of the step at whose end the gradient is `gradient` and (G + decay I) s is `image`, and drops the oldest beyond `mostPairs`.
 * Drops all pairs if the step gives no information about the curvature along it, because the pairs describe other places.
 */
export function withPending(pairs: Pairs, pending: Pending, gradient: Float64Array, image: Float64Array): Pairs {
  const { step, gradient: before, image: imageBefore } = pending;
  if (step.length === 0) return pairs;
  const change = gradient.map((value, j) => value - before[j]);
  const residual = change.map((value, j) => value - 0.5 * (imageBefore[j] + image[j]));
  if (!(dot(step, change) > leastCurvature * norm(step) * norm(change)) || !Number.isFinite(norm(residual)))
    return noPairs;
  return {
    steps: appended(pairs.steps, step),
    changes: appended(pairs.changes, change),
    residuals: appended(pairs.residuals, residual),
  };
}

function appended(rows: Float64Array, row: Float64Array): Float64Array {
  const kept = rows.subarray(Math.max(0, rows.length - (mostPairs - 1) * row.length));
  const all = new Float64Array(kept.length + row.length);
  all.set(kept);
  all.set(row, kept.length);
  return all;
}

/** The matrix S of the pairs for p parameters; null if there are none or a number left the range of doubles. */
export function secantOf({ steps, changes, residuals }: Pairs, p: number): LowRank | null {
  const count = steps.length / p;
  if (count === 0) return null;
  const left = new Float64Array(count * p);
  for (let k = 0; k < count; k++) {
    const at = (rows: Float64Array) => rows.subarray(k * p, (k + 1) * p);
    const [step, change, residual] = [at(steps), at(changes), at(residuals)];
    const known = { left: left.subarray(0, k * p), right: changes.subarray(0, k * p) };
    const image = multiplyLowRank(known, step);
    const size = Math.abs(dot(step, image));
    const tau = size > 0 ? Math.min(1, Math.abs(dot(step, residual)) / size) : 1;
    for (let j = 0; j < k * p; j++) left[j] *= tau;
    const along = dot(step, change);
    const rest = residual.map((value, j) => value - tau * image[j]);
    const share = dot(rest, step) / (2 * along);
    for (let j = 0; j < p; j++) left[k * p + j] = (rest[j] - share * change[j]) / along;
  }
  return left.every(Number.isFinite) ? { left, right: changes } : null;
}
