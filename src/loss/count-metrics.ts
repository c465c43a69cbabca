// Computes how well predicted means fit counts or rates, one target at a time. Users call `countMetrics` beside `metrics` (metrics.ts) for
// networks trained with `poisson`. With the weights s, targets y and predicted means m:
//
//   deviance = 2 sum s (y log(y/m) - (y - m)) / sum s        explained = 1 - deviance / (deviance of the weighted mean of y)
import type { NumberArray } from "../options.js";
import { checkedBlock } from "./metrics.js";
import { excess } from "./poisson.js";

/** The figures of one target. */
export interface CountMetrics {
  /** Name of the target. */
  readonly target: string;
  /** Mean Poisson deviance, twice the mean loss of `poisson`: 0 for predictions that are right, infinite where a mean of 0 meets a count. */
  readonly deviance: number;
  /** Share of the deviance of a constant that the predictions explain; NaN where the target is constant. */
  readonly explained: number;
}

/**
 * Metrics of predicted means (n x c, row-major) against counts or rates (n x c), one entry a target.
 *
 * @example countMetrics(net.predict(test.inputs), test.targets, test.targetNames)[0].deviance
 * @param predictions means of at least 0
 * @param weights n non-negative sample weights, such as exposures for rates, or null for equal weights.
 * @throws GaussflowError GAUSSFLOW_ARGUMENT when the lengths disagree.
 */
export function countMetrics(
  predictions: NumberArray,
  targets: NumberArray,
  targetNames: readonly string[],
  weights: NumberArray | null = null,
): CountMetrics[] {
  const block = checkedBlock(predictions, targets, targetNames, weights);
  const c = targetNames.length;
  return targetNames.map((target, column) => {
    const each = (add: (s: number, y: number, m: number) => void) => {
      for (let k = column, i = 0; k < block.targets.length; k += c, i++) {
        const s = block.weights === null ? 1 : block.weights[i]!;
        if (s > 0) add(s, block.targets[k]!, block.predictions[k]!);
      }
    };
    let [total, mean] = [0, 0];
    each((s, y) => {
      total += s;
      mean += (s / total) * (y - mean);
    });
    let [sum, constant] = [0, 0];
    each((s, y, m) => {
      sum += s * devianceOf(y, m);
      constant += s * devianceOf(y, mean);
    });
    return { target, deviance: sum / total, explained: constant > 0 ? 1 - sum / constant : Number.NaN };
  });
}

/** 2 (y log(y/m) - (y - m)), without the digits that the difference would lose where m is nearly y; NaN for a negative number. */
function devianceOf(y: number, m: number): number {
  if (!(y >= 0 && m >= 0)) return Number.NaN;
  return y === 0 ? 2 * m : 2 * y * excess(Math.log(m / y));
}
