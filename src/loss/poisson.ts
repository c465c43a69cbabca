// The Poisson loss (`poisson`), for counts and rates: the negative log-likelihood of a Poisson target with mean exp(psi), less its least
// value over psi. Users pass it to `train` or `flow` as the option `loss`; rules.ts gives its rule to the engines. With u = psi - log y:
//
//   l = exp psi - y psi - (y - y log y) = y (exp u - 1 - u); exp psi for y = 0        r = exp psi - y        R = exp(psi/2)
//
// l is half the deviance, and so 0 for a prediction that is right. R is exact: l'' = exp psi. A mean that overflows has an infinite loss,
// and a step to it is rejected. Counts of unequal exposure E have rates y/E as targets and E as the weights (data/exposure.ts), because
// E l(psi; y/E) is the loss of the count y with mean E exp psi.
import { checkNonNegative, checkOptionNames } from "../options.js";
import { type LossRule, leastShare, sumOverOutputs } from "./loss.js";

/** Options of `poisson`. */
export interface PoissonOptions {
  /** Weight decay d >= 0, relative to the sum loss. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of Poisson losses with weight decay. Made by `poisson`. */
export interface Poisson {
  /** Name of the loss. */
  readonly kind: "poisson";
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The Poisson loss for counts and rates: targets of at least 0. The trained network predicts means, exp of its outputs. For counts over
 * unequal times, areas or populations make the data by `withExposure`.
 *
 * @example train(net, data, { loss: poisson() })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or a negative decay.
 */
export function poisson(options: PoissonOptions = {}): Poisson {
  checkOptionNames("options", options, ["decay"]);
  const { decay = 0 } = options;
  checkNonNegative("options.decay", decay);
  return { kind: "poisson", decay };
}

export const poissonRule: LossRule = {
  label: "Poisson loss",
  factor: "diagonal",
  exact: true,
  targets: "count",
  link: "exp",
  sumOfSquares: false,
  convex: true,
  startBias: {
    statistic: "means",
    biases: (means, samples) => means.map((mean) => Math.log(mean > 0 ? mean : leastShare(samples))),
  },
  ...sumOverOutputs((psi, y, out) => {
    const mean = Math.exp(psi);
    out.value = y === 0 ? mean : y * excess(psi - Math.log(y));
    out.gradient = mean - y;
    out.factor = Math.exp(0.5 * psi);
    out.second = mean;
  }),
};

/** Terms of the series for |u| <= 1/2: the first that is left out is below 1e-17 of the sum. */
const TERMS = 14;

/** exp u - 1 - u, to the last digits. */
export function excess(u: number): number {
  if (!(Math.abs(u) <= 0.5)) return Math.expm1(u) - u;
  // u^2/2 (1 + u/3 (1 + u/4 (...))): the difference would cancel.
  let sum = 1;
  for (let k = TERMS; k >= 3; k--) sum = 1 + (u / k) * sum;
  return 0.5 * u * u * sum;
}
