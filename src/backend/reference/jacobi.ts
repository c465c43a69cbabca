// Computes singular values and right vectors of a dense matrix, for the rank report and the spectrum of the triangle in orthogonal.ts: QR
// with column pivoting, then one-sided Jacobi rotations (Hestenes) of pairs of rows of R until all are orthogonal. The lengths of the rows
// are the values, their directions the right vectors. For A = B D with a diagonal D every value, also a tiny one, is as accurate as the
// condition number of B allows. A bidiagonalization loses all values below eps times the largest (Demmel and Veselic, Jacobi's method is
// more accurate than QR, SIAM J. Matrix Anal. Appl. 13, 1992; Drmac and Veselic, New fast and accurate Jacobi SVD algorithm, 29, 2008).

import { norm } from "../../algebra/vectors.js";
import { GaussflowError } from "../../errors.js";
import type { Pace } from "../../event-loop-yield.js";
import { pivotedQr } from "./householder.js";

/** Convergence is quadratic: 3 to 10 sweeps. More than this has never been seen for finite matrices. */
const SWEEPS = 60;
/** Rows below this share of the longest are 0: rotations that small would lose digits among the subnormal numbers. */
const NOTHING = 2 ** -900;

/**
 * Values ascending of the columns `a`, p of p entries, which are overwritten; vectors as rows, or null.
 * @param most the rank is known not to exceed this: what rounding has left beyond is 0, and need not be turned
 */
export async function singularValues(
  a: Float64Array[],
  wanted: boolean,
  pace: Pace,
  most = a.length,
): Promise<{ readonly values: Float64Array; readonly vectors: Float64Array | null }> {
  const p = a.length;
  const order = await pivotedQr(a, new Float64Array(p), pace, most);
  // Without pivoting a dependent row would lose 16 digits a sweep and never be done; behind it R has rows of 0.
  const rows = a.map((_, i) => {
    const row = new Float64Array(p);
    for (let k = i; k < p && i < most; k++) row[order[k]] = a[k][i];
    return row;
  });
  const lengths = Float64Array.from(rows, norm);
  // The first is the longest but for a factor of sqrt(p). The other bound keeps inverse lengths finite.
  const nothing = Math.max(NOTHING * lengths[0], 2 ** -1000);
  for (let sweep = 0; await turnAll(rows, lengths, nothing, pace); sweep++)
    if (sweep === SWEEPS)
      throw new GaussflowError("GAUSSFLOW_INTERNAL", `Jacobi rotations found no singular values in ${sweep} sweeps`);
  const ascending = Array.from(lengths.keys()).sort((one, other) => lengths[one] - lengths[other]);
  const values = Float64Array.from(ascending, (i) => lengths[i]);
  return {
    values,
    vectors: wanted
      ? directions(
          ascending.map((i) => rows[i]),
          nothing,
        )
      : null,
  };
}

/** One sweep over all pairs; true when a pair had to be turned. `lengths` are those of the rows, kept up to date. */
async function turnAll(
  rows: readonly Float64Array[],
  lengths: Float64Array,
  nothing: number,
  pace: Pace,
): Promise<boolean> {
  const p = rows.length;
  // Two unit rows are orthogonal when their product is what rounding makes of p terms, and of the rotation before.
  const orthogonal = (p + 8) * Number.EPSILON;
  let turned = false;
  for (let j = 0; j < p; j++) {
    if (lengths[j] < nothing) continue;
    for (let k = j + 1; k < p; k++) {
      if (lengths[k] < nothing) continue;
      // Of unit rows: products of two tiny ones would be lost below the smallest double.
      const [unitJ, unitK] = [1 / lengths[j], 1 / lengths[k]];
      let cosine = 0;
      for (let i = 0; i < p; i++) cosine += rows[j][i] * unitJ * (rows[k][i] * unitK);
      if (Math.abs(cosine) <= orthogonal) continue;
      turned = true;
      const ratio = lengths[k] / lengths[j];
      const zeta = (ratio - 1 / ratio) / (2 * cosine);
      const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
      const c = 1 / Math.hypot(1, t);
      rotate(rows[j], rows[k], c, c * t);
      lengths[j] = norm(rows[j]);
      lengths[k] = norm(rows[k]);
    }
    if (pace.due()) await pace.turn();
  }
  return turned;
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    x[i] = c * value - s * y[i];
    y[i] = s * value + c * y[i];
  }
}

/** The orthogonal rows made unit vectors; where one is 0, any direction that is left. */
function directions(rows: readonly Float64Array[], nothing: number): Float64Array {
  const p = rows.length;
  const out = new Float64Array(p * p);
  const done: Float64Array[] = [];
  const left = new Float64Array(p).fill(1); // |part of the k-th unit vector outside of those done|^2
  const keep = (k: number, vector: Float64Array, length: number) => {
    const unit = out.subarray(k * p, (k + 1) * p);
    unit.set(vector.map((value) => value / length));
    for (let i = 0; i < p; i++) left[i] -= unit[i] * unit[i];
    done.push(unit);
  };
  const lengths = rows.map(norm);
  rows.forEach((row, k) => {
    if (lengths[k] >= nothing) keep(k, row, lengths[k]);
  });
  rows.forEach((_, k) => {
    if (lengths[k] >= nothing) return;
    const v = new Float64Array(p);
    v[left.indexOf(Math.max(...left))] = 1;
    for (let pass = 0; pass < 2; pass++)
      for (const unit of done) {
        const share = unit.reduce((sum, value, i) => sum + value * v[i], 0);
        for (let i = 0; i < p; i++) v[i] -= share * unit[i];
      }
    keep(k, v, norm(v));
  });
  return out;
}
