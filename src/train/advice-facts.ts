// Collects the facts of a finished run for `adviceAfter` (advice.ts). train.ts calls both at the end of a training.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Network } from "../network/network.js";
import { lossFactor } from "../run/prepare.js";
import type { AdviceFacts } from "./advice.js";
import type { MinimizeResult } from "./minimize-options.js";

export function adviceFacts(
  start: Network,
  fit: Dataset | FileDataset,
  validation: Dataset | null,
  loss: Loss,
  { records, reason, best, bestValidation }: MinimizeResult,
): AdviceFacts {
  const kept = bestValidation ?? best;
  const accepted = records.filter((record) => record.accepted);
  const place = accepted.findIndex(({ iteration }) => iteration === kept.iteration);
  return {
    parameters: start.parameterCount,
    inFile: fit instanceof FileDataset,
    rows: fit.sampleCount,
    outputs: fit.outputSize,
    validationRows: validation?.sampleCount ?? 0,
    decay: loss.decay,
    lossName: lossRule(loss).sumOfSquares ? "mean squared error" : "mean loss",
    reason: reason.code,
    points: accepted.map(({ loss, validationLoss }) => ({ loss, validationLoss })),
    kept: Math.max(0, place),
    loss: kept.loss,
    validationLoss: bestValidation?.value ?? null,
    decayShare: decayShare(kept.parameters, loss.decay, kept.loss / lossFactor(fit, loss)),
  };
}

/** The share of d/2 |w|^2 in the sum loss + d/2 |w|^2. */
function decayShare(parameters: Float64Array, decay: number, sumLoss: number): number {
  if (decay === 0) return 0;
  const part = (decay / 2) * parameters.reduce((sum, w) => sum + w * w, 0);
  return part > 0 ? part / (sumLoss + part) : 0;
}
