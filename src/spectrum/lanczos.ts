// Lanczos iteration for extreme eigenvalues of a symmetric operator A that is given by its products alone. `spectrum.ts` calls it
// for the largest eigenvalue of a large curvature, and `smallest-eigenvalue.ts` for the smallest, on the shifted inverse. The monitor and
// spectral damping read both.
//   A Q = Q T + beta q e_m^T,   T = Q^T A Q tridiagonal;   T s = theta s  =>  |A Q s - theta Q s| = beta |s_m|
// Every Ritz value theta therefore has an interval that contains an eigenvalue, without computing a vector. Every new direction is
// orthogonalized twice against all earlier ones, which avoids copies of converged values; there are tens of steps here, not thousands
// (Parlett, The Symmetric Eigenvalue Problem, 1998, chapter 13).

import { tridiagonalEigen } from "../algebra/symmetric-eigen.js";
import { dot, norm } from "../algebra/vectors.js";
import { Pace } from "../event-loop-yield.js";
import { Random } from "../random.js";

/** Requested relative error of an extreme value. The error of a largest value is about its square, which is rounding. */
export const lanczosTolerance = Math.sqrt(Number.EPSILON);

export interface Ritz {
  readonly value: number;
  /** |A vector - value vector|: within it of `value` lies an eigenvalue of A, up to the rounding of the products. */
  readonly bound: number;
}

export interface LanczosOptions {
  /** Largest number of products; a smaller order ends the iteration earlier. */
  readonly steps: number;
  /** Index of the wanted one among the ascending Ritz values; -1 = none of them. */
  readonly wanted: (values: Float64Array) => number;
  /** True when it is known well enough. */
  readonly enough: (ritz: Ritz) => boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface LanczosAnswer extends Ritz {
  /** The unit Ritz vector. */
  readonly vector: Float64Array;
  /** Products taken. */
  readonly steps: number;
  /** False when the steps ran out first. */
  readonly enough: boolean;
}

/**
 * The wanted Ritz value of the operator `product` of this order. Starts the same every time. Null where none is wanted at the end, or
 * where `product` answers null.
 */
export async function lanczos(
  order: number,
  product: (vector: Float64Array) => Promise<Float64Array | null>,
  { steps, wanted, enough, signal }: LanczosOptions,
): Promise<LanczosAnswer | null> {
  const pace = new Pace(signal, () => {});
  const most = Math.min(steps, order);
  const diagonal = new Float64Array(most);
  const beside = new Float64Array(most);
  const basis = [start(order)];
  let size = 0; // of T
  for (let m = 1; ; m++) {
    const next = await product(basis[m - 1]);
    if (next === null) return null;
    diagonal[m - 1] = orthogonalize(next, basis);
    const beta = norm(next);
    beside[m - 1] = beta;
    size = Math.max(size, Math.abs(diagonal[m - 1]) + beta + (m > 1 ? beside[m - 2] : 0));
    // Only rounding is left: the directions so far span a space that A maps to itself.
    const closed = beta <= order * Number.EPSILON * size;
    const { values, vectors } = await tridiagonalEigen(diagonal.subarray(0, m), beside, "last", pace);
    const at = wanted(values);
    const ritz = at < 0 ? null : { value: values[at], bound: beta * Math.abs(vectors[at]) };
    const done = ritz !== null && enough(ritz);
    if (done || closed || m === most) {
      if (ritz === null) return null;
      const whole = await tridiagonalEigen(diagonal.subarray(0, m), beside, "all", pace);
      const vector = combine(basis, whole.vectors.subarray(at * m, (at + 1) * m));
      return { ...ritz, vector, steps: m, enough: done || closed };
    }
    basis.push(next.map((value) => value / beta));
    await pace.turn();
  }
}

/** A fixed direction that is likely to have a share in every eigenvector. */
function start(order: number): Float64Array {
  const random = new Random(1, 0);
  const x = Float64Array.from({ length: order }, () => random.normal());
  const length = norm(x);
  return x.map((value) => value / length);
}

/** Removes from `x` its part in the span of the basis; returns its share of the last direction. */
function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): number {
  let last = 0;
  for (let pass = 0; pass < 2; pass++)
    for (let k = basis.length - 1; k >= 0; k--) {
      const share = dot(x, basis[k]);
      if (k === basis.length - 1) last += share;
      for (let i = 0; i < x.length; i++) x[i] -= share * basis[k][i];
    }
  return last;
}

function combine(basis: readonly Float64Array[], shares: Float64Array): Float64Array {
  const out = new Float64Array(basis[0].length);
  basis.forEach((direction, k) => {
    if (k < shares.length) for (let i = 0; i < out.length; i++) out[i] += shares[k] * direction[i];
  });
  const length = norm(out);
  return out.map((value) => value / length);
}
