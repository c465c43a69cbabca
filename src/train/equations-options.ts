// Defines, checks and completes the options of a training on equations. What such a training cannot do is refused with the reason.
// equations-train.ts calls it.
import { argumentError } from "../errors.js";
import { isBatchMethod } from "../method/batch-method.js";
import { checkMethod } from "../method/check-method.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { checkBoolean, checkOptionNames } from "../options.js";
import { type CompletedRunOptions, completeRunOptions } from "../run/run-options.js";
import { type StopRules, stopRules } from "./stop.js";
import type { TrainOptions } from "./train-options.js";

/** Options of `train` on equations: those of `train` that do not concern rows of data. */
export interface EquationTrainOptions
  extends Pick<
    TrainOptions,
    "stop" | "condition" | "signal" | "onRecord" | "backend" | "threads" | "memoryLimit" | "checkpoint" | "resume"
  > {
  /** A method that sees all residuals at every step. Default `levenbergMarquardt()`. */
  readonly method?: Method | "auto" | undefined;
  /** Residuals with derivatives are solved by the primal route. Default "auto", the same. */
  readonly route?: "auto" | "primal" | undefined;
}

/** Why other options of `train` are none here. */
const REFUSED: Readonly<Record<string, string>> = {
  loss: "residuals are squared and summed, each term with the weight that equations(...) was given",
  standardize: "an equation holds in the units it was written in; features of equations(...) can scale coordinates",
  monitor: "its figures are those of predictions on rows of data; records have loss, gradient and damping",
  validation: "there are no rows to hold out: the field can be compared with a known solution at any points",
  classWeights: "there are no classes",
  batchStart: "its steps are on rows of data",
  seed: "nothing is drawn: points are drawn by the seeds of equations(...)",
  matrixFree: "the steps are solved with a Gram matrix",
  distributed: "one process trains on equations",
  slots: "one process trains on equations",
  cluster: "one process trains on equations",
  uncertainty: "the unknowns have their standard errors without it",
};

const NAMES = [
  "method",
  "route",
  "stop",
  "condition",
  "signal",
  "onRecord",
  "backend",
  "threads",
  "memoryLimit",
  "checkpoint",
  "resume",
];

/** All options, with defaults filled in. */
export interface CompletedEquationOptions extends Pick<CompletedRunOptions, "memoryLimit" | "checkpoint" | "resume"> {
  readonly method: Method;
  readonly stop: StopRules;
  readonly condition: boolean;
}

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function completeEquationOptions(options: EquationTrainOptions): CompletedEquationOptions {
  checkOptionNames("options", options, [...NAMES, ...Object.keys(REFUSED)]);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && name in REFUSED)
      throw argumentError(`options.${name}`, `must be left out with equations: ${REFUSED[name]}`, value);
  const { route = "auto", condition = false, method: asked = "auto" } = options;
  if (route !== "auto" && route !== "primal")
    throw argumentError("options.route", 'must be "auto" or "primal" with equations', route);
  checkBoolean("options.condition", condition);
  const method = asked === "auto" ? levenbergMarquardt() : asked;
  checkMethod("options.method", method);
  if (isBatchMethod(method))
    throw argumentError(
      "options.method",
      "must be one that sees all residuals at every step with equations: levenbergMarquardt() or gaussNewton()",
      method.name,
    );
  if (method.regularization !== undefined)
    throw argumentError(
      "options.method",
      "must be one without a weight decay of its own with equations, whose terms have a noise each: levenbergMarquardt()",
      method.name,
    );
  const { backend, threads, memoryLimit, signal, onRecord, checkpoint, resume } = options;
  const run = completeRunOptions({ backend, threads, memoryLimit, signal, onRecord, checkpoint, resume }, null, 1);
  return {
    memoryLimit: run.memoryLimit,
    checkpoint: run.checkpoint,
    resume: run.resume,
    method,
    stop: stopRules(options.stop, "options.stop", true, method),
    condition,
  };
}
