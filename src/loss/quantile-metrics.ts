// Computes how well predicted quantiles fit, one target at a time. Users call `quantileMetrics` beside `metrics` (metrics.ts) for networks
// trained with `quantile`. With the weights s and errors e = prediction - target:
//
//   pinball = sum s (max(e, 0) - tau e) / sum s        below = share of the weight with e >= 0, near tau for a good fit
import type { NumberArray } from "../options.js";
import { checkedBlock } from "./metrics.js";
import { checkShare } from "./quantile.js";

/** The figures of one target. */
export interface QuantileMetrics {
  /** Name of the target. */
  readonly target: string;
  /** Mean pinball loss, units of the target: (1 - tau) times an error above the target, tau times one below. */
  readonly pinball: number;
  /** Weighted share of the targets that are not above their predictions. */
  readonly below: number;
}

/**
 * Metrics of predicted tau quantiles (n x c, row-major) against targets (n x c), one entry a target.
 *
 * @example quantileMetrics(net.predict(test.inputs), test.targets, test.targetNames, 0.9)[0].below
 * @param tau the share that the predictions are meant for, between 0 and 1
 * @param weights n non-negative sample weights, or null for equal weights.
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for another tau, or when the lengths disagree.
 */
export function quantileMetrics(
  predictions: NumberArray,
  targets: NumberArray,
  targetNames: readonly string[],
  tau: number,
  weights: NumberArray | null = null,
): QuantileMetrics[] {
  checkShare("tau", tau);
  const block = checkedBlock(predictions, targets, targetNames, weights);
  const c = targetNames.length;
  return targetNames.map((target, column) => {
    let [total, pinball, below] = [0, 0, 0];
    for (let k = column, i = 0; k < block.targets.length; k += c, i++) {
      const s = block.weights === null ? 1 : block.weights[i]!;
      if (s === 0) continue;
      total += s;
      const error = block.predictions[k]! - block.targets[k]!;
      pinball += s * pinballOf(error, tau);
      // A prediction that is not a number is on neither side.
      below += error >= 0 ? s : error < 0 ? 0 : Number.NaN;
    }
    return { target, pinball: pinball / total, below: below / total };
  });
}

/** The pinball loss of the error prediction - target. */
export function pinballOf(error: number, tau: number): number {
  return (error >= 0 ? 1 - tau : -tau) * error;
}
