// Defines, checks and completes the options of `train`; `train` calls `trainOptionSteps` first, and `plan` completeTrainOptions.
import { type ClassWeights, classFactorSteps, weighByClassSteps } from "../data/class-weights.js";
import { sameClasses } from "../data/classes.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset } from "../data/dataset.js";
import { type DatasetInput, datasetSteps } from "../data/dataset-input.js";
import { argumentError } from "../errors.js";
import { finish, type Steps } from "../event-loop-yield.js";
import { defaultMatrixFree, type MatrixFreeSettings, PRECONDITIONERS } from "../linearize/problem.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { type BatchMethod, isBatchMethod } from "../method/batch-method.js";
import { checkMethod } from "../method/check-method.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { type Network, seedOf } from "../network/network.js";
import { checkBoolean, checkCount, checkOptionNames, definedOptions } from "../options.js";
import { TRAIN_ROUTES, type TrainRoute } from "../plan/route.js";
import { checkLossNetwork } from "../run/loss-targets.js";
import type { TrainRecord } from "../run/record.js";
import { type CompletedRunOptions, completeRunOptions, RUN_OPTION_NAMES, type RunOptions } from "../run/run-options.js";
import { listed } from "../suggest.js";
import { type BatchStart, type CompletedBatchStart, completeBatchStart } from "./batch-start-options.js";
import { chooseMethod } from "./choose-method.js";
import { completeDistributed } from "./distributed.js";
import { type StopOptions, type StopRules, stopRules } from "./stop.js";
import { completeUncertainty } from "./uncertainty.js";

/** Options of `train`. `Report` is the type of the monitor's report. */
export interface TrainOptions<Report = unknown> extends RunOptions<TrainRecord, Report> {
  /**
   * Default `levenbergMarquardt()`. docs/methods.md has them all. "auto" takes Levenberg-Marquardt where 100 of its iterations are predicted within
   * `stop.seconds` (without them a minute) and fit the memory, else exact Gauss-Newton on batches, or Adam where its kernel does not fit the
   * memory; `plan.because` says why.
   */
  readonly method?: Method | BatchMethod | "auto" | undefined;
  /**
   * Data that decide when to stop and which point is kept: a data set, or a fraction of the training data drawn by `seed`.
   * false = none. Default 0.15 where there are at least 40 samples, else none; with `bayesianRegularization` none.
   */
  readonly validation?: Dataset | DatasetInput | number | false | undefined;
  /**
   * Factors of the sample weights by class, for a classification: "balanced" gives every class the same total weight, however few rows it
   * has; an object gives the factor of each class by its name. Rows for validation are weighed by the same factors. Not for data files.
   * Default: none.
   */
  readonly classWeights?: ClassWeights | undefined;
  /** When the training ends. */
  readonly stop?: StopOptions | undefined;
  /**
   * Begin with a few epochs of exact Gauss-Newton on batches, before the method sees all rows at every step: true, or how. Of thousands of rows
   * one epoch replaces the first four to six iterations; it pays where those take longer than its steps (docs/methods.md). Records, iterations
   * and the monitor begin after it; its seconds count. Not with a batch method. Default false.
   */
  readonly batchStart?: BatchStart | boolean | undefined;
  /** Of the validation draw. Default: the network's seed. */
  readonly seed?: number | undefined;
  /**
   * Default "auto": primal where p <= n c, else dual; matrix-free where that exact route's step is predicted to take over 20 times as long,
   * or where its matrix does not fit the memory limit and the matrix-free route does. `plan` says which and why.
   */
  readonly route?: "auto" | TrainRoute | undefined;
  /** How the matrix-free route solves for its steps. */
  readonly matrixFree?:
    | { readonly [Name in keyof MatrixFreeSettings]?: MatrixFreeSettings[Name] | undefined }
    | undefined;
  /**
   * Estimate the condition of every damped system (in the records). Levenberg-Marquardt then goes without its secant correction
   * (`residualCurvature`), whose systems have no such estimate. Default false.
   */
  readonly condition?: boolean | undefined;
  /**
   * Measure at the end how sure the network is: `uncertainty` of the result, and with the network in `saveModel`. For `squaredError`,
   * `logistic` and `softmaxCrossEntropy`. It takes one more linearization with eigenvectors, of p x p numbers, or n c x n c where there are more parameters than equations.
   * Default false.
   */
  readonly uncertainty?: boolean | undefined;
  /**
   * Whether the ranks of `cluster` hold the Gram matrix of the primal route together, each the blocks of its own, and factor it by ScaLAPACK: 8 p^2 / ranks
   * bytes a rank in place of 8 p^2. The last bits of steps then depend on the number of ranks and on the library. With one process it changes
   * nothing. Default: where the matrix does not fit the memory limit of a rank otherwise, and the addon was built with ScaLAPACK.
   */
  readonly distributed?: boolean | undefined;
}

