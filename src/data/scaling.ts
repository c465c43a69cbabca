// Standardised columns, z = (x - offset) / scale, with the (weighted) mean as offset and the (weighted) population standard
// deviation as scale. A constant column gets scale 1: one whose spread is at most what rounding leaves of a single value that was
// computed in several ways, n eps max|x|. So does a spread too small to divide by (below 6e-309). Stored with the model, so that
// prediction takes raw units.
import { FileDataset } from "./data-file.js";
import type { Dataset } from "./dataset.js";

/** One offset and one scale > 0 a column. */
export interface ColumnScaling {
  readonly offset: Float64Array;
  readonly scale: Float64Array;
}

export interface Scaling {
  readonly inputs: ColumnScaling;
  readonly targets: ColumnScaling;
}

/** True if the values of a column from `min` to `max` over `n` rows differ by rounding alone. */
function isConstant(min: number, max: number, n: number): boolean {
  // Halves, so that the difference cannot overflow.
  return max / 2 - min / 2 <= ((n * Number.EPSILON) / 2) * Math.max(Math.abs(min), Math.abs(max));
}

/**
 * Mean and standard deviation of each column, from three passes over blocks of whole rows; rows of weight zero take no part. Every column's
 * sums run over the rows in order, so that the bits do not depend on how the rows are cut into blocks.
 */
function columnScaling(
  blocks: () => Iterable<Float64Array>,
  columns: number,
  weights: Float64Array | null,
): ColumnScaling {
  const offset = new Float64Array(columns);
  const scale = new Float64Array(columns).fill(1);
  // Weights are taken relative to the largest, so that their sum cannot overflow.
  const largest = weights === null ? 1 : weights.reduce((a, b) => Math.max(a, b), 0);
  const forEachRow = (body: (block: Float64Array, k: number, weight: number) => void) => {
    let row = 0;
    for (const block of blocks())
      for (let k = 0; k < block.length; k += columns, row++) {
        const weight = weights === null ? 1 : weights[row]! / largest;
        if (weights === null || weights[row] !== 0) body(block, k, weight);
      }
  };
  const min = new Float64Array(columns).fill(Infinity);
  const max = new Float64Array(columns).fill(-Infinity);
  let rows = 0;
  forEachRow((block, k) => {
    rows++;
    for (let j = 0; j < columns; j++) {
      const value = block[k + j]!;
      if (value < min[j]!) min[j] = value;
      if (value > max[j]!) max[j] = value;
    }
  });
  // A power of two near the largest magnitude: dividing by it is exact, and no square or sum over- or underflows.
  const unit = min.map((low, j) =>
    low === max[j] ? 1 : 2 ** Math.floor(Math.log2(Math.max(Math.abs(low), Math.abs(max[j]!)))),
  );
  let total = 0;
  const sum = new Float64Array(columns);
  forEachRow((block, k, weight) => {
    total += weight;
    for (let j = 0; j < columns; j++) sum[j]! += weight * (block[k + j]! / unit[j]!);
  });
  const mean = sum.map((value) => value / total);
  const squares = new Float64Array(columns);
  forEachRow((block, k, weight) => {
    for (let j = 0; j < columns; j++) squares[j]! += weight * (block[k + j]! / unit[j]! - mean[j]!) ** 2;
  });
  for (let j = 0; j < columns; j++) {
    if (min[j] === max[j]) {
      offset[j] = min[j]!;
      continue;
    }
    offset[j] = mean[j]! * unit[j]!;
    if (isConstant(min[j]!, max[j]!, rows)) continue;
    const deviation = Math.sqrt(squares[j]! / total) * unit[j]!;
    if (deviation > 0 && Number.isFinite(1 / deviation)) scale[j] = deviation;
  }
  return { offset, scale };
}

/** Means and standard deviations of inputs and targets. */
export function standardise(data: Dataset | FileDataset): Scaling {
  const { inputSize: d, outputSize: c, weights } = data;
  if (!(data instanceof FileDataset))
    return {
      inputs: columnScaling(() => [data.inputs], d, weights),
      targets: columnScaling(() => [data.targets], c, weights),
    };
  // The weights' own column, where there is one, is scaled along and left out.
  const { offset, scale } = columnScaling(() => data.blocks(), data.layout.width, weights);
  const part = (from: number, to: number) => ({ offset: offset.slice(from, to), scale: scale.slice(from, to) });
  return { inputs: part(0, d), targets: part(d, d + c) };
}

/** Offset 0 and scale 1: raw units all the way. */
export function identityScaling(inputSize: number, outputSize: number): Scaling {
  const plain = (columns: number) => ({
    offset: new Float64Array(columns),
    scale: new Float64Array(columns).fill(1),
  });
  return { inputs: plain(inputSize), targets: plain(outputSize) };
}

/** z = (x - offset) / scale, a fresh array; `matrix` is [n x columns], row-major. */
export function scaleColumns(matrix: Float64Array, scaling: ColumnScaling): Float64Array {
  const { offset, scale } = scaling;
  const columns = offset.length;
  const scaled = new Float64Array(matrix.length);
  for (let k = 0, j = 0; k < matrix.length; k++) {
    scaled[k] = (matrix[k]! - offset[j]!) / scale[j]!;
    j = j + 1 === columns ? 0 : j + 1;
  }
  return scaled;
}

/** x = offset + scale z, a fresh array; the inverse of `scaleColumns`. */
export function unscaleColumns(matrix: Float64Array, scaling: ColumnScaling): Float64Array {
  const { offset, scale } = scaling;
  const columns = offset.length;
  const raw = new Float64Array(matrix.length);
  for (let k = 0, j = 0; k < matrix.length; k++) {
    raw[k] = offset[j]! + matrix[k]! * scale[j]!;
    j = j + 1 === columns ? 0 : j + 1;
  }
  return raw;
}

/**
 * Names of the inputs that are constant over the rows of non-zero weight, by the rule of `standardise`: they carry no information. Reads as
 * far as it must.
 */
export function constantInputs(data: Dataset | FileDataset): string[] {
  const { inputSize: d, weights, featureNames, sampleCount } = data;
  const [blocks, width] = data instanceof FileDataset ? [data.blocks(), data.layout.width] : [[data.inputs], d];
  const rows = weights === null ? sampleCount : weights.reduce((count, weight) => count + (weight === 0 ? 0 : 1), 0);
  const min = new Float64Array(d).fill(Infinity);
  const max = new Float64Array(d).fill(-Infinity);
  let constant = Array.from(featureNames.keys());
  let row = 0;
  for (const block of blocks)
    for (let k = 0; k < block.length; k += width, row++) {
      if (weights !== null && weights[row] === 0) continue;
      for (const j of constant) {
        min[j] = Math.min(min[j]!, block[k + j]!);
        max[j] = Math.max(max[j]!, block[k + j]!);
      }
      // A spread beyond the bound stays beyond it: another row widens the spread at least as much as the largest magnitude.
      const same = (j: number) => isConstant(min[j]!, max[j]!, rows);
      if (!constant.every(same)) constant = constant.filter(same);
      if (constant.length === 0) return [];
    }
  return constant.map((j) => featureNames[j]!);
}
