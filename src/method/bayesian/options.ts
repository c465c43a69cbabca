// Checks and completes the options of `bayesianRegularization` (bayesian-regularization.ts), when a user or rebuild-method.ts makes the method.
import { checkCount, checkOptionNames, checkPositive, definedOptions } from "../../options.js";
import {
  completeOptions as completeStepOptions,
  type LevenbergMarquardtOptions,
  type LevenbergMarquardtSettings,
  STEP_OPTION_NAMES,
} from "../levenberg-marquardt/options.js";

/** Options of `bayesianRegularization`: those of `levenbergMarquardt`, which takes its steps, and its own. */
export interface BayesianRegularizationOptions extends LevenbergMarquardtOptions {
  /**
   * Weight decay that a run begins with, in units of the sum loss. A fit that collapses begins again with a thousandth of it. Default 0.01.
   */
  readonly firstDecay?: number | undefined;
  /** Accepted steps from one estimate of the decay to the next. With 1 half of the runs never settle. Default 5. */
  readonly every?: number | undefined;
}

/** All options, with defaults filled in. Plain data. */
export type BayesianSettings = LevenbergMarquardtSettings & { readonly firstDecay: number; readonly every: number };

const own = { firstDecay: 1e-2, every: 5 };

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function completeOptions(options: BayesianRegularizationOptions): BayesianSettings {
  checkOptionNames("options", options, [...STEP_OPTION_NAMES, ...Object.keys(own)]);
  const { firstDecay, every } = { ...own, ...definedOptions(options) };
  const { firstDecay: _, every: __, ...steps } = options;
  checkPositive("options.firstDecay", firstDecay);
  checkCount("options.every", every, 1);
  return { ...completeStepOptions(steps), firstDecay, every };
}
