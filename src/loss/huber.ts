// The Huber loss (`huber`), for targets with outliers. Users pass it to `train` or, with a delta, to `flow` as the option `loss`; rules.ts
// gives its rule to the engines. With e = psi - y and the threshold d:
//
//   l = e^2/2 for |e| <= d, else d (|e| - d/2)        r = e limited to [-d, d]        R = sqrt(min(1, d/|e|))
//
// The second derivative is 0 outside of the threshold, where an outlier would leave no curvature. R^2 is the majorizing weight instead: it
// stays positive, and e r = e^2 R^2 (iteratively reweighted least squares). Without a delta, `train` finds it (found-scale.ts).
import { checkedScale, completedThreshold } from "./found-scale.js";
import { type LossRule, ofScale, sumOverOutputs } from "./loss.js";

/** Options of `huber`. */
export interface HuberOptions {
  /**
   * The error above which the loss grows linearly, above 0, in the units the network is trained in: standard deviations of the
   * target where a run standardizes, else the units of the data. 1.345 times the standard deviation of the noise without its
   * outliers is the usual choice. Default: `train` finds that number from the residuals of a first fit, and then keeps it fixed
   * (`TrainResult.lossUsed`). A flow and an engine need it given.
   */
  readonly delta?: number | undefined;
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of Huber losses with weight decay. Made by `huber`. */
export interface Huber {
  /** Name of the loss. */
  readonly kind: "huber";
  /** The error above which the loss grows linearly, in the units of training; null = `train` finds it. */
  readonly delta: number | null;
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The Huber loss: quadratic for small errors, linear for large ones, so that outliers pull with a bounded force.
 *
 * @example train(net, data, { loss: huber() })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option, a delta that is not above 0, or a negative decay.
 */
export function huber(options: HuberOptions = {}): Huber {
  return { kind: "huber", ...completedThreshold(options) };
}

/** The delta of a loss that is about to be computed. @throws GAUSSFLOW_ARGUMENT where it has not been found */
export function checkedDelta({ delta }: Huber, name: string): number {
  return checkedScale(delta, "delta", "huber({ delta })", name);
}

export function huberRule(loss: Huber): LossRule {
  const { delta } = loss;
  return {
    label: `Huber loss (${delta === null ? "delta by a first fit" : `delta ${delta}`})`,
    factor: "diagonal",
    exact: false,
    targets: "real",
    link: "identity",
    sumOfSquares: false,
    convex: true,
    startBias: null,
    ...ofScale(delta, () => checkedDelta(loss, "loss"), huberSum),
  };
}

function huberSum(delta: number): ReturnType<typeof sumOverOutputs> {
  return sumOverOutputs((psi, y, out) => {
    const e = psi - y;
    const size = Math.abs(e);
    const inside = size <= delta;
    out.value = inside ? 0.5 * e * e : delta * (size - 0.5 * delta);
    out.gradient = inside ? e : delta * Math.sign(e);
    out.factor = inside ? 1 : Math.sqrt(delta / size);
    // The product keeps a NaN.
    out.second = inside ? 1 : 0 * size;
  });
}
