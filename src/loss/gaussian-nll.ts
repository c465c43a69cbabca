// The Gaussian negative log-likelihood (`gaussianNll`), for targets whose noise depends on the inputs: the network predicts a mean and a
// standard deviation of each target. Users pass the loss to `train` or `flow` as the option `loss`; rules.ts gives its rule to the engines.
//
// The network has 2k outputs for k targets: the means m, then v. With e = m - y and the variance s = exp(v) + F, F = VARIANCE_FLOOR:
//
//   l = (log s + e^2/s)/2        (without the constant log(2 pi)/2; it is below 0 where the deviation is below about 1/3 of a unit)
//   w = exp(v)/s, q = e^2/s:     r = (e/s, w (1 - q)/2)
//   l'' = [ 1/s, -e w/s ; -e w/s, w ((1-w)(1-q) + w q)/2 ]
//   R = diag( sqrt(2/s), sqrt(w max(w, 1-w + q (4w-1))/2) )
//
// F bounds l from below. Without it a network that passes through a point could raise the likelihood there without limit.
//
// l'' is never positive definite for w = 1, so that it cannot be factored. R R^T - l'' is positive semidefinite: a bound at the point, with
// the Fisher information w/sqrt(2) as the least second entry of R. No bound holds for all steps, because q grows exponentially as v falls.
import { VARIANCE_FLOOR } from "../network/link.js";
import { checkNonNegative, checkOptionNames } from "../options.js";
import { type LossBlock, type LossRule, type LossSeeds, weightedQuotient } from "./loss.js";

/** Options of `gaussianNll`. */
export interface GaussianNllOptions {
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of Gaussian negative log-likelihoods with weight decay. Made by `gaussianNll`. */
export interface GaussianNll {
  /** Name of the loss. */
  readonly kind: "gaussian-nll";
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The negative log-likelihood of a normal distribution whose mean and standard deviation both depend on the inputs. The network has two
 * outputs for each target. Predictions are the means, and `network.predictDistribution` gives the deviations too, both in the units of the
 * data.
 *
 * The deviation does not fall below a thousandth of a unit of training, which is a standard deviation of the target where a run
 * standardizes. `train` fits the means alone first, and begins with the deviation of the targets (docs/guide.md).
 *
 * @example
 * const net = network({ layers: [1, 16, 2] });
 * const { network: fitted } = await train(net, data, { loss: gaussianNll() });
 * const { mean, deviation } = fitted.predictDistribution(inputs);
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or a negative decay.
 */
export function gaussianNll(options: GaussianNllOptions = {}): GaussianNll {
  checkOptionNames("options", options, ["decay"]);
  const { decay = 0 } = options;
  checkNonNegative("options.decay", decay);
  return { kind: "gaussian-nll", decay };
}

/** The terms of one target. */
interface Terms {
  /** e = m - y. */
  error: number;
  /** 1/s. */
  precision: number;
  /** log s. */
  logarithm: number;
  /** w = exp(v)/s, and 1 - w without loss of digits. */
  share: number;
  rest: number;
  /** q = e^2/s. */
  square: number;
}

/** No exponential overflows, whatever v. */
function fillTerms(m: number, v: number, y: number, out: Terms): void {
  const small = Math.exp(-Math.abs(v));
  if (v > 0) {
    const whole = 1 + VARIANCE_FLOOR * small;
    out.precision = small / whole;
    out.share = 1 / whole;
    out.rest = (VARIANCE_FLOOR * small) / whole;
    out.logarithm = v + Math.log1p(VARIANCE_FLOOR * small);
  } else {
    const variance = small + VARIANCE_FLOOR;
    out.precision = 1 / variance;
    out.share = small / variance;
    out.rest = VARIANCE_FLOOR / variance;
    out.logarithm = Math.log(variance);
  }
  out.error = m - y;
  out.square = out.error * out.error * out.precision;
}

const noTerms = (): Terms => ({ error: 0, precision: 0, logarithm: 0, share: 0, rest: 0, square: 0 });

export const gaussianNllRule: LossRule = {
  label: "Gaussian negative log-likelihood",
  factor: "diagonal",
  exact: false,
  targets: "real",
  link: "gaussian",
  sumOfSquares: false,
  convex: false,
  // The means start at 0, those of standardized targets, before train/mean-fit.ts fits them.
  startBias: null,
  apply({ count, outputSize: c, predictions, targets, roots, first }, seeds) {
    const one = noTerms();
    const k = c / 2;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const root = roots === null ? 1 : roots[first + i]!;
      for (let j = 0; j < k; j++) {
        const mean = i * c + j;
        fillTerms(predictions[mean]!, predictions[mean + k]!, targets[i * k + j]!, one);
        sum += (root * root * (one.logarithm + one.square)) / 2;
        if (seeds !== null) fillSeeds(one, root, mean, mean + k, seeds);
      }
    }
    return sum;
  },
  applyHessian({ count, outputSize: c, predictions, targets }: LossBlock, images: Float64Array) {
    const one = noTerms();
    const k = c / 2;
    for (let i = 0; i < count; i++)
      for (let j = 0; j < k; j++) {
        const mean = i * c + j;
        fillTerms(predictions[mean]!, predictions[mean + k]!, targets[i * k + j]!, one);
        const { error, precision, share, rest, square } = one;
        const [u, v] = [images[mean]!, images[mean + k]!];
        const mixed = -error * precision * share;
        images[mean] = precision * u + mixed * v;
        images[mean + k] = mixed * u + (share / 2) * (rest * (1 - square) + share * square) * v;
      }
  },
};

function fillSeeds(
  { error, precision, share, rest, square }: Terms,
  root: number,
  mean: number,
  variance: number,
  { factor, gradient, z }: LossSeeds,
): void {
  const fill = (at: number, slope: number, curvature: number) => {
    const r = Math.sqrt(curvature);
    factor[at] = root * r;
    gradient[at] = root * root * slope;
    z[at] = weightedQuotient(root, slope, r);
  };
  fill(mean, error * precision, 2 * precision);
  fill(variance, (share * (1 - square)) / 2, (share * Math.max(share, rest + square * (4 * share - 1))) / 2);
}
