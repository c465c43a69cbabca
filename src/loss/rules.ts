// Lists all losses: as plain data for options, files and threads, and the rule (`LossRule`) of each. The options of `train` and `flow` and
// the data of an engine are checked here, and the reference engine and the preparation of runs take the rule from it.
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames, checkPositive, isObject } from "../options.js";
import { type GaussianNll, gaussianNllRule } from "./gaussian-nll.js";
import { checkedDelta, type Huber, huberRule } from "./huber.js";
import { type Logistic, logisticRule } from "./logistic.js";
import type { LossRule } from "./loss.js";
import { type SoftmaxCrossEntropy, softmaxCrossEntropyRule } from "./softmax-cross-entropy.js";
import { type SquaredError, squaredErrorRule } from "./squared-error.js";

/** The loss of a run: plain data, made by `squaredError`, `huber`, `logistic`, `softmaxCrossEntropy` or `gaussianNll`. */
export type Loss = SquaredError | Huber | Logistic | SoftmaxCrossEntropy | GaussianNll;

/** The rule of a loss. */
export function lossRule(loss: Loss): LossRule {
  switch (loss.kind) {
    case "squared-error":
      return squaredErrorRule;
    case "huber":
      return huberRule(loss);
    case "logistic":
      return logisticRule;
    case "softmax-cross-entropy":
      return softmaxCrossEntropyRule;
    case "gaussian-nll":
      return gaussianNllRule;
    default:
      loss satisfies never;
      throw new Error("unreachable");
  }
}

/** Fields of a loss besides `kind` and `decay`. */
const PARAMETERS: Readonly<Record<Loss["kind"], readonly string[]>> = {
  "squared-error": [],
  huber: ["delta"],
  logistic: [],
  "softmax-cross-entropy": [],
  "gaussian-nll": [],
};

/** True for the name of a loss. */
export function isLossKind(kind: unknown): kind is Loss["kind"] {
  return typeof kind === "string" && Object.hasOwn(PARAMETERS, kind);
}

/**
 * A loss of a caller, with its members in the order of the function that makes it, because checkpoints compare its JSON.
 * @throws GAUSSFLOW_ARGUMENT for what no function of this folder makes
 */
export function checkLoss(name: string, loss: unknown): Loss {
  if (!isObject(loss) || !isLossKind(loss.kind))
    throw argumentError(
      name,
      "must be made by squaredError(), huber(), logistic(), softmaxCrossEntropy() or gaussianNll()",
      loss,
    );
  const parameters = PARAMETERS[loss.kind];
  const members = ["kind", ...parameters, "decay"];
  checkOptionNames(name, loss, members);
  for (const parameter of parameters)
    if (!(loss.kind === "huber" && loss[parameter] === null)) checkPositive(`${name}.${parameter}`, loss[parameter]);
  checkNonNegative(`${name}.decay`, loss.decay);
  return Object.fromEntries(members.map((member) => [member, loss[member]])) as unknown as Loss;
}

/** The same for whoever computes with the loss now. @throws GAUSSFLOW_ARGUMENT also for a Huber loss whose delta has not been found */
export function checkFixedLoss(name: string, given: unknown): Loss {
  const loss = checkLoss(name, given);
  if (loss.kind === "huber") checkedDelta(loss, name);
  return loss;
}
