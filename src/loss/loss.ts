// Defines the interface of a loss (`LossRule`): each loss of this folder implements it, and the reference engine calls it for every block
// of samples (backend/reference/seeds.ts). For one sample with outputs psi and weight s a loss gives
//
//   s l          its value                                             s r   its gradient by psi
//   sqrt(s) R    a factor of its curvature, Q = R R^T                  sqrt(s) z   with R z = r
//
// The engines send the columns of R backward through the network in place of unit vectors, so that J~ = sqrt(s) R^T J, G = J~^T J~ and the
// gradient is J~^T z. Products with the exact Hessian need the second derivative l'' by psi too, because a majorizing Q is not l''.
import type { Link } from "../network/link.js";

/** A block of samples, and what the network predicts for them. */
export interface LossBlock {
  /** Number of samples. */
  readonly count: number;
  /** Outputs a sample, c. */
  readonly outputSize: number;
  /** psi, count x c. */
  readonly predictions: Float64Array;
  /** count x k: k = c, or c over the outputs that the loss has for each target (`outputsPerTarget` of its link). */
  readonly targets: Float64Array;
  /** Root of the weight of each sample of the data; null = all 1. */
  readonly roots: Float64Array | null;
  /** Index in `roots` of the block's first sample. */
  readonly first: number;
}

/** What a loss writes for the backward passes of a block. */
export interface LossSeeds {
  /**
   * sqrt(s) R. Diagonal: one entry an output, count x c. Full: count x c x c, entry (i, b, a) is R_ab of sample i, so that column b of R,
   * the seed of backward row b, is contiguous.
   */
  readonly factor: Float64Array;
  /** sqrt(s) z, count x c. An entry is not finite where R is too small for its r. */
  readonly z: Float64Array;
  /** s r, count x c. */
  readonly gradient: Float64Array;
}

/** The kind of targets that a loss needs. */
export type TargetKind =
  /** Any finite numbers; a run standardizes them. */
  | "real"
  /** Finite numbers of at least 0: counts, or rates. */
  | "count"
  /** Numbers from 0 to 1. */
  | "probability"
  /** Rows of numbers from 0 to 1 that sum to 1. */
  | "distribution";

/**
 * Output biases at which a constant prediction is best, or nearly so, for the targets of a training: from the weighted mean of each target
 * column, or the weighted quantile of each in the units of training.
 */
export type StartBias =
  | {
      readonly statistic: "means";
      /** @param samples number of rows behind the means */
      biases(means: Float64Array, samples: number): Float64Array;
    }
  | { readonly statistic: "quantile"; readonly share: number };

/** Half a sample: means of 0 and shares of 0 or 1 have no logarithm, and start from this distance to it. */
export function leastShare(samples: number): number {
  return 0.5 / samples;
}

/** A loss with its parameters set. */
export interface LossRule {
  /** Name in messages: "squared error", "Huber loss (delta 0.5)". */
  readonly label: string;
  /** R is diagonal where the outputs are independent of each other; else it is c x c. */
  readonly factor: "diagonal" | "full";
  /**
   * Whether R R^T is the second derivative of l. Else Q is at least as large: Q - l'' is positive semidefinite. Of independent outputs Q also
   * majorizes l: l(psi + h) <= l + r h + h Q h / 2 for every h.
   */
  readonly exact: boolean;
  /** What the targets must be. */
  readonly targets: TargetKind;
  /** The function from the outputs of the network to its predictions. It also decides how many outputs each target has. */
  readonly link: Link;
  /**
   * Whether l is half the square of z, so that the minimum may be 0, sqrt(2 loss) is the norm of a residual and the mean loss is twice
   * the mean of l: squared error alone.
   */
  readonly sumOfSquares: boolean;
  /** Whether l is convex in psi. If it is not, the Hessian can have negative curvature along the whole path, not only far from a minimum. */
  readonly convex: boolean;
  /** Where the output biases of a freshly drawn network start (train/start-bias.ts); null = at 0, the mean of standardized targets. */
  readonly startBias: StartBias | null;
  /** Sum of s l over the block; fills `seeds` too where they are given. Values that are not finite pass through. */
  apply(block: LossBlock, seeds: LossSeeds | null): number;
  /**
   * Multiplies each sample's row of `images` (count x c) by the second derivative of l by psi at the predictions, in place and without the
   * sample's weight.
   */
  applyHessian(block: LossBlock, images: Float64Array): void;
}

/** The terms of a loss of independent outputs, for one output. */
export interface OutputTerms {
  /** l. */
  value: number;
  /** r. */
  gradient: number;
  /** R, at least 0. */
  factor: number;
  /** The second derivative of l. R^2 equals it where R is exact. */
  second: number;
}

/** The two functions of a loss that is a sum over outputs: `terms` fills its last argument for the prediction psi of the target y. */
export function sumOverOutputs(
  terms: (psi: number, y: number, out: OutputTerms) => void,
): Pick<LossRule, "apply" | "applyHessian"> {
  const one: OutputTerms = { value: 0, gradient: 0, factor: 0, second: 0 };
  return {
    apply({ count, outputSize: c, predictions, targets, roots, first }, seeds) {
      let sum = 0;
      for (let i = 0, k = 0; i < count; i++) {
        const root = roots === null ? 1 : roots[first + i]!;
        for (let a = 0; a < c; a++, k++) {
          terms(predictions[k]!, targets[k]!, one);
          sum += root * root * one.value;
          if (seeds === null) continue;
          seeds.factor[k] = root * one.factor;
          seeds.gradient[k] = root * root * one.gradient;
          seeds.z[k] = weightedQuotient(root, one.gradient, one.factor);
        }
      }
      return sum;
    },
    applyHessian({ count, outputSize: c, predictions, targets }, images) {
      for (let k = 0; k < count * c; k++) {
        terms(predictions[k]!, targets[k]!, one);
        images[k]! *= one.second;
      }
    },
  };
}

/**
 * The two functions of a loss whose scale `train` may have to find first: without it they are `refuse`, so that label and kinds of such a
 * loss are known.
 */
export function ofScale(
  scale: number | null,
  refuse: () => number,
  make: (scale: number) => ReturnType<typeof sumOverOutputs>,
): ReturnType<typeof sumOverOutputs> {
  return scale === null ? { apply: refuse, applyHessian: refuse } : make(scale);
}

/** sqrt(s) z = sqrt(s) r / R. It is 0 where the sample has no slope or no weight, whatever R. */
export function weightedQuotient(root: number, gradient: number, factor: number): number {
  return root === 0 || gradient === 0 ? 0 : root * (gradient / factor);
}
