// Computes R of A = QR by Householder reflections, without Q: the triangle holds all that covariances and singular values need of a tall
// matrix. fit/covariance.ts calls it with the Jacobian of a fit.
// Source: Golub and Van Loan, Matrix Computations, 4th ed., section 5.2; the backward error of a column is about m eps of its norm.

/**
 * R of A = QR.
 *
 * @param columns the n columns of A one after the other, each of m >= n numbers of order one; overwritten
 * @returns the n columns of R one after the other, each of n numbers, zeros below the diagonal; diagonal entries may be negative
 */
export function householderTriangle(columns: Float64Array, m: number, n: number): Float64Array {
  for (let k = 0; k < n; k++) {
    const pivot = columns.subarray(k * m + k, (k + 1) * m);
    const norm = norm2(pivot);
    if (norm === 0) continue;
    // The sign avoids a cancellation in the first entry of the reflection's vector, which replaces the column for a moment.
    const kept = pivot[0] > 0 ? -norm : norm;
    pivot[0] -= kept;
    const factor = -1 / (kept * pivot[0]); // 2 / |v|^2
    for (let j = k + 1; j < n; j++) {
      const column = columns.subarray(j * m + k, (j + 1) * m);
      let product = 0;
      for (let i = 0; i < column.length; i++) product += pivot[i] * column[i];
      product *= factor;
      for (let i = 0; i < column.length; i++) column[i] -= product * pivot[i];
    }
    pivot[0] = kept;
  }
  const triangle = new Float64Array(n * n);
  for (let j = 0; j < n; j++) triangle.set(columns.subarray(j * m, j * m + j + 1), j * n);
  return triangle;
}

function norm2(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
