// Computes what a statistics package prints of a fit: standard errors, intervals, correlation, residual standard deviation, R^2, AIC, BIC.
// They are functions of J, the residuals and the estimates alone; least-squares.ts calls them at the end of a fit.
//
// n rows of weight > 0, rank r of J, S = sum of the squared weighted residuals:
//   s^2 = S / (n - r),  C = s^2 (J^T J)^-1,  interval: estimate +- t(n - r) sqrt(C_jj)
//   AIC = -2 log L + 2 (r + 1),  BIC = -2 log L + log(n) (r + 1),  -2 log L = n (log(2 pi S / n) + 1) - sum of log w_i
// With known standard deviations and squared error: C = (J^T J)^-1, normal quantiles, -2 log L = S + sum of log(2 pi sigma_i^2), and r in place of r + 1.
// Source: Bates and Watts, Nonlinear Regression Analysis and Its Applications (1988), chapter 2; Seber and Wild, Nonlinear Regression (1989).
import { normalQuantile } from "../normal-quantile.js";
import { studentQuantile } from "../student-quantile.js";
import { listed } from "../suggest.js";
import { type UnscaledCovariance, unscaledCovariance } from "./covariance.js";

/** How a parameter ended: estimated, given by the caller, or at a bound that it would cross. */
export type ParameterState = "free" | "fixed" | "lower bound" | "upper bound";

/** A fit at its end, as the statistics read it. */
export interface FitPoint {
  /** Names of the parameters. */
  readonly names: readonly string[];
  /** p numbers. */
  readonly estimates: Float64Array;
  /** How each parameter ended. */
  readonly states: readonly ParameterState[];
  /** n x p, row-major: derivatives of the weighted residuals. The columns of parameters that are not free are not read. */
  readonly jacobian: Float64Array;
  /** Relative error of the entries of J: the default is rounding; differences have more. */
  readonly jacobianError?: number;
  /** n weighted residuals: sqrt(weight) * (model - observation). */
  readonly residuals: Float64Array;
  /** n weights, 1 / sigma^2 where the sigmas are known; null = all 1. Rows of weight 0 are not counted. */
  readonly weights: Float64Array | null;
  /** n observations, for R^2; null where the residuals are not those of a model. */
  readonly observations: Float64Array | null;
  /** True where the weights are known inverse variances, which the residuals rescale only with a robust loss. */
  readonly absoluteSigma: boolean;
  /** Slope and curvature of a robust loss at every weighted residual; null for squared error. */
  readonly robust: {
    /** sqrt(weight) times the slope of the loss, n. */
    readonly slope: Float64Array;
    /** Second derivative of the loss, n. */
    readonly curvature: Float64Array;
  } | null;
}

