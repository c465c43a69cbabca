// Adds the flag --loss NAME[:PARAMETER] to the commands train and plan, and makes the loss that it names. Each loss has one line in `LOSSES`;
// the type check names a loss that has none.
import { type Command, InvalidArgumentError, Option } from "commander";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import type { TableEncoding } from "../data/encoding.js";
import { GaussflowError } from "../errors.js";
import { classTargets } from "../loss/class-metrics.js";
import { DEFAULT_CLASS_DECAY, defaultLoss } from "../loss/default-loss.js";
import { gaussianNll } from "../loss/gaussian-nll.js";
import { huber } from "../loss/huber.js";
import { logCosh } from "../loss/log-cosh.js";
import { logistic } from "../loss/logistic.js";
import type { TargetKind } from "../loss/loss.js";
import { poisson } from "../loss/poisson.js";
import { pseudoHuber } from "../loss/pseudo-huber.js";
import { quantile } from "../loss/quantile.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { softmaxCrossEntropy } from "../loss/softmax-cross-entropy.js";
import { squaredError } from "../loss/squared-error.js";
import { listed, suggestion } from "../suggest.js";
import { UsageError } from "./exit.js";
import { isDecimal } from "./parse.js";

/** A loss on the command line. */
interface NamedLoss {
  /** Its name there. */
  readonly name: string;
  /** Name of its parameter, with an example; null for a loss without one. */
  readonly parameter: { readonly name: string; readonly example: string; readonly required?: true } | null;
  /** @throws GAUSSFLOW_ARGUMENT for a parameter that the loss cannot have */
  readonly make: (parameter: number | undefined) => Loss;
}

const LOSSES: Readonly<Record<Loss["kind"], NamedLoss>> = {
  "squared-error": { name: "squared", parameter: null, make: () => squaredError() },
  huber: {
    name: "huber",
    parameter: { name: "delta", example: "0.5" },
    make: (delta) => huber({ delta }),
  },
  "pseudo-huber": {
    name: "pseudo-huber",
    parameter: { name: "delta", example: "0.5" },
    make: (delta) => pseudoHuber({ delta }),
  },
  "log-cosh": { name: "log-cosh", parameter: null, make: () => logCosh() },
  quantile: {
    name: "quantile",
    parameter: { name: "tau", example: "0.9", required: true },
    // Without its tau the loss is refused by the rule of the parameter.
    make: (tau = Number.NaN) => quantile({ tau }),
  },
  poisson: { name: "poisson", parameter: null, make: () => poisson() },
  logistic: { name: "logistic", parameter: null, make: () => logistic() },
  "softmax-cross-entropy": {
    name: "softmax",
    parameter: { name: "smoothing", example: "0.1" },
    make: (smoothing) => softmaxCrossEntropy({ smoothing }),
  },
  "gaussian-nll": { name: "gaussian-nll", parameter: null, make: () => gaussianNll() },
};

/** The names, in the order of the help text. */
const LOSS_NAMES: readonly string[] = Object.values(LOSSES).map(({ name }) => name);

/** What --loss names; the weight decay is added by `lossOf`. */
export interface LossChoice {
  readonly loss: NamedLoss;
  readonly parameter: number | undefined;
}

/** Parses the value of --loss. */
export function lossChoice(text: string): LossChoice {
  if (isDecimal(text))
    throw new InvalidArgumentError(
      `It must name a loss, such as huber. The training loss at which to stop is given by --stop-loss ${text}.`,
    );
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const loss = Object.values(LOSSES).find((one) => one.name === name);
  if (loss === undefined) throw new InvalidArgumentError(`No loss has that name; ${suggestion(name, LOSS_NAMES)}`);
  const { parameter: wanted } = loss;
  const value = colon < 0 ? null : text.slice(colon + 1);
  if (wanted === null) {
    if (value !== null) throw new InvalidArgumentError(`The loss ${name} has no parameter: write ${name}.`);
    return { loss, parameter: undefined };
  }
  const refused = (rule: string) =>
    new InvalidArgumentError(`The ${wanted.name} of ${name} ${rule}, as in ${name}:${wanted.example}.`);
  if (value !== null && !isDecimal(value)) throw refused("must be a number");
  const parameter = value === null ? undefined : Number(value);
  try {
    loss.make(parameter);
  } catch (error) {
    if (error instanceof GaussflowError) throw refused(String(error.details.rule));
    throw error;
  }
  return { loss, parameter };
}

