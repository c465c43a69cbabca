// Weighted squared error with optional weight decay:
//
//   g = 1/2 sum_i s_i |psi_i - y_i|^2,     objective F = g + decay/2 |w|^2
//
// Its curvature in the predictions is s_i times the identity, so the Gauss-Newton matrix is J~^T J~ + decay I.
// The decay is in the SUM's units: a decay of d acts like one more sample of weight d on every parameter.

import { argumentError } from "../errors.js";
import { checkOptionNames } from "../options.js";

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
  if (typeof decay !== "number" || !(decay >= 0) || decay === Number.POSITIVE_INFINITY)
    throw argumentError("options.decay", "must be a finite number of at least 0", decay);
  return { kind: "squared-error", decay };
}

/** g = 1/2 |r~|^2 of residuals already scaled by the root of their sample's weight. */
export function squaredErrorValue(weightedResidual: Float64Array): number {
  let sum = 0;
  for (const r of weightedResidual) sum += r * r;
  return 0.5 * sum;
}
