// Finds the largest output scale that rounding allows, for `recommendOutputScale` (output-scale.ts); a rule of gaussflow's own. The
// parameters are known only to their last digit. With that digit changed, the undamped velocity at the start is (d + delta)/alpha instead
// of d/alpha,
//
//   d + delta = J(w~)^+ (y - alpha (f(w~) - f(w))) = d~ - alpha n,     d~ = J(w~)^+ y,   n = J(w~)^+ (f(w~) - f(w))
//
// and the effect in a unit of time is the difference of the predictions alpha f at both ends. The second term grows with alpha, because it
// is a difference of predictions that cancel.
import { norm } from "../algebra/vectors.js";
import type { NetworkEngine } from "../backend/network-engine.js";

/**
 * Share of the way |y| that rounding may make of it. By measurement on flows at the default tolerance (five tanh units on sin(3x), alpha
 * from 1e4 to 1e8): up to 3e-5 they take 19 to 30 steps without a rejection, at 2e-3 26 to 106, at 5e-3 43 to 87 with 4 to 13 rejections,
 * at 7e-2 thousands.
 */
const tolerated = 1e-3;

export interface RoundingProblem {
  /** At outputScale 1. */
  readonly engine: NetworkEngine;
  readonly w: Float64Array;
  /** Displacements at alpha = 1: d, d~ and -n. */
  readonly d: Float64Array;
  readonly moved: Float64Array;
  readonly back: Float64Array;
  /** |y|, and y's weighting. */
  readonly distance: number;
  readonly weighted: (values: Float64Array) => Float64Array;
}

/** The largest of the scales, given in rising order, that rounding allows; 0 where there is none. */
export async function roundingBound(
  { engine, w, d, moved, back, distance, weighted }: RoundingProblem,
  scales: readonly number[],
  signal?: AbortSignal,
): Promise<number> {
  for (const alpha of scales.toReversed()) {
    const right = await engine.forward(
      w.map((value, j) => value + d[j] / alpha),
      signal,
    );
    const other = await engine.forward(
      w.map((value, j) => value + moved[j] / alpha + back[j]),
      signal,
    );
    const seen = norm(weighted(other.map((value, i) => alpha * (value - right[i]))));
    if (seen <= tolerated * distance) return alpha;
  }
  return 0;
}
