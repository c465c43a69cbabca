// Averages the probabilities of classes over the normal distribution of a network's outputs: what remains of a confident prediction where the
// outputs are uncertain. Uncertainty.probabilities calls it for batches of rows.
//   one output, or two classes   the integral of the logistic function over a normal density, by the trapezoidal rule, which for such an integrand
//                                converges as exp(-2 pi^2 / (s h)) (Trefethen and Weideman, SIAM Review 56 (2014) 385-458)
//   more classes                 the mean over a fixed set of normal draws, in pairs of opposite signs, that all rows share
// The probit approximation sigmoid(m / sqrt(1 + pi s^2 / 8)) (MacKay, Neural Computation 4 (1992) 720-736) is off by up to 0.02 where the
// integral costs next to nothing.
import { sigmoid } from "../network/activations.js";
import type { Link } from "../network/link.js";
import { applyLink } from "../network/link.js";
import { Random } from "../random.js";
import type { OutputDistribution } from "./prediction-variance.js";

/** Probabilities averaged over the posterior, and their standard deviations over it: n x c each, row-major. */
export interface AveragedProbabilities {
  /** Averages of the probabilities; for classes they sum to 1. */
  readonly probabilities: Float64Array;
  /** Standard deviation of each probability over the posterior. */
  readonly deviation: Float64Array;
}

/** Pairs of draws: a probability of 0.5 that is certain to within 0.3 is then known to 0.3 / sqrt(2 * 512), a hundredth. */
const PAIRS = 512;
/** Deviations of the normal density beyond which nothing is left of it. */
const WIDTH = 8.5;
/** Most steps of the rule to one side; at a deviation of 200 the logistic function is a step, of which the rule is off by 1e-3. */
const MOST_STEPS = 2000;

/** Mean and mean square of sigmoid(m + s z), z standard normal. */
export function logisticMoments(mean: number, deviation: number): { readonly first: number; readonly second: number } {
  const step = Math.max(WIDTH / MOST_STEPS, Math.min(0.5, 0.6 / deviation));
  let [weights, first, second] = [0, 0, 0];
  const last = Math.ceil(WIDTH / step);
  for (let k = -last; k <= last; k++) {
    const z = k * step;
    const weight = Math.exp((-z * z) / 2);
    const value = sigmoid(mean + deviation * z);
    weights += weight;
    first += weight * value;
    second += weight * value * value;
  }
  return { first: first / weights, second: second / weights };
}

/**
 * Writes the averages of a batch of rows from row `row` on.
 * @param covariance count x c x c for the link "softmax", variances count x c for "logistic"
 * @param draws of `normalDraws`, for more than two classes
 */
export function averageProbabilities(
  link: Link,
  { psi, covariance }: OutputDistribution,
  c: number,
  draws: Float64Array,
  out: AveragedProbabilities,
  row: number,
): void {
  const write = (at: number, first: number, second: number) => {
    out.probabilities[at] = first;
    out.deviation[at] = Math.sqrt(Math.max(0, second - first * first));
  };
  if (link === "logistic") {
    for (let k = 0; k < psi.length; k++) {
      const { first, second } = logisticMoments(psi[k]!, Math.sqrt(covariance[k]!));
      write(row * c + k, first, second);
    }
    return;
  }
  for (let i = 0; i < psi.length / c; i++) {
    const outputs = psi.subarray(i * c, (i + 1) * c);
    const block = covariance.subarray(i * c * c, (i + 1) * c * c);
    const at = (row + i) * c;
    if (c === 2) {
      const variance = Math.max(0, block[0]! + block[3]! - 2 * block[1]!);
      const { first, second } = logisticMoments(outputs[0]! - outputs[1]!, Math.sqrt(variance));
      write(at, first, second);
      write(at + 1, 1 - first, 1 - 2 * first + second);
    } else {
      const { first, second } = softmaxMoments(outputs, block, draws);
      for (let a = 0; a < c; a++) write(at + a, first[a]!, second[a]!);
    }
  }
}

/** Standard normal numbers for the outputs of one row, PAIRS x c; the same seed gives the same numbers on every platform. */
export function normalDraws(c: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: c > 2 ? PAIRS * c : 0 }, () => random.normal());
}

/** Means and mean squares of softmax(psi + L z) over the draws and their opposites, L L^T the covariance. */
function softmaxMoments(psi: Float64Array, covariance: Float64Array, draws: Float64Array) {
  const c = psi.length;
  const root = semidefiniteRoot(covariance, c);
  const first = new Float64Array(c);
  const second = new Float64Array(c);
  const shift = new Float64Array(c);
  const sample = new Float64Array(c);
  for (let at = 0; at < draws.length; at += c) {
    for (let a = 0; a < c; a++) {
      shift[a] = 0;
      for (let b = 0; b <= a; b++) shift[a]! += root[a * c + b]! * draws[at + b]!;
    }
    for (const sign of [1, -1]) {
      for (let a = 0; a < c; a++) sample[a] = psi[a]! + sign * shift[a]!;
      applyLink("softmax", sample, c);
      for (let a = 0; a < c; a++) {
        first[a]! += sample[a]!;
        second[a]! += sample[a]! ** 2;
      }
    }
  }
  const count = (2 * draws.length) / c;
  return { first: first.map((sum) => sum / count), second: second.map((sum) => sum / count) };
}

/** Lower Cholesky factor of a small covariance; columns without a positive pivot, as of directions that nothing moves, are 0. */
function semidefiniteRoot(covariance: Float64Array, c: number): Float64Array {
  const root = new Float64Array(c * c);
  for (let j = 0; j < c; j++) {
    let pivot = covariance[j * c + j]!;
    for (let k = 0; k < j; k++) pivot -= root[j * c + k]! ** 2;
    if (!(pivot > c * Number.EPSILON * covariance[j * c + j]!)) continue;
    root[j * c + j] = Math.sqrt(pivot);
    for (let i = j + 1; i < c; i++) {
      let sum = covariance[i * c + j]!;
      for (let k = 0; k < j; k++) sum -= root[i * c + k]! * root[j * c + k]!;
      root[i * c + j] = sum / root[j * c + j]!;
    }
  }
  return root;
}
