// Sixty rows with targets for every loss, and a case of each loss, for tests that train by all of them.
import {
  gaussianNll,
  huber,
  type Loss,
  logCosh,
  logistic,
  poisson,
  pseudoHuber,
  quantile,
  Random,
  softmaxCrossEntropy,
} from "../../src/index.js";

const random = new Random(11, 2);
export const ROWS = 60;
export const inputs = Array.from({ length: ROWS }, () => [random.normal(), random.normal()]);
/** Overlapping classes, so that every loss has a minimum. */
const noisy = inputs.map(([x, y]) => Math.sin(2 * (x as number)) + (y as number) + random.normal());
export const TARGETS = {
  real: noisy.map((value, i) => [value + (i % 10 === 0 ? 30 : 0)]),
  one: noisy.map((value) => [value > 0 ? 1 : 0]),
  counts: noisy.map((value) => [Math.max(0, Math.round(Math.exp(0.7 * value)))]),
  classes: noisy.map((value) => (value < -0.7 ? [1, 0, 0] : value < 0.7 ? [0, 1, 0] : [0, 0, 1])),
  noisy: noisy.map((value) => [value]),
};
export type TargetsKind = keyof typeof TARGETS;

export const dataOf = (kind: TargetsKind) => ({ inputs, targets: TARGETS[kind] });

/** Name, loss with a decay, and the targets that suit it. "noisy" are those of the loss with two outputs for each target. */
export const CASES: readonly (readonly [string, Loss, TargetsKind])[] = [
  ["huber", huber({ delta: 0.1, decay: 0.05 }), "real"],
  ["pseudo-huber", pseudoHuber({ delta: 0.1, decay: 0.05 }), "real"],
  ["log-cosh", logCosh({ decay: 0.05 }), "real"],
  ["quantile", quantile({ tau: 0.8, smoothing: 0.1, decay: 0.05 }), "real"],
  ["poisson", poisson({ decay: 0.5 }), "counts"],
  ["logistic", logistic({ decay: 0.5 }), "one"],
  ["softmax", softmaxCrossEntropy({ decay: 0.5 }), "classes"],
  ["gaussian-nll", gaussianNll({ decay: 0.5 }), "noisy"],
];
