// Detects that a run of Levenberg-Marquardt stalls, and keeps the pairs of the secant correction
// (`../../step/secant.ts`) in the method's state from then on. propose.ts takes the correction from it, judge.ts adds a
// pair after an accepted step, and fidelity.ts asks whether the run stalls.

import type { LowRank } from "../../backend/curvature.js";
import { type Failure, failed } from "../../backend/engine.js";
import { multiplyLowRank } from "../../backend/low-rank.js";
import type { Point, Problem } from "../../linearize/problem.js";
import { Slot } from "../../linearize/workspace.js";
import { noPairs, nothingPending, type Pairs, type Pending, secantOf, withPending } from "../../step/secant.js";
import { arrayOf, type MethodState, numberOf, type Proposal } from "../method.js";

/**
 * A run stalls once this many steps in a row lower the objective by less than `share` each, until one lowers it by
 * `end`.
 */
const stall = { steps: 3, share: 3e-3, end: 3e-2 };

export const isStalled = (state: MethodState) => numberOf(state, "slowSteps") >= stall.steps;

/** The part of the state that counts slow steps in a row and holds the pairs of the correction. */
function secantState(slowSteps: number, pairs: Pairs, pending: Pending): MethodState {
  return {
    slowSteps,
    secantSteps: pairs.steps,
    secantChanges: pairs.changes,
    secantResiduals: pairs.residuals,
    pendingStep: pending.step,
    pendingGradient: pending.gradient,
    pendingImage: pending.image,
  };
}

/** That part at the start of a run. */
export const neverStalled = secantState(0, noPairs, nothingPending);

/** The first of these fields of a state from a file that is impossible, as a sentence; null if all are possible. */
export function checkSecant(state: MethodState): string | null {
  const slow = numberOf(state, "slowSteps");
  if (!Number.isInteger(slow) || slow < 0 || slow > stall.steps)
    return `slowSteps must be a count of at most ${stall.steps}; it is ${slow}`;
  for (const [first, ...others] of [
    ["secantSteps", "secantChanges", "secantResiduals"],
    ["pendingStep", "pendingGradient", "pendingImage"],
  ] as const) {
    const { length } = arrayOf(state, first);
    for (const name of [first, ...others]) {
      const values = arrayOf(state, name);
      if (values.length !== length)
        return `${name} must have as many numbers as ${first}, ${length}; has ${values.length}`;
      if (!values.every(Number.isFinite)) return `${name} must hold finite numbers`;
    }
  }
  return null;
}

/** The pairs at a point and the correction that they form. */
interface Secant {
  readonly pairs: Pairs;
  readonly correction: LowRank | null;
}

const noSecant: Secant = { pairs: noPairs, correction: null };

/** Store of the correction for the trials from a point; it follows from the state and the point. */
const secantSlot = new Slot<Secant>("secant correction");

/** The correction at a point, from what the state holds; null where there is none. */
export async function correctionAt(
  problem: Problem,
  state: MethodState,
  point: Point,
  signal?: AbortSignal,
): Promise<LowRank | null> {
  return (await secantAt(problem, state, point, signal)).correction;
}

/**
 * The state without the correction, after a trial whose matrix was not positive definite; null if there was no
 * correction.
 */
export function withoutCorrection(state: MethodState, point: Point): MethodState | null {
  if (!point.workspace.get(secantSlot)?.correction) return null;
  point.workspace.delete(secantSlot);
  return secantState(numberOf(state, "slowSteps"), noPairs, nothingPending);
}

/** The pairs of the state, the one that this point completes among them. */
async function secantAt(problem: Problem, state: MethodState, point: Point, signal?: AbortSignal): Promise<Secant> {
  const { gradient, workspace } = point;
  const known = workspace.get(secantSlot);
  if (known !== undefined) return known;
  if (point.precision !== "double") return noSecant;
  const of = (name: string) => arrayOf(state, name);
  let pairs: Pairs = { steps: of("secantSteps"), changes: of("secantChanges"), residuals: of("secantResiduals") };
  const pending = { step: of("pendingStep"), gradient: of("pendingGradient"), image: of("pendingImage") };
  if (pending.step.length > 0) {
    const image = await problem.engine.curvatureProduct(pending.step, signal);
    for (let j = 0; j < image.length; j++) image[j] += problem.decay * pending.step[j];
    pairs = withPending(pairs, pending, gradient, image);
  }
  const secant = { pairs, correction: secantOf(pairs, gradient.length) };
  workspace.set(secantSlot, secant);
  return secant;
}

/** The state after an accepted step from `point` that lowered the objective by this share. */
export function afterStep(state: MethodState, point: Point, proposal: Proposal | Failure, share: number): MethodState {
  const was = isStalled(state);
  const slow = share < (was ? stall.end : stall.share) ? Math.min(numberOf(state, "slowSteps") + 1, stall.steps) : 0;
  const able = !failed(proposal) && proposal.secant !== undefined;
  if (!able || slow < stall.steps) return secantState(able ? slow : 0, noPairs, nothingPending);
  const { pairs, correction } = point.workspace.get(secantSlot) ?? noSecant;
  // The system that the step solves must be the whole system, and the step nothing besides.
  if (proposal.acceleration !== null || point.precision !== "double") return secantState(slow, pairs, nothingPending);
  const { step, damping } = proposal;
  const image = correction === null ? new Float64Array(step.length) : multiplyLowRank(correction, step);
  for (let j = 0; j < step.length; j++)
    image[j] = -point.gradient[j] - image[j] - damping * (point.scaling?.[j] ?? 1) * step[j];
  return secantState(slow, pairs, { step, gradient: point.gradient, image });
}
