// Describes a method of this library by its name and settings, and rebuilds it from them. jobs/message.ts does so for
// jobs in worker threads, because functions cannot be sent to another thread and plain data can.
import { GaussflowError } from "../errors.js";
import { type AdamOptions, adam } from "./adam.js";
import type { BatchMethod } from "./batch-method.js";
import { bayesianRegularization } from "./bayesian/bayesian-regularization.js";
import type { BayesianRegularizationOptions } from "./bayesian/options.js";
import { cumulativeGaussNewton } from "./cumulative/cumulative.js";
import type { CumulativeGaussNewtonOptions } from "./cumulative/options.js";
import { type ExactGaussNewtonOptions, exactGaussNewton } from "./exact-gauss-newton.js";
import { type GaussNewtonOptions, gaussNewton } from "./gauss-newton.js";
import { ggnScoreOf } from "./ggn-score/ggn-score.js";
import { type GradientDescentOptions, gradientDescent } from "./gradient-descent.js";
import { type LbfgsOptions, lbfgs } from "./lbfgs.js";
import { levenbergMarquardt } from "./levenberg-marquardt/levenberg-marquardt.js";
import type { LevenbergMarquardtOptions } from "./levenberg-marquardt/options.js";
import { isDescribedBySettings, type Method } from "./method.js";

/** Plain data. */
export interface MethodSettings {
  readonly name: string;
  readonly settings: Method["settings"];
}

/** The name and settings that rebuild the method; null for a method of the caller or a modified copy. */
export function settingsOf(method: Method | BatchMethod): MethodSettings | null {
  return isDescribedBySettings(method) ? { name: method.name, settings: method.settings } : null;
}

/** The method that `settingsOf` described. */
export function methodAgain({ name, settings }: MethodSettings): Method | BatchMethod {
  if (name === "levenberg-marquardt") return levenbergMarquardt(settings as LevenbergMarquardtOptions);
  if (name === "bayesian-regularization") return bayesianRegularization(settings as BayesianRegularizationOptions);
  if (name === "gauss-newton") return gaussNewton(settings as GaussNewtonOptions);
  if (name === "exact-gauss-newton") return exactGaussNewton(settings as ExactGaussNewtonOptions);
  if (name === "adam") return adam(settings as AdamOptions);
  if (name === "lbfgs") return lbfgs(settings as LbfgsOptions);
  if (name === "gradient-descent") return gradientDescent(settings as GradientDescentOptions);
  if (name === "ggn-score") return ggnScoreOf(settings);
  if (name === "cumulative-gauss-newton") return cumulativeGaussNewton(settings as CumulativeGaussNewtonOptions);
  throw new GaussflowError("GAUSSFLOW_INTERNAL", `no method is made by the name ${name}`);
}
