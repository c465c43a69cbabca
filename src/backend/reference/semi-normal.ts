// Factors a matrix by QR and computes a step from its triangle T and a gradient alone: T^T T s = -gradient by the corrected semi-normal
// equations (Bjorck, Numerical Methods for Least Squares Problems, 2.4.6). orthogonal.ts calls it at each solve where curvature/triangle.ts
// found the residual of a loss other than squared error large or not finite.
import { norm } from "../../algebra/vectors.js";
import type { Pace } from "../../event-loop-yield.js";
import type { Failure } from "../engine.js";
import { singularTriangle } from "../indefinite.js";
import { pivotedQr } from "./householder.js";

/**
 * The rounding of Q^T z is eps |z|, whatever the rows that a large entry of z belongs to. A sample that is sure and wrong at the logit L
 * has z^2 = exp(L), a loss of L and hardly a row: above this multiple of twice the loss, which is |z|^2 of squared error, steps are solved
 * for from the gradient. Below it at most three digits are lost.
 */
export const LARGEST_SQUARE = 1e6;

/**
 * @param a columns of the matrix whose triangle is wanted; overwritten by the triangle, its columns in the order of the pivots
 * @param multiply the product with the matrix of the normal equations, a^T a
 * @returns the step, and |residual|_inf / |gradient|_inf after the correction
 */
export async function semiNormalStep(
  a: Float64Array[],
  gradient: Float64Array,
  multiply: (s: Float64Array) => Float64Array,
  pace: Pace,
): Promise<{ readonly step: Float64Array; readonly residual: number } | Failure> {
  const p = gradient.length;
  // Columns of length 1 leave the units of the parameters out of the test of regularity.
  const lengths = Float64Array.from(a, (column) => norm(column) || 1);
  a.forEach((column, j) => {
    for (let i = 0; i < column.length; i++) column[i] /= lengths[j];
  });
  const order = await pivotedQr(a, new Float64Array(a[0].length), pace);
  const tiny = p * Number.EPSILON * Math.abs(a[0][0]);
  const pivot = a.findIndex((column, j) => !(Math.abs(column[j]) > tiny));
  if (pivot >= 0) return singularTriangle(pivot);
  const step = new Float64Array(p);
  const missing = (): Float64Array => multiply(step).map((value, j) => -gradient[j] - value);
  // The second solve takes what rounding left of the first.
  for (let pass = 0; pass < 2; pass++) {
    const right = missing();
    const x = Float64Array.from(order, (j) => right[j] / lengths[j]);
    solveTriangles(a, x);
    order.forEach((j, k) => {
      step[j] += x[k] / lengths[j];
    });
  }
  order.forEach((j, k) => {
    for (let i = 0; i <= k; i++) a[k][i] *= lengths[j];
  });
  const top = (v: Float64Array) => v.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bottom = top(gradient);
  return { step, residual: bottom > 0 ? top(missing()) / bottom : 0 };
}

/** x = (T^T T)^-1 x in place; T_ij is a[j][i]. */
function solveTriangles(a: readonly Float64Array[], x: Float64Array): void {
  const p = a.length;
  for (let j = 0; j < p; j++) {
    for (let i = 0; i < j; i++) x[j] -= a[j][i] * x[i];
    x[j] /= a[j][j];
  }
  for (let j = p - 1; j >= 0; j--) {
    x[j] /= a[j][j];
    for (let i = 0; i < j; i++) x[i] -= a[j][i] * x[j];
  }
}
