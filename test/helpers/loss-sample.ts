// One sample of every loss, for tests of their values, gradients, factors and second derivatives.
import { expect } from "vitest";
import type { LossRule, LossSeeds } from "../../src/loss/loss.js";

/** One sample of `psi.length` outputs. */
export function at(rule: LossRule, psi: Float64Array, y: Float64Array, root: number | null = null) {
  const c = psi.length;
  const seeds: LossSeeds = {
    factor: new Float64Array(rule.factor === "full" ? c * c : c),
    z: new Float64Array(c),
    gradient: new Float64Array(c),
  };
  const roots = root === null ? null : Float64Array.of(root);
  const block = { count: 1, outputSize: c, predictions: psi, targets: y, roots, first: 0 };
  const value = rule.apply(block, seeds);
  expect(rule.apply(block, null)).toBe(value);
  return { value, ...seeds };
}

/** l'' v of one sample. */
export function hessian(rule: LossRule, psi: Float64Array, y: Float64Array, v: Float64Array): Float64Array {
  const images = v.slice();
  // The weight stays out.
  const block = { count: 1, outputSize: psi.length, predictions: psi, targets: y, roots: Float64Array.of(3), first: 0 };
  rule.applyHessian(block, images);
  return images;
}

/** Targets of the loss, from numbers of [0, 1): real ones, counts, probabilities, or a distribution. */
export function targetsOf(rule: LossRule, draws: readonly number[]): Float64Array {
  if (rule.targets === "real") return Float64Array.from(draws, (u) => 6 * u - 3);
  if (rule.targets === "count") return Float64Array.from(draws, (u) => Math.floor(6 * u));
  if (rule.targets === "probability") return Float64Array.from(draws);
  const sum = draws.reduce((total, u) => total + u + 0.01, 0);
  return Float64Array.from(draws, (u) => (u + 0.01) / sum);
}
