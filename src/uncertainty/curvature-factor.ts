// Computes sqrt(s) R of every sample, the factor between rows of the plain Jacobian J, whose products the engines give, and rows of
// J~ = sqrt(s) R^T J, of which the curvature is made. leverage.ts applies it to images J v, covariance.ts to what goes back through J^T.
import { logisticRule } from "../loss/logistic.js";
import type { LossRule } from "../loss/loss.js";
import { softmaxCrossEntropyRule } from "../loss/softmax-cross-entropy.js";
import type { Link } from "../network/link.js";

/** sqrt(s) R: "diagonal" n x c, "full" n x c x c with entry (i, b, a) = R_ab; null = I for every sample. */
export type CurvatureFactor = { readonly kind: "diagonal" | "full"; readonly values: Float64Array } | null;

/** Links of the losses whose R does not depend on the targets. */
const RULES: Partial<Record<Link, LossRule>> = {
  logistic: logisticRule,
  softmax: softmaxCrossEntropyRule({ kind: "softmax-cross-entropy", smoothing: 0, decay: 0 }),
};

/**
 * @param psi outputs of the network, n x c
 * @param roots root of the weight of each sample, n; null = all 1
 */
export function curvatureFactor(link: Link, psi: Float64Array, roots: Float64Array | null, c: number): CurvatureFactor {
  const count = psi.length / c;
  const rule = RULES[link];
  if (rule === undefined)
    return (
      roots && {
        kind: "diagonal",
        values: Float64Array.from({ length: count * c }, (_, k) => roots[Math.floor(k / c)]!),
      }
    );
  const factor = new Float64Array(count * c * (rule.factor === "full" ? c : 1));
  // R does not depend on the targets, whose only task is to be a distribution.
  const targets = new Float64Array(count * c).fill(1 / c);
  const seeds = { factor, z: new Float64Array(count * c), gradient: new Float64Array(count * c) };
  rule.apply({ count, outputSize: c, predictions: psi, targets, roots, first: 0 }, seeds);
  return { kind: rule.factor, values: factor };
}

/** Multiplies each row of n c numbers in `block` by sqrt(s) R^T, in place. */
export function applyFactor(factor: CurvatureFactor, block: Float64Array, c: number): void {
  if (factor === null) return;
  const { kind, values } = factor;
  const width = kind === "full" ? values.length / c : values.length;
  const sample = new Float64Array(c);
  for (let start = 0; start < block.length; start += width) {
    if (kind === "diagonal") for (let k = 0; k < width; k++) block[start + k]! *= values[k]!;
    else
      for (let at = start; at < start + width; at += c) {
        for (let a = 0; a < c; a++) sample[a] = block[at + a]!;
        for (let b = 0; b < c; b++) {
          const row = (at - start + b) * c;
          let sum = 0;
          for (let a = 0; a < c; a++) sum += values[row + a]! * sample[a]!;
          block[at + b] = sum;
        }
      }
  }
}

/** Multiplies each row of n c numbers in `block` by sqrt(s) R, in place: what J^T takes to J~^T. */
export function applyFactorTransposed(factor: CurvatureFactor, block: Float64Array, c: number): void {
  if (factor === null) return;
  const { kind, values } = factor;
  if (kind === "diagonal") {
    applyFactor(factor, block, c);
    return;
  }
  const width = values.length / c;
  const sample = new Float64Array(c);
  for (let start = 0; start < block.length; start += width)
    for (let at = start; at < start + width; at += c) {
      for (let b = 0; b < c; b++) sample[b] = block[at + b]!;
      block.fill(0, at, at + c);
      for (let b = 0; b < c; b++) {
        const row = (at - start + b) * c;
        for (let a = 0; a < c; a++) block[at + a]! += values[row + a]! * sample[b]!;
      }
    }
}
