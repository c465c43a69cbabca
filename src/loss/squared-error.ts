// The squared-error loss (`squaredError`), the default of every run, with optional weight decay. Users pass it to `train` or `flow` as the
// option `loss`; rules.ts gives its rule to the engines.
//
//   g = 1/2 sum_i s_i |psi_i - y_i|^2,     objective F = g + decay/2 |w|^2
//
// Its curvature in the predictions is s_i times the identity, so the Gauss-Newton matrix is J~^T J~ + decay I. The decay has the units of
// the SUM: a decay of d acts like one more sample of weight d on every parameter.

import { checkNonNegative, checkOptionNames } from "../options.js";
import type { LossRule } from "./loss.js";

/** Options of `squaredError`. */
export interface SquaredErrorOptions {
  /** Weight decay d >= 0, relative to the sum loss in the units the network is trained in. Default 0. */
  readonly decay?: number | undefined;
}

/** Sum of squared errors with weight decay. Made by `squaredError`. */
export interface SquaredError {
  /** Name of the loss. */
  readonly kind: "squared-error";
  /** Weight decay, in units of the sum loss. */
  readonly decay: number;
}

/**
 * The squared-error loss.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or a decay that is not a finite number >= 0.
 */
export function squaredError(options: SquaredErrorOptions = {}): SquaredError {
  checkOptionNames("options", options, ["decay"]);
  const { decay = 0 } = options;
  checkNonNegative("options.decay", decay);
  return { kind: "squared-error", decay };
}

/** r = z = psi - y, R = I. */
export const squaredErrorRule: LossRule = {
  label: "squared error",
  factor: "diagonal",
  exact: true,
  targets: "real",
  link: "identity",
  sumOfSquares: true,
  convex: true,
  startBias: null,
  apply({ count, outputSize: c, predictions, targets, roots, first }, seeds) {
    let sum = 0;
    for (let i = 0, k = 0; i < count; i++) {
      const root = roots === null ? 1 : roots[first + i]!;
      for (let a = 0; a < c; a++, k++) {
        const z = root * (predictions[k]! - targets[k]!);
        sum += z * z;
        if (seeds === null) continue;
        seeds.factor[k] = root;
        seeds.gradient[k] = root * z;
        seeds.z[k] = z;
      }
    }
    return 0.5 * sum;
  },
  // l'' = 1.
  applyHessian() {},
};
