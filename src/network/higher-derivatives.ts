// Evaluates the third and fourth derivatives of the activation functions at pre-activations z. Residuals that contain second derivatives of
// a network by its inputs need the third for their rows of J and the fourth for their second derivative along a step: the jet passes of
// backend/reference/jets call it. native/core/jets has its own.
import { sigmoid } from "./activations.js";
import type { ActivationName } from "./architecture.js";

const ONE_OVER_SQRT_TWO_PI = 0.3989422804014327;

/** Third derivative at z, given the value h and the slope there. For relu it is 0. */
export function activationThird(name: ActivationName, z: number, h: number, slope: number): number {
  switch (name) {
    case "tanh":
      return slope * (6 * h * h - 2);
    case "logistic":
      return slope * (1 - 6 * slope);
    case "softplus":
      return slope * sigmoid(-z) * (1 - 2 * slope);
    case "silu": {
      const s = sigmoid(z);
      const ds = s * sigmoid(-z);
      return ds * (z * (1 - 6 * ds) + 3 * (1 - 2 * s));
    }
    case "gelu":
      return bellTimes(normalDensity(z), z * z - 4) * z;
    case "erf":
      return bellTimes(slope, 4 * z * z - 2);
    case "sin":
      return -slope;
    case "identity":
    case "relu":
      return 0;
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}

/** Fourth derivative at z, given the value h and the slope there. For relu it is 0. */
export function activationFourth(name: ActivationName, z: number, h: number, slope: number): number {
  switch (name) {
    case "tanh":
      return 8 * h * slope * (2 - 3 * h * h);
    case "logistic":
      return slope * (1 - 2 * h) * (1 - 12 * slope);
    case "softplus": {
      const ds = slope * sigmoid(-z);
      return ds * (1 - 6 * ds);
    }
    case "silu": {
      const s = sigmoid(z);
      const ds = s * sigmoid(-z);
      return ds * (z * (1 - 2 * s) * (1 - 12 * ds) + 4 * (1 - 6 * ds));
    }
    case "gelu":
      return bellTimes(normalDensity(z), (7 - z * z) * z * z - 4);
    case "erf":
      return bellTimes(slope, 12 - 8 * z * z) * z;
    case "sin":
      return h;
    case "identity":
    case "relu":
      return 0;
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}

function normalDensity(z: number): number {
  return ONE_OVER_SQRT_TWO_PI * Math.exp(-0.5 * z * z);
}

/** A bell curve times a polynomial, 0 where the curve has vanished: the polynomial overflows at a huge z. */
function bellTimes(curve: number, polynomial: number): number {
  return curve === 0 ? 0 : curve * polynomial;
}
