// Computes how well predicted normal distributions fit, one target at a time. Users call `distributionMetrics` beside `metrics` (metrics.ts) for
// networks trained with `gaussianNll`; loss-figures.ts calls it for each block of predictions. With the weights s, targets y, predicted means m
// and deviations d:
//
//   nll = sum s (log d + (y - m)^2 / (2 d^2) + log(2 pi) / 2) / sum s        coverage = share of the weight with |y - m| <= 1.96 d
import { argumentError } from "../errors.js";
import type { DistributionPrediction } from "../network/distribution.js";
import { checkOptionNames, type NumberArray } from "../options.js";
import { checkedBlock, doublesOf } from "./metrics.js";

/** 95% of a normal distribution are within so many standard deviations of its mean. */
const DEVIATIONS = 1.959963984540054;

/** The figures of one target. */
export interface DistributionMetrics {
  /** Name of the target. */
  readonly target: string;
  /** Mean negative logarithm of the predicted density, in nats; its constant depends on the units of the target. The smaller the better. */
  readonly nll: number;
  /** Weighted share of the targets in the predicted 95% intervals, mean ± 1.96 deviations: near 0.95 for a good fit. */
  readonly coverage: number;
}

/**
 * Metrics of predicted means and standard deviations (n x c each, row-major) against targets (n x c), one entry a target.
 *
 * @example distributionMetrics(net.predictDistribution(test.inputs), test.targets, test.targetNames)[0].coverage
 * @param distribution as `predictDistribution` returns it; deviations are above 0
 * @param weights n non-negative sample weights, or null for equal weights.
 * @throws GaussflowError GAUSSFLOW_ARGUMENT when the lengths disagree, and for a deviation that is not above 0.
 */
export function distributionMetrics(
  distribution: { readonly [part in keyof DistributionPrediction]: NumberArray },
  targets: NumberArray,
  targetNames: readonly string[],
  weights: NumberArray | null = null,
): DistributionMetrics[] {
  checkOptionNames("distribution", distribution, ["mean", "deviation"]);
  const deviations = doublesOf("distribution.deviation", distribution.deviation);
  const { mean } = distribution;
  const block = checkedBlock(doublesOf("distribution.mean", mean), targets, targetNames, weights);
  if (deviations.length !== block.targets.length)
    throw argumentError(
      "distribution.deviation",
      `must have the length of targets, ${block.targets.length}`,
      distribution.deviation,
    );
  // A deviation that is not a number has figures too.
  const wrong = deviations.findIndex((deviation) => deviation <= 0);
  if (wrong >= 0) throw argumentError(`distribution.deviation[${wrong}]`, "must be above 0", deviations[wrong]);
  const c = targetNames.length;
  return targetNames.map((target, column) => {
    let [total, nll, coverage] = [0, 0, 0];
    for (let k = column, i = 0; k < block.targets.length; k += c, i++) {
      const s = block.weights === null ? 1 : block.weights[i]!;
      if (s === 0) continue;
      total += s;
      const ratio = (block.targets[k]! - block.predictions[k]!) / deviations[k]!;
      nll += s * (Math.log(deviations[k]!) + 0.5 * ratio * ratio + 0.5 * Math.log(2 * Math.PI));
      // A prediction that is not a number is neither inside nor outside.
      coverage += Math.abs(ratio) <= DEVIATIONS ? s : Number.isNaN(ratio) ? Number.NaN : 0;
    }
    return { target, nll: nll / total, coverage: coverage / total };
  });
}
