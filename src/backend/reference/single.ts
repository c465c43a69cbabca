// Solves a damped system in single precision for curvature/single-gram.ts of the reference engine, as `../single.ts` defines it: a float32
// factor of the matrix scaled to a unit diagonal, and conjugate gradients on the float64 matrix. The numbers are rounded to float32 where
// the native engine stores them; sums are double.

import { dot, largest } from "../../algebra/vectors.js";
import type { Pace } from "../../event-loop-yield.js";
import type { Failure } from "../engine.js";
import { imprecise } from "../single.js";
import { cholesky, solveFactored } from "./cholesky.js";

function roots(m: Float64Array, n: number, shift: Float64Array): Float64Array {
  return shift.map((value, i) => 1 / Math.sqrt(m[i * n + i] + value));
}

/** `factor` becomes the float32 factor of S (M + diag(shift)) S. Returns -1, or the first pivot that is not positive. */
export async function factorSingle(
  m: Float64Array,
  factor: Float64Array,
  n: number,
  shift: Float64Array,
  pace: Pace,
): Promise<number> {
  const s = roots(m, n, shift);
  const bad = s.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) return bad;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) factor[i * n + j] = Math.fround(m[i * n + j] * s[i] * s[j]);
    factor[i * n + i] = 1;
  }
  const pivot = await cholesky(factor, n, pace);
  if (pivot < 0)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) factor[i * n + j] = Math.fround(factor[i * n + j]);
  return pivot;
}

/** (M + diag(shift))^-1 r with the factor alone. */
export function applySingle(
  matrix: Float64Array,
  shift: Float64Array,
  factor: Float64Array,
  r: Float64Array,
): Float64Array {
  const s = roots(matrix, r.length, shift);
  const z = r.map((value, i) => s[i] * value);
  solveFactored(factor, r.length, z);
  return z.map((value, i) => s[i] * value);
}

/** The damped operator A, and the matrix M whose factor of M + diag(shift) stands for it. */
export interface SingleOperator {
  readonly matrix: Float64Array;
  readonly shift: Float64Array;
  /** Most steps of the conjugate gradients. */
  readonly most: number;
  /** A v. */
  readonly multiply: (v: Float64Array) => Float64Array | Promise<Float64Array>;
}

/** x = A^-1 right by conjugate gradients with that factor; |right - A x|_inf / |right|_inf, and their steps. */
export async function solveSingle(
  { matrix, shift, most, multiply }: SingleOperator,
  factor: Float64Array,
  right: Float64Array,
  tolerance: number,
  pace: Pace,
): Promise<{ readonly x: Float64Array; readonly residual: number; readonly steps: number } | Failure> {
  const n = right.length;
  const precondition = (r: Float64Array) => applySingle(matrix, shift, factor, r);
  const top = largest(right);
  const x = new Float64Array(n);
  if (top === 0) return { x, residual: 0, steps: 0 };
  const r = right.slice();
  const direction = precondition(r);
  let square = dot(r, direction);
  const goal = tolerance ** 2 * square;
  for (let steps = 1; steps <= most; steps++) {
    const image = await multiply(direction);
    await pace.turn();
    const bend = dot(direction, image);
    if (!(square > 0 && bend > 0 && Number.isFinite(bend))) return imprecise(steps, tolerance);
    const length = square / bend;
    for (let i = 0; i < n; i++) {
      x[i] += length * direction[i];
      r[i] -= length * image[i];
    }
    const z = precondition(r);
    await pace.turn();
    const next = dot(r, z);
    if (next <= goal) return { x, residual: largest(r) / top, steps };
    for (let i = 0; i < n; i++) direction[i] = z[i] + (next / square) * direction[i];
    square = next;
  }
  return imprecise(most, tolerance);
}
