// Computes the figures that belong to the loss a model was trained with, beside its errors: the deviance of counts, the pinball loss of
// quantiles, the likelihood and coverage of predicted deviations. cli/assess.ts, jobs/cross-validate.ts and the search of search/search.ts show it
// each block of predictions.
import type { Network } from "../network/network.js";
import { countMetrics } from "./count-metrics.js";
import { distributionMetrics } from "./distribution-metrics.js";
import type { PredictedBlock } from "./metrics.js";
import { quantileMetrics } from "./quantile-metrics.js";
import type { LossFigures } from "./set-metrics.js";

/** Figures of one block, one entry a target; each is a weighted mean over its rows. */
type BlockFigures = (block: PredictedBlock) => readonly LossFigures[];

/** The figures of a network's loss, by its link and the loss that its summary names; null where there is nothing beside the errors. */
function figuresOf({ link, summary }: Network, targetNames: readonly string[]): BlockFigures | null {
  if (link === "exp")
    return ({ predictions, targets, weights }) =>
      countMetrics(predictions, targets, targetNames, weights).map(({ deviance }) => ({ deviance }));
  if (link === "gaussian")
    return ({ predictions: mean, deviations, targets, weights }) => {
      if (!deviations) throw new Error("predictions with the link gaussian come with their deviations");
      const list = distributionMetrics({ mean, deviation: deviations }, targets, targetNames, weights);
      return list.map(({ nll, coverage }) => ({ nll, coverage }));
    };
  const tau = summary?.lossKind === "quantile" ? summary.lossTau : null;
  if (typeof tau !== "number") return null;
  return ({ predictions, targets, weights }) =>
    quantileMetrics(predictions, targets, targetNames, tau, weights).map(({ pinball, below }) => ({ pinball, below }));
}

/** Means over all blocks. */
export class LossFigureMeans {
  readonly #of: BlockFigures;
  readonly #sums: Record<string, number>[];
  #total = 0;

  private constructor(of: BlockFigures, targetCount: number) {
    this.#of = of;
    this.#sums = Array.from({ length: targetCount }, () => ({}));
  }

  /** Null where there is nothing beside the errors. */
  static of(network: Network, targetNames: readonly string[]): LossFigureMeans | null {
    const of = figuresOf(network, targetNames);
    return of && new LossFigureMeans(of, targetNames.length);
  }

  add(block: PredictedBlock): void {
    const rows = block.targets.length / this.#sums.length;
    const weight = block.weights === null ? rows : block.weights.reduce((sum, one) => sum + one, 0);
    if (weight === 0) return;
    this.#total += weight;
    for (const [k, figures] of this.#of(block).entries())
      for (const [name, value] of Object.entries(figures)) {
        const sums = this.#sums[k]!;
        sums[name] = (sums[name] ?? 0) + weight * value;
      }
  }

  /** Those of target k. */
  figures(k: number): LossFigures {
    return Object.fromEntries(Object.entries(this.#sums[k]!).map(([name, sum]) => [name, sum / this.#total]));
  }
}
