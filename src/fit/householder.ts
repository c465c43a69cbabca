// Factors a Jacobian J = Q R by Householder reflections, column by column, and applies Q^T to further right-hand sides. residual-engine.ts
// calls it once a linearization; the damped systems (damped-triangle.ts) then need R and Q^T r alone. Nothing squares the condition number of J.
//
// Storage: J is n x p, column-major. Column k holds R above and on the diagonal, and the reflection's vector below it; the leading entry of that vector is
// `heads[k]`, and H = I - v v^T / (v_k beta) in LAPACK's normalization with |v|^2 = 2 `halves[k]` (0: no reflection).
import { dotAt } from "../algebra/vectors.js";

/** The factor of a column-major matrix: R and the reflections, in place of the matrix. */
export interface Reflections {
  readonly rows: number;
  readonly columns: number;
  /** rows x columns, column-major. */
  readonly matrix: Float64Array;
  /** v_k, the leading entry of each reflection's vector. */
  readonly heads: Float64Array;
  /** |v|^2 / 2 of each reflection; 0 where there is none. */
  readonly halves: Float64Array;
}

/** Room for the factor of a matrix of this size. */
export function reflectionsOf(rows: number, columns: number): Reflections {
  const [heads, halves] = [new Float64Array(columns), new Float64Array(columns)];
  return { rows, columns, matrix: new Float64Array(rows * columns), heads, halves };
}

/** Replaces the matrix by its factor. */
export function factorColumns(reflections: Reflections): void {
  const { rows, columns, matrix, heads, halves } = reflections;
  for (let k = 0; k < columns; k++) {
    heads[k] = 0;
    halves[k] = 0;
    if (k >= rows) continue;
    const at = k * rows + k;
    const length = Math.sqrt(dotAt(matrix, at, matrix, at, rows - k));
    if (length === 0) continue;
    const first = matrix[at];
    const diagonal = first > 0 ? -length : length;
    heads[k] = first - diagonal;
    halves[k] = length * (length + Math.abs(first));
    matrix[at] = diagonal;
    for (let j = k + 1; j < columns; j++) reflect(reflections, k, matrix, j * rows);
  }
}

/** Replaces the vector of `rows` entries that begins at `at` by Q^T times it. */
export function applyTransposed(reflections: Reflections, vector: Float64Array, at = 0): void {
  for (let k = 0; k < Math.min(reflections.rows, reflections.columns); k++) reflect(reflections, k, vector, at);
}

/** Applies reflection k to the vector that begins at `at`. */
function reflect({ rows, matrix, heads, halves }: Reflections, k: number, vector: Float64Array, at: number): void {
  if (halves[k] === 0) return;
  const [below, rest] = [k * rows + k + 1, rows - k - 1];
  const along = heads[k] * vector[at + k] + dotAt(matrix, below, vector, at + k + 1, rest);
  const factor = along / halves[k];
  vector[at + k] -= factor * heads[k];
  subtractAt(vector, at + k + 1, factor, matrix, below, rest);
}

function subtractAt(a: Float64Array, i: number, factor: number, b: Float64Array, j: number, length: number): void {
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    a[i + k] -= factor * b[j + k];
    a[i + k + 1] -= factor * b[j + k + 1];
    a[i + k + 2] -= factor * b[j + k + 2];
    a[i + k + 3] -= factor * b[j + k + 3];
  }
  for (; k < length; k++) a[i + k] -= factor * b[j + k];
}
