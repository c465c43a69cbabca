// Evaluates the activation functions at pre-activations z, with their first two derivatives, for the TypeScript passes (forward.ts,
// second-derivative.ts); the native engine has its own in native/core/activations.cc. Options and the command line check names against
// ACTIVATION_NAMES.
//   tanh z   logistic 1/(1+e^-z)   softplus ln(1+e^z)   silu z logistic(z)   gelu z Phi(z) (exact erf)   erf z   sin z   z   max(z,0)
// None overflows or returns NaN for a finite z. `relu` has no derivative at 0 (here 0) and is flagged as not smooth: the theory of the
// flows does not apply to it.
import { argumentError } from "../errors.js";
import type { ActivationName } from "./architecture.js";
import { erf, erfc } from "./error-function.js";

/** All names. The order is part of the addon's interface: native/core/activations.h numbers them the same. */
export const ACTIVATION_NAMES: readonly ActivationName[] = [
  "tanh",
  "logistic",
  "softplus",
  "silu",
  "gelu",
  "erf",
  "sin",
  "identity",
  "relu",
];

/** True for the name of an activation. */
export function isActivationName(value: unknown): value is ActivationName {
  return (ACTIVATION_NAMES as readonly unknown[]).includes(value);
}

/** False for an activation with a kink. */
export function isSmooth(name: ActivationName): boolean {
  if (!isActivationName(name)) throw argumentError("name", `must be one of ${ACTIVATION_NAMES.join(", ")}`, name);
  return name !== "relu";
}

const TWO_OVER_SQRT_PI = 1.1283791670955126;
const ONE_OVER_SQRT_TWO_PI = 0.3989422804014327;

/** 1 / (1 + exp(-z)). The exponent is never positive: no overflow, and full relative accuracy in the left tail. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

function normalDistribution(z: number): number {
  return 0.5 * erfc(-z * Math.SQRT1_2);
}

/** Value of one activation at one number. */
export function activationValue(name: ActivationName, z: number): number {
  switch (name) {
    case "tanh":
      return Math.tanh(z);
    case "logistic":
      return sigmoid(z);
    case "softplus":
      return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    case "silu":
      return z * sigmoid(z);
    case "gelu":
      return z * normalDistribution(z);
    case "erf":
      return erf(z);
    case "sin":
      return Math.sin(z);
    case "identity":
      return z;
    case "relu":
      return z > 0 ? z : 0 * z; // 0 * z keeps a NaN
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}

/**
 * First derivative at z, given the value h there (so that tanh and logistic cost no second exponential).
 */
export function activationSlope(name: ActivationName, z: number, h: number): number {
  switch (name) {
    case "tanh":
      return (1 - h) * (1 + h);
    case "logistic":
      // h(1-h) cancels near h = 1, so the right tail uses the mirror image.
      return z > 0 ? h * sigmoid(-z) : h * (1 - h);
    case "softplus":
      return sigmoid(z);
    case "silu": {
      const s = sigmoid(z);
      return s + h * sigmoid(-z);
    }
    case "gelu":
      return normalDistribution(z) + z * ONE_OVER_SQRT_TWO_PI * Math.exp(-0.5 * z * z);
    case "erf":
      return TWO_OVER_SQRT_PI * Math.exp(-z * z);
    case "sin":
      return Math.cos(z);
    case "identity":
      return 1;
    case "relu":
      return z > 0 ? 1 : 0 * z;
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}

/** Second derivative at z, given the value h and the slope there. For relu it is 0. */
export function activationCurvature(name: ActivationName, z: number, h: number, slope: number): number {
  switch (name) {
    case "tanh":
      return -2 * h * slope;
    case "logistic":
      return slope * (1 - 2 * h);
    case "softplus":
      return slope * (1 - slope);
    case "silu": {
      const s = sigmoid(z);
      return s * sigmoid(-z) * (2 + z * (1 - 2 * s));
    }
    case "gelu": {
      const density = ONE_OVER_SQRT_TWO_PI * Math.exp(-0.5 * z * z);
      return 2 * density - z * (z * density); // z^2 alone overflows where the density is 0
    }
    case "erf":
      return -2 * (z * slope);
    case "sin":
      return -h;
    case "identity":
    case "relu":
      return 0;
    default:
      throw new Error(`unknown activation ${name satisfies never}`);
  }
}

/**
 * Values and, if requested, first derivatives of `count` pre-activations, in one pass.
 * `values` may be the same array as `z` (the pre-activations are then overwritten).
 */
export function activate(
  name: ActivationName,
  z: Float64Array,
  values: Float64Array,
  slopes: Float64Array | null,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const x = z[i];
    const h = activationValue(name, x);
    if (slopes !== null) slopes[i] = activationSlope(name, x, h);
    values[i] = h;
  }
}
