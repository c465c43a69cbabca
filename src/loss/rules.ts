// Lists all losses: as plain data for options, files and threads, and the rule (`LossRule`) of each. The options of `train` and `flow` and
// the data of an engine are checked here, and the reference engine and the preparation of runs take the rule from it.
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames, checkPositive, isObject } from "../options.js";
import { DELTA_MULTIPLE, SMOOTHING_MULTIPLE } from "./found-scale.js";
import { type GaussianNll, gaussianNllRule } from "./gaussian-nll.js";
import { checkedDelta, type Huber, huberRule } from "./huber.js";
import { type LogCosh, logCoshRule } from "./log-cosh.js";
import { type Logistic, logisticRule } from "./logistic.js";
import type { LossRule } from "./loss.js";
import { type Poisson, poissonRule } from "./poisson.js";
import { checkedPseudoDelta, type PseudoHuber, pseudoHuberRule } from "./pseudo-huber.js";
import { checkedSmoothing, checkShare, type Quantile, quantileRule } from "./quantile.js";
import { checkLabelSmoothing, type SoftmaxCrossEntropy, softmaxCrossEntropyRule } from "./softmax-cross-entropy.js";
import { type SquaredError, squaredErrorRule } from "./squared-error.js";

/** The loss of a run: plain data, made by the functions `squaredError`, `huber`, `logistic` and the other losses. */
export type Loss =
  | SquaredError
  | Huber
  | PseudoHuber
  | LogCosh
  | Quantile
  | Logistic
  | SoftmaxCrossEntropy
  | GaussianNll
  | Poisson;

/** The rule of a loss. */
export function lossRule(loss: Loss): LossRule {
  switch (loss.kind) {
    case "squared-error":
      return squaredErrorRule;
    case "huber":
      return huberRule(loss);
    case "pseudo-huber":
      return pseudoHuberRule(loss);
    case "log-cosh":
      return logCoshRule;
    case "quantile":
      return quantileRule(loss);
    case "logistic":
      return logisticRule;
    case "softmax-cross-entropy":
      return softmaxCrossEntropyRule(loss);
    case "gaussian-nll":
      return gaussianNllRule;
    case "poisson":
      return poissonRule;
    default:
      loss satisfies never;
      throw new Error("unreachable");
  }
}

/**
 * A parameter of a loss: a positive number of the units of training, null where `train` is to find it; a share between 0 and 1; or the part of a
 * label that is spread over all classes, 0 for none.
 */
type Parameter = "scale" | "share" | "label-smoothing";

interface LossForm {
  /** The function that makes the loss. */
  readonly function: string;
  /** Fields of the loss besides `kind` and `decay`, in the order of the function. */
  readonly parameters: Readonly<Record<string, Parameter>>;
}

/** All losses by their kind. */
export const LOSS_FORMS: Readonly<Record<Loss["kind"], LossForm>> = {
  "squared-error": { function: "squaredError", parameters: {} },
  huber: { function: "huber", parameters: { delta: "scale" } },
  "pseudo-huber": { function: "pseudoHuber", parameters: { delta: "scale" } },
  "log-cosh": { function: "logCosh", parameters: {} },
  quantile: { function: "quantile", parameters: { tau: "share", smoothing: "scale" } },
  logistic: { function: "logistic", parameters: {} },
  "softmax-cross-entropy": { function: "softmaxCrossEntropy", parameters: { smoothing: "label-smoothing" } },
  "gaussian-nll": { function: "gaussianNll", parameters: {} },
  poisson: { function: "poisson", parameters: {} },
};

/** True for the name of a loss. */
export function isLossKind(kind: unknown): kind is Loss["kind"] {
  return typeof kind === "string" && Object.hasOwn(LOSS_FORMS, kind);
}

/** The calls that make losses, as messages list them: "squaredError(), huber() or logistic()". */
function lossCalls(): string {
  const calls = Object.values(LOSS_FORMS).map((form) => `${form.function}()`);
  return `${calls.slice(0, -1).join(", ")} or ${calls.at(-1)}`;
}

/**
 * A loss of a caller, with its members in the order of the function that makes it, because checkpoints compare its JSON.
 * @throws GAUSSFLOW_ARGUMENT for what no function of this folder makes
 */
export function checkLoss(name: string, loss: unknown): Loss {
  if (!isObject(loss) || !isLossKind(loss.kind)) throw argumentError(name, `must be made by ${lossCalls()}`, loss);
  const { parameters } = LOSS_FORMS[loss.kind];
  const members = ["kind", ...Object.keys(parameters), "decay"];
  checkOptionNames(name, loss, members);
  for (const [parameter, kind] of Object.entries(parameters)) {
    if (kind === "share") checkShare(`${name}.${parameter}`, loss[parameter]);
    else if (kind === "label-smoothing") checkLabelSmoothing(`${name}.${parameter}`, loss[parameter]);
    else if (loss[parameter] !== null) checkPositive(`${name}.${parameter}`, loss[parameter]);
  }
  checkNonNegative(`${name}.decay`, loss.decay);
  return Object.fromEntries(members.map((member) => [member, loss[member]])) as unknown as Loss;
}

/** The same for whoever computes with the loss now. @throws GAUSSFLOW_ARGUMENT also for a loss whose scale has not been found */
export function checkFixedLoss(name: string, given: unknown): Loss {
  const loss = checkLoss(name, given);
  if (loss.kind === "huber") checkedDelta(loss, name);
  if (loss.kind === "pseudo-huber") checkedPseudoDelta(loss, name);
  if (loss.kind === "quantile") checkedSmoothing(loss, name);
  return loss;
}

/** The scale of a loss (found-scale.ts): its name and its value, null where `train` is to find it. */
export interface LossScale {
  readonly parameter: "delta" | "smoothing";
  readonly value: number | null;
  /** The value over the standard deviation of the noise, where `train` finds it. */
  readonly multiple: number;
}

/** Null for a loss without one. */
export function lossScale(loss: Loss): LossScale | null {
  if (loss.kind === "huber" || loss.kind === "pseudo-huber")
    return { parameter: "delta", value: loss.delta, multiple: DELTA_MULTIPLE };
  if (loss.kind === "quantile") return { parameter: "smoothing", value: loss.smoothing, multiple: SMOOTHING_MULTIPLE };
  return null;
}

/** Whether `train` has to find the scale of the loss. */
export function missesScale(loss: Loss): boolean {
  return lossScale(loss)?.value === null;
}

/** The loss with this scale. */
export function withScale(loss: Loss, value: number): Loss {
  const scale = lossScale(loss);
  return scale === null ? loss : { ...loss, [scale.parameter]: value };
}