export interface CompletedTrainOptions extends CompletedRunOptions {
  readonly method: Method | BatchMethod;
  /** Why "auto" chose the method; null where it was given. */
  readonly methodBecause: string | null;
  readonly validation: Dataset | number | null;
  /** Factor of each class, by which `whole` is still to be weighed and `validation` is; null for none. */
  readonly classFactors: Float64Array | null;
  readonly stop: StopRules;
  readonly batchStart: CompletedBatchStart | null;
  readonly seed: number;
  readonly route: "auto" | TrainRoute;
  readonly matrixFree: MatrixFreeSettings;
  readonly condition: boolean;
  readonly uncertainty: boolean;
  readonly distributed: "auto" | boolean;
}

export const TRAIN_OPTION_NAMES = [
  ...RUN_OPTION_NAMES,
  "method",
  "validation",
  "classWeights",
  "stop",
  "batchStart",
  "seed",
  "route",
  "matrixFree",
  "condition",
  "uncertainty",
  "distributed",
];

const ROUTES: readonly string[] = ["auto", ...TRAIN_ROUTES];

/** Fewer samples than this are all trained on: a validation part would say nothing. */
export const LEAST_FOR_VALIDATION = 40;
/** Share of the samples that are held out for validation. */
export const DEFAULT_VALIDATION = 0.15;

/**
 * @param ranks processes of the run, where `options.cluster` does not say it
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function completeTrainOptions(
  options: TrainOptions,
  data: Dataset | FileDataset,
  network: Network,
  ranks?: number,
): CompletedTrainOptions {
  return finish(trainOptionSteps(options, data, network, ranks));
}

/** The same in pieces: validation data are copied and checked. */
export function* trainOptionSteps(
  options: TrainOptions,
  data: Dataset | FileDataset,
  network: Network,
  ranks?: number,
): Steps<CompletedTrainOptions> {
  checkOptionNames("options", options, TRAIN_OPTION_NAMES);
  const run = completeRunOptions(options, data.classes, ranks);
  checkLossNetwork(network, run.loss, options.loss !== undefined);
  const { method: asked = levenbergMarquardt(), route = "auto", condition = false, seed = seedOf(network) } = options;
  const chosen = asked === "auto" ? chooseMethod(network, data, run, options) : null;
  const method = chosen?.method ?? asked;
  checkMethod("options.method", method);
  checkWithRanks(options, run, method);
  if (isBatchMethod(method)) checkWithBatches(options, run);
  if (!ROUTES.includes(route)) throw argumentError("options.route", `must be one of ${ROUTES.join(", ")}`, route);
  if (data instanceof FileDataset && options.monitor !== undefined)
    throw argumentError("options.monitor", "must be left out for data from a file", options.monitor);
  checkBoolean("options.condition", condition);
  checkCount("options.seed", seed, 0);
  const classFactors = yield* factorsOf(options.classWeights, data);
  const regularization = isBatchMethod(method) ? undefined : method.regularization;
  const validation = yield* checkValidation(options.validation, data, regularization === undefined);
  return {
    ...run,
    loss: regularization === undefined ? run.loss : regularizedLoss(run, method, regularization.first),
    checkpoint: checkpointOf(run, options, method),
    method,
    methodBecause: chosen?.because ?? null,
    validation:
      classFactors !== null && validation instanceof Dataset
        ? yield* weighByClassSteps(validation, classFactors)
        : validation,
    classFactors,
    stop: stopRules(options.stop, "options.stop", lossRule(run.loss).sumOfSquares, method),
    batchStart: completeBatchStart(options.batchStart),
    seed,
    route,
    matrixFree: checkMatrixFree(options.matrixFree),
    condition,
    uncertainty: completeUncertainty(options.uncertainty, data, { loss: run.loss, ranks: run.ranks, method }),
    distributed: completeDistributed(options.distributed, { ranks: run.ranks, condition, cluster: options.cluster }),
  };
}

/** The loss with the weight decay that the method begins with. @throws GAUSSFLOW_ARGUMENT */
function regularizedLoss({ loss }: CompletedRunOptions, { name }: Method | BatchMethod, first: number): Loss {
  if (!lossRule(loss).sumOfSquares)
    throw argumentError(
      "options.loss",
      `must be squaredError() with the method ${name}, which estimates the noise of the targets: leave it out, or use levenbergMarquardt() with a weight decay`,
      loss.kind,
    );
  if (loss.decay !== 0)
    throw argumentError(
      "options.loss.decay",
      `must be left out with the method ${name}, which finds the weight decay: its option firstDecay is where it begins`,
      loss.decay,
    );
  return { ...loss, decay: first };
}

/** Steps on batches from one checkpoint to the next: a step takes milliseconds, and so does a write. */
const STEPS_BETWEEN_CHECKPOINTS = 500;

function checkpointOf(
  { checkpoint }: CompletedRunOptions,
  given: TrainOptions,
  method: Method | BatchMethod,
): CompletedRunOptions["checkpoint"] {
  const chosen = given.checkpoint?.every !== undefined;
  return checkpoint === null || chosen || !isBatchMethod(method)
    ? checkpoint
    : { ...checkpoint, every: STEPS_BETWEEN_CHECKPOINTS };
}

