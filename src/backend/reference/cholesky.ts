// Solves dense symmetric positive definite systems for the steps and the spectrum of the reference engine (curvature/matrix.ts,
// single.ts) and for the Kronecker preconditioner (backend/layer-inverse.ts): a blocked Cholesky factorization of the lower triangle
// (row-major), triangular solves, one step of iterative refinement, and Hager's 1-norm condition estimate (Higham, Accuracy and Stability
// of Numerical Algorithms, 2002, algorithm 15.1).

import { largest } from "../../algebra/vectors.js";
import type { Pace } from "../../event-loop-yield.js";
import { multiplyTransposed } from "../../network/dense.js";
import type { LowRank } from "../curvature.js";
import { addLowRank, multiplyLowRank } from "../low-rank.js";

const BLOCK = 64;

/**
 * L with A = L L^T, in place in the lower triangle of `a` (n x n, row-major; the strict upper triangle is not read).
 * @returns -1, or the first pivot that is not positive, from 0
 */
export async function cholesky(a: Float64Array, n: number, pace: Pace): Promise<number> {
  // Left-looking: rows [j0, n) lose the product with the finished rows of the block, then the block is factored.
  const product = new Float64Array(BLOCK * BLOCK);
  const left = new Float64Array(BLOCK * n);
  const top = new Float64Array(BLOCK * n);
  for (let j0 = 0; j0 < n; j0 += BLOCK) {
    const width = Math.min(BLOCK, n - j0);
    pack(a, n, j0, width, j0, top);
    for (let i0 = j0; i0 < n; i0 += BLOCK) {
      const height = Math.min(BLOCK, n - i0);
      if (j0 > 0) {
        pack(a, n, i0, height, j0, left);
        multiplyTransposed(left, 0, height, top, 0, width, j0, product, 0, BLOCK);
        subtract(a, n, i0, height, j0, width, product);
      }
      if (pace.due()) await pace.turn();
    }
    for (let j = j0; j < j0 + width; j++) {
      if (!factorColumn(a, n, j0, j)) return j;
      if (pace.due()) await pace.turn();
    }
  }
  return -1;
}

/** Rows [i0, i0 + height), columns [j0, j0 + width) of the lower triangle lose their share of the finished columns. */
function subtract(
  a: Float64Array,
  n: number,
  i0: number,
  height: number,
  j0: number,
  width: number,
  product: Float64Array,
): void {
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++) if (j0 + j <= i0 + i) a[(i0 + i) * n + j0 + j] -= product[i * BLOCK + j];
}

/** Column j of L, the block's columns [j0, j) being finished; false where the pivot is not positive. */
function factorColumn(a: Float64Array, n: number, j0: number, j: number): boolean {
  let pivot = a[j * n + j];
  for (let k = j0; k < j; k++) pivot -= a[j * n + k] ** 2;
  if (!(pivot > 0) || pivot === Number.POSITIVE_INFINITY) return false;
  const root = Math.sqrt(pivot);
  a[j * n + j] = root;
  for (let i = j + 1; i < n; i++) {
    let value = a[i * n + j];
    for (let k = j0; k < j; k++) value -= a[i * n + k] * a[j * n + k];
    a[i * n + j] = value / root;
  }
  return true;
}

/** Copies rows [first, first + rows), columns [0, columns) of `a` to the front of `out`, `columns` apart. */
function pack(a: Float64Array, n: number, first: number, rows: number, columns: number, out: Float64Array): void {
  for (let i = 0; i < rows; i++) out.set(a.subarray((first + i) * n, (first + i) * n + columns), i * columns);
}

/** x = (L L^T)^-1 x in place. */
export function solveFactored(l: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let value = x[i];
    for (let k = 0; k < i; k++) value -= l[i * n + k] * x[k];
    x[i] = value / l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    const value = x[i] / l[i * n + i];
    x[i] = value;
    for (let k = 0; k < i; k++) x[k] -= l[i * n + k] * value;
  }
}

