// Defines the Gauss-Newton methods of min-max games (`minmaxGaussNewton`). Users pass one to `minmax` as the option
// `method`; the game (src/game) calls its functions. There are two forms.
//
//   "gauss-newton"   each player takes a damped Gauss-Newton step on its own mean loss, the other player held fixed:
//                    w <- w - rate (H + damping I)^-1 gradient,   H = (1/b) sum_i q_i j_i j_i^T over the samples of the batch
//   "published"      both players take the joint step of published-step.ts
//
// j_i is the gradient of the discriminator's output on sample i by the player's parameters, through the generator for
// the generator's, and q_i = sigma (1 - sigma) is the second derivative of the logistic loss by that output. Penalties
// enter the gradient alone.
import { norm } from "../../algebra/vectors.js";
import { argumentError } from "../../errors.js";
import { checkBoolean, checkOptionNames, checkPositive, definedOptions } from "../../options.js";
import type { BatchMethod } from "../batch-method.js";
import { exactGaussNewton } from "../exact-gauss-newton.js";
import { arrayOf, type MethodState } from "../method.js";
import {
  describeRate,
  plainRate,
  RATE_OPTION_NAMES,
  type RateOptions,
  type RateSchedule,
  rateSettings,
  withRate,
} from "../rate-schedule.js";
import { normalizeByRoots, publishedScalar } from "./published-step.js";

/** Options of `minmaxGaussNewton`. */
export interface MinmaxGaussNewtonOptions extends RateOptions {
  /**
   * "gauss-newton": a damped Gauss-Newton step a player, with the logistic loss. "published": the joint step of Mishra
   * et al. 2024, which is a gradient step whose length a scalar sets. Default "gauss-newton".
   */
  readonly step?: "gauss-newton" | "published" | undefined;
  /**
   * With "gauss-newton": damping of the curvature of the mean loss, above 0. Default 0.1. With "published": its lambda,
   * above 0. Default 0.01 with `normalize`, 0.1 without.
   */
  readonly damping?: number | undefined;
  /**
   * With "published": divide each entry of the gradient by the root of a moving average of its square, as the authors
   * do for images. Default true.
   */
  readonly normalize?: boolean | undefined;
  /**
   * With "published": where the published scalar is negative, so that both players would climb their losses, the step
   * is the one of lambda = 1, whose scalar is never negative. Default true. With false such steps are taken as they are
   * published.
   */
  readonly guard?: boolean | undefined;
}

/** The gradients of a joint step. */
export interface JointContext {
  /**
   * Gradients of the mean losses, those of the discriminator's parameters before the generator's; the step may change
   * them.
   */
  readonly gradient: Float64Array;
  /** Learning rate of this step. */
  readonly rate: number;
}

/** A step of both players. */
export interface JointStep {
  /** Change of the parameters, in the order of the gradient. */
  readonly step: Float64Array;
  /** The scalar of the step (`MinmaxRecord.scalar`). */
  readonly scalar: number;
  /** Whether the guard replaced a negative scalar. */
  readonly guarded: boolean;
  /** State of the method from now on. */
  readonly state: MethodState;
}

/** A method that moves both players at once. */
export interface JointMethod {
  /** Distinguishes it from methods that move one player. */
  readonly kind: "joint";
  /** Name of the method. */
  readonly name: string;
  /** A phrase for people. */
  readonly label: string;
  /** All options as plain data; two methods with equal settings take equal steps. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Learning rate by step. */
  readonly rate: RateSchedule;
  /** What to change where a number is no longer finite: "a smaller rate". */
  readonly remedy: string;
  /** State before the first step. @param parameterCount of both players together */
  start(parameterCount: number): MethodState;
  /** For a state from a file, its names and kinds checked and nothing NaN: the rule it breaks, or null. Default: none. */
  checkState?(state: MethodState): string | null;
  /** One step. The arrays of `state` stay as they are, so that a step that is not taken changes nothing. */
  step(context: JointContext, state: MethodState): JointStep;
}

const NAMES = ["step", "damping", "normalize", "guard", ...RATE_OPTION_NAMES];

/** The joint step of Mishra et al. 2024. @throws GAUSSFLOW_ARGUMENT for an unknown option or value */
export function minmaxGaussNewton(options: MinmaxGaussNewtonOptions & { readonly step: "published" }): JointMethod;
/** A damped Gauss-Newton step of each player. @throws GAUSSFLOW_ARGUMENT for an unknown option or value */
export function minmaxGaussNewton(
  options?: MinmaxGaussNewtonOptions & { readonly step?: "gauss-newton" | undefined },
): BatchMethod;
export function minmaxGaussNewton(options: MinmaxGaussNewtonOptions): JointMethod | BatchMethod;
export function minmaxGaussNewton(options: MinmaxGaussNewtonOptions = {}): JointMethod | BatchMethod {
  checkOptionNames("options", options, NAMES);
  const { step = "gauss-newton", normalize, guard, damping } = options;
  if (step !== "gauss-newton" && step !== "published")
    throw argumentError("options.step", 'must be "gauss-newton" or "published"', step);
  if (damping !== undefined) checkPositive("options.damping", damping);
  for (const [name, value] of Object.entries({ normalize, guard })) {
    if (value !== undefined) checkBoolean(`options.${name}`, value);
    if (value !== undefined && step === "gauss-newton")
      throw argumentError(`options.${name}`, 'must be left out unless options.step is "published"', value);
  }
  if (step === "published") return publishedMethod(options);
  // On the engine of a player (game/player-engine.ts) exact Gauss-Newton on batches is this form.
  const { damping: _, step: __, ...rate } = options;
  const fixed = { curvature: "exact", batch: "all", momentum: 0 } as const;
  return exactGaussNewton({ rate: 0.2, ...definedOptions(rate), ...fixed, damping: damping ?? 0.1 });
}

function publishedMethod(options: MinmaxGaussNewtonOptions): JointMethod {
  const { normalize = true, guard = true } = options;
  const { damping = normalize ? 0.01 : 0.1 } = options;
  const rate = withRate(rateSettings(options, "constant"), normalize ? 1e-5 : 0.02);
  return Object.freeze<JointMethod>({
    kind: "joint",
    name: "minmax-published",
    label: `min-max Gauss-Newton as published (lambda ${damping}, ${describeRate(rate)}${normalize ? ", normalized" : ""}${guard ? ", guarded" : ""})`,
    settings: { step: "published", damping, normalize, guard, ...plainRate(rate) },
    rate,
    remedy: "a smaller rate",
    start: (parameterCount): MethodState => (normalize ? { squares: new Float64Array(parameterCount) } : {}),
    checkState(state) {
      const bad = arrayOf(state, "squares").find((value) => !(value >= 0));
      return bad === undefined ? null : `squares must be numbers of at least 0; one of them is ${bad}`;
    },
    step({ gradient, rate: length }, before) {
      const state = normalize ? { squares: arrayOf(before, "squares").slice() } : before;
      if (normalize) normalizeByRoots(gradient, arrayOf(state, "squares"));
      const { scalar, guarded } = publishedScalar(norm(gradient) ** 2, length, damping, guard);
      const step = gradient.map((value) => -length * scalar * value);
      return { step, scalar, guarded, state };
    },
  });
}
