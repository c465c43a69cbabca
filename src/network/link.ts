// Applies the links: functions from a network's outputs psi to its predictions, the mean of the targets' distribution under the loss of its
// training. Network.predict and predictAsync apply one to outputs, and each loss names its own.
//
// With the link "gaussian" a network has two outputs for each of its k targets: k means m, then k logarithms of variances v. Its
// predictions are the k means, and `linkDeviations` gives the k standard deviations,
//
//   sigma = sqrt(exp v + VARIANCE_FLOOR)
import { sigmoid } from "./activations.js";

/**
 * "identity" for real targets; "logistic" for a probability in each output; "softmax" for probabilities of classes that sum to 1; "gaussian"
 * for a mean and a standard deviation of each target; "exp" for means of counts.
 */
export type Link = "identity" | "logistic" | "softmax" | "gaussian" | "exp";
/** All names. */
export const LINKS: readonly Link[] = ["identity", "logistic", "softmax", "gaussian", "exp"];

/** Least variance of a prediction with the link "gaussian", in the squared units of training: there the likelihood has its bound. */
export const VARIANCE_FLOOR = 1e-6;

/** Outputs of the network for each target. */
export function outputsPerTarget(link: Link): number {
  return link === "gaussian" ? 2 : 1;
}

/** Whether the predictions have the units of the targets, so that a scaling of the targets applies to them. */
export function hasUnits(link: Link): boolean {
  return link === "identity" || link === "gaussian";
}

/**
 * Rows of `outputSize` outputs become rows of predictions: in place, or for "gaussian" in a new array with the means alone, which has
 * half the columns.
 */
export function applyLink(link: Link, predictions: Float64Array, outputSize: number): Float64Array {
  switch (link) {
    case "identity":
      return predictions;
    case "gaussian":
      return leftHalf(predictions, outputSize);
    case "logistic":
      for (let k = 0; k < predictions.length; k++) predictions[k] = sigmoid(predictions[k]!);
      return predictions;
    case "softmax":
      for (let at = 0; at < predictions.length; at += outputSize) softmaxRow(predictions.subarray(at, at + outputSize));
      return predictions;
    case "exp":
      for (let k = 0; k < predictions.length; k++) predictions[k] = Math.exp(predictions[k]!);
      return predictions;
    default:
      link satisfies never;
      throw new Error("unreachable");
  }
}

/** Standard deviations in the units of training, from rows of `outputSize` outputs of a network with the link "gaussian": n x k. */
export function linkDeviations(outputs: Float64Array, outputSize: number): Float64Array {
  const k = outputSize / 2;
  const deviations = new Float64Array(outputs.length / 2);
  for (let at = k, to = 0; at < outputs.length; at += outputSize)
    for (let j = 0; j < k; j++, to++) deviations[to] = Math.sqrt(Math.exp(outputs[at + j]!) + VARIANCE_FLOOR);
  return deviations;
}

/** The first half of each row. */
function leftHalf(rows: Float64Array, width: number): Float64Array {
  const k = width / 2;
  const half = new Float64Array(rows.length / 2);
  for (let at = 0, to = 0; at < rows.length; at += width, to += k) half.set(rows.subarray(at, at + k), to);
  return half;
}

/**
 * Derivatives of the outputs psi by d inputs (c x d, at one sample) become those of the predictions: in place, or for "gaussian" in a view
 * of the first half.
 */
export function linkJacobian(link: Link, psi: Float64Array, jacobian: Float64Array, d: number): Float64Array {
  const c = psi.length;
  if (link === "gaussian") return jacobian.subarray(0, (c / 2) * d);
  const mean = applyLink(link, psi.slice(), c);
  for (let j = 0; j < d; j++) {
    // Softmax: p_a (J_aj - sum_b p_b J_bj).
    let average = 0;
    if (link === "softmax") for (let a = 0; a < c; a++) average += mean[a]! * jacobian[a * d + j]!;
    for (let a = 0; a < c; a++) {
      const at = a * d + j;
      if (link === "exp") jacobian[at]! *= mean[a]!;
      else if (link === "logistic") jacobian[at]! *= mean[a]! * sigmoid(-psi[a]!);
      else if (link === "softmax") jacobian[at] = mean[a]! * (jacobian[at]! - average);
    }
  }
  return jacobian;
}

/** The largest logit is subtracted first, so that no exponential overflows. */
function softmaxRow(row: Float64Array): void {
  let top = Number.NEGATIVE_INFINITY;
  for (const value of row) top = Math.max(top, value);
  let sum = 0;
  for (let a = 0; a < row.length; a++) {
    row[a] = Math.exp(row[a]! - top);
    sum += row[a]!;
  }
  for (let a = 0; a < row.length; a++) row[a]! /= sum;
}
