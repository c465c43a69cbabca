// The softmax cross-entropy (`softmaxCrossEntropy`), for one class among c: the negative log-likelihood of a class with probabilities p =
// softmax(psi), for targets that are probabilities themselves. Users pass it to `train` or `flow` as the option `loss`; rules.ts gives its
// rule to the engines. With q = sqrt(p):
//
//   l = log sum exp psi - y.psi        r = p - y        Q = diag(p) - p p^T = R R^T,  R = diag(q) - p q^T
//
// The entries of r sum to 0, so R z = r for z = r/q. Q is singular: a shift of all outputs of a sample changes nothing. Q is the second
// derivative: Q v = p (v - p.v), where any number may be subtracted from all entries of v first.
//
// Label smoothing e takes (1 - e) y + e/c for y, which is a scaling of the target columns. The rule applies it to each block,
// and the native engine to the targets that its addon gets, so that the formulas above are all that either of them knows.
// Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, Rethinking the Inception architecture (2016), section 7.
import type { ColumnScaling } from "../data/column-moments.js";
import { scaleColumns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames } from "../options.js";
import { type LossBlock, type LossRule, type LossSeeds, leastShare, weightedQuotient } from "./loss.js";

/** Options of `softmaxCrossEntropy`. */
export interface SoftmaxCrossEntropyOptions {
  /**
   * Label smoothing e, at least 0 and below 1: a target y counts as (1 - e) y + e/c, with c classes. Predictions are then less sure, which
   * helps where some labels are wrong; classes that can be separated have a minimum, and the least loss is above 0. Default 0.
   */
  readonly smoothing?: number | undefined;
  /** Weight decay d >= 0, relative to the sum loss. Default 0: without smoothing, classes that can be separated then have no minimum. */
  readonly decay?: number | undefined;
}

/** Sum of cross-entropies with weight decay. Made by `softmaxCrossEntropy`. */
export interface SoftmaxCrossEntropy {
  /** Name of the loss. */
  readonly kind: "softmax-cross-entropy";
  /** Label smoothing, at least 0 and below 1. */
  readonly smoothing: number;
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The cross-entropy of class probabilities. Targets have one column a class, in every row numbers from 0 to 1 that sum to 1: a 1 at the
 * class, or probabilities. The trained network predicts probabilities.
 *
 * @example train(net, data, { loss: softmaxCrossEntropy({ decay: 1 }) })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option, a smoothing that is negative or not below 1, or a negative decay.
 */
export function softmaxCrossEntropy(options: SoftmaxCrossEntropyOptions = {}): SoftmaxCrossEntropy {
  checkOptionNames("options", options, ["smoothing", "decay"]);
  const { smoothing = 0, decay = 0 } = options;
  checkLabelSmoothing("options.smoothing", smoothing);
  checkNonNegative("options.decay", decay);
  return { kind: "softmax-cross-entropy", smoothing, decay };
}

/** @throws GAUSSFLOW_ARGUMENT for what is no number of at least 0 and below 1 */
export function checkLabelSmoothing(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0 && value < 1))
    throw argumentError(name, "must be a number of at least 0 and below 1", value);
}

/**
 * Label smoothing e as a scaling of the c target columns: (y - offset) / scale = (1 - e) y + e/c.
 * @param classCount c
 */
export function smoothedColumns(smoothing: number, classCount: number): ColumnScaling {
  const kept = 1 - smoothing;
  return {
    offset: new Float64Array(classCount).fill(-smoothing / (classCount * kept)),
    scale: new Float64Array(classCount).fill(1 / kept),
  };
}

export function softmaxCrossEntropyRule({ smoothing }: SoftmaxCrossEntropy): LossRule {
  if (smoothing === 0) return unsmoothed;
  const smooth = (targets: Float64Array, c: number) => scaleColumns(targets, smoothedColumns(smoothing, c));
  const smoothed = (block: LossBlock) => ({ ...block, targets: smooth(block.targets, block.outputSize) });
  return {
    ...unsmoothed,
    label: `softmax cross-entropy (label smoothing ${smoothing})`,
    startBias: { statistic: "means", biases: (means, samples) => biasesOf(smooth(means, means.length), samples) },
    apply: (block, seeds) => unsmoothed.apply(smoothed(block), seeds),
    applyHessian: (block, images) => unsmoothed.applyHessian(smoothed(block), images),
  };
}

