// Dense matrices the long way, row-major: the oracle of engine tests, sharing no code with what it checks.

/** A (n x m) times B (m x q). */
export function multiply(a: Float64Array, b: Float64Array, n: number, m: number, q: number): Float64Array {
  const out = new Float64Array(n * q);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < q; j++) for (let k = 0; k < m; k++) out[i * q + j] += a[i * m + k] * b[k * q + j];
  return out;
}

/** A^T of A (n x m). */
export function transpose(a: Float64Array, n: number, m: number): Float64Array {
  return Float64Array.from({ length: n * m }, (_, at) => a[(at % n) * m + Math.floor(at / n)]);
}

/** A^-1 b by Gaussian elimination with row pivoting. */
export function eliminate(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const m = Array.from({ length: n }, (_, i) => [...a.subarray(i * n, (i + 1) * n), b[i]]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i][k]) > Math.abs(m[pivot][k])) pivot = i;
    [m[k], m[pivot]] = [m[pivot], m[k]];
    for (let i = k + 1; i < n; i++) {
      const f = m[i][k] / m[k][k];
      if (f !== 0) for (let j = k; j <= n; j++) m[i][j] -= f * m[k][j];
    }
  }
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = m[i][n];
    for (let j = i + 1; j < n; j++) sum -= m[i][j] * x[j];
    x[i] = sum / m[i][i];
  }
  return x;
}

/** Largest column sum of absolute values. */
export function norm1(a: Float64Array, n: number): number {
  let most = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j]);
    most = Math.max(most, sum);
  }
  return most;
}

/** 1-norm of the inverse, column by column. */
export function inverseNorm1(a: Float64Array, n: number): number {
  let most = 0;
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    most = Math.max(
      most,
      eliminate(a, unit, n).reduce((sum, value) => sum + Math.abs(value), 0),
    );
  }
  return most;
}
