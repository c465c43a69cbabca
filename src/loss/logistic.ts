// The logistic loss (`logistic`), with one independent yes or no in each output: the negative log-likelihood of a Bernoulli target with
// probability sigma(psi) = 1 / (1 + exp(-psi)). Users pass it to `train` or `flow` as the option `loss`; rules.ts gives its rule to the
// engines.
//
//   l = log(1 + exp psi) - y psi        r = sigma - y        R = sqrt(sigma (1 - sigma))
import { sigmoid } from "../network/activations.js";
import { checkNonNegative, checkOptionNames } from "../options.js";
import { type LossRule, leastShare, sumOverOutputs } from "./loss.js";

/** Options of `logistic`. */
export interface LogisticOptions {
  /** Weight decay d >= 0, relative to the sum loss. Default 0: classes that can be separated then have no minimum. */
  readonly decay?: number | undefined;
}

/** Sum of logistic losses with weight decay. Made by `logistic`. */
export interface Logistic {
  /** Name of the loss. */
  readonly kind: "logistic";
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The logistic loss for targets from 0 to 1, one independent probability in each output. The trained network predicts probabilities.
 *
 * @example train(net, data, { loss: logistic({ decay: 1 }) })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or a negative decay.
 */
export function logistic(options: LogisticOptions = {}): Logistic {
  checkOptionNames("options", options, ["decay"]);
  const { decay = 0 } = options;
  checkNonNegative("options.decay", decay);
  return { kind: "logistic", decay };
}

export const logisticRule: LossRule = {
  label: "logistic loss",
  factor: "diagonal",
  exact: true,
  targets: "probability",
  link: "logistic",
  sumOfSquares: false,
  convex: true,
  startBias: {
    statistic: "means",
    biases: (means, samples) => {
      const least = leastShare(samples);
      return means.map((mean) => {
        const share = Math.min(1 - least, Math.max(least, mean));
        return Math.log(share / (1 - share));
      });
    },
  },
  ...sumOverOutputs((psi, y, out) => {
    // With the exponential of the smaller logit no digit is lost where the prediction is nearly certain.
    const no = sigmoid(-Math.abs(psi));
    const yes = 1 - no;
    const tail = Math.log1p(Math.exp(-Math.abs(psi)));
    out.value = psi >= 0 ? tail + (1 - y) * psi : tail - y * psi;
    out.gradient = psi >= 0 ? 1 - y - no : no - y;
    out.second = no * yes;
    out.factor = Math.sqrt(out.second);
  }),
};