/** (M + diag(shift)) x for the symmetric M in the lower triangle of `m`. */
export function multiplySymmetric(m: Float64Array, n: number, shift: Float64Array, x: Float64Array): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = (m[i * n + i] + shift[i]) * x[i];
    for (let k = 0; k < i; k++) {
      sum += m[i * n + k] * x[k];
      out[k] += m[i * n + k] * x[i];
    }
    out[i] += sum;
  }
  return out;
}

/** `factor` becomes the Cholesky factor of M + diag(shift) + correction. Returns -1, or the first pivot that is not positive. */
export function factorDamped(
  m: Float64Array,
  factor: Float64Array,
  n: number,
  shift: Float64Array,
  pace: Pace,
  correction: LowRank | null = null,
): Promise<number> {
  factor.set(m);
  if (correction !== null) addLowRank(correction, factor, n);
  for (let i = 0; i < n; i++) factor[i * n + i] += shift[i];
  return cholesky(factor, n, pace);
}

/**
 * x = (M + diag(shift) + correction)^-1 right by that factor, with one step of iterative refinement.
 * @returns x and |right - A x|_inf / |right|_inf before the refinement
 */
export async function solveDamped(
  m: Float64Array,
  factor: Float64Array,
  n: number,
  shift: Float64Array,
  right: Float64Array,
  pace: Pace,
  correction: LowRank | null = null,
): Promise<{ readonly x: Float64Array; readonly residual: number }> {
  const x = right.slice();
  solveFactored(factor, n, x);
  await pace.turn();
  const product = multiplySymmetric(m, n, shift, x);
  await pace.turn();
  const rest = right.map((value, i) => value - product[i]);
  if (correction !== null)
    multiplyLowRank(correction, x).forEach((value, i) => {
      rest[i] -= value;
    });
  const top = largest(right);
  const residual = top > 0 ? largest(rest) / top : 0;
  solveFactored(factor, n, rest);
  for (let i = 0; i < n; i++) x[i] += rest[i];
  return { x, residual };
}

/** 1-norm of M + diag(shift). */
function norm1(m: Float64Array, n: number, shift: Float64Array): number {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    sums[i] += Math.abs(m[i * n + i] + shift[i]);
    for (let k = 0; k < i; k++) {
      const value = Math.abs(m[i * n + k]);
      sums[i] += value;
      sums[k] += value;
    }
  }
  return sums.reduce((a, b) => Math.max(a, b), 0);
}

/** Estimate of the 1-norm condition number of M + diag(shift) = L L^T; a lower bound, rarely off by more than 3. */
export async function conditionEstimate(
  m: Float64Array,
  l: Float64Array,
  n: number,
  shift: Float64Array,
  pace: Pace,
): Promise<number> {
  let x = new Float64Array(n).fill(1 / n);
  let inverseNorm = 0;
  let last = -1;
  for (let pass = 0; pass < 5; pass++) {
    solveFactored(l, n, x);
    inverseNorm = Math.max(
      inverseNorm,
      x.reduce((sum, value) => sum + Math.abs(value), 0),
    );
    const sign = x.map((value) => (value < 0 ? -1 : 1));
    await pace.turn();
    solveFactored(l, n, sign);
    await pace.turn();
    let steepest = 0;
    for (let i = 1; i < n; i++) if (Math.abs(sign[i]) > Math.abs(sign[steepest])) steepest = i;
    if (steepest === last) break;
    last = steepest;
    x = new Float64Array(n);
    x[steepest] = 1;
  }
  // Higham's alternating vector catches the cases where the ascent stalls.
  const probe = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + i / Math.max(1, n - 1)));
  solveFactored(l, n, probe);
  inverseNorm = Math.max(inverseNorm, (2 * probe.reduce((sum, value) => sum + Math.abs(value), 0)) / (3 * n));
  return inverseNorm * norm1(m, n, shift);
}
