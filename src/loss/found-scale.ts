// Scales of losses in the units of training: the threshold of `huber` and `pseudoHuber`, the smoothing of `quantile`. Each is a multiple of
// the standard deviation of the noise. Where none is given, `train` finds it from the residuals of a first fit (src/train/first-fit.ts):
//
//   scale = multiple * 1.4826 * median |e|
//
// 1.4826 median |e| estimates the standard deviation of normal noise, and outliers hardly move it. The losses check here that their scale
// is known before anything is computed with it.
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames, checkPositive } from "../options.js";

/**
 * Threshold over standard deviation: with it the Huber fit keeps 95% of the efficiency of squared error on normal noise (Huber 1964, Holland
 * and Welsch 1977), and the pseudo-Huber fit 95.4%.
 */
export const DELTA_MULTIPLE = 1.345;

/**
 * Smoothing over standard deviation. The smoothed loss fits the quantile of the targets plus logistic noise of this scale. Normal noise
 * becomes wider by a factor sqrt(1 + (pi multiple)^2 / 3) = 1.016, so that the share of targets below a fitted 0.9 quantile is 0.904.
 */
export const SMOOTHING_MULTIPLE = 0.1;

/** The scale for normal noise whose absolute values have this median. */
export function scaleOfMedian(multiple: number, median: number): number {
  return multiple * 1.4826 * median;
}

/**
 * The options of `huber` and `pseudoHuber`, checked; a delta of null is found by `train`.
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function completedThreshold(options: {
  readonly delta?: number | undefined;
  readonly decay?: number | undefined;
}): { readonly delta: number | null; readonly decay: number } {
  checkOptionNames("options", options, ["delta", "decay"]);
  const { delta, decay = 0 } = options;
  if (delta !== undefined) checkPositive("options.delta", delta);
  checkNonNegative("options.decay", decay);
  return { delta: delta ?? null, decay };
}

/**
 * The scale of a loss that is about to be computed.
 * @param parameter "delta" or "smoothing"
 * @param use the call that sets it: "huber({ delta })"
 * @param name how errors call the loss
 * @throws GAUSSFLOW_ARGUMENT where it has not been found
 */
export function checkedScale(scale: number | null, parameter: string, use: string, name: string): number {
  if (scale !== null) return scale;
  throw argumentError(
    `${name}.${parameter}`,
    `must be given here, since only train() finds it: use ${use}, for example with result.lossUsed.${parameter} of a training`,
    scale,
  );
}
