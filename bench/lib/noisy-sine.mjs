// Noisy samples of sin(2 x) on [-3, 3], for the benchmarks of Bayesian regularization and conformal intervals.
import { Random } from "../../dist/index.js";

/** The function that the targets are noise around. */
export const sine = (x) => Math.sin(2 * x);

/** `rows` samples; every seed is another set. */
export function noisySine(seed, rows, noise) {
  const random = new Random(seed, 1);
  const inputs = Array.from({ length: rows }, () => [-3 + 6 * random.uniform()]);
  return { inputs, targets: inputs.map(([x]) => sine(x) + noise * random.normal()) };
}
