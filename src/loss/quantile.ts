// The smoothed quantile loss (`quantile`), which fits the tau quantile of the targets in place of their mean: a network for tau = 0.9
// predicts what 90% of the targets stay below. Users pass it to `train` or, with a smoothing, to `flow` as the option `loss`; rules.ts gives
// its rule to the engines. With e = psi - y, the smoothing h and sigma the logistic function:
//
//   l = h log(1 + exp(e/h)) - tau e        r = sigma(e/h) - tau        R = sqrt(tanh(e/2h) / (2e)), 1/(2 sqrt h) at 0
//   l'' = sigma(e/h) sigma(-e/h) / h
//
// For h to 0 it becomes the quantile or pinball loss max(e, 0) - tau e, whose kink has no curvature. l'' vanishes exponentially beyond some
// h of error. But for a line l is even in e with r / e falling with |e|, so that R^2 = tanh(e/2h) / (2e) majorizes.
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames, checkPositive } from "../options.js";
import { checkedScale } from "./found-scale.js";
import { type LossRule, ofScale, sumOverOutputs } from "./loss.js";

/** Options of `quantile`. */
export interface QuantileOptions {
  /** The share of the targets that stay below the predictions, between 0 and 1: 0.5 is the median. */
  readonly tau: number;
  /**
   * Width of the rounded kink, above 0, in the units the network is trained in: standard deviations of the target where a run standardizes,
   * else the units of the data. A wider kink trains in fewer iterations, and moves the share of targets below the predictions away from
   * tau. Default: `train` finds 0.1 times the standard deviation of the noise from the residuals of a first fit, and then keeps it fixed
   * (`TrainResult.lossUsed`). A flow and an engine need it given.
   */
  readonly smoothing?: number | undefined;
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of smoothed quantile losses with weight decay. Made by `quantile`. */
export interface Quantile {
  /** Name of the loss. */
  readonly kind: "quantile";
  /** The share of the targets that stay below the predictions. */
  readonly tau: number;
  /** Width of the rounded kink, in the units of training; null = `train` finds it. */
  readonly smoothing: number | null;
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The smoothed quantile loss: the network predicts the tau quantile of the targets.
 *
 * @example train(net, data, { loss: quantile({ tau: 0.9 }) })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option, a tau that is not between 0 and 1, a smoothing that is not above 0, or a
 * negative decay.
 */
export function quantile(options: QuantileOptions): Quantile {
  checkOptionNames("options", options, ["tau", "smoothing", "decay"]);
  const { tau, smoothing, decay = 0 } = options;
  checkShare("options.tau", tau);
  if (smoothing !== undefined) checkPositive("options.smoothing", smoothing);
  checkNonNegative("options.decay", decay);
  return { kind: "quantile", tau, smoothing: smoothing ?? null, decay };
}

/** @throws GAUSSFLOW_ARGUMENT for what is no number between 0 and 1 */
export function checkShare(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value > 0 && value < 1))
    throw argumentError(name, "must be a number above 0 and below 1", value);
}

/** The smoothing of a loss that is about to be computed. @throws GAUSSFLOW_ARGUMENT where it has not been found */
export function checkedSmoothing({ smoothing }: Quantile, name: string): number {
  return checkedScale(smoothing, "smoothing", "quantile({ tau, smoothing })", name);
}

export function quantileRule(loss: Quantile): LossRule {
  const { tau, smoothing } = loss;
  return {
    label: `quantile loss (tau ${tau}, ${smoothing === null ? "smoothing by a first fit" : `smoothing ${smoothing}`})`,
    factor: "diagonal",
    exact: false,
    targets: "real",
    link: "identity",
    sumOfSquares: false,
    convex: true,
    startBias: { statistic: "quantile", share: tau },
    ...ofScale(
      smoothing,
      () => checkedSmoothing(loss, "loss"),
      (h) => quantileSum(tau, h),
    ),
  };
}

function quantileSum(tau: number, h: number): ReturnType<typeof sumOverOutputs> {
  return sumOverOutputs((psi, y, out) => {
    const e = psi - y;
    const size = Math.abs(e);
    const z = size / h;
    // With the exponential of the smaller argument nothing overflows.
    const t = Math.exp(-z);
    const less = t / (1 + t);
    out.value = h * Math.log1p(t) + (e >= 0 ? 1 - tau : tau) * size;
    out.gradient = e >= 0 ? 1 - tau - less : less - tau;
    out.factor = z === 0 ? 0.5 / Math.sqrt(h) : Math.sqrt(Math.tanh(0.5 * z) / (2 * size));
    out.second = (less * (1 - less)) / h;
  });
}
