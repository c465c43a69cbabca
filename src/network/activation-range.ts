// Gives the range of values of an activation, by which run/reachable.ts refuses targets that no parameters reach.
import type { ActivationName } from "./architecture.js";

/** Least values of silu and gelu, rounded down. */
const SILU_LEAST = -0.2784645427610739;
const GELU_LEAST = -0.16997120747990371;

/** Infimum and supremum. A bound that is only approached counts as reached. */
export function activationRange(name: ActivationName): readonly [number, number] {
  switch (name) {
    case "tanh":
    case "erf":
    case "sin":
      return [-1, 1];
    case "logistic":
      return [0, 1];
    case "softplus":
    case "relu":
      return [0, Number.POSITIVE_INFINITY];
    case "silu":
      return [SILU_LEAST, Number.POSITIVE_INFINITY];
    case "gelu":
      return [GELU_LEAST, Number.POSITIVE_INFINITY];
    case "identity":
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}
