// Judges a trial of Levenberg-Marquardt, as the function `judge` of the method that the training loop calls after each
// trial. It accepts a trial that lowers the objective, and a step on the exact Hessian whose reduction is below
// rounding. After a rejection the next trial drops the acceleration, then the secant correction, and then raises the
// damping.
import { type Failure, failed } from "../../backend/engine.js";
import type { Point } from "../../linearize/problem.js";
import { type Judgment, type MethodState, numberOf, type Proposal, riseMessage, type Trial, weigh } from "../method.js";
import { bounded, type DampingRule, type DampingState, mostDamping } from "./damping.js";
import { isUnresolved } from "./exact-hessian.js";
import { afterStep, withoutCorrection } from "./residual-curvature.js";

/** Factor of the damping after a step of a fit whose change of the objective is rounding. */
const UNRESOLVED = 1e-3;

/** Decides whether a trial from `point` is accepted, and returns the next state. */
export function judge(
  rule: DampingRule,
  state: MethodState,
  point: Point,
  proposal: Proposal | Failure,
  trial: Trial | Failure | null,
): Judgment {
  const weight = weigh(point, proposal, trial);
  if ("actual" in weight && !failed(proposal) && isUnresolved(proposal, weight.actual)) {
    const ruled = rule.accepted(1, dampingOf(state));
    // In a fit only the damping still keeps such steps from the minimum, along directions of little curvature.
    const damping = proposal.hessian === undefined ? UNRESOLVED * ruled.damping : ruled.damping;
    const next = withDamping(state, { ...ruled, damping });
    // Such steps of a fit are its end and no stall.
    const noted = afterStep(state, point, proposal, proposal.hessian === undefined ? 1 : 0);
    return { accepted: true, state: { ...next, ...noted }, gainRatio: null, rejection: null, unresolved: true };
  }
  if ("ratio" in weight && weight.ratio > 0) {
    const ruled = rule.accepted(weight.ratio, dampingOf(state));
    const least = !failed(proposal) && proposal.holdsDamping ? numberOf(state, "damping") : 0;
    const next = withDamping(state, { ...ruled, damping: Math.max(ruled.damping, least) });
    const noted = afterStep(state, point, proposal, weight.actual / Math.abs(point.objective));
    return { accepted: true, state: { ...next, ...noted }, gainRatio: weight.ratio, rejection: null };
  }
  const rejection =
    "rejection" in weight
      ? weight.rejection
      : riseMessage(point, trial !== null && "ok" in trial ? trial.objective : Number.NaN);
  const gainRatio = "ratio" in weight && Number.isFinite(weight.ratio) ? weight.ratio : null;
  const rejected = { accepted: false, gainRatio, rejection };
  // The velocity alone is still to be tried.
  if (!failed(proposal) && proposal.acceleration !== null) return { ...rejected, state };
  // Not positive definite with the correction: the correction is dropped before the damping grows.
  if (failed(proposal) && proposal.code === "indefinite") {
    const dropped = withoutCorrection(state, point);
    if (dropped !== null) return { ...rejected, state: { ...state, ...dropped } };
  }
  return { ...rejected, ...withMoreDamping(rule, state, point, rejection) };
}

/** The state with more damping, or the end of the run if that is too large. */
function withMoreDamping(
  rule: DampingRule,
  state: MethodState,
  point: Point,
  rejection: string,
): Pick<Judgment, "state" | "end"> {
  const next = rule.rejected(dampingOf(state));
  const limit = mostDamping(numberOf(state, "scale"));
  const after = { state: withDamping(state, next) };
  if (next.damping <= limit) return after;
  const message = `the damping ${next.damping.toExponential(3)} passed ${limit.toExponential(3)} without a step that lowers the objective ${point.objective.toExponential(6)}; last: ${rejection}`;
  return { ...after, end: { code: "damping-saturated", message } };
}

function dampingOf(state: MethodState): DampingState {
  return { damping: numberOf(state, "damping"), growth: numberOf(state, "growth") };
}

function withDamping(state: MethodState, { damping, growth }: DampingState): MethodState {
  return { ...state, damping: bounded(damping, numberOf(state, "scale")), growth };
}
