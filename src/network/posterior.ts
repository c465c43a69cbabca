// Defines Posterior, what a network keeps of its training for intervals: the eigenvectors of the curvature at its minimum and the noise, plain
// numbers that the model file stores (posterior-file.ts). src/uncertainty computes it after a training and predicts with it; it is declared
// here because a network carries it.
//   precision of the parameters (over the noise)   A = G + decay I,   G = J~^T J~ at the network's parameters
//   "parameters"   G = V^T diag(values) V, rows of V are the vectors                  p entries a vector
//   "samples"      K = J~ J~^T = U^T diag(values) U; then G has the eigenvectors J~^T u / sqrt(value)     n c entries a vector
// What is left out of a matrix without weight decay are directions in which the data say nothing: below rounding of the largest value.

import { argumentError } from "../errors.js";
import { checkCount, checkDoubles, checkNonNegative, checkOptionNames, isObject } from "../options.js";
import type { Link } from "./link.js";

/** What intervals need of a training. All numbers are in the units of training; its arrays must not be changed. */
export interface Posterior {
  /** What the vectors are indexed by: parameters where there are at most as many as equations n c, else samples and outputs. */
  readonly space: "parameters" | "samples";
  /** Weight decay d of the training, at least 0. */
  readonly decay: number;
  /** Eigenvalues of G that are kept, ascending, at least 0. */
  readonly values: Float64Array;
  /** Their unit eigenvectors as rows: p, or n c entries each (sample-major). */
  readonly vectors: Float64Array;
  /** Effective number of parameters, trace of G (G + d I)^-1. */
  readonly gamma: number;
  /** Rows that were fitted, those with a weight: n. */
  readonly samples: number;
  /** Standard deviation of an observation of weight 1, one a target; null for classes, which have no noise beside their probabilities. */
  readonly noise: Float64Array | null;
  /** Degrees of freedom behind each of them, n - gamma of the target; null for classes. */
  readonly degrees: Float64Array | null;
  /** In the space of samples: inputs of the training, n x d; else null. */
  readonly inputs: Float64Array | null;
  /** In the space of samples: roots of the weights of the samples, n; null where all are 1, and in the other space. */
  readonly roots: Float64Array | null;
}

const NAMES = ["space", "decay", "values", "vectors", "gamma", "samples", "noise", "degrees", "inputs", "roots"];

/**
 * A posterior that fits the network, or null.
 * @param name how errors call it
 * @throws GAUSSFLOW_ARGUMENT
 */
export function checkPosterior(name: string, given: Posterior | null, network: PosteriorSizes): Posterior | null {
  if (given === null) return null;
  if (!isObject(given)) throw argumentError(name, "must be the posterior of a network, or null", given);
  checkOptionNames(name, given, NAMES);
  const posterior = given as Posterior;
  const { space, samples } = posterior;
  if (space !== "parameters" && space !== "samples")
    throw argumentError(`${name}.space`, 'must be "parameters" or "samples"', space);
  checkCount(`${name}.samples`, samples, 1);
  checkNonNegative(`${name}.decay`, posterior.decay);
  checkNonNegative(`${name}.gamma`, posterior.gamma);
  if (!["identity", "logistic", "softmax"].includes(network.link))
    throw argumentError(name, `must be null for a network with the link "${network.link}"`, "a posterior");
  checkArrays(name, posterior, network);
  return posterior;
}

/** The sizes of a network that a posterior must fit. */
export interface PosteriorSizes {
  readonly link: Link;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly parameterCount: number;
}

function checkArrays(name: string, posterior: Posterior, network: PosteriorSizes): void {
  const { space, samples, values, vectors, noise, degrees, inputs, roots } = posterior;
  const { inputSize, outputSize, parameterCount } = network;
  const order = space === "parameters" ? parameterCount : samples * outputSize;
  const kept = values instanceof Float64Array ? values.length : 0;
  if (kept < 1 || kept > order)
    throw argumentError(`${name}.values`, `must be a Float64Array of 1 to ${order} numbers`, values);
  checkDoubles(`${name}.values`, values, kept);
  if (values.some((value, k) => value < (k === 0 ? 0 : values[k - 1]!)))
    throw argumentError(`${name}.values`, "must be ascending numbers of at least 0", values);
  checkDoubles(`${name}.vectors`, vectors, kept * order);
  if (space === "parameters" && posterior.decay > 0 && kept < order)
    throw argumentError(`${name}.values`, `must be all ${order} of them with a weight decay`, values);
  const numbers = network.link === "identity";
  for (const [part, array, count, there] of [
    ["noise", noise, outputSize, numbers],
    ["degrees", degrees, outputSize, numbers],
    ["inputs", inputs, samples * inputSize, space === "samples"],
  ] as const)
    if (there) checkDoubles(`${name}.${part}`, array as Float64Array, count);
    else if (array !== null) throw argumentError(`${name}.${part}`, "must be null for this network and space", array);
  if (roots === null) return;
  if (space === "parameters") throw argumentError(`${name}.roots`, "must be null in the space of parameters", roots);
  checkDoubles(`${name}.roots`, roots, samples);
}
