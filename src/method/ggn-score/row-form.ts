// Solves (D + J~^T J~) step = -(J~^T z~ + r) for a diagonal D in the space of the rows, where there are fewer rows than parameters:
//
//   B = J~ D^(-1/2)        step = -D^(-1/2) ( r' + B^T (I + B B^T)^-1 (z~ - B r') ),    r' = D^(-1/2) r
//
// This is the augmented row form of GGN-SCORE (arXiv 2404.14875) with D = rows * tau * diag h'' and r = rows * tau * grad h. The released
// code has I where its own derivation gives tau I; with the scaled B that error cannot be made, and the matrix has no eigenvalue below 1.
// ggn-score.ts calls it.
import { cholesky, solveFactored } from "../../backend/dense-cholesky.js";
import type { Pace } from "../../event-loop-yield.js";
import { multiplyTransposed } from "../../network/dense.js";

/** A damped system in the form of its rows. */
export interface RowSystem {
  /** J~, m x p, row-major. Overwritten with B. */
  readonly rows: Float64Array;
  /** z~, m entries. */
  readonly z: Float64Array;
  /** D, p entries, all above 0. */
  readonly diagonal: Float64Array;
  /** r, p entries: what the gradient has besides J~^T z~. */
  readonly rest: Float64Array;
}

/** The step, p entries; null where the kernel is not finite. */
export async function rowStep({ rows, z, diagonal, rest }: RowSystem, pace: Pace): Promise<Float64Array | null> {
  const [m, p] = [z.length, diagonal.length];
  const inverseRoot = diagonal.map((value) => 1 / Math.sqrt(value));
  for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < p; j++, at++) rows[at]! *= inverseRoot[j]!;
  const pull = rest.map((value, j) => value * inverseRoot[j]!);
  const kernel = new Float64Array(m * m);
  for (let first = 0; first < m; first += BLOCK) {
    const count = Math.min(BLOCK, m - first);
    // The lower triangle only: columns up to the end of the block.
    multiplyTransposed(rows, first * p, count, rows, 0, first + count, p, kernel, first * m, m);
    await pace.turn();
  }
  for (let i = 0; i < m; i++) kernel[i * m + i]! += 1;
  const dual = z.map((value, i) => value - along(rows, i, pull));
  if ((await cholesky(kernel, m, pace)) >= 0) return null;
  solveFactored(kernel, m, dual);
  const step = pull;
  for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < p; j++, at++) step[j]! += rows[at]! * dual[i]!;
  for (let j = 0; j < p; j++) step[j]! *= -inverseRoot[j]!;
  return step;
}

/** Rows of the kernel between two turns of the event loop. */
const BLOCK = 32;

/** Row i times the vector. */
function along(rows: Float64Array, i: number, vector: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = i * vector.length; j < vector.length; j++, at++) sum += rows[at]! * vector[j]!;
  return sum;
}

/**
 * Rows of J~ and z~ from rows of J and what the loss writes for them (`LossSeeds`), in place of J.
 * @param jacobian count*c x p, overwritten with J~
 * @param factor count x c (diagonal), or count x c x c with entry (i, b, a) = R_ab
 */
export function weightRows(jacobian: Float64Array, factor: Float64Array, c: number, p: number): void {
  if (factor.length * p === jacobian.length) {
    for (let k = 0, at = 0; k < factor.length; k++) for (let j = 0; j < p; j++, at++) jacobian[at]! *= factor[k]!;
    return;
  }
  const sample = new Float64Array(c * p);
  for (let first = 0, at = 0; first < jacobian.length; first += c * p) {
    const rows = jacobian.subarray(first, first + c * p);
    sample.fill(0);
    for (let b = 0; b < c; b++)
      for (let a = 0; a < c; a++, at++)
        for (let j = 0; j < p; j++) sample[b * p + j]! += factor[at]! * rows[a * p + j]!;
    rows.set(sample);
  }
}

/** Multiply-adds a second of this file's loops, and of the engine's matrix product and Cholesky: what decides between the two forms. */
const ROW_RATE = 1e9;
const ENGINE_RATE = 1e10;

/**
 * True where the row form is predicted to take less time: m^2 p / 2 + m^3 / 6 in TypeScript against m p^2 / 2 + p^3 / 6 in the engine, and
 * always more parameters than rows.
 */
export function prefersRows(m: number, p: number): boolean {
  const work = (inner: number, order: number) => (inner * order ** 2) / 2 + order ** 3 / 6;
  return p > m && work(p, m) / ROW_RATE < work(m, p) / ENGINE_RATE;
}
