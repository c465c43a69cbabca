// Computes what single training rows mean to a fit: leverages, the diagonal blocks of the hat matrix H = J~ (G + d I)^-1 J~^T, and the
// residuals that the rows would have if they were left out, which follow from them without a refit. measure.ts calls it.
//   y - f without row i = (I - H_ii)^-1 (y - f)_i,   H_ii the c x c block of row i; with one output e / (1 - h)
// It is exact where the model is linear in its parameters (Belsley, Kuh and Welsch, Regression Diagnostics, 1980, 2.1), with weight decay
// too, and the first order of a warm-started refit elsewhere.
import type { NetworkEngine } from "../backend/network-engine.js";
import { Pace } from "../event-loop-yield.js";
import type { Posterior } from "../network/posterior.js";
import type { CurvatureFactor } from "./curvature-factor.js";
import { addSquares, outputCovariance } from "./output-covariance.js";

/** 1 - h below which a row alone decides a direction: rounding of h has nothing left to say about the residual without the row. */
const ALONE = 1e-10;

/**
 * Blocks H_ii of the hat matrix, n x c x c.
 * @param engine of the training rows
 * @throws the signal's reason once it has been aborted
 */
export async function leverageBlocks(
  engine: NetworkEngine,
  parameters: Float64Array,
  { space, values, vectors, decay }: Pick<Posterior, "space" | "values" | "vectors" | "decay">,
  factor: CurvatureFactor,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  if (space === "parameters") {
    const weights = values.map((value) => 1 / (value + decay));
    return outputCovariance(engine, parameters, { vectors, weights }, { factor, full: true }, signal);
  }
  const { outputSize: c, sampleCount: n } = engine;
  const sums = new Float64Array(n * c * c);
  const pace = new Pace(signal);
  for (let k = 0; k < values.length; k++) {
    addSquares(sums, vectors.subarray(k * n * c, (k + 1) * n * c), values[k]! / (values[k]! + decay), c);
    await pace.turn();
  }
  return sums;
}

/** Diagonals of blocks: n x c from n x c x c. */
export function diagonals(blocks: Float64Array, c: number): Float64Array {
  return Float64Array.from({ length: blocks.length / c }, (_, k) => blocks[k * c + (k % c)]!);
}

/**
 * Residuals that rows would have if they were left out, n x c.
 * @param residuals y - f, n x c
 * @returns NaN, and the count of such rows, where a row alone decides a direction of the fit: without it nothing is predicted there
 */
export function leaveOneOut(
  residuals: Float64Array,
  blocks: Float64Array,
  c: number,
): { readonly residuals: Float64Array; readonly undecided: number } {
  const out = new Float64Array(residuals.length);
  const matrix = new Float64Array(c * c);
  let undecided = 0;
  for (let at = 0; at < residuals.length; at += c) {
    const block = blocks.subarray(at * c, (at + c) * c);
    for (let k = 0; k < c * c; k++) matrix[k] = (k % (c + 1) === 0 ? 1 : 0) - block[k]!;
    const row = out.subarray(at, at + c);
    row.set(residuals.subarray(at, at + c));
    if (solveInPlace(matrix, row)) continue;
    row.fill(Number.NaN);
    undecided++;
  }
  return { residuals: out, undecided };
}

/** Solves with a small symmetric matrix by its Cholesky factor; false where a pivot is not positive but for rounding. */
function solveInPlace(a: Float64Array, x: Float64Array): boolean {
  const c = x.length;
  for (let j = 0; j < c; j++) {
    for (let k = 0; k < j; k++) a[j * c + j]! -= a[j * c + k]! ** 2;
    if (!(a[j * c + j]! > ALONE)) return false;
    const root = Math.sqrt(a[j * c + j]!);
    a[j * c + j] = root;
    for (let i = j + 1; i < c; i++) {
      for (let k = 0; k < j; k++) a[i * c + j]! -= a[i * c + k]! * a[j * c + k]!;
      a[i * c + j]! /= root;
    }
    for (let k = 0; k < j; k++) x[j]! -= a[j * c + k]! * x[k]!;
    x[j]! /= root;
  }
  for (let j = c - 1; j >= 0; j--) {
    for (let i = j + 1; i < c; i++) x[j]! -= a[i * c + j]! * x[i]!;
    x[j]! /= a[j * c + j]!;
  }
  return true;
}
