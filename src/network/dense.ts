// Multiplies dense matrices in plain TypeScript, C = A B^T, in register tiles of 4 x 2 sums, so that six loads serve eight multiply-adds.
// The passes (forward.ts), the Gram and Cholesky kernels of the reference engine and the Nystrom preconditioner call it. Every entry is one
// sum in ascending order of the inner index, for any tiling.

/**
 * C[i, j] = sum_k A[i, k] B[j, k]; `c` is overwritten.
 * @param aStart first entry of A [rows x inner, row-major] in `a`
 * @param bStart first entry of B [columns x inner, row-major] in `b`
 * @param start first entry of C in `c`; its rows are `stride` apart
 */
export function multiplyTransposed(
  a: Float64Array,
  aStart: number,
  rows: number,
  b: Float64Array,
  bStart: number,
  columns: number,
  inner: number,
  c: Float64Array,
  start: number,
  stride: number,
): void {
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const a0 = aStart + i * inner;
    const a1 = a0 + inner;
    const a2 = a1 + inner;
    const a3 = a2 + inner;
    let j = 0;
    for (; j + 2 <= columns; j += 2) {
      const b0 = bStart + j * inner;
      const b1 = b0 + inner;
      let c00 = 0;
      let c01 = 0;
      let c10 = 0;
      let c11 = 0;
      let c20 = 0;
      let c21 = 0;
      let c30 = 0;
      let c31 = 0;
      for (let k = 0; k < inner; k++) {
        const x0 = b[b0 + k];
        const x1 = b[b1 + k];
        const y0 = a[a0 + k];
        c00 += y0 * x0;
        c01 += y0 * x1;
        const y1 = a[a1 + k];
        c10 += y1 * x0;
        c11 += y1 * x1;
        const y2 = a[a2 + k];
        c20 += y2 * x0;
        c21 += y2 * x1;
        const y3 = a[a3 + k];
        c30 += y3 * x0;
        c31 += y3 * x1;
      }
      const at = start + i * stride + j;
      c[at] = c00;
      c[at + 1] = c01;
      c[at + stride] = c10;
      c[at + stride + 1] = c11;
      c[at + 2 * stride] = c20;
      c[at + 2 * stride + 1] = c21;
      c[at + 3 * stride] = c30;
      c[at + 3 * stride + 1] = c31;
    }
    if (j < columns) narrow(a, a0, 4, b, bStart + j * inner, columns - j, inner, c, start + i * stride + j, stride);
  }
  if (i < rows) narrow(a, aStart + i * inner, rows - i, b, bStart, columns, inner, c, start + i * stride, stride);
}

/** The same for the edges that do not fill a tile. */
function narrow(
  a: Float64Array,
  aStart: number,
  rows: number,
  b: Float64Array,
  bStart: number,
  columns: number,
  inner: number,
  c: Float64Array,
  start: number,
  stride: number,
): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const x = aStart + i * inner;
      const y = bStart + j * inner;
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[x + k] * b[y + k];
      c[start + i * stride + j] = sum;
    }
}
