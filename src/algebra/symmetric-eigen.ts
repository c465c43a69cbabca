// Computes eigenvalues and eigenvectors of a dense symmetric matrix: for the spectrum that the reference engine returns, for Lanczos
// (spectrum/lanczos.ts) and for the Nystrom preconditioner (step/nystrom.ts). A = Q T Q^T with T tridiagonal, then T = Z diag(values) Z^T.
//   Householder reflections from the last row upwards, so that only rows of the lower triangle are walked (contiguous):
//     H = I - tau v v^T,  A <- H A H = A - v w^T - w v^T   with  w = tau (A v - (tau/2) (v . A v) v)
//   Implicit QL with Wilkinson's shift on T; vectors are rotated as rows and carried back through the reflections.
// Source: Martin, Reinsch, Wilkinson (tred2) and Dubrulle, Martin, Wilkinson (imtql2), Handbook for Automatic Computation II, 1971; error
// of a value about n eps |A|_2. The matrix is scaled by a power of two, so that no square over- or underflows.
import { GaussflowError } from "../errors.js";
import type { Pace } from "../event-loop-yield.js";

/** Rows of vectors carried back together, so that a reflection is read once for all of them. */
const GROUP = 16;
/**
 * Squares below this are not of full precision, and a reflection made of them is none: H would not be orthogonal. What it drops is 1e-140
 * of the matrix.
 */
const NEGLIGIBLE = 1e-280;
/** Smallest number of full precision: a sweep does not make a coupling below it smaller. */
const SMALLEST = 2 ** -1022;
/** QL needs about 1.7 sweeps a value; more than this has never been seen for finite matrices. */
const SWEEPS = 60;

/**
 * Values ascending, and the unit eigenvectors as rows (n x n) or null.
 * @param a n x n, row-major, lower triangle; overwritten
 */
export async function symmetricEigen(
  a: Float64Array,
  n: number,
  wanted: boolean,
  pace: Pace,
): Promise<{ readonly values: Float64Array; readonly vectors: Float64Array | null }> {
  const scale = normalize(a, n);
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n); // below[i] couples i and i + 1
  const factors = await tridiagonalize(a, n, diagonal, below, pace);
  const z = wanted ? identity(n) : null;
  await implicitQl(diagonal, below, n, z, n, pace);
  if (z !== null) await carryBack(a, n, factors, z, pace);
  const { values, rows } = ascending(diagonal, z, n);
  return { values: values.map((value) => value * scale), vectors: rows };
}

/**
 * Values ascending of the tridiagonal matrix with this diagonal and these entries beside it, and of each unit eigenvector all entries
 * (one row a vector) or, at a cost of O(n^2) instead of O(n^3), the last alone.
 */
export async function tridiagonalEigen(
  diagonal: Float64Array,
  beside: Float64Array,
  entries: "all" | "last",
  pace: Pace,
): Promise<{ readonly values: Float64Array; readonly vectors: Float64Array }> {
  const n = diagonal.length;
  const d = diagonal.slice();
  const e = new Float64Array(n);
  e.set(beside.subarray(0, n - 1));
  // Columns of the vectors' matrix turn independently: the last one by itself starts as that of the identity.
  const z = entries === "all" ? identity(n) : new Float64Array(n).fill(1, n - 1);
  await implicitQl(d, e, n, z, z.length / n, pace);
  const { values, rows } = ascending(d, z, z.length / n);
  return { values, vectors: rows };
}

/** The values in order, and the rows of `z` (`width` entries each) with them. */
function ascending<Z extends Float64Array | null>(
  diagonal: Float64Array,
  z: Z,
  width: number,
): { readonly values: Float64Array; readonly rows: Z } {
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[i] - diagonal[j]);
  const rows = z && new Float64Array(z.length);
  order.forEach((from, k) => {
    if (z !== null) rows?.set(z.subarray(from * width, (from + 1) * width), k * width);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]), rows: rows as Z };
}

/** Divides the lower triangle by the power of two next to its largest entry, and returns that. */
function normalize(a: Float64Array, n: number): number {
  let most = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) most = Math.max(most, Math.abs(a[i * n + j]));
  if (most === 0 || !Number.isFinite(most)) return 1;
  const scale = 2 ** Math.max(-1000, Math.min(1000, Math.floor(Math.log2(most))));
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] /= scale;
  return scale;
}

function identity(n: number): Float64Array {
  const z = new Float64Array(n * n);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  return z;
}

