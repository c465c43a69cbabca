// Computes a step from the triangle T of a QR factorization and a gradient alone: T^T T s = -gradient by the corrected semi-normal
// equations (Bjorck, Numerical Methods for Least Squares Problems, 2.4.6). orthogonal.ts calls it if the residual of the loss is not
// finite.
import type { Pace } from "../../event-loop-yield.js";
import type { Failure } from "../engine.js";
import { pivotedQr } from "./householder.js";

/**
 * @param a columns of the matrix whose triangle is wanted; overwritten
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
  const order = await pivotedQr(a, new Float64Array(a[0].length), pace);
  const tiny = p * Number.EPSILON * Math.abs(a[0][0]);
  const pivot = a.findIndex((column, j) => !(Math.abs(column[j]) > tiny));
  if (pivot >= 0) {
    const message = `the curvature has the numerical rank ${pivot} of ${p}, and a prediction is so sure and so wrong that its residual is not finite: the step needs damping`;
    return { code: "indefinite", pivot, message };
  }
  const step = new Float64Array(p);
  const missing = (): Float64Array => multiply(step).map((value, j) => -gradient[j] - value);
  // The second solve takes what rounding left of the first.
  for (let pass = 0; pass < 2; pass++) {
    const right = missing();
    const x = Float64Array.from(order, (j) => right[j]);
    solveTriangles(a, x);
    order.forEach((j, k) => {
      step[j] += x[k];
    });
  }
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
