// Checks before a run that the targets and the network are what its loss needs; the error names the first row that breaks the rule.
// prepare.ts calls it for trainings and flows, and train/begin.ts for validation data.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import { Pace, STEP } from "../event-loop-yield.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Network } from "../network/network.js";

/** How far the sum of a row of probabilities may be from 1: that of numbers written with seven digits. */
const SUM_ROUNDING = 1e-6;

/** @throws GAUSSFLOW_ARGUMENT naming the row and the value */
export async function checkLossTargets(
  network: Network,
  data: Dataset | FileDataset,
  loss: Loss,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { targets: kind } = lossRule(loss);
  if (kind === "real") return;
  checkLossNetwork(network, loss);
  const c = data.outputSize;
  const check = (values: Float64Array, at: number, row: number) => {
    let sum = 0;
    for (let a = 0; a < c; a++) {
      const value = values[at + a]!;
      sum += value;
      if (!(value >= 0 && value <= 1))
        throw argumentError(
          "data.targets",
          `must be numbers from 0 to 1 with ${loss.kind}`,
          `${data.targetNames[a]} = ${value} in row ${row}`,
        );
    }
    if (kind === "distribution" && Math.abs(sum - 1) > SUM_ROUNDING)
      throw argumentError(
        "data.targets",
        `must sum to 1 in every row with ${loss.kind}: one column a class, a 1 at the class or probabilities`,
        `the sum ${sum} in row ${row}`,
      );
  };
  if (data instanceof FileDataset) {
    const { width } = data.layout;
    for await (const { block, row } of data.blocksInTurns(signal))
      for (let at = 0, i = row; at < block.length; at += width, i++) check(block, at + data.inputSize, i);
    return;
  }
  const pace = new Pace(signal);
  for (let i = 0; i < data.sampleCount; i++) {
    check(data.targets, i * c, data.rows?.[i] ?? i);
    if (i % STEP === STEP - 1) await pace.turn();
  }
}

/** @throws GAUSSFLOW_ARGUMENT for a network whose predictions cannot be logits */
function checkLossNetwork(network: Network, loss: Loss): void {
  if (network.center !== null)
    throw argumentError(
      "network",
      `must not be centered with ${loss.kind}: make it with centered: false`,
      "a centered network",
    );
  const { targets } = network.scaling ?? {};
  if (targets?.offset.some((value) => value !== 0) || targets?.scale.some((value) => value !== 1))
    throw argumentError(
      "network",
      `must have unscaled targets with ${loss.kind}, whose targets are probabilities: use network.withScaling(null)`,
      "a network that was trained on standardized targets",
    );
  if (loss.kind === "softmax-cross-entropy" && network.outputSize < 2)
    throw argumentError(
      "network",
      `must have one output a class with ${loss.kind}: for a single probability use logistic()`,
      "one output",
    );
}
