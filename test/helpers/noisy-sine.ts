// Noisy samples of a sine, and the error of a network against it: for the tests of Bayesian regularization and of conformal intervals.
import { type Network, Random } from "../../src/index.js";

/** y = sin(2 x) + noise, x uniform in [-3, 3]. */
export function noisySine(seed: number, rows = 40, noise = 0.2) {
  const random = new Random(seed, 1);
  const inputs = Array.from({ length: rows }, () => [-3 + 6 * random.uniform()]);
  const targets = inputs.map(([x]) => Math.sin(2 * (x as number)) + noise * random.normal());
  return { inputs, targets };
}

/** Root mean square error against the sine itself, on a grid. */
export function sineError(net: Network): number {
  const grid = Array.from({ length: 301 }, (_, i) => -3 + (6 * i) / 300);
  const errors = grid.map((x) => net.predict([[x]])[0]! - Math.sin(2 * x));
  return Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / grid.length);
}
