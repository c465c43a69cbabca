// Computes the loss of held-out rows, one number a row, by which search.ts compares networks: the loss that was minimized, at the outputs of
// the network and in the units it was trained in. Trainings that each find the scale of their loss (`huber`, `pseudoHuber` and `quantile`
// without one) minimize different losses, and are compared by what does not depend on it: the absolute error, or the pinball loss.

import type { BackendOptions } from "../backend/create.js";
import { predictAsync } from "../backend/predict.js";
import type { Dataset } from "../data/dataset.js";
import { scaleColumns } from "../data/scaling.js";
import { errorSize, type ScoreKind } from "../jobs/rank.js";
import { type Loss, lossRule, missesScale } from "../loss/rules.js";
import type { Network } from "../network/network.js";

/** What networks are compared by: the mean over the held-out rows of the loss, the absolute error or the pinball loss, in the units of training. */
export type FitCriterion = Exclude<ScoreKind, "evidence">;

/** The criterion of trainings with this loss. */
export function criterionOf(loss: Loss): FitCriterion {
  if (!missesScale(loss)) return "loss";
  return loss.kind === "quantile" ? "pinball" : "absolute-error";
}

/**
 * One loss a row. The mean of squared errors is 1 where the network predicts no better than the mean of the target.
 * @param network as trained, with its units
 */
export async function heldOutLosses(
  network: Network,
  held: Dataset,
  loss: Loss,
  engine: BackendOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const { scaling } = network;
  // Without its units and its link the network gives its outputs, as the loss takes them.
  const inputs = scaling === null ? held.inputs : scaleColumns(held.inputs, scaling.inputs);
  const outputs = await predictAsync(network.withScaling(null).withLink("identity"), inputs, engine);
  const targets = scaling === null ? held.targets : scaleColumns(held.targets, scaling.targets);
  const [c, k] = [network.outputSize, held.outputSize];
  const one = criterionOf(loss) === "loss" ? ofRule(loss, c) : ofErrors(loss);
  return Float64Array.from({ length: held.sampleCount }, (_, i) =>
    one(outputs.subarray(i * c, (i + 1) * c), targets.subarray(i * k, (i + 1) * k)),
  );
}

type RowLoss = (predictions: Float64Array, targets: Float64Array) => number;

function ofRule(loss: Loss, c: number): RowLoss {
  const rule = lossRule(loss);
  // Reported losses of squared error are means of squares over rows and targets.
  const factor = rule.sumOfSquares ? 2 / c : 1;
  return (predictions, targets) =>
    factor * rule.apply({ count: 1, outputSize: c, predictions, targets, roots: null, first: 0 }, null);
}

function ofErrors(loss: Loss): RowLoss {
  const sizeOf = errorSize(loss);
  return (predictions, targets) =>
    predictions.reduce((sum, prediction, a) => sum + sizeOf(prediction - targets[a]!), 0) / targets.length;
}