/** The statistics of a fit. Arrays stand in the order of the parameters. */
export interface FitStatistics {
  /** How each parameter ended. */
  readonly states: readonly ParameterState[];
  /** Standard errors: 0 for parameters that are fixed or at a bound, infinite for those that the data do not determine. */
  readonly standardErrors: Float64Array;
  /** Lower and upper end of each parameter's interval, two numbers a parameter; both are the estimate where the standard error is 0. */
  readonly intervals: Float64Array;
  /** Probability of the intervals, such as 0.95. */
  readonly level: number;
  /** Half an interval over the standard error: a quantile of Student's t, or of the normal distribution where the sigmas are known and the loss is squared error. */
  readonly quantile: number;
  /** p x p. */
  readonly covariance: Float64Array;
  /** p x p, ones on the diagonal; 0 beside parameters that are not free. */
  readonly correlation: Float64Array;
  /** Rows of weight > 0, n. */
  readonly count: number;
  /** n - rank: parameters that are fixed, at a bound, or not determined by the data are not counted. */
  readonly degreesOfFreedom: number;
  /** Sum of the squared weighted residuals; with known sigmas this is chi-square. */
  readonly sumOfSquares: number;
  /**
   * Residual standard deviation, of an observation of weight 1; null without degrees of freedom. With a robust loss it is the deviation
   * that gives the standard errors, which outliers hardly change.
   */
  readonly residualDeviation: number | null;
  /** Explained share of the weighted variance about the mean; null without observations, or where these are all equal. */
  readonly r2: number | null;
  /** The same by mean squares, each sum divided by its degrees of freedom; null where r2 is, or without degrees of freedom. */
  readonly adjustedR2: number | null;
  /** Akaike's criterion; null with a robust loss. -Infinity where all residuals are 0. */
  readonly aic: number | null;
  /** Schwarz's criterion; null with a robust loss. */
  readonly bic: number | null;
  /** Number of directions among the free parameters that the data determine. */
  readonly rank: number;
  /** Condition number of J with columns of norm one. */
  readonly condition: number;
  /** Names of the parameters that the data do not determine. */
  readonly undetermined: readonly string[];
  /** What the reader of the numbers must know, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * @param level probability of the intervals, between 0 and 1
 */
export function fitStatistics(point: FitPoint, level: number): FitStatistics {
  const { states, residuals, names } = point;
  const free = Array.from(states.keys()).filter((j) => states[j] === "free");
  const unscaled = unscaledCovariance(point.jacobian, states.length, free, point.jacobianError);
  const weights = point.weights;
  const count = weights === null ? residuals.length : weights.filter((weight) => weight > 0).length;
  const degreesOfFreedom = Math.max(0, count - unscaled.rank);
  const sumOfSquares = sumSquares(residuals);
  const residualDeviation = deviation(point, sumOfSquares, count, degreesOfFreedom);
  // A robust loss is there because the known deviations are not those of all observations: its errors follow the residuals all the same.
  const absolute = point.absoluteSigma && point.robust === null;
  const scale = absolute ? 1 : (residualDeviation ?? Number.POSITIVE_INFINITY);
  const spread = scaled(unscaled, free, states.length, scale);
  const tail = 0.5 + level / 2;
  const quantile = absolute || degreesOfFreedom === 0 ? normalQuantile(tail) : studentQuantile(tail, degreesOfFreedom);
  const undetermined = unscaled.undetermined.map((j) => names[free[j]]);
  return {
    states,
    ...spread,
    intervals: linearIntervals(point.estimates, spread.standardErrors, quantile),
    level,
    quantile,
    count,
    degreesOfFreedom,
    sumOfSquares,
    residualDeviation,
    ...explained(point, sumOfSquares, count, degreesOfFreedom),
    ...criteria(point, sumOfSquares, count, unscaled.rank),
    rank: unscaled.rank,
    condition: unscaled.condition,
    undetermined,
    warnings: warningsOf(point, undetermined, degreesOfFreedom),
  };
}

function sumSquares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function deviation(
  { robust, weights }: FitPoint,
  sumOfSquares: number,
  count: number,
  degreesOfFreedom: number,
): number | null {
  if (degreesOfFreedom === 0) return null;
  if (robust === null) return Math.sqrt(sumOfSquares / degreesOfFreedom);
  // The covariance of an M-estimate (Huber and Ronchetti, Robust Statistics, 2nd ed., section 7.6):
  // K^2 (sum of slope^2 / (n - r)) / (mean curvature)^2 (J^T J)^-1 with K = 1 + (r / n) var(curvature) / (mean curvature)^2.
  const curvature = robust.curvature.filter((_, i) => weights === null || weights[i] > 0);
  let mean = 0;
  for (const value of curvature) mean += value / count;
  if (!(mean > 0)) return null;
  let variance = 0;
  for (const value of curvature) variance += (value - mean) ** 2 / count;
  const correction = 1 + (((count - degreesOfFreedom) / count) * variance) / mean ** 2;
  return (correction * Math.sqrt(sumSquares(robust.slope) / degreesOfFreedom)) / mean;
}

/** The arrays of all parameters, from those of the free ones. */
function scaled({ matrix, correlation }: UnscaledCovariance, free: readonly number[], p: number, scale: number) {
  const covariance = new Float64Array(p * p);
  const all = new Float64Array(p * p);
  const q = free.length;
  for (let j = 0; j < p; j++) all[j * p + j] = 1;
  for (let i = 0; i < q; i++)
    for (let j = 0; j < q; j++) {
      const value = matrix[i * q + j];
      // Without degrees of freedom, or with residuals of exactly 0: 0 * Infinity has no meaning, the factor that is not finite does.
      covariance[free[i] * p + free[j]] = value === 0 ? 0 : Number.isFinite(value) ? value * scale * scale : value;
      all[free[i] * p + free[j]] = correlation[i * q + j];
    }
  const standardErrors = Float64Array.from({ length: p }, (_, j) => Math.sqrt(covariance[j * p + j]));
  return { standardErrors, covariance, correlation: all };
}

function linearIntervals(estimates: Float64Array, standardErrors: Float64Array, quantile: number): Float64Array {
  const ends = new Float64Array(2 * estimates.length);
  for (const [j, estimate] of estimates.entries()) {
    ends[2 * j] = estimate - quantile * standardErrors[j];
    ends[2 * j + 1] = estimate + quantile * standardErrors[j];
  }
  return ends;
}

function explained({ observations, weights }: FitPoint, sumOfSquares: number, count: number, degreesOfFreedom: number) {
  if (observations === null) return { r2: null, adjustedR2: null };
  let total = 0;
  let mean = 0;
  for (let i = 0; i < observations.length; i++) {
    const weight = weights?.[i] ?? 1;
    if (weight === 0) continue;
    total += weight;
    mean += (weight / total) * (observations[i] - mean);
  }
  let about = 0;
  for (let i = 0; i < observations.length; i++) about += (weights?.[i] ?? 1) * (observations[i] - mean) ** 2;
  // Equal observations leave rounding about their mean.
  if (!(about > total * (mean * Number.EPSILON) ** 2)) return { r2: null, adjustedR2: null };
  const share = sumOfSquares / about;
  return {
    r2: 1 - share,
    adjustedR2: degreesOfFreedom === 0 ? null : 1 - share * ((count - 1) / degreesOfFreedom),
  };
}

function criteria({ weights, absoluteSigma, robust }: FitPoint, sumOfSquares: number, count: number, rank: number) {
  if (robust !== null || count === 0) return { aic: null, bic: null };
  let logWeights = 0;
  for (const weight of weights ?? []) if (weight > 0) logWeights += Math.log(weight);
  const deviance = absoluteSigma
    ? sumOfSquares + count * Math.log(2 * Math.PI) - logWeights
    : count * (Math.log((2 * Math.PI * sumOfSquares) / count) + 1) - logWeights;
  const parameters = absoluteSigma ? rank : rank + 1;
  return { aic: deviance + 2 * parameters, bic: deviance + Math.log(count) * parameters };
}

function warningsOf({ names, states }: FitPoint, undetermined: readonly string[], degreesOfFreedom: number): string[] {
  const warnings: string[] = [];
  const quoted = (some: readonly string[]) => listed(some.map((name) => JSON.stringify(name)));
  if (undetermined.length > 0)
    warnings.push(
      `the data do not determine ${quoted(undetermined)}: other values fit as well, and the standard errors are infinite; fix one of them, or give data that tell them apart`,
    );
  if (degreesOfFreedom === 0 && states.includes("free"))
    warnings.push(
      "there are as many parameters as observations: no degrees of freedom are left to estimate the noise, and standard errors need known sigmas",
    );
  const bound = names.filter((_, j) => states[j] === "lower bound" || states[j] === "upper bound");
  if (bound.length > 0)
    warnings.push(
      `${quoted(bound)} ${bound.length === 1 ? "lies at its bound and is" : "lie at their bounds and are"} held there: the standard errors of the others take that as given`,
    );
  return warnings;
}
