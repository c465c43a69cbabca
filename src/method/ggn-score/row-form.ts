// Solves (D + J~^T J~) step = -(J~^T z~ + r) for a diagonal D in the space of the rows, where there are fewer rows than
// parameters:
//
//   B = J~ D^(-1/2)        step = -D^(-1/2) ( r' + B^T (I + B B^T)^-1 (z~ - B r') ),    r' = D^(-1/2) r
//
// This is the augmented row form of GGN-SCORE (arXiv 2404.14875) with D = rows * tau * diag h'' and r = rows * tau *
// grad h. The released code has I where its own derivation gives tau I; with the scaled B that error cannot be made,
// and the matrix has no eigenvalue below 1. ggn-score.ts calls it.
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

/** Multiply-adds between two turns of the event loop: some milliseconds. */
const PIECE = 1 << 22;
/** Rows and columns of a tile of the kernel at most. */
const TILE = 64;

/** The step, p entries; null where the kernel is not finite. */
export async function rowStep({ rows, z, diagonal, rest }: RowSystem, pace: Pace): Promise<Float64Array | null> {
  const [m, p] = [z.length, diagonal.length];
  const inverseRoot = diagonal.map((value) => 1 / Math.sqrt(value));
  await eachRow(m, p, pace, (_, at) => {
    for (let j = 0; j < p; j++) rows[at + j]! *= inverseRoot[j]!;
  });
  const pull = rest.map((value, j) => value * inverseRoot[j]!);
  const kernel = await kernelOf(rows, m, p, pace);
  for (let i = 0; i < m; i++) kernel[i * m + i]! += 1;
  const dual = new Float64Array(m);
  await eachRow(m, p, pace, (i) => {
    dual[i] = z[i]! - along(rows, i, pull);
  });
  if ((await cholesky(kernel, m, pace)) >= 0) return null;
  solveFactored(kernel, m, dual);
  const step = pull;
  await eachRow(m, p, pace, (i, at) => {
    for (let j = 0; j < p; j++) step[j]! += rows[at + j]! * dual[i]!;
  });
  for (let j = 0; j < p; j++) step[j]! *= -inverseRoot[j]!;
  return step;
}

/**
 * Calls `row` with each of `count` rows and the place of its first of `width` entries, with turns of the event loop
 * between pieces of them.
 * @param work multiply-adds of a row
 */
async function eachRow(
  count: number,
  width: number,
  pace: Pace,
  row: (index: number, at: number) => void,
  work = width,
): Promise<void> {
  const piece = Math.max(1, Math.floor(PIECE / work));
  for (let i = 0; i < count; i++) {
    if (i > 0 && i % piece === 0) await pace.turn();
    row(i, i * width);
  }
}

/**
 * The lower triangle of B B^T, m x m, in tiles whose work a turn of the event loop can wait for; the rest of their
 * entries is undefined.
 */
async function kernelOf(rows: Float64Array, m: number, p: number, pace: Pace): Promise<Float64Array> {
  const kernel = new Float64Array(m * m);
  const side = Math.max(1, Math.min(TILE, Math.floor(Math.sqrt(PIECE / p))));
  for (let first = 0; first < m; first += side) {
    const count = Math.min(side, m - first);
    for (let column = 0; column < first + count; column += side) {
      const columns = Math.min(side, first + count - column);
      multiplyTransposed(rows, first * p, count, rows, column * p, columns, p, kernel, first * m + column, m);
      await pace.turn();
    }
  }
  return kernel;
}

/** Row i times the vector. */
function along(rows: Float64Array, i: number, vector: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = i * vector.length; j < vector.length; j++, at++) sum += rows[at]! * vector[j]!;
  return sum;
}

/**
 * Rows of J~ from rows of J and what the loss writes for them (`LossSeeds`), in place of J.
 * @param jacobian count*c x p, overwritten with J~
 * @param factor count x c (diagonal), or count x c x c with entry (i, b, a) = R_ab
 */
export async function weightRows(
  jacobian: Float64Array,
  factor: Float64Array,
  c: number,
  p: number,
  pace: Pace,
): Promise<void> {
  if (factor.length * p === jacobian.length) {
    await eachRow(factor.length, p, pace, (k, at) => {
      for (let j = 0; j < p; j++) jacobian[at + j]! *= factor[k]!;
    });
    return;
  }
  const sample = new Float64Array(c * p);
  const weigh = (k: number, from: number) => {
    // Row k of the factors is row k % c of its sample; the last one replaces the rows.
    const [b, first] = [k % c, from - (k % c) * p];
    const sum = sample.subarray(b * p, (b + 1) * p).fill(0);
    for (let a = 0; a < c; a++)
      for (let j = 0; j < p; j++) sum[j]! += factor[k * c + a]! * jacobian[first + a * p + j]!;
    if (b === c - 1) jacobian.set(sample, first);
  };
  await eachRow(factor.length / c, p, pace, weigh, c * p);
}

/**
 * Multiply-adds a second of this file's loops, and of the engine's matrix product and Cholesky: what decides between
 * the two forms.
 */
const ROW_RATE = 1e9;
const ENGINE_RATE = 1e10;

/**
 * True where the row form is predicted to take less time: m^2 p / 2 + m^3 / 6 in TypeScript against m p^2 / 2 + p^3 / 6
 * in the engine, and always more parameters than rows.
 */
export function prefersRows(m: number, p: number): boolean {
  const work = (inner: number, order: number) => (inner * order ** 2) / 2 + order ** 3 / 6;
  return p > m && work(p, m) / ROW_RATE < work(m, p) / ENGINE_RATE;
}
