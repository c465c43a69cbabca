// Checks before a run that the network and the targets are what its loss needs. The error names the option that is missing, or the first row
// that breaks the rule. train/begin.ts and flow.ts check the targets, train-options.ts and flow-options.ts the network.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { scalesTargets } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { Pace, STEP } from "../event-loop-yield.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { targetCheck, targetCount } from "../loss/target-rules.js";
import { hasUnits, type Link } from "../network/link.js";
import type { Network } from "../network/network.js";

/** The function whose loss trains networks of a link, but "identity". */
const LOSS_OF_LINK: Readonly<Record<Exclude<Link, "identity">, string>> = {
  logistic: "logistic()",
  softmax: "softmaxCrossEntropy()",
  gaussian: "gaussianNll()",
  exp: "poisson()",
};

/** What a link makes of the outputs. */
const MADE: Readonly<Record<Link, string>> = {
  identity: "predictions",
  logistic: "probabilities",
  softmax: "probabilities",
  gaussian: "means and variances",
  exp: "means",
};

/** Code of the test rows in `Dataset.parts`, which no run reads. */
const TEST = 2;

/**
 * Checks the targets before a set is cut into parts, so that rows have the numbers that the caller knows. Rows without a weight and
 * rows for a test are not used, and not checked. Targets that are rates by an exposure are for the loss of counts alone.
 * @param name how errors call the set
 * @throws GAUSSFLOW_ARGUMENT naming the row, from 1, and the value; the signal's reason once it has been aborted
 */
export async function checkLossTargets(
  data: Dataset | FileDataset,
  loss: Loss,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  checkExposure(data, loss, name);
  const c = data.outputSize;
  const faultOf = targetCheck(loss, c);
  if (faultOf === null) return;
  const check = (values: Float64Array, at: number, row: number) => {
    const fault = faultOf(values, at);
    if (fault === null) return;
    const { rule, column, value } = fault;
    const what = column === null ? `the sum ${value}` : `${data.targetNames[column]} = ${value}`;
    throw argumentError(`${name}.targets`, rule, `${what} in row ${row}`);
  };
  if (data instanceof FileDataset) {
    const { width } = data.layout;
    for await (const { block, row } of data.blocksInTurns(signal))
      for (let at = 0, i = row; at < block.length; at += width, i++) check(block, at + data.inputSize, i + 1);
    return;
  }
  const pace = new Pace(signal);
  for (let i = 0; i < data.sampleCount; i++) {
    if (data.weights?.[i] !== 0 && data.parts?.[i] !== TEST) check(data.targets, i * c, data.rows?.[i] ?? i + 1);
    if (i % STEP === STEP - 1) await pace.turn();
  }
}

function checkExposure({ encoding }: Dataset | FileDataset, { kind }: Loss, name: string): void {
  const exposure = encoding?.exposure;
  if (exposure === undefined || kind === "poisson") return;
  throw argumentError(
    "options.loss",
    `must be poisson() for the targets of ${name}, which are rates by the exposure in column ${JSON.stringify(exposure)}: give that loss, or read the table without the option exposure`,
    kind,
  );
}

/**
 * The outputs of the network must be what the loss makes predictions of.
 * @param given whether the caller gave the loss
 * @throws GAUSSFLOW_ARGUMENT with the remedy
 */
export function checkLossNetwork(network: Network, loss: Loss, given: boolean): void {
  if (!given && network.link !== "identity" && network.link !== lossRule(loss).link)
    throw argumentError(
      "options.loss",
      `must be given for a network that was trained with ${LOSS_OF_LINK[network.link]}: give that loss, or train the outputs with squared error by ${network.targetSize === network.outputSize ? "" : "network.withScaling(null) and "}network.withLink("identity")`,
      undefined,
    );
  const { link, targets } = lossRule(loss);
  const refuse = (rule: string, received: string) => {
    throw argumentError("network", rule, received);
  };
  const { scaling } = network;
  if (scaling !== null && scaling.targets.offset.length !== targetCount(loss, network.outputSize))
    refuse(
      `must have a scaling of ${targetCount(loss, network.outputSize)} targets with ${loss.kind}: use network.withScaling(null)`,
      `a network with a scaling of ${scaling.targets.offset.length} targets`,
    );
  if (link === "identity") return;
  if (network.center !== null)
    refuse(
      `must not be centered with ${loss.kind}: make it by network() without centered: true, or by networkOf() with center: null`,
      "a centered network",
    );
  const { outputActivation } = network.options;
  if (outputActivation !== "identity")
    refuse(
      `must have outputActivation "identity" with ${loss.kind}, which makes ${MADE[link]} of the outputs itself`,
      `outputActivation "${outputActivation}"`,
    );
  if (hasUnits(link)) return;
  if (scalesTargets(network.scaling))
    refuse(
      `must have unscaled targets with ${loss.kind}, whose targets are ${targets === "count" ? "counts" : "probabilities"}: use network.withScaling(null)`,
      "a network that was trained on standardized targets",
    );
  if (targets === "distribution" && network.outputSize < 2)
    refuse(`must have one output a class with ${loss.kind}: for a single probability use logistic()`, "one output");
}
