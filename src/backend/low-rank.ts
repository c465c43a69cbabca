// Operations with a symmetric matrix of low rank that a damped system adds to its curvature (the secant correction of step/secant.ts), and
// the check of when it is allowed. Both engines check and solve with it, and the secant correction multiplies by it.

import { dot } from "../algebra/vectors.js";
import { argumentError } from "../errors.js";
import type { Curvature, LowRank, Precision } from "./curvature.js";

/** @throws GAUSSFLOW_ARGUMENT */
export function checkCorrection(
  correction: LowRank | null,
  held: Curvature,
  precision: Precision,
  condition: boolean,
  p: number,
): void {
  if (correction === null) return;
  if (held !== "primal" || precision !== "double" || condition)
    throw argumentError(
      "correction",
      "wants the primal curvature in double precision and no condition estimate",
      `${held} in ${precision} precision${condition ? " with a condition estimate" : ""}`,
    );
  for (const side of ["left", "right"] as const) {
    const rows = correction[side];
    if (!(rows instanceof Float64Array) || rows.length === 0 || rows.length % p !== 0)
      throw argumentError(`correction.${side}`, `must be a Float64Array of one or more rows of ${p} elements`, rows);
  }
  if (correction.left.length !== correction.right.length)
    throw argumentError(
      "correction",
      "must have as many rows left as right",
      `${correction.left.length / p} and ${correction.right.length / p}`,
    );
}

/** (sum_k left_k right_k^T + right_k left_k^T) v. */
export function multiplyLowRank({ left, right }: LowRank, v: Float64Array): Float64Array {
  const p = v.length;
  const image = new Float64Array(p);
  for (let at = 0; at < left.length; at += p) {
    const l = left.subarray(at, at + p);
    const r = right.subarray(at, at + p);
    const [lv, rv] = [dot(l, v), dot(r, v)];
    for (let j = 0; j < p; j++) image[j] += l[j] * rv + r[j] * lv;
  }
  return image;
}

export function copyOf({ left, right }: LowRank): LowRank {
  return { left: left.slice(), right: right.slice() };
}

/** Adds it to the lower triangle, row-major, of the symmetric matrix `m` of that order. */
export function addLowRank({ left, right }: LowRank, m: Float64Array, order: number): void {
  for (let at = 0; at < left.length; at += order)
    for (let i = 0; i < order; i++) {
      const [l, r] = [left[at + i], right[at + i]];
      for (let j = 0; j <= i; j++) m[i * order + j] += l * right[at + j] + r * left[at + j];
    }
}
