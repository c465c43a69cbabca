// Lanczos iteration for extreme eigenvalues of a symmetric operator A that is known by its products alone:
//   A Q = Q T + beta q e_m^T,   T = Q^T A Q tridiagonal;   T s = theta s  =>  |A Q s - theta Q s| = beta |s_m|
// so that every Ritz value theta comes with an interval that holds an eigenvalue, and needs no vector for it. Every new direction is
// made orthogonal to all before it, twice: no copies of values that have converged, and the steps here are tens, not thousands
// (Parlett, The Symmetric Eigenvalue Problem, 1998, chapter 13).

import { tridiagonalEigen } from "../algebra/symmetric-eigen.js";
import { dot, norm } from "../algebra/vectors.js";
import { Pace } from "../event-loop-yield.js";
import { Random } from "../random.js";

/** Relative error asked of an extreme value. That of a largest one is about its square: rounding. */
export const lanczosTolerance = Math.sqrt(Number.EPSILON);

export interface Ritz {
  readonly value: number;
  /** |A vector - value vector|: within it of `value` lies an eigenvalue of A, up to the rounding of the products. */
  readonly bound: number;
}

export interface LanczosOptions {
  /** At most so many products; an order below ends it earlier. */
  readonly steps: number;
  /** Which of the ascending Ritz values is asked for; -1 = none of these. */
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
    // Nothing but rounding is left: the directions so far span a space that A maps to itself.
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

/** A direction with a share in every eigenvector, as far as one that knows nothing of A can have it. */
function start(order: number): Float64Array {
  const random = new Random(1, 0);
  const x = Float64Array.from({ length: order }, () => random.normal());
  const length = norm(x);
  return x.map((value) => value / length);
}

/** `x` loses its part in the span of the basis; returns its share of the last direction. */
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
