// Levenberg-Marquardt: the damped Gauss-Newton step, accepted when it lowers the objective, and a damping that follows the
// gain ratio.
//
//   (G + decay I + mu D) v = -gradient;   ratio = actual / predicted reduction;   accept when ratio > 0
//
// With geodesic acceleration (Transtrum and Sethna 2012) the step follows the model's curve to second order:
//
//   (G + decay I + mu D) a = -J^T psi_vv;   try v + a/2 where 2 |a| <= 0.75 |v|, lengths in D; where that does not lower the
//   objective, v itself, before the damping grows
//
// Once a run stalls, in the primal route, the model holds a secant correction of the part of the Hessian that G leaves out
// (`../step/secant.ts`), and the step is not accelerated.
//
// A rejected trial reuses the curvature: only engine.solve runs again, with more damping. A matrix that is not positive
// definite in floating point counts as a rejected trial.
import { failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";

import { type ScalingKind, scalingKinds } from "../linearize/problem.js";
import { checkBoolean, checkOptionNames, checkPositive } from "../options.js";
import { accelerated } from "../step/acceleration.js";
import { dampedStep } from "../step/damped-step.js";
import type { PrecisionChoice } from "../step/precision.js";
import type { ResidualCurvature } from "../step/secant.js";
import type { CurvatureSamples } from "../step/subset.js";
import { type DampingRuleName, type DampingState, dampingRules, firstGrowth } from "./damping.js";
import {
  checkSizes,
  type Judgment,
  type Method,
  type MethodState,
  numberOf,
  riseMessage,
  toldBySettings,
  weigh,
} from "./method.js";
import {
  afterStep,
  checkSecant,
  correctionAt,
  isStalled,
  neverStalled,
  withoutCorrection,
} from "./residual-curvature.js";

/** Options of `levenbergMarquardt`. */
export interface LevenbergMarquardtOptions {
  /**
   * D: the identity, the running maximum of diag G after More and MINPACK ("marquardt"; in the dual route one factor a
   * layer), or its square root ("root", the geometric mean of the two; in the dual route the identity). Default "root".
   */
  readonly scaling?: ScalingKind | undefined;
  /** Rule for the damping. Default "nielsen". */
  readonly damping?: DampingRuleName | undefined;
  /**
   * First damping, relative to the largest diagonal entry of the curvature in the units of D. "auto", the default: with "root" 1 below 500
   * parameters, 0.03 from there on and 0.1 where it is the identity in effect (dual route); with "marquardt" 1, and 1e-3 where that is the
   * identity in effect (dual route with weight decay); 1e-3 with "identity".
   * A bold first step of a small network on noisy data ends in a worse minimum; larger ones on the same data do not
   * (`node bench/uci.mjs`, also with `--hidden 32-32` and `--damping`).
   */
  readonly initialDamping?: number | "auto" | undefined;
  /**
   * Geodesic acceleration: one more solve with the same factor and a few passes an iteration; not in the matrix-free route, nor where the
   * factor is that of a subset of the samples, nor in a run that stalls (`residualCurvature`). Default true.
   */
  readonly acceleration?: boolean | undefined;
  /**
   * Of the primal curvature: "auto" forms and factors it in float32 where that pays and suffices, and refines the step to that of double
   * precision (`step/precision.ts` has the rule; every record tells); "double" never does. Default "auto".
   */
  readonly precision?: PrecisionChoice | undefined;
  /**
   * Samples behind the curvature: "auto" takes few of them far from the minimum where that pays, in the primal route in single precision
   * (a preconditioner, the step is that of all samples) and the matrix-free route (`step/subset.ts` has the rule; every record tells);
   * "all" never does. The gradient is always that of all samples. Default "auto".
   */
  readonly curvatureSamples?: CurvatureSamples | undefined;
  /**
   * The part of the Hessian that G leaves out, sum_i r_i (Hessian of psi_i), large where residuals stay large: "auto" adds a secant
   * correction for it, in the primal route, once three iterations in a row lower the objective by less than 0.3% each (`step/secant.ts`; the record of
   * every such step tells), from then on in double precision and without acceleration; "none" never does, nor does a run that is asked for
   * condition estimates. Default "auto".
   */
  readonly residualCurvature?: ResidualCurvature | undefined;
}

/** Beyond this multiple of the curvature's size more damping can only shorten a step that is already lost in rounding. */
const saturation = 1e16;
const floor = 1e-30;

/** From so many parameters on a bold start does no harm. */
const large = 500;

/** By the scaling in effect: the damping is relative to the curvature in its units. */
function firstDamping(scaling: ScalingKind, effect: ScalingKind, parameterCount: number): number {
  if (effect === "identity") return scaling === "root" ? 0.1 : 1e-3;
  if (effect === "marquardt") return 1;
  return parameterCount < large ? 1 : 0.03;
}

/**
 * The Levenberg-Marquardt method.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 */
export function levenbergMarquardt(options: LevenbergMarquardtOptions = {}): Method {
  checkOptionNames("options", options, [
    "scaling",
    "damping",
    "initialDamping",
    "acceleration",
    "precision",
    "curvatureSamples",
    "residualCurvature",
  ]);
  const { scaling = "root", damping: ruleName = "nielsen", acceleration = true, precision = "auto" } = options;
  const { curvatureSamples = "auto", residualCurvature = "auto" } = options;
  if (!scalingKinds.includes(scaling))
    throw argumentError("options.scaling", `must be one of ${scalingKinds.join(", ")}`, scaling);
  if (!Object.hasOwn(dampingRules, ruleName))
    throw argumentError("options.damping", `must be one of ${Object.keys(dampingRules).join(", ")}`, ruleName);
  if (precision !== "auto" && precision !== "double")
    throw argumentError("options.precision", 'must be "auto" or "double"', precision);
  if (curvatureSamples !== "auto" && curvatureSamples !== "all")
    throw argumentError("options.curvatureSamples", 'must be "auto" or "all"', curvatureSamples);
  if (residualCurvature !== "auto" && residualCurvature !== "none")
    throw argumentError("options.residualCurvature", 'must be "auto" or "none"', residualCurvature);
  const { initialDamping = "auto" } = options;
  if (initialDamping !== "auto") checkPositive("options.initialDamping", initialDamping);
  checkBoolean("options.acceleration", acceleration);
  const rule = dampingRules[ruleName];

  return toldBySettings({
    name: "levenberg-marquardt",
    label: `Levenberg-Marquardt (${scaling} scaling, ${ruleName} damping${acceleration ? ", geodesic acceleration" : ""})`,
    settings: {
      scaling,
      damping: ruleName,
      initialDamping,
      acceleration,
      precision,
      curvatureSamples,
      residualCurvature,
    },
    scaling,
    precision,
    curvatureSamples,

    start: (curvatureScale, effect, parameterCount) => ({
      damping:
        (initialDamping === "auto" ? firstDamping(scaling, effect, parameterCount) : initialDamping) * curvatureScale,
      growth: firstGrowth,
      scale: curvatureScale,
      ...neverStalled,
    }),

    damping: (state) => numberOf(state, "damping"),

    checkState: (state) => checkSizes(state, ["damping", "growth", "scale"], true) ?? checkSecant(state),

    wantsDouble: isStalled,

    async propose(problem, state, point, previous, signal) {
      // An accelerated trial was rejected: the damping stands as it was, and its velocity is next.
      if (previous !== null && previous.acceleration !== null) {
        // The solve and its conjugate gradients were told with the trial before.
        const { steps: _, ...before } = previous;
        return { ...before, step: previous.direction, acceleration: null, seconds: 0 };
      }
      const able = residualCurvature === "auto" && problem.route === "primal" && !problem.condition;
      const stalled = able && isStalled(state);
      const correction = stalled ? await correctionAt(problem, state, point, signal) : null;
      const answer = await dampedStep(problem, point, numberOf(state, "damping"), signal, correction);
      if (failed(answer)) return answer;
      const count = (correction?.left.length ?? 0) / point.gradient.length;
      const secant = able ? { secant: count } : {};
      const velocity = { ...answer, length: 1, direction: answer.step, acceleration: null, ...secant };
      return acceleration && !stalled ? accelerated(problem, point, velocity, signal) : velocity;
    },

    judge(state, point, proposal, trial): Judgment {
      const now: DampingState = { damping: numberOf(state, "damping"), growth: numberOf(state, "growth") };
      const weight = weigh(point, proposal, trial);
      if ("ratio" in weight && weight.ratio > 0)
        return {
          accepted: true,
          state: {
            ...withDamping(state, rule.accepted(weight.ratio, now)),
            ...afterStep(state, point, proposal, weight.actual / point.objective),
          },
          gainRatio: weight.ratio,
          rejection: null,
        };
      const rejection =
        "rejection" in weight
          ? weight.rejection
          : riseMessage(point, trial !== null && "ok" in trial ? trial.objective : Number.NaN);
      const gainRatio = "ratio" in weight && Number.isFinite(weight.ratio) ? weight.ratio : null;
      // The velocity alone is still to be tried.
      if (!failed(proposal) && proposal.acceleration !== null) return { accepted: false, state, gainRatio, rejection };
      // Not positive definite with the correction: it goes before the damping grows.
      if (failed(proposal) && proposal.code === "indefinite") {
        const dropped = withoutCorrection(state, point);
        if (dropped !== null) return { accepted: false, state: { ...state, ...dropped }, gainRatio, rejection };
      }
      const next = rule.rejected(now);
      const judgment = { accepted: false, state: withDamping(state, next), gainRatio, rejection };
      // A curvature near the end of the double range must not make the limit, or the damping, infinite.
      const limit = Math.min(saturation * numberOf(state, "scale"), Number.MAX_VALUE);
      if (next.damping <= limit) return judgment;
      const message = `the damping ${next.damping.toExponential(3)} passed ${limit.toExponential(3)} without a step that lowers the objective ${point.objective.toExponential(6)}; last: ${rejection}`;
      return { ...judgment, end: { code: "damping-saturated", message } };
    },
  });
}

function withDamping(state: MethodState, next: DampingState): MethodState {
  const least = floor * numberOf(state, "scale");
  return { ...state, damping: Math.min(Math.max(next.damping, least), Number.MAX_VALUE), growth: next.growth };
}
