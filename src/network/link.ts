// From a network's outputs psi to what they mean under the loss it was trained with: the mean of the targets' distribution.

/** "identity" for real targets; "logistic" for a probability in each output; "softmax" for probabilities of classes that sum to 1. */
export type Link = "identity" | "logistic" | "softmax";
/** All names. */
export const LINKS: readonly Link[] = ["identity", "logistic", "softmax"];

/** 1 / (1 + exp(-x)) for any x: the exponential never overflows. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

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
