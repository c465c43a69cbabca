// Computes sums, norms and updates of vectors in plain TypeScript, used throughout: by the steps, the methods, flows, the reference engine,
// and by the native engine for short vectors.
//
// Vectors of LARGE_VECTOR entries and more are summed in a fixed number of parts with several partial sums each. native/core/vectors.cc
// repeats this order on several threads and gives the same bits.

/** From this length on (16 MB) a vector exceeds a core's caches, and its sums run in parts. */
export const LARGE_VECTOR = 2 ** 21;

/** Operations on vectors of equal length. An engine may have its own, with the same results to the last bit. */
export interface VectorOperations {
  /** a . b */
  dot(a: Float64Array, b: Float64Array): number;
  /** Euclidean norm, without over- or underflow of the squares; NaN or infinite where an entry is. */
  norm(vector: Float64Array): number;
  /** a + factor b, written to `out` where it is given (it may be `a` or `b`), else to a fresh array. */
  addScaled(a: Float64Array, factor: number, b: Float64Array, out?: Float64Array): Float64Array;
}

/** a . b */
export function dot(a: Float64Array, b: Float64Array): number {
  if (a.length >= LARGE_VECTOR) return dotInParts(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Sum of products of `length` entries, of a from place i and of b from place j, in four strands that a processor adds side by side. */
export function dotAt(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    s0 += a[i + k] * b[j + k];
    s1 += a[i + k + 1] * b[j + k + 1];
    s2 += a[i + k + 2] * b[j + k + 2];
    s3 += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < length; k++) s0 += a[i + k] * b[j + k];
  return s0 + s1 + (s2 + s3);
}

// Plain loops: the first iterations of a training run before they are compiled, and there an iterator costs six times as much.

/** |vector|_inf; NaN where an entry is. */
export function largest(vector: Float64Array): number {
  let most = 0;
  for (let i = 0; i < vector.length; i++) most = Math.max(most, Math.abs(vector[i]));
  return most;
}

/** Euclidean norm, without over- or underflow of the squares. */
export function norm(vector: Float64Array): number {
  return vector.length >= LARGE_VECTOR ? normOfSquares(vector, dotInParts(vector, vector)) : scaledNorm(vector);
}

/** a + factor b, written to `out` where it is given (it may be `a` or `b`), else to a fresh array. */
export function addScaled(
  a: Float64Array,
  factor: number,
  b: Float64Array,
  out: Float64Array = new Float64Array(a.length),
): Float64Array {
  for (let i = 0; i < a.length; i++) out[i] = a[i] + factor * b[i];
  return out;
}

/** The operations of this file. */
export const plainVectors: VectorOperations = { dot, norm, addScaled };

/** The norm of a large vector from its sum of squares, with a second look only where the squares leave the range of doubles. */
export function normOfSquares(vector: Float64Array, squares: number): number {
  const inRange = squares >= 1e-280 && squares <= Number.MAX_VALUE;
  return inRange ? Math.sqrt(squares) : scaledNorm(vector);
}

function scaledNorm(vector: Float64Array): number {
  const most = largest(vector);
  if (most === 0 || !Number.isFinite(most)) return most;
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += (vector[i] / most) ** 2;
  return most * Math.sqrt(sum);
}

/** Parts of a large vector. */
const PARTS = 64;
/** Interleaved sums of a part: a processor adds them side by side. */
const STRANDS = 8;

function dotInParts(a: Float64Array, b: Float64Array): number {
  const size = Math.ceil(a.length / PARTS / STRANDS) * STRANDS;
  let sum = 0;
  for (let first = 0; first < a.length; first += size)
    sum += dotInStrands(a, b, first, Math.min(first + size, a.length));
  return sum;
}

/** Strand k holds the products k, k + 8, k + 16, ... */
function dotInStrands(a: Float64Array, b: Float64Array, first: number, end: number): number {
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0];
  let i = first;
  for (; i + STRANDS <= end; i += STRANDS) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
    s4 += a[i + 4] * b[i + 4];
    s5 += a[i + 5] * b[i + 5];
    s6 += a[i + 6] * b[i + 6];
    s7 += a[i + 7] * b[i + 7];
  }
  let sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
  for (; i < end; i++) sum += a[i] * b[i];
  return sum;
}
