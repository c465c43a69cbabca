// Standardised columns, z = (x - offset) / scale, with the (weighted) mean as offset and the (weighted) population standard
// deviation as scale. A constant column gets scale 1, and so does a spread too small to divide by (below 6e-309). Stored with
// the model, so that prediction takes raw units.
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

/** Mean and standard deviation of each column of `matrix` [n x columns]; rows of weight zero take no part. */
function columnScaling(matrix: Float64Array, columns: number, weights: Float64Array | null): ColumnScaling {
  const n = matrix.length / columns;
  const offset = new Float64Array(columns);
  const scale = new Float64Array(columns).fill(1);
  // Weights are taken relative to the largest, so that their sum can not overflow.
  const largest = weights === null ? 1 : weights.reduce((a, b) => Math.max(a, b), 0);
  for (let j = 0; j < columns; j++) {
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0, k = j; i < n; i++, k += columns) {
      if (weights !== null && weights[i] === 0) continue;
      if (matrix[k]! < min) min = matrix[k]!;
      if (matrix[k]! > max) max = matrix[k]!;
    }
    if (min === max) {
      offset[j] = min;
      continue;
    }
    // A power of two near the largest magnitude: dividing by it is exact, and no square or sum over- or underflows.
    const unit = 2 ** Math.floor(Math.log2(Math.max(Math.abs(min), Math.abs(max))));
    let total = 0;
    let sum = 0;
    for (let i = 0, k = j; i < n; i++, k += columns) {
      const weight = weights === null ? 1 : weights[i]! / largest;
      total += weight;
      sum += weight * (matrix[k]! / unit);
    }
    const mean = sum / total;
    let squares = 0;
    for (let i = 0, k = j; i < n; i++, k += columns) {
      const weight = weights === null ? 1 : weights[i]! / largest;
      squares += weight * (matrix[k]! / unit - mean) ** 2;
    }
    offset[j] = mean * unit;
    const deviation = Math.sqrt(squares / total) * unit;
    if (deviation > 0 && Number.isFinite(1 / deviation)) scale[j] = deviation;
  }
  return { offset, scale };
}

/** Means and standard deviations of inputs and targets. */
export function standardise(data: Dataset): Scaling {
  return {
    inputs: columnScaling(data.inputs, data.inputSize, data.weights),
    targets: columnScaling(data.targets, data.outputSize, data.weights),
  };
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

/** Names of the inputs that are constant over the rows of non-zero weight: they tell a network nothing. */
export function constantInputs(data: Dataset): string[] {
  const { inputs, inputSize: d, sampleCount: n, weights } = data;
  return data.featureNames.filter((_, j) => {
    let first: number | undefined;
    for (let i = 0; i < n; i++) {
      if (weights !== null && weights[i] === 0) continue;
      const value = inputs[i * d + j];
      first ??= value;
      if (value !== first) return false;
    }
    return true;
  });
}
