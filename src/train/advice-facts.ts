// Collects the facts of a finished run for `adviceAfter` (advice.ts). train.ts calls both at the end of a training.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { WeightedMeans } from "../data/weighted-means.js";
import { type ClassTarget, classTargets } from "../loss/class-metrics.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Network } from "../network/network.js";
import { lossFactor } from "../run/prepare.js";
import type { AdviceFacts, ClassShares } from "./advice.js";
import type { MinimizeResult } from "./minimize-options.js";

export function adviceFacts(
  start: Network,
  fit: Dataset | FileDataset,
  validation: Dataset | null,
  loss: Loss,
  { records, reason, best, bestValidation }: MinimizeResult,
): Omit<AdviceFacts, "floor"> {
  const kept = bestValidation ?? best;
  const accepted = records.filter((record) => record.accepted);
  const place = accepted.findIndex(({ iteration }) => iteration === kept.iteration);
  const c = fit.outputSize;
  const rule = lossRule(loss);
  const distribution = rule.targets === "distribution";
  const kinds = classTargets(rule.link, fit.targetNames, fit.classes);
  return {
    parameters: start.parameterCount,
    inFile: fit instanceof FileDataset,
    rows: fit.sampleCount,
    outputs: distribution ? c - 1 : c,
    terms: distribution ? 1 : c,
    classes: classShares(fit, kinds),
    validationRows: validation?.sampleCount ?? 0,
    decay: loss.decay,
    lossName: rule.sumOfSquares ? "mean squared error" : kinds.length > 0 ? "log-loss" : "mean loss",
    reason: reason.code,
    points: accepted.map(({ epoch, loss, validationLoss }) => ({ epoch, loss, validationLoss })),
    kept: Math.max(0, place),
    loss: kept.loss,
    validationLoss: bestValidation?.value ?? null,
    decayShare: decayShare(kept.parameters, loss.decay, kept.loss / lossFactor(fit, loss)),
  };
}

/** The shares of the classes of one target; null for other targets, and for a data file with weights, whose columns have plain sums. */
function classShares(fit: Dataset | FileDataset, [target, more]: readonly ClassTarget[]): ClassShares | null {
  if (target === undefined || more !== undefined) return null;
  const means = targetMeans(fit);
  if (means === null) return null;
  const shares = target.column === null ? [...means] : [1 - means[0]!, means[0]!];
  return { names: target.classes, shares };
}

/** Weighted means of the target columns. */
function targetMeans(fit: Dataset | FileDataset): Float64Array | null {
  const c = fit.outputSize;
  if (fit instanceof FileDataset) {
    const { sum, rows } = fit.summary;
    return fit.weights === null ? sum.slice(fit.inputSize, fit.inputSize + c).map((one) => one / rows) : null;
  }
  const columns = new WeightedMeans(c, fit.weights);
  columns.add(fit.targets, 0);
  return columns.means;
}

/** The share of d/2 |w|^2 in the sum loss + d/2 |w|^2. */
function decayShare(parameters: Float64Array, decay: number, sumLoss: number): number {
  if (decay === 0) return 0;
  const part = (decay / 2) * parameters.reduce((sum, w) => sum + w * w, 0);
  return part > 0 ? part / (sumLoss + part) : 0;
}