/** Options of methods that see all rows at each step. @throws GAUSSFLOW_ARGUMENT */
function checkWithBatches(options: TrainOptions, { slots }: CompletedRunOptions): void {
  const { route = "auto", monitor, condition = false, matrixFree } = options;
  if (route !== "auto")
    throw argumentError("options.route", "must be left out with a batch method, which has one route", route);
  if (condition)
    throw argumentError("options.condition", "must be left out with a batch method, which estimates none", condition);
  for (const [name, value] of Object.entries({ monitor, matrixFree }))
    if (value !== undefined)
      throw argumentError(
        `options.${name}`,
        "must be left out with a batch method, whose steps see a part of the rows",
        value,
      );
  if (options.batchStart !== undefined && options.batchStart !== false)
    throw argumentError(
      "options.batchStart",
      "must be left out with a batch method, all of whose steps are on batches",
      options.batchStart,
    );
  if (slots > 1)
    throw argumentError("options.slots", "must be 1 with a batch method, whose sums are of one batch", slots);
}

/** What sees a part of the rows at a time has no sums to share between ranks. @throws GAUSSFLOW_ARGUMENT */
function checkWithRanks(
  { batchStart }: TrainOptions,
  { ranks }: CompletedRunOptions,
  method: Method | BatchMethod,
): void {
  if (ranks === 1) return;
  const because = `on ${ranks} ranks, which share the sums over all rows`;
  if (isBatchMethod(method))
    throw argumentError(
      "options.method",
      `must be one that sees all rows at each step ${because}: use levenbergMarquardt(), or one process`,
      method.name,
    );
  if (batchStart !== undefined && batchStart !== false)
    throw argumentError("options.batchStart", `must be left out ${because}: its steps are on batches`, batchStart);
}

function* factorsOf(given: TrainOptions["classWeights"], data: Dataset | FileDataset): Steps<Float64Array | null> {
  if (given === undefined) return null;
  if (data instanceof FileDataset)
    throw argumentError(
      "options.classWeights",
      "must be left out for data from a file, which holds its weights: write them with its rows (writeDataFile with weighted: true)",
      given,
    );
  return yield* classFactorSteps("options.classWeights", given, data);
}

/** The data that a training sees: weighed by the classes. */
export function* weighedSteps(
  whole: Dataset | FileDataset,
  { classFactors }: Pick<CompletedTrainOptions, "classFactors">,
): Steps<Dataset | FileDataset> {
  if (classFactors === null || whole instanceof FileDataset) return whole;
  return yield* weighByClassSteps(whole, classFactors);
}

/** @throws GAUSSFLOW_ARGUMENT */
function checkMatrixFree(given: NonNullable<TrainOptions["matrixFree"]> = {}): MatrixFreeSettings {
  checkOptionNames("options.matrixFree", given, Object.keys(defaultMatrixFree));
  const settings = { ...defaultMatrixFree, ...definedOptions(given) };
  if (!PRECONDITIONERS.includes(settings.preconditioner))
    throw argumentError(
      "options.matrixFree.preconditioner",
      `must be one of ${PRECONDITIONERS.join(", ")}`,
      settings.preconditioner,
    );
  checkCount("options.matrixFree.rank", settings.rank, 1);
  checkCount("options.matrixFree.iterations", settings.iterations, 1);
  return settings;
}

function* checkValidation(
  given: TrainOptions["validation"],
  data: Dataset | FileDataset,
  needed: boolean,
): Steps<Dataset | number | null> {
  if (data instanceof FileDataset && (given === undefined || (typeof given === "number" && given !== 0))) {
    if (given === undefined) return null;
    throw argumentError("options.validation", "must be a data set or false for data from a file", given);
  }
  if (given === undefined && !needed) return null;
  if (given === undefined) return data.sampleCount >= LEAST_FOR_VALIDATION ? DEFAULT_VALIDATION : null;
  if (given === false || given === 0) return null;
  if (typeof given === "number") {
    if (!(given > 0 && given < 1)) throw argumentError("options.validation", "must be a fraction below 1", given);
    return given;
  }
  if (given === null || typeof given !== "object")
    throw argumentError("options.validation", "must be a data set, a fraction or false", given);
  const set = yield* datasetSteps(given, "options.validation", data);
  if (set.inputSize !== data.inputSize || set.outputSize !== data.outputSize)
    throw argumentError(
      "options.validation",
      `must have ${data.inputSize} inputs and ${data.outputSize} targets, as the training data`,
      `${set.inputSize} and ${set.outputSize}`,
    );
  if (set.classes !== null && !sameClasses(set.classes, data.classes))
    throw argumentError(
      "options.validation",
      `must have the classes of the training data in the same order${data.classes === null ? ", which has none" : ` (name them: classes: [${listed(data.classes.map((name) => JSON.stringify(name)))}])`}`,
      listed(set.classes),
    );
  return set;
}
