// How good predictions are, a target at a time, in the units of the data:
//   RMSE = sqrt(sum s e^2 / sum s),  MAE = sum s |e| / sum s,  R^2 = 1 - sum s e^2 / sum s (y - ybar)^2,  ybar = sum s y / sum s
// with e = prediction - target and s the sample weights (1 without). Columns beyond 1e100 (or below
// 1e-100) are summed in units of a power of two near their largest value, so that squares stay in range. R^2 of a constant target is NaN: there is no variance to explain.
import { argumentError } from "../errors.js";

/** The three figures of one target. */
export interface TargetMetrics {
  readonly target: string;
  /** Root mean square error, units of the target. */
  readonly rmse: number;
  /** Mean absolute error, units of the target. */
  readonly mae: number;
  /** Share of the variance explained; NaN where the target is constant. */
  readonly r2: number;
}

/** The figures of one set of rows. */
export interface SetMetrics {
  readonly set: string;
  readonly rows: number;
  readonly targets: readonly TargetMetrics[];
}

/**
 * Metrics of `predictions` (n x c, row-major) against `targets` (n x c), one entry a target.
 *
 * @param weights n non-negative sample weights, or null for equal weights.
 * @throws GaussflowError GAUSSFLOW_ARGUMENT when the lengths disagree.
 */
export function metrics(
  predictions: Float64Array,
  targets: Float64Array,
  targetNames: readonly string[],
  weights: Float64Array | null = null,
): TargetMetrics[] {
  const width = targetNames.length;
  if (predictions.length !== targets.length)
    throw argumentError("predictions", `must have the length of targets, ${targets.length}`, predictions);
  if (width === 0 || targets.length % width !== 0)
    throw argumentError("targetNames", `must divide the ${targets.length} target values into columns`, targetNames);
  const rows = targets.length / width;
  if (weights !== null && weights.length !== rows)
    throw argumentError("weights", `must have one entry a row, ${rows}`, weights);
  return targetNames.map((target, column) => {
    const unit = unitOf(predictions, targets, column, width);
    let total = 0;
    let mean = 0;
    let squares = 0;
    let absolute = 0;
    let spread = 0;
    // Mean and spread by West's weighted update: no cancellation when the mean is large against the spread.
    for (let row = 0; row < rows; row++) {
      const s = weights === null ? 1 : weights[row]!;
      if (s === 0) continue;
      const y = targets[row * width + column]! / unit;
      const error = predictions[row * width + column]! / unit - y;
      squares += s * error * error;
      absolute += s * Math.abs(error);
      total += s;
      const shift = y - mean;
      mean += (s / total) * shift;
      spread += s * shift * (y - mean);
    }
    return {
      target,
      rmse: Math.sqrt(squares / total) * unit,
      mae: (absolute / total) * unit,
      r2: spread > 0 ? 1 - squares / spread : Number.NaN,
    };
  });
}

// A power of two near the largest value of the column, for columns so large or small that squares would leave the range of
// doubles (and 1 for all others).
function unitOf(predictions: Float64Array, targets: Float64Array, column: number, width: number): number {
  let largest = 0;
  for (let k = column; k < targets.length; k += width)
    largest = Math.max(largest, Math.abs(targets[k]!), Math.abs(predictions[k]!));
  if (!Number.isFinite(largest) || largest === 0 || (largest > 1e-100 && largest < 1e100)) return 1;
  return 2 ** Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))));
}