/** The logarithms of the shares. A shift of all changes nothing, and with the sum 0 a decay of the biases costs least. */
function biasesOf(means: Float64Array, samples: number): Float64Array {
  const logarithms = means.map((mean) => Math.log(Math.max(mean, leastShare(samples))));
  const middle = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length;
  return logarithms.map((value) => value - middle);
}

const unsmoothed: LossRule = {
  label: "softmax cross-entropy",
  factor: "full",
  exact: true,
  targets: "distribution",
  link: "softmax",
  sumOfSquares: false,
  convex: true,
  startBias: { statistic: "means", biases: biasesOf },
  apply(block, seeds) {
    const scratch = new Float64Array(block.outputSize);
    let sum = 0;
    for (let i = 0; i < block.count; i++) sum += applyToSample(block, i, scratch, seeds);
    return sum;
  },
  applyHessian(block, images) {
    const p = new Float64Array(block.outputSize);
    for (let i = 0; i < block.count; i++) applyHessianToSample(block, i, p, images);
  },
};

/** Of a sample's logits: the largest, its position, and the sum of the other exponentials relative to it. */
interface Exponentials {
  readonly top: number;
  readonly largest: number;
  readonly rest: number;
}

/** Fills `p` with exp(psi - largest) of the sample whose logits begin at `at`. */
function exponentials(predictions: Float64Array, at: number, p: Float64Array): Exponentials {
  let top = 0;
  for (let a = 1; a < p.length; a++) if (predictions[at + a]! > predictions[at + top]!) top = a;
  const largest = predictions[at + top]!;
  let rest = 0;
  for (let a = 0; a < p.length; a++) {
    p[a] = Math.exp(predictions[at + a]! - largest);
    if (a !== top) rest += p[a]!;
  }
  return { top, largest, rest };
}

/** Q v of sample i in place of v, which begins at its row of `images`; `p` is scratch for the probabilities. */
function applyHessianToSample(
  { outputSize: c, predictions, targets }: LossBlock,
  i: number,
  p: Float64Array,
  images: Float64Array,
): void {
  const at = i * c;
  const { top, rest } = exponentials(predictions, at, p);
  // Relative to the entry of the largest logit, so that nothing cancels where its probability is nearly 1.
  const shift = images[at + top]!;
  let [total, mean] = [0, 0];
  for (let a = 0; a < c; a++) {
    p[a]! /= 1 + rest;
    total += targets[at + a]!;
    if (a !== top) mean += p[a]! * (images[at + a]! - shift);
  }
  for (let a = 0; a < c; a++) images[at + a] = total * p[a]! * (images[at + a]! - shift - mean);
}

/** s l of sample i of the block, and its seeds; `p` is scratch for the probabilities. */
function applyToSample(
  { outputSize: c, predictions, targets, roots, first }: LossBlock,
  i: number,
  p: Float64Array,
  seeds: LossSeeds | null,
): number {
  const at = i * c;
  const { top, largest, rest } = exponentials(predictions, at, p);
  let total = 0;
  for (let a = 0; a < c; a++) total += targets[at + a]!;
  const logarithm = Math.log1p(rest);
  let value = 0;
  for (let a = 0; a < c; a++) {
    const y = targets[at + a]!;
    // A logit of -Infinity would leave no trace where its target is 0.
    value += 0 * predictions[at + a]!;
    if (y !== 0) value += y * (logarithm - (predictions[at + a]! - largest));
  }
  const root = roots === null ? 1 : roots[first + i]!;
  if (seeds === null) return root * root * value;
  const sum = 1 + rest;
  // Targets sum to 1 but for rounding; with their sum as the factor of p the entries of r sum to 0 exactly.
  const scale = root * Math.sqrt(total);
  for (let a = 0; a < c; a++) p[a]! /= sum;
  for (let a = 0; a < c; a++) {
    const y = targets[at + a]!;
    // 1 - p of the largest, without the digits that the difference would lose.
    const miss = a === top ? rest / sum : 1 - p[a]!;
    const r = a === top ? total - y - total * miss : total * p[a]! - y;
    const q = Math.sqrt(p[a]!);
    seeds.gradient[at + a] = root * root * r;
    seeds.z[at + a] = weightedQuotient(root, r, q) / Math.sqrt(total);
    // Column a of R: q_a (e_a - p).
    const column = (at + a) * c;
    for (let b = 0; b < c; b++) seeds.factor[column + b] = -scale * q * p[b]!;
    seeds.factor[column + a] = scale * q * miss;
  }
  return root * root * value;
}
