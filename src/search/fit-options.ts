// Defines and checks the options of the public `fitTable`; fit-table.ts and search.ts take them completed.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { type DatasetInput, datasetSteps } from "../data/dataset-input.js";
import { argumentError } from "../errors.js";
import { finish } from "../event-loop-yield.js";
import { TRAIN_MANY_OPTION_NAMES, type TrainManyOptions } from "../jobs/train-many-options.js";
import { defaultLoss } from "../loss/default-loss.js";
import { checkLoss, type Loss } from "../loss/rules.js";
import type { NetworkOptions } from "../network/network-options.js";
import { checkCount, checkNonNegative, checkObject, checkOptionNames, checkPositive, isObject } from "../options.js";
import { TRAIN_OPTION_NAMES, type TrainOptions } from "../train/train-options.js";

/** Options of a training that `fitTable` passes on; the others have their place among its own options. */
export type FitTrainOptions = Omit<TrainOptions, "resume" | "signal" | "threads" | "memoryLimit" | "seed">;

/** Options of `fitTable`: those of `trainMany`, and what is searched. */
export interface FitTableOptions extends TrainManyOptions {
  /** Units of each hidden layer, [] for a linear model. Default "auto": chosen from a short list by rows and columns. */
  readonly hidden?: "auto" | readonly number[] | undefined;
  /** Weight decay: a number, or "auto", the default, to choose it. 0 means early stopping where there are rows for a validation part. */
  readonly decay?: "auto" | number | undefined;
  /** Options of the networks; their layers are what is searched, and their seed is `seed`. */
  readonly network?: Omit<NetworkOptions, "layers" | "seed"> | undefined;
  /**
   * Options of the trainings. `validation`: by default a part is drawn where no decay is used, and all rows are trained on where one is.
   * `stop.seconds`, `checkpoint`, `monitor` and `onRecord` concern the last training alone. The loss, by default squared error or for
   * classes softmax cross-entropy, has no decay of its own here. With a batch method or "auto" as `method` networks are compared by
   * Levenberg-Marquardt, and the last training is by the method given.
   */
  readonly train?: FitTrainOptions | undefined;
  /** Folds of the comparison. Default: 10 below 40 rows, 5 below 2,000, else 3. */
  readonly folds?: number | undefined;
  /** Starts of the last training, of which the best is kept. Default 1. */
  readonly restarts?: number | undefined;
  /** Most planned work of the comparison, in floating-point operations. It is no limit of time: the clock decides nothing. Default 1e12. */
  readonly budget?: number | undefined;
  /** Of the networks, the folds and the validation part. Default 0. */
  readonly seed?: number | undefined;
}

/** The options with their defaults. */
export interface CompletedFitOptions {
  /** null = searched. */
  readonly hidden: readonly number[] | null;
  /** null = searched. */
  readonly decay: number | null;
  readonly network: Omit<NetworkOptions, "layers" | "seed">;
  readonly train: FitTrainOptions & { readonly loss: Loss };
  /** null = by the number of rows. */
  readonly folds: number | null;
  readonly restarts: number;
  readonly budget: number;
  readonly seed: number;
  readonly many: TrainManyOptions;
}

/** Most planned work of a comparison: about a minute of two cores. */
export const DEFAULT_BUDGET = 1e12;

/** What a training takes that belongs to `fitTable` itself, and where it goes. */
const OWN_PLACE = ["resume", "signal", "threads", "memoryLimit", "seed"];
const FIT_OPTION_NAMES = ["hidden", "decay", "network", "train", "folds", "restarts", "budget", "seed"];
const NETWORK_NAMES = ["activation", "outputActivation", "bias", "outputScale", "initialization", "centered"];

/**
 * @param classified whether the targets are classes
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function completeFitOptions(options: FitTableOptions, classified: boolean): CompletedFitOptions {
  checkOptionNames("options", options, [...TRAIN_MANY_OPTION_NAMES, ...FIT_OPTION_NAMES]);
  const { hidden = "auto", decay = "auto", network = {}, train = {}, folds, restarts = 1, ...rest } = options;
  const { budget = DEFAULT_BUDGET, seed = 0, ...many } = rest;
  checkOptionNames("options.network", network, NETWORK_NAMES);
  checkOptionNames(
    "options.train",
    train,
    TRAIN_OPTION_NAMES.filter((name) => !OWN_PLACE.includes(name)),
  );
  if (folds !== undefined) checkCount("options.folds", folds, 2);
  checkCount("options.restarts", restarts, 1);
  checkPositive("options.budget", budget);
  checkCount("options.seed", seed, 0);
  if (train.stop !== undefined) checkObject("options.train.stop", train.stop);
  const loss = checkLoss("options.train.loss", train.loss ?? { ...defaultLoss(classified), decay: 0 });
  if (loss.decay !== 0)
    throw argumentError("options.train.loss.decay", "must be left out: options.decay is the weight decay", loss.decay);
  const finds = findsDecay(train.method);
  if (finds && decay !== "auto" && decay !== 0)
    throw argumentError("options.decay", "must be left out with a method that finds the weight decay", decay);
  return {
    hidden: checkHidden(hidden),
    decay: finds ? 0 : checkDecay(decay),
    network,
    train: { ...train, ...(finds ? { validation: train.validation ?? false } : {}), loss },
    folds: folds ?? null,
    restarts,
    budget,
    seed,
    many,
  };
}

/** Whether the method sets the weight decay, and needs no validation part; what is no method is refused later. */
function findsDecay(method: FitTrainOptions["method"]): boolean {
  return isObject(method) && (method as { readonly regularization?: unknown }).regularization !== undefined;
}

function checkHidden(hidden: unknown): readonly number[] | null {
  if (hidden === "auto") return null;
  if (!Array.isArray(hidden))
    throw argumentError("options.hidden", 'must be "auto" or an array of layer sizes, [] for a linear model', hidden);
  hidden.forEach((size: unknown, l) => {
    checkCount(`options.hidden[${l}]`, size, 1);
  });
  return [...(hidden as number[])];
}

function checkDecay(decay: unknown): number | null {
  if (decay === "auto") return null;
  if (typeof decay !== "number") throw argumentError("options.decay", 'must be "auto" or a number', decay);
  checkNonNegative("options.decay", decay);
  return decay;
}

/** The table as a data set in memory. @throws GAUSSFLOW_ARGUMENT, also for a data file */
export function tableOf(given: Dataset | DatasetInput): Dataset {
  if (given instanceof FileDataset)
    throw argumentError(
      "table",
      "must be in memory, because rows are held out to compare networks: give a table, or train() with layers of your choice",
      given.layout.path,
    );
  return finish(datasetSteps(given, "table", null));
}
