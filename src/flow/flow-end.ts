// Turns the end of an integration into the reason of a flow; flow-run.ts calls it once at the end. A step that collapses because J loses
// its rank is distinguished from one that collapses because the problem is rough.

import type { Reason, ReasonCode } from "../method/reason.js";
import type { StageFailure } from "../ode/types.js";
import type { JacobianRank } from "../spectrum/jacobian-rank.js";

const CODES: readonly ReasonCode[] = [
  "until",
  "event",
  "steps",
  "step-too-small",
  "singular-jacobian",
  "non-finite",
  "memory",
];

/** A code of the integrator or of a right-hand side. */
export function asCode(code: string): ReasonCode {
  return CODES.find((one) => one === code) ?? "no-progress";
}

/** No velocity at the start: there is no flow. */
export function startReason({ failure, message, where }: StageFailure): Reason {
  return { code: asCode(failure), message: `at the start: ${message}`, ...(where ? { where } : {}) };
}

/** J is the cause of a collapsing step if sigma_min/sigma_max has fallen to this share of its value at the start. */
const fallen = 0.1;

/**
 * Called when an undamped flow cannot continue: returns the reason `singular-jacobian` with its numbers, or null if J is about as regular as
 * at the start.
 * @param collapsed the step size fell to nothing; else only a J without its full rank counts
 */
export function singularReason(
  start: JacobianRank | null,
  end: JacobianRank | null,
  at: { readonly time: number; readonly distance: number; readonly collapsed: boolean },
): Reason | null {
  if (start === null || end === null) return null;
  const [first, now] = [start.smallest / start.largest, end.smallest / end.largest];
  const short = end.rank < end.of;
  if (!short && !(at.collapsed && now < fallen * first)) return null;
  const what = short
    ? `J is singular at t = ${at.time.toPrecision(6)}`
    : `J is becoming singular: the step collapsed at t = ${at.time.toPrecision(6)}`;
  const rank = `numerical rank ${end.rank} of ${end.of} at tolerance ${end.tolerance.toExponential(1)}`;
  return {
    code: "singular-jacobian",
    message: `${what}: sigma_min = ${end.smallest.toExponential(3)}, sigma_min/sigma_max = ${now.toExponential(3)} against ${first.toExponential(3)} at the start, ${rank}; |w - w_0| = ${at.distance.toPrecision(4)}. A damping above 0 keeps it away, or a larger outputScale where recommendOutputScale finds one`,
  };
}
