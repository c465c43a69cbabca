// Forms the curvature matrices of the reference engine during a linearization (curvature/gram.ts, kernel.ts) and rows of J~ (passes.ts,
// curvature/triangle.ts): lower triangle, row-major, sums over samples in ascending blocks.
//   primal  G = J~^T J~ from explicit Jacobian blocks and a register-blocked rank-k update
//   dual    K = sum over layers of <delta, delta'> (factor^2 <h, h'> + 1) / d from layer-wise products

import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import { multiplyTransposed } from "../../network/dense.js";
import type { Workspace } from "../../network/forward.js";

/** Rows of J for the block's `count` samples (c rows a sample, deltas seeded by output), transposed: p x (count * c). */
export function jacobianTransposed(space: Workspace, count: number, out: Float64Array): void {
  const { layers, outputSize: c } = space.architecture;
  const rows = count * c;
  for (let l = 0; l < layers.length; l++) {
    const { inputSize, outputSize: width, factor, weightOffset, biasOffset } = layers[l];
    const h = space.layerInputs[l];
    const delta = space.deltas[l];
    for (let o = 0; o < width; o++) {
      for (let k = 0; k < inputSize; k++) {
        const at = (weightOffset + o * inputSize + k) * rows;
        for (let i = 0, row = 0; i < count; i++) {
          const input = factor * h[i * inputSize + k];
          for (let a = 0; a < c; a++, row++) out[at + row] = delta[row * width + o] * input;
        }
      }
      if (biasOffset >= 0)
        for (let row = 0; row < rows; row++) out[(biasOffset + o) * rows + row] = delta[row * width + o];
    }
  }
}

/** Lower triangle of G += A A^T for A p x rows, by tiles of 4 x 4 sums; edges by tiles of 4 x 2 and less. */
export async function addRankUpdate(
  g: Float64Array,
  p: number,
  a: Float64Array,
  rows: number,
  pace: Pace,
): Promise<void> {
  const whole = p - (p % 4);
  for (let j = 0; j < whole; j += 4) {
    for (let i = j; i < whole; i += 4) tile(g, p, a, rows, i, j);
    if (pace.due()) await pace.turn();
  }
  for (let i = whole; i < p; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < rows; k++) sum += a[i * rows + k] * a[j * rows + k];
      g[i * p + j] += sum;
    }
}

/** One 4 x 4 tile: eight loads serve sixteen multiply-adds. On the diagonal it also touches entries above, harmlessly. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: sixteen accumulators written out, a table in the form of a loop
function tile(g: Float64Array, p: number, a: Float64Array, rows: number, i: number, j: number): void {
  const a0 = i * rows;
  const a1 = a0 + rows;
  const a2 = a1 + rows;
  const a3 = a2 + rows;
  const b0 = j * rows;
  const b1 = b0 + rows;
  const b2 = b1 + rows;
  const b3 = b2 + rows;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let k = 0; k < rows; k++) {
    const x0 = a[a0 + k];
    const x1 = a[a1 + k];
    const x2 = a[a2 + k];
    const x3 = a[a3 + k];
    const y0 = a[b0 + k];
    s00 += x0 * y0;
    s10 += x1 * y0;
    s20 += x2 * y0;
    s30 += x3 * y0;
    const y1 = a[b1 + k];
    s01 += x0 * y1;
    s11 += x1 * y1;
    s21 += x2 * y1;
    s31 += x3 * y1;
    const y2 = a[b2 + k];
    s02 += x0 * y2;
    s12 += x1 * y2;
    s22 += x2 * y2;
    s32 += x3 * y2;
    const y3 = a[b3 + k];
    s03 += x0 * y3;
    s13 += x1 * y3;
    s23 += x2 * y3;
    s33 += x3 * y3;
  }
  let at = i * p + j;
  g[at] += s00;
  g[at + 1] += s01;
  g[at + 2] += s02;
  g[at + 3] += s03;
  at += p;
  g[at] += s10;
  g[at + 1] += s11;
  g[at + 2] += s12;
  g[at + 3] += s13;
  at += p;
  g[at] += s20;
  g[at + 1] += s21;
  g[at + 2] += s22;
  g[at + 3] += s23;
  at += p;
  g[at] += s30;
  g[at + 1] += s31;
  g[at + 2] += s32;
  g[at + 3] += s33;
}

/** K of the n samples whose panels were kept, its lower triangle (order n times the rows of a sample), 32 samples of rows at a time. */
export async function formKernel(
  architecture: Architecture,
  kept: Workspace,
  factors: Float64Array | null,
  n: number,
  kernel: Float64Array,
  pace: Pace,
): Promise<void> {
  const samples = 32;
  for (let first = 0; first < n; first += samples) {
    kernelRows(architecture, kept, factors, first, Math.min(samples, n - first), kernel, n * kept.rows);
    await pace.turn();
  }
}

/**
 * Rows [first, first + count) of the lower triangle of K, sample-major, from the passes of all samples.
 * @param factors one d > 0 a layer, or null for 1
 */
function kernelRows(
  architecture: Architecture,
  { layerInputs, deltas, rows: c }: Workspace,
  factors: Float64Array | null,
  first: number,
  count: number,
  kernel: Float64Array,
  order: number,
): void {
  const columns = first + count;
  const inner = new Float64Array(count * columns);
  const product = new Float64Array(count * c * columns * c);
  architecture.layers.forEach((layer, l) => {
    const { inputSize, outputSize: width, factor, bias } = layer;
    const d = factors === null ? 1 : factors[l];
    multiplyTransposed(
      layerInputs[l],
      first * inputSize,
      count,
      layerInputs[l],
      0,
      columns,
      inputSize,
      inner,
      0,
      columns,
    );
    multiplyTransposed(
      deltas[l],
      first * c * width,
      count * c,
      deltas[l],
      0,
      columns * c,
      width,
      product,
      0,
      columns * c,
    );
    for (let row = 0; row < count * c; row++) {
      const i = Math.floor(row / c);
      const target = (first * c + row) * order;
      for (let column = 0; column <= first * c + row; column++) {
        const inputs = factor ** 2 * inner[i * columns + Math.floor(column / c)] + (bias ? 1 : 0);
        kernel[target + column] += (product[row * columns * c + column] * inputs) / d;
      }
    }
  });
}