/** Row i of `a` is left with the i entries of the i-th reflection's v; returns their taus. */
async function tridiagonalize(
  a: Float64Array,
  n: number,
  diagonal: Float64Array,
  below: Float64Array,
  pace: Pace,
): Promise<Float64Array> {
  const factors = new Float64Array(n);
  const w = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = i * n;
    diagonal[i] = a[row + i];
    let rest = 0; // |entries left of the one that stays|^2
    for (let j = 0; j < i - 1; j++) rest += a[row + j] ** 2;
    const head = a[row + i - 1];
    if (rest < NEGLIGIBLE) {
      below[i - 1] = head;
      continue;
    }
    const norm = Math.sqrt(rest + head * head);
    const kept = head > 0 ? -norm : norm;
    const tau = (kept - head) / kept;
    for (let j = 0; j < i - 1; j++) a[row + j] /= head - kept;
    a[row + i - 1] = 1;
    below[i - 1] = kept;
    factors[i] = tau;
    // w = A v over the leading triangle, row by row: below the diagonal a row serves twice.
    w.fill(0, 0, i);
    for (let k = 0; k < i; k++) {
      const at = k * n;
      const vk = a[row + k];
      let sum = a[at + k] * vk;
      for (let j = 0; j < k; j++) {
        sum += a[at + j] * a[row + j];
        w[j] += a[at + j] * vk;
      }
      w[k] += sum;
    }
    let inner = 0;
    for (let k = 0; k < i; k++) inner += w[k] * a[row + k];
    for (let k = 0; k < i; k++) w[k] = tau * (w[k] - 0.5 * tau * inner * a[row + k]);
    for (let k = 0; k < i; k++) {
      const at = k * n;
      const vk = a[row + k];
      const wk = w[k];
      for (let j = 0; j <= k; j++) a[at + j] -= vk * w[j] + wk * a[row + j];
    }
    if (pace.due()) await pace.turn();
  }
  if (n > 0) diagonal[0] = a[0];
  return factors;
}

/**
 * `d` becomes the eigenvalues of the tridiagonal matrix, row k of `z` the vector of value k: `width` of its entries, those whose columns
 * of the identity `z` holds at first.
 */
async function implicitQl(
  d: Float64Array,
  e: Float64Array,
  n: number,
  z: Float64Array | null,
  width: number,
  pace: Pace,
): Promise<void> {
  for (let first = 0; first < n; first++) {
    for (let sweep = 0; ; sweep++) {
      const last = splitAfter(d, e, first, n);
      if (last === first) break;
      if (sweep === SWEEPS || Number.isNaN(d[first]))
        throw new GaussflowError("GAUSSFLOW_INTERNAL", `QL found no eigenvalue ${first} of ${n} in ${sweep} sweeps`);
      sweepUp(d, e, first, last, z, width);
      if (pace.due()) await pace.turn();
    }
  }
}

/** The first index from `first` on whose coupling to the next one is negligible. */
function splitAfter(d: Float64Array, e: Float64Array, first: number, n: number): number {
  let last = first;
  while (last < n - 1) {
    const size = Math.abs(d[last]) + Math.abs(d[last + 1]);
    // NaN is no small coupling.
    if (Math.abs(e[last]) <= Number.EPSILON * size + SMALLEST) break;
    last++;
  }
  return last;
}

/** One implicit QL sweep over rows last ... first of the tridiagonal matrix. */
function sweepUp(d: Float64Array, e: Float64Array, first: number, last: number, z: Float64Array | null, width: number) {
  // Wilkinson's shift: the eigenvalue of the leading 2 x 2 block that is closer to d[first].
  const slope = (d[first + 1] - d[first]) / (2 * e[first]);
  const radius = Math.hypot(slope, 1);
  let g = d[last] - d[first] + e[first] / (slope + (slope < 0 ? -radius : radius));
  let s = 1;
  let c = 1;
  let moved = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = s * e[i];
    const b = c * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The matrix fell apart on the way: finish this piece and look again.
      d[i + 1] -= moved;
      e[last] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - moved;
    const t = (d[i] - g) * s + 2 * c * b;
    moved = s * t;
    d[i + 1] = g + moved;
    g = c * t - b;
    if (z !== null) rotateRows(z, i * width, (i + 1) * width, width, c, s);
  }
  d[first] -= moved;
  e[first] = g;
  e[last] = 0;
}

function rotateRows(z: Float64Array, x: number, y: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const a = z[x + k];
    const b = z[y + k];
    z[y + k] = s * a + c * b;
    z[x + k] = c * a - s * b;
  }
}

/** Rows of `z` from the basis of T to that of A: the reflections in the order opposite to that of their making. */
async function carryBack(a: Float64Array, n: number, factors: Float64Array, z: Float64Array, pace: Pace) {
  for (let start = 0; start < n; start += GROUP) {
    const end = Math.min(n, start + GROUP);
    for (let i = 1; i < n; i++) {
      if (factors[i] === 0) continue;
      const row = i * n;
      for (let k = start; k < end; k++) {
        const at = k * n;
        let dot = 0;
        for (let j = 0; j < i; j++) dot += a[row + j] * z[at + j];
        dot *= factors[i];
        for (let j = 0; j < i; j++) z[at + j] -= dot * a[row + j];
      }
    }
    if (pace.due()) await pace.turn();
  }
}
