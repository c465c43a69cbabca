// The options of `train`, checked and completed.
import type { Backend } from "../backend/create.js";
import { asDataset, type Dataset, type DatasetInput } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import type { Observer } from "../linearise/observer.js";
import type { EngineRoute } from "../linearise/problem.js";
import type { TrainRecord } from "../linearise/record.js";
import { type SquaredError, squaredError } from "../loss/squared-error.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { checkBoolean, checkCount, checkObserver } from "../method/options.js";
import { checkOptionNames } from "../network/option-names.js";
import { type StopOptions, type StopRules, stopRules } from "./stop.js";

export interface TrainOptions {
  /** Default `squaredError()`. */
  readonly loss?: SquaredError | undefined;
  /** Default `levenbergMarquardt()`. */
  readonly method?: Method | undefined;
  /**
   * Data that decide when to stop and which point is kept: a data set, or a fraction of the training data drawn by `seed`.
   * false = none. Default 0.15 where there are at least 40 samples, else none.
   */
  readonly validation?: Dataset | DatasetInput | number | false | undefined;
  /** Train in standardised units (stored with the network, which predicts in raw units). Default true. */
  readonly standardise?: boolean | undefined;
  readonly stop?: StopOptions | undefined;
  /** Of the validation draw. Default: the network's seed. */
  readonly seed?: number | undefined;
  /** Stops the run at the next tile; `train` then resolves with reason "aborted" and the best network so far. */
  readonly signal?: AbortSignal | undefined;
  readonly onRecord?: ((record: TrainRecord) => void | Promise<void>) | undefined;
  /** Made by `monitor()`; its report stands in the result. */
  readonly monitor?: Observer | undefined;
  readonly backend?: Backend | undefined;
  readonly threads?: number | undefined;
  /** Default "auto": primal where p <= n c, else dual. */
  readonly route?: "auto" | EngineRoute | undefined;
  /** Estimate the condition of every damped system (in the records). Default false. */
  readonly condition?: boolean | undefined;
  /** Write the state of the run every so many iterations (default 10), and whenever and however it ends after the first one. */
  readonly checkpoint?: { readonly path: string; readonly every?: number | undefined } | undefined;
  /**
   * Path of a checkpoint of the same run to go on from: bit for bit with the kind of engine that wrote it, to rounding with
   * the other kind. Stop rules and the number of threads may differ.
   */
  readonly resume?: string | undefined;
}

export interface CompletedTrainOptions {
  readonly loss: SquaredError;
  readonly method: Method;
  readonly validation: Dataset | number | null;
  readonly standardise: boolean;
  readonly stop: StopRules;
  readonly seed: number;
  readonly route: "auto" | EngineRoute;
  readonly condition: boolean;
  readonly checkpoint: { readonly path: string; readonly every: number } | null;
  readonly resume: string | null;
}

const NAMES = [
  "loss",
  "method",
  "validation",
  "standardise",
  "stop",
  "seed",
  "signal",
  "onRecord",
  "monitor",
  "backend",
  "threads",
  "route",
  "condition",
  "checkpoint",
  "resume",
];

/** Fewer samples than this are all trained on: a validation part would say nothing. */
const LEAST_FOR_VALIDATION = 40;
const DEFAULT_VALIDATION = 0.15;

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function completeTrainOptions(options: TrainOptions, data: Dataset, networkSeed: number): CompletedTrainOptions {
  checkOptionNames("train options", options, NAMES);
  const { loss = squaredError(), method = levenbergMarquardt(), standardise = true, route = "auto" } = options;
  if (loss?.kind !== "squared-error") throw argumentError("options.loss", "must be made by squaredError()", loss);
  if (typeof method?.propose !== "function" || typeof method.judge !== "function")
    throw argumentError("options.method", "must be made by levenbergMarquardt() or gaussNewton()", method);
  checkBoolean("options.standardise", standardise);
  if (route !== "auto" && route !== "primal" && route !== "dual")
    throw argumentError("options.route", 'must be "auto", "primal" or "dual"', route);
  const { condition = false, seed = networkSeed, checkpoint, resume } = options;
  checkBoolean("options.condition", condition);
  checkCount("options.seed", seed, 0);
  if (options.onRecord !== undefined && typeof options.onRecord !== "function")
    throw argumentError("options.onRecord", "must be a function", options.onRecord);
  checkObserver("options.monitor", options.monitor);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw argumentError("options.signal", "must be an AbortSignal", options.signal);
  if (checkpoint !== undefined) {
    checkOptionNames("options.checkpoint", checkpoint, ["path", "every"]);
    if (typeof checkpoint.path !== "string" || checkpoint.path === "")
      throw argumentError("options.checkpoint.path", "must be a path", checkpoint.path);
    checkCount("options.checkpoint.every", checkpoint.every ?? 10, 1);
  }
  if (resume !== undefined && (typeof resume !== "string" || resume === ""))
    throw argumentError("options.resume", "must be a path", resume);
  return {
    loss,
    method,
    validation: checkValidation(options.validation, data),
    standardise,
    stop: stopRules(options.stop),
    seed,
    route,
    condition,
    checkpoint: checkpoint === undefined ? null : { path: checkpoint.path, every: checkpoint.every ?? 10 },
    resume: resume ?? null,
  };
}

function checkValidation(given: TrainOptions["validation"], data: Dataset): Dataset | number | null {
  if (given === undefined) return data.sampleCount >= LEAST_FOR_VALIDATION ? DEFAULT_VALIDATION : null;
  if (given === false || given === 0) return null;
  if (typeof given === "number") {
    if (!(given > 0 && given < 1)) throw argumentError("options.validation", "must be a fraction below 1", given);
    return given;
  }
  if (given === null || typeof given !== "object")
    throw argumentError("options.validation", "must be a data set, a fraction or false", given);
  const set = asDataset(given);
  if (set.inputSize !== data.inputSize || set.outputSize !== data.outputSize)
    throw argumentError(
      "options.validation",
      `must have ${data.inputSize} inputs and ${data.outputSize} targets, as the training data`,
      `${set.inputSize} and ${set.outputSize}`,
    );
  return set;
}
