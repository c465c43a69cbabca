// The pseudo-Huber loss (`pseudoHuber`), a smooth relative of the Huber loss (huber.ts) for targets with outliers. Users pass it to `train`
// or, with a delta, to `flow` as the option `loss`; rules.ts gives its rule to the engines. With e = psi - y, the threshold d and
// t = sqrt(1 + (e/d)^2):
//
//   l = d^2 (t - 1) = e^2 / (1 + t)        r = e / t        R = t^(-1/2)        l'' = t^-3
//
// l'' falls with the third power of the error, so that an outlier would leave nearly no curvature. R^2 = r / e majorizes instead, because
// l is even and r / e falls with |e|. Without a delta, `train` finds it (found-scale.ts).
import { checkedScale, completedThreshold } from "./found-scale.js";
import { type LossRule, ofScale, sumOverOutputs } from "./loss.js";

/** Options of `pseudoHuber`. */
export interface PseudoHuberOptions {
  /**
   * The error from which on the loss grows more linearly than quadratically, above 0, in the units the network is trained in: standard
   * deviations of the target where a run standardizes, else the units of the data. Default: `train` finds 1.345 times the standard
   * deviation of the noise from the residuals of a first fit, as for `huber`, and then keeps it fixed (`TrainResult.lossUsed`). A flow
   * and an engine need it given.
   */
  readonly delta?: number | undefined;
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of pseudo-Huber losses with weight decay. Made by `pseudoHuber`. */
export interface PseudoHuber {
  /** Name of the loss. */
  readonly kind: "pseudo-huber";
  /** The error from which on the loss grows more linearly than quadratically, in the units of training; null = `train` finds it. */
  readonly delta: number | null;
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The pseudo-Huber loss: like the Huber loss, with derivatives of every order, so that trainings converge faster near the minimum.
 *
 * @example train(net, data, { loss: pseudoHuber() })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option, a delta that is not above 0, or a negative decay.
 */
export function pseudoHuber(options: PseudoHuberOptions = {}): PseudoHuber {
  return { kind: "pseudo-huber", ...completedThreshold(options) };
}

/** The delta of a loss that is about to be computed. @throws GAUSSFLOW_ARGUMENT where it has not been found */
export function checkedPseudoDelta({ delta }: PseudoHuber, name: string): number {
  return checkedScale(delta, "delta", "pseudoHuber({ delta })", name);
}

export function pseudoHuberRule(loss: PseudoHuber): LossRule {
  const { delta } = loss;
  return {
    label: `pseudo-Huber loss (${delta === null ? "delta by a first fit" : `delta ${delta}`})`,
    factor: "diagonal",
    exact: false,
    targets: "real",
    link: "identity",
    sumOfSquares: false,
    convex: true,
    startBias: null,
    ...ofScale(delta, () => checkedPseudoDelta(loss, "loss"), pseudoHuberSum),
  };
}

function pseudoHuberSum(delta: number): ReturnType<typeof sumOverOutputs> {
  return sumOverOutputs((psi, y, out) => {
    const e = psi - y;
    // The square of a large error would overflow, and the difference of l cancels near 0.
    const ratio = Math.abs(e / delta);
    const t = ratio > 1e8 ? ratio : Math.sqrt(1 + ratio * ratio);
    out.value = e * (e / (1 + t));
    out.gradient = e / t;
    out.factor = 1 / Math.sqrt(t);
    out.second = 1 / t / t / t;
  });
}
