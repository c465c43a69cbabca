// Applies the links: functions from a network's outputs psi to its predictions, the mean of the targets' distribution under the loss of its
// training. Network.predict and predictAsync apply one to outputs, and each loss names its own.
import { sigmoid } from "./activations.js";

/** "identity" for real targets; "logistic" for a probability in each output; "softmax" for probabilities of classes that sum to 1. */
export type Link = "identity" | "logistic" | "softmax";
/** All names. */
export const LINKS: readonly Link[] = ["identity", "logistic", "softmax"];

/** Applies the link in place to rows of `outputSize` predictions. */
export function applyLink(link: Link, predictions: Float64Array, outputSize: number): Float64Array {
  switch (link) {
    case "identity":
      return predictions;
    case "logistic":
      for (let k = 0; k < predictions.length; k++) predictions[k] = sigmoid(predictions[k]!);
      return predictions;
    case "softmax":
      for (let at = 0; at < predictions.length; at += outputSize) softmaxRow(predictions.subarray(at, at + outputSize));
      return predictions;
    default:
      link satisfies never;
      throw new Error("unreachable");
  }
}

/** Derivatives of the outputs psi by d inputs (c x d, at one sample) become those of the predictions, in place. */
export function linkJacobian(link: Link, psi: Float64Array, jacobian: Float64Array, d: number): void {
  const c = psi.length;
  const mean = applyLink(link, psi.slice(), c);
  for (let j = 0; j < d; j++) {
    // Softmax: p_a (J_aj - sum_b p_b J_bj).
    let average = 0;
    if (link === "softmax") for (let a = 0; a < c; a++) average += mean[a]! * jacobian[a * d + j]!;
    for (let a = 0; a < c; a++) {
      const at = a * d + j;
      if (link === "logistic") jacobian[at]! *= mean[a]! * sigmoid(-psi[a]!);
      else if (link === "softmax") jacobian[at] = mean[a]! * (jacobian[at]! - average);
    }
  }
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
