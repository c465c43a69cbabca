// The log-cosh loss (`logCosh`), for targets with outliers, with nothing to choose. Users pass it to `train` or `flow` as the option `loss`;
// rules.ts gives its rule to the engines. With e = psi - y:
//
//   l = log cosh e        r = tanh e        R = sqrt(tanh(e)/e), 1 at 0        l'' = 1/cosh^2 e
//
// l'' falls exponentially with the error, so that an outlier would leave no curvature. R^2 = r / e majorizes instead, because l is even and
// r / e falls with |e|.
import { checkNonNegative, checkOptionNames } from "../options.js";
import { type LossRule, sumOverOutputs } from "./loss.js";

/** Options of `logCosh`. */
export interface LogCoshOptions {
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of log-cosh losses with weight decay. Made by `logCosh`. */
export interface LogCosh {
  /** Name of the loss. */
  readonly kind: "log-cosh";
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The log-cosh loss: half the square of a small error, the size of a large one. What is large is measured in the units the network is
 * trained in: an error beyond one standard deviation of the target where a run standardizes, else beyond 1. `pseudoHuber` takes its
 * threshold from the noise instead.
 *
 * @example train(net, data, { loss: logCosh() })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or a negative decay.
 */
export function logCosh(options: LogCoshOptions = {}): LogCosh {
  checkOptionNames("options", options, ["decay"]);
  const { decay = 0 } = options;
  checkNonNegative("options.decay", decay);
  return { kind: "log-cosh", decay };
}

export const logCoshRule: LossRule = {
  label: "log-cosh loss",
  factor: "diagonal",
  exact: false,
  targets: "real",
  link: "identity",
  sumOfSquares: false,
  convex: true,
  startBias: null,
  ...sumOverOutputs((psi, y, out) => {
    const e = psi - y;
    const size = Math.abs(e);
    const tail = Math.exp(-2 * size);
    // log cosh = log(1 + sinh^2) / 2 near 0, where the other form cancels; sinh^2 of a large error would overflow.
    out.value = size < 1 ? 0.5 * Math.log1p(Math.sinh(e) ** 2) : size + Math.log1p(tail) - Math.LN2;
    out.gradient = Math.tanh(e);
    out.factor = e === 0 ? 1 : Math.sqrt(out.gradient / e);
    // 1 - tanh^2 would cancel where tanh is nearly 1.
    out.second = (4 * tail) / (1 + tail) ** 2;
  }),
};
