// How good predictions are, a target at a time, in the units of the data:
//   RMSE = sqrt(sum s e^2 / sum s),  MAE = sum s |e| / sum s,  R^2 = 1 - sum s e^2 / sum s (y - ybar)^2,  ybar = sum s y / sum s
// with e = prediction - target and s the sample weights (1 without). R^2 of a constant target is NaN: there is no variance to explain.
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
    let total = 0;
    let mean = 0;
    let squares = 0;
    let absolute = 0;
    let spread = 0;
    // Mean and spread by West's weighted update: no cancellation when the mean is large against the spread.
    for (let row = 0; row < rows; row++) {
      const s = weights === null ? 1 : weights[row]!;
      if (s === 0) continue;
      const y = targets[row * width + column]!;
      const error = predictions[row * width + column]! - y;
      squares += s * error * error;
      absolute += s * Math.abs(error);
      total += s;
      const shift = y - mean;
      mean += (s / total) * shift;
      spread += s * shift * (y - mean);
    }
    return {
      target,
      rmse: Math.sqrt(squares / total),
      mae: absolute / total,
      r2: spread > 0 ? 1 - squares / spread : Number.NaN,
    };
  });
}