/**
 * The loss that the flags describe, for these targets. Without --loss it is that of the library: squared error for numbers, softmax
 * cross-entropy for classes. Its weight decay is the usual one, which --decay or a
 * search replaces: losses of probabilities have that which the library gives to classes, because classes that can be separated have no
 * minimum without one.
 * @throws UsageError for a loss of other targets
 */
export function lossOf(choice: LossChoice | undefined, targets: Targets): Loss {
  const named = choice === undefined ? defaultLoss(targets.classes !== null) : choice.loss.make(choice.parameter);
  const { link, targets: kind } = lossRule(named);
  if (choice !== undefined) checkTargets(choice, kind, targets);
  const exposure = targets.encoding?.exposure;
  if (exposure !== undefined && named.kind !== "poisson")
    throw new UsageError(
      `the targets are rates by the exposure in column ${JSON.stringify(exposure)}, which --loss poisson is for: give --loss poisson, or read the table without --exposure`,
    );
  const probabilities = classTargets(link, targets.targetNames).length > 0;
  return { ...named, decay: probabilities ? DEFAULT_CLASS_DECAY : 0 };
}

/**
 * A hint for several targets that are 0 and 1 alone, each of which may be meant as an answer yes or no: one sentence where no loss is named, or none.
 * The reader has one for a single such target.
 */
export function answersNote(choice: LossChoice | undefined, data: Dataset | FileDataset): string[] {
  if (choice !== undefined || data instanceof FileDataset || data.classes !== null || data.outputSize < 2) return [];
  if (!data.targets.every((value) => value === 0 || value === 1)) return [];
  const names = listed(data.targetNames.map((name) => JSON.stringify(name)));
  return [
    `the targets ${names} are 0 and 1 alone, and are fitted as numbers; --loss logistic fits the probability of 1 of each`,
  ];
}

/** The targets that a loss is for. */
interface Targets {
  readonly targetNames: readonly string[];
  readonly classes: readonly string[] | null;
  readonly encoding?: TableEncoding | null;
}

function checkTargets({ loss: { name } }: LossChoice, kind: TargetKind, { targetNames, classes }: Targets): void {
  if (classes !== null && kind !== "distribution") {
    const booleans = classes.length === 2 && classes[0] === "false" && classes[1] === "true";
    const numbers = booleans || classes.every((one) => Number.isFinite(Number(one)));
    const other = numbers
      ? `, or give --task regression${booleans ? ", which reads true and false as 1 and 0" : ""}`
      : "";
    throw new UsageError(
      `--loss ${name} is about numbers, and the target is one of ${classes.length} classes (${listed(classes, 6)}): leave --loss out${other}`,
    );
  }
  if (classes === null && kind === "distribution" && targetNames.length < 2)
    throw new UsageError(
      `--loss ${name} is about classes, and the target is one column of numbers: give --task classification where its values are classes, --target with one column a class, or --loss logistic for a single probability`,
    );
}

/** Adds --loss to a command. */
export function addLossOption(command: Command): Command {
  const shown = Object.values(LOSSES).map(({ name, parameter }) =>
    parameter === null
      ? name
      : parameter.required
        ? `${name}:${parameter.name.toUpperCase()}`
        : `${name}[:${parameter.name.toUpperCase()}]`,
  );
  return command.addOption(
    new Option(
      "--loss <name>",
      `loss that training minimizes: ${shown.join(", ")} (default squared; softmax for classes)`,
    ).argParser(lossChoice),
  );
}
