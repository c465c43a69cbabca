// The stop rules of a training: checks the caller's limits (train-options.ts), and tests after each point and trial which rule ends the
// run, with a sentence and its numbers, for the loop (minimize.ts).
//
//   gradient   max_j |J_j.r| / (|J_j| |r|) <= gradient        (MINPACK's gtol; a lower bound above it ends nothing); losses other
//                                                            than squared error: max_j |F_j| relative to the start
//   step       |s| <= step (|w| + step)                        after an accepted step
//   reduction  actual and predicted reduction <= reduction F, ratio <= 2        (MINPACK's ftol), after an accepted step
//
// Step and reduction are never tested on rejected trials: a run whose trials are all rejected has not converged.
import { failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { objectiveRounding, type Point } from "../linearize/problem.js";
import { type BatchMethod, isBatchMethod } from "../method/batch-method.js";
import type { Method } from "../method/method.js";
import type { Reason } from "../method/reason.js";
import { checkCount, checkNonNegative, checkOptionNames, checkPositive, definedOptions } from "../options.js";
import type { TrainRecord } from "../run/record.js";
import { endsNoRun } from "../step/fidelity.js";
import { type Separable, separableMessage } from "./separable.js";
import type { Best } from "./snapshot.js";
import type { Trial } from "./trial.js";

/** When a training ends. The first rule that is met ends it. */
export interface StopOptions {
  /** Most iterations: linearizations, or with a batch method steps on batches. Default 200, with `bayesianRegularization` 1000; with a batch method no limit. */
  readonly iterations?: number | undefined;
  /**
   * With a batch method: most epochs (passes over the rows). Default: the method's `epochs` (20 for `exactGaussNewton`), or no limit where
   * `iterations` is given. Not for other methods, whose iterations each see all rows.
   */
  readonly epochs?: number | undefined;
  /**
   * With a batch method: steps from one validation to the next. Default: the validation loss is evaluated at the end of each epoch. Not for
   * other methods, which validate after every accepted step.
   */
  readonly validateEvery?: number | undefined;
  /** Most seconds of wall time of this call; checked between trials, and a running kernel is canceled. No default. */
  readonly seconds?: number | undefined;
  /**
   * Scale-free gradient measure (`TrainRecord.gradientCosine`): with squared error a cosine, with other losses the largest entry of the
   * gradient relative to that at the start. Default 1e-10; 0 switches the test off (so for the next two). With a batch method it is relative to
   * the start for every loss, and only for batches of all rows.
   */
  readonly gradient?: number | undefined;
  /** Relative step length. Default 1e-12. Not for batch methods, as the next one. */
  readonly step?: number | undefined;
  /**
   * Relative reduction of the objective, actual and predicted. Default 1e-12 with squared error, and 0 (off) with other losses: their minimum
   * is not 0, so that this reduction is reached while the gradient still falls by orders of magnitude.
   */
  readonly reduction?: number | undefined;
  /** Training loss to reach, as `TrainRecord.loss` has it. No default. */
  readonly loss?: number | undefined;
  /** Validations (one an iteration; with a batch method one an epoch or `validateEvery`) without a better loss before the run ends. Default 20; only with validation data. */
  readonly patience?: number | undefined;
}

export interface StopRules {
  readonly iterations: number;
  /** Infinity: no limit. */
  readonly epochs: number;
  /** null: at the end of each epoch. */
  readonly validateEvery: number | null;
  readonly seconds: number;
  readonly gradient: number;
  readonly step: number;
  readonly reduction: number;
  readonly loss: number;
  readonly patience: number;
}

/** The defaults, for train and for tests alike. */
const defaultStop: StopRules = {
  iterations: 200,
  epochs: Number.POSITIVE_INFINITY,
  validateEvery: null,
  seconds: Number.POSITIVE_INFINITY,
  gradient: 1e-10,
  step: 1e-12,
  reduction: 1e-12,
  loss: Number.NEGATIVE_INFINITY,
  patience: 20,
};

/** Most iterations of a method that tries several weight decays in one run. */
const REGULARIZED_ITERATIONS = 1000;

/** Rules of methods that see all rows at each step, and of those that see a batch. */
const WHOLE_ONLY = ["step", "reduction"] as const;
const BATCH_ONLY = ["epochs", "validateEvery"] as const;

/**
 * Checks and completes the rules.
 * @param sumOfSquares whether the loss is squared error
 * @param method the method of the run; its absence stands for one that sees all rows
 */
export function stopRules(
  options: StopOptions = {},
  name = "options.stop",
  sumOfSquares = true,
  method: Method | BatchMethod | null = null,
): StopRules {
  checkOptionNames(name, options, Object.keys(defaultStop));
  const given = definedOptions(options);
  const batch = isBatchMethod(method) ? method : null;
  for (const rule of batch === null ? BATCH_ONLY : WHOLE_ONLY)
    if (given[rule] !== undefined)
      throw argumentError(
        `${name}.${rule}`,
        batch === null
          ? "must be left out with a method that sees all rows at every iteration: options.stop.iterations limits those"
          : "must be left out with a batch method, whose losses at each step are those of a part of the rows: options.stop.epochs, options.stop.loss and options.stop.patience end its runs",
        given[rule],
      );
  const regularizes = method !== null && !isBatchMethod(method) && method.regularization !== undefined;
  const limits =
    batch === null
      ? regularizes
        ? { iterations: REGULARIZED_ITERATIONS }
        : {}
      : { iterations: Number.POSITIVE_INFINITY, ...(given.iterations === undefined ? { epochs: batch.epochs } : {}) };
  const rules: StopRules = { ...defaultStop, ...(sumOfSquares ? {} : { reduction: 0 }), ...limits, ...given };
  if (batch === null || given.iterations !== undefined) checkCount(`${name}.iterations`, rules.iterations, 0);
  if (given.epochs !== undefined) checkCount(`${name}.epochs`, rules.epochs, 0);
  if (given.validateEvery !== undefined) checkCount(`${name}.validateEvery`, rules.validateEvery, 1);
  if (given.seconds !== undefined) checkPositive(`${name}.seconds`, rules.seconds);
  checkNonNegative(`${name}.gradient`, rules.gradient);
  checkNonNegative(`${name}.step`, rules.step);
  checkNonNegative(`${name}.reduction`, rules.reduction);
  if (given.loss !== undefined) checkNonNegative(`${name}.loss`, rules.loss);
  checkCount(`${name}.patience`, rules.patience, 1);
  return rules;
}

/** A number as the sentences show it. */
function show(value: number): string {
  return value.toExponential(3);
}

/**
 * Tests at a linearized point.
 * @param sumOfSquares whether the loss is squared error, whose least value is 0
 */
export function gradientReason(rules: StopRules, point: Point, sumOfSquares = true): Reason | null {
  if (point.objective === 0 && sumOfSquares) return { code: "gradient", message: "the objective is exactly 0" };
  if (point.gradientNorm === 0) return { code: "gradient", message: "the gradient is exactly 0" };
  if (!(point.gradientCosine <= rules.gradient) || rules.gradient === 0) return null;
  return {
    code: "gradient",
    message: `the gradient measure ${show(point.gradientCosine)} is at most ${show(rules.gradient)}`,
  };
}

/** Why the run ends at a point: all rows are classified right, and the loss has no minimum. `separable` null = that cannot be. */
export function separableReason(separable: Separable | null, loss: number): Reason | null {
  if (separable === null || !(loss <= separable.most)) return null;
  return { code: "separable", message: separableMessage(separable, loss) };
}

/**
 * Why the run ends after an accepted step whose change of the objective was rounding (`Judgment.unresolved`, recorded as an accepted step on
 * the Hessian, or of a fit whose engine knows its rounding, without a gain ratio): the gradient did not fall by half, so that no step can be distinguished from noise.
 */
export function unresolvedReason(records: readonly TrainRecord[], point: Point): Reason | null {
  const last = records.at(-1);
  if (last === undefined || last.iteration === 0 || !last.accepted || last.gainRatio !== null) return null;
  if (last.hessian === undefined && point.rounding === undefined) return null;
  // The gradient of a fit may be rounding along steep directions, while the flat ones still matter: there it is the steps that must fall.
  const before = records.at(-2);
  const shrinks = last.hessian === undefined && before?.accepted === true && last.stepNorm <= 0.5 * before.stepNorm;
  if (shrinks || point.gradientNorm <= 0.5 * last.gradientNorm) return null;
  return {
    code: "reduction",
    message: `the objective ${show(point.objective)} cannot be lowered in double precision, and the last step took the gradient from ${show(last.gradientNorm)} to ${show(point.gradientNorm)} (gradient measure ${show(point.gradientCosine)})`,
  };
}

/** Ratio of the lengths of two steps of a fit at which what is left after the second is far below it. */
const settledRatio = 0.003;
/** Relative offset from which on a step of a fit may be its last, and that which is expected after it. */
const settledOffset = { before: 1e-7, after: 1e-9 };
/** Relative change of a parameter that no further step is to make: eight digits with one to spare. */
const settledChange = 1e-9;
/** Ratio of two steps up to which they shrink so regularly that the next ratio can be foretold. */
const regularRatio = 0.1;

/**
 * Why the run ends at an accepted step of a fit, without another linearization. Either the change of the objective was rounding and the step is so much
 * shorter than the one before that the next would be far below the rounding of the parameters' estimates; or steps and gradients shrink
 * regularly, and what is expected after this one moves the estimates by less than 1e-9 of their confidence region and of themselves.
 */
export function settledReason(
  records: readonly TrainRecord[],
  { base: { point }, judgment, proposal, stepNorm }: Trial,
): Reason | null {
  const last = records.at(-1);
  if (point.rounding === undefined || last === undefined || last.iteration === 0 || !last.accepted) return null;
  const ratio = stepNorm / last.stepNorm;
  if (judgment.unresolved === true && ratio <= settledRatio)
    return {
      code: "reduction",
      message: `the objective ${show(point.objective)} cannot be lowered in double precision, and the steps fell from ${show(last.stepNorm)} to ${show(stepNorm)}`,
    };
  const { offset = 1 } = point;
  const shrinks = Math.max(ratio, point.gradientCosine / last.gradientCosine);
  if (!(shrinks <= regularRatio && offset <= settledOffset.before && shrinks * offset <= settledOffset.after))
    return null;
  if (proposal === null || failed(proposal)) return null;
  const { step } = proposal;
  if (!step.every((value, j) => shrinks * Math.abs(value) <= settledChange * Math.abs(point.parameters[j])))
    return null;
  return {
    code: "reduction",
    message: `the steps fell from ${show(last.stepNorm)} to ${show(stepNorm)}, and the part of the residuals that a further one could remove is ${show(shrinks * offset)} of them`,
  };
}

export function lossReason(rules: StopRules, loss: number): Reason | null {
  if (!(loss <= rules.loss)) return null;
  return { code: "loss", message: `the loss ${show(loss)} reached the target ${show(rules.loss)}` };
}

/** The predicted reduction of an accepted step, and its outcome. */
interface Move {
  readonly predicted: number;
  readonly objective: number;
  readonly parameterNorm: number;
}

/** Tests after an accepted step; skipped if the model of the step had too few samples. */
export function acceptedReason(
  rules: StopRules,
  { base: { point, fidelity }, route, stepNorm }: Trial,
  { predicted, objective, parameterNorm }: Move,
): Reason | null {
  if (endsNoRun(fidelity, point, route, predicted)) return null;
  const actual = point.objective - objective;
  // Some losses are negative near their minimum.
  const size = Math.abs(point.objective);
  const bound = rules.reduction * size;
  if (rules.reduction > 0 && Math.abs(actual) <= bound && predicted <= bound && actual <= 2 * predicted)
    return {
      code: "reduction",
      message: `the actual and predicted relative reductions ${show(actual / size)} and ${show(predicted / size)} are at most ${show(rules.reduction)}`,
    };
  if (rules.step > 0 && stepNorm <= rules.step * (parameterNorm + rules.step))
    return {
      code: "step",
      message: `the step norm ${show(stepNorm)} is at most ${show(rules.step)} of the parameter norm ${show(parameterNorm)}`,
    };
  return null;
}

/**
 * A rejected trial that means convergence: the first trial from a point predicts and makes a change at rounding level, so that no step can be
 * distinguished from noise. `bound` is the rounding of the objective.
 */
function roundingReason(point: Point, predicted: number, actual: number, bound: number): Reason | null {
  const size = Math.abs(point.objective);
  if (!(predicted <= bound && Math.abs(actual) <= bound)) return null;
  return {
    code: "reduction",
    message: `the predicted relative reduction ${show(predicted / size)} is at rounding level: the objective ${show(point.objective)} cannot be lowered in double precision`,
  };
}

/** @param best the best point by the validation loss, null without one; `stale` iterations ago */
export function patienceReason(
  rules: StopRules,
  { bestValidation: best, stale }: { readonly bestValidation: Best | null; readonly stale: number },
  counted = "iterations",
): Reason | null {
  if (best === null || stale < rules.patience) return null;
  return {
    code: "patience",
    message: `the validation loss has not fallen below ${show(best.value)} (iteration ${best.iteration}) for ${stale} ${counted}`,
  };
}

export function iterationsReason(rules: StopRules, iteration: number): Reason | null {
  if (iteration < rules.iterations) return null;
  // Only a resumed run can be beyond its limit.
  const message =
    iteration > rules.iterations
      ? `the checkpoint is at iteration ${iteration} already, and ${rules.iterations} are allowed, counted from the start of the run and not from the checkpoint: allow more than ${iteration} to go on`
      : `${iteration} iterations are done, the most that were allowed`;
  return { code: "iterations", message };
}

/** @param stepsPerEpoch of a batch method */
export function epochsReason(rules: StopRules, iteration: number, stepsPerEpoch: number): Reason | null {
  const epochs = iteration / stepsPerEpoch;
  if (epochs < rules.epochs) return null;
  const message =
    epochs > rules.epochs
      ? `the checkpoint is at epoch ${epochs.toFixed(2)} already, and ${rules.epochs} are allowed, counted from the start of the run and not from the checkpoint: allow more to go on`
      : `${rules.epochs} epochs are done, the most that were allowed`;
  return { code: "iterations", message };
}

/** @param measure largest entry of the gradient, relative to that at the start */
export function relativeGradientReason(rules: StopRules, measure: number): Reason | null {
  if (!(measure <= rules.gradient) || (rules.gradient === 0 && measure > 0)) return null;
  return {
    code: "gradient",
    message:
      measure === 0
        ? "the gradient is exactly 0"
        : `the gradient measure ${show(measure)} is at most ${show(rules.gradient)}`,
  };
}

/** Rounding of a residual, relative to predictions of the same size: each prediction has a few units of rounding. */
const noise = 16 * Number.EPSILON;
/** Rejected trials from one point, the accelerated and the shorter ones among them, after which the objective there counts as noise. */
const noisyTrials = 4;

/** The other case of convergence: the residuals have fallen from the size of the targets to their rounding, where predicted reductions are not real. */
function noiseReason(point: Point, start: number, trial: number): Reason | null {
  if (trial < noisyTrials || !(Math.abs(point.objective) <= noise ** 2 * Math.abs(start))) return null;
  return {
    code: "reduction",
    message: `the objective ${show(point.objective)} is at rounding level, ${show(point.objective / start)} of that at the start: ${trial} trials in a row did not lower it`,
  };
}

/** Largest number of rejected trials, more than any growth of the damping needs; it ends a method that never stops. */
const mostTrials = 100;

/**
 * Why the run ends after a rejected trial: the method's reason, or a reason that only the loop can detect. null = the run continues.
 * @param count number of trials with this model, this one included
 */
export function rejectedReason(
  { base: { point }, proposal, end, judgment }: Trial,
  count: number,
  run: {
    /** n c. */
    readonly equations: number;
    /** The objective that the run started from. */
    readonly start: number;
  },
): Reason | null {
  if (judgment.end !== undefined) return judgment.end;
  if (end === null || proposal === null || failed(proposal)) return null;
  const { answer, parameters } = end;
  if (!failed(answer) && count === 1) {
    const bound = objectiveRounding(point, run.equations);
    const reason = roundingReason(point, proposal.predicted, point.objective - answer.objective, bound);
    if (reason !== null) return reason;
  }
  const noisy = noiseReason(point, run.start, count);
  if (noisy !== null) return noisy;
  if (parameters.every((value, j) => value === point.parameters[j]))
    return {
      code: "no-progress",
      message: `after ${count} rejected trials the step no longer changes any parameter; the objective stays ${point.objective.toExponential(6)}, the gradient measure ${point.gradientCosine.toExponential(3)}`,
    };
  if (count < mostTrials) return null;
  return { code: "no-progress", message: `${count} trials in a row were rejected; last: ${judgment.rejection}` };
}
