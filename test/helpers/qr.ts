// Least squares by Householder QR: the oracle that shares no code with the library.

/** min |A x - b| for A m x n, row-major, m >= n, columns scaled first; null where a column depends on the others. A and b are overwritten. */
export function householderSolve(a: Float64Array, m: number, n: number, b: Float64Array): Float64Array | null {
  const scale = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < m; i++) sum += a[i * n + j] ** 2;
    scale[j] = Math.sqrt(sum) || 1;
    for (let i = 0; i < m; i++) a[i * n + j] /= scale[j];
  }
  for (let k = 0; k < n; k++) {
    let norm = 0;
    for (let i = k; i < m; i++) norm += a[i * n + k] ** 2;
    norm = Math.sqrt(norm);
    if (!(norm > n * Number.EPSILON)) return null;
    const alpha = a[k * n + k] > 0 ? -norm : norm;
    const v = new Float64Array(m);
    for (let i = k; i < m; i++) v[i] = a[i * n + k];
    v[k] -= alpha;
    const square = 2 * (norm * norm + Math.abs(a[k * n + k]) * norm);
    const reflect = (read: (i: number) => number, write: (i: number, value: number) => void) => {
      let dot = 0;
      for (let i = k; i < m; i++) dot += v[i] * read(i);
      for (let i = k; i < m; i++) write(i, read(i) - (2 * dot * v[i]) / square);
    };
    for (let j = k; j < n; j++)
      reflect(
        (i) => a[i * n + j],
        (i, value) => {
          a[i * n + j] = value;
        },
      );
    reflect(
      (i) => b[i],
      (i, value) => {
        b[i] = value;
      },
    );
  }
  const x = new Float64Array(n);
  for (let k = n - 1; k >= 0; k--) {
    let value = b[k];
    for (let j = k + 1; j < n; j++) value -= a[k * n + j] * x[j];
    x[k] = value / a[k * n + k];
  }
  return x.map((value, j) => value / scale[j]);
}
