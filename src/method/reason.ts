// Defines the reasons for which a run ends: a code for programs and a sentence for people. The loop of `train`
// (train/minimize.ts), the methods and `flow` return one; the results, the monitor and the reports show it.
import type { NonFinite } from "../backend/engine.js";

/** Why a run ended. The sentence beside the code holds the numbers wherever the reason has any. */
export type ReasonCode =
  // train/stop.ts and flow/flow-run.ts: the gradient measure is at most `stop.gradient`, or the gradient is exactly 0.
  | "gradient"
  // train/stop.ts: the step is at most `stop.step` of the parameters.
  | "step"
  // train/stop.ts: actual and predicted reduction are at most `stop.reduction`, or at rounding level.
  | "reduction"
  // train/stop.ts and flow/flow-run.ts: the loss is at most `stop.loss`.
  | "loss"
  // method/bayesian/renew.ts: the weight decay and the evidence no longer change.
  | "evidence"
  // train/stop.ts: `stop.iterations` are done.
  | "iterations"
  // train/stop.ts: without a weight decay every row is classified right, and the loss goes on to 0 while the parameters
  // grow.
  | "separable"
  // run/interrupt.ts, for trainings and flows: `stop.seconds` have passed.
  | "seconds"
  // train/stop.ts: the validation loss has not fallen for `stop.patience` iterations.
  | "patience"
  // run/interrupt.ts, for trainings and flows: the caller's signal was aborted.
  | "aborted"
  // The methods: no damping (or ridge of Gauss-Newton) up to the largest gives a step that is accepted.
  | "damping-saturated"
  // train/stop.ts after rejected trials, run/failure-reason.ts where a point has no linearization, or a run that its
  // caller gave up.
  | "no-progress"
  // run/failure-reason.ts for trainings, flow/flow-end.ts for flows: a number is not finite; `where` has its place.
  | "non-finite"
  // run/failure-reason.ts, flow/flow-end.ts and Gauss-Newton: memory was refused.
  | "memory"
  // The codes below are of flows alone. flow/flow-run.ts and the integrator: the end of the time span is reached.
  | "until"
  // The integrator (src/ode): an event that ends the flow.
  | "event"
  // The integrator: the largest number of steps is used up.
  | "steps"
  // The integrator: the step size fell below the rounding of the time.
  | "step-too-small"
  // flow/field.ts and flow/flow-end.ts: the Jacobian lost its full rank, so that the velocity cannot be computed or the
  // step collapsed.
  | "singular-jacobian";

/** All codes, for files that hold one. */
export const REASON_CODES = Object.keys({
  gradient: true,
  step: true,
  reduction: true,
  loss: true,
  evidence: true,
  iterations: true,
  separable: true,
  seconds: true,
  patience: true,
  aborted: true,
  "damping-saturated": true,
  "no-progress": true,
  "non-finite": true,
  memory: true,
  until: true,
  event: true,
  steps: true,
  "step-too-small": true,
  "singular-jacobian": true,
} satisfies Record<ReasonCode, true>) as readonly ReasonCode[];

/** Why a run ended. */
export interface Reason {
  /** The reason, for programs. */
  readonly code: ReasonCode;
  /** The reason, as a sentence with its numbers, if it has any. */
  readonly message: string;
  /** With `non-finite`: the place of the first number that is not finite. */
  readonly where?: NonFinite | undefined;
}
