// Follows the method of a run in its weight decay, where the method sets it (`Method.regularization`): minimize.ts asks it between iterations,
// and for the result. An update of the decay is another objective: the loop linearizes again, and forgets the best point.
import { type Failure, failed } from "../backend/engine.js";
import { unlessMemory } from "../backend/memory.js";
import { linearizeAt, objectiveOf, type Point, type Problem } from "../linearize/problem.js";
import type { Method, MethodState } from "../method/method.js";
import type { Reason } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import type { TrainRecord } from "../run/record.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import type { RunState } from "./run-state.js";
import type { Best } from "./snapshot.js";

/** The decay of the next linearization of a run that begins or is resumed. */
export function presentDecay({ method, decay, resume = null }: MinimizeOptions): number {
  return resume === null ? decay : (method.regularization?.decay(resume.methodState) ?? decay);
}

/** Whether the method is to estimate the decay at a point, where the run would end if `over`. */
export function isDue({ regularization }: Method, state: MethodState | null, over: boolean): boolean {
  if (regularization === undefined || state === null) return false;
  return regularization.due(state) || (over && regularization.stale(state));
}

/** The state in which the next point is due, of a run that has converged with a decay that has not settled; else null. */
export function hastened({ regularization }: Method, state: MethodState): MethodState | null {
  return regularization === undefined || regularization.settled(state) ? null : regularization.hastened(state);
}

/**
 * Lets the method estimate the decay at the point just linearized.
 * @returns the decay from now on, whether the point is to be linearized again, and why the run is over; null: it goes on
 */
export async function renewDecay(
  { regularization }: Method,
  problem: Problem,
  run: RunState,
  point: Point,
  forced: boolean,
  signal: AbortSignal,
): Promise<
  { readonly ok: true; readonly decay: number; readonly moved: boolean; readonly end: Reason | null } | Failure
> {
  const policy = regularization as NonNullable<typeof regularization>;
  if (point.precision !== "double" || point.subset !== null) {
    // The spectrum is that of all samples in double precision: the point is linearized again, as one that is due.
    run.method = policy.hastened(run.method as MethodState);
    return { ok: true, decay: problem.decay, moved: true, end: null };
  }
  const state = forced ? policy.hastened(run.method as MethodState) : (run.method as MethodState);
  const answer = unlessMemory(await policy.renew(problem, state, point, signal));
  if (failed(answer)) return answer;
  run.method = answer.state;
  const decay = policy.decay(answer.state);
  const moved = decay !== problem.decay || answer.restart !== null;
  if (moved) run.forgetBest();
  if (answer.restart !== null) {
    run.parameters = answer.restart;
    run.scaling?.fill(0);
  }
  return { ok: true, decay, moved, end: answer.end };
}

/** The point that a run keeps whose decay is not the last one: the most probable so far. null: that of the least objective. */
export function keptPoint({ regularization }: Method, state: MethodState | null, meanFactor: number): Best | null {
  const kept = state === null || regularization?.settled(state) ? null : (regularization?.kept(state) ?? null);
  if (kept === null) return null;
  const { iteration, parameters, loss } = kept;
  const value = objectiveOf(loss, kept.evidence.decay, parameters);
  return { iteration, parameters, value, loss: loss * meanFactor };
}

/** What a record holds of the decay. */
export function decayFields(
  { regularization }: Method,
  state: MethodState | null,
  decay: number,
): Pick<TrainRecord, "decay" | "evidence"> {
  if (regularization === undefined || state === null) return {};
  const evidence = regularization.evidence(state);
  return { decay, ...(evidence === null ? {} : { evidence: Object.freeze(evidence) }) };
}

/** Reasons after which nothing more is computed. */
const CUT_SHORT: readonly (Reason["code"] | undefined)[] = ["aborted", "seconds", "memory", "non-finite"];

/**
 * The evidence at the point that a run keeps, for its result; null where the run was cut short, whose result has that of the last update, and
 * where it keeps a fit whose evidence is known.
 */
export async function finalEvidence(
  { regularization }: Method,
  problem: Problem,
  run: RunState,
  reason: Reason | null,
  signal: AbortSignal,
): Promise<Evidence | null> {
  if (regularization === undefined || run.method === null || CUT_SHORT.includes(reason?.code)) return null;
  if (run.bestValidation === null && !regularization.settled(run.method) && regularization.kept(run.method) !== null)
    return null;
  const { parameters } = run.bestValidation ?? run.best;
  const point = await linearizeAt(problem, parameters, run.scaling?.slice() ?? null, null, signal);
  if (failed(point)) return null;
  const answer = await regularization.assess(problem, point, signal);
  return "code" in answer ? null : answer;
}

/** Decay and evidence of the result: of the fit that is kept. */
export function regularizedResult(
  { regularization }: Method,
  run: RunState,
  problem: Problem,
  found: Evidence | null,
): Pick<MinimizeResult, "decay" | "evidence"> {
  if (regularization === undefined || run.method === null) return {};
  const kept = regularization.settled(run.method) ? null : regularization.kept(run.method);
  if (found === null && kept !== null && run.bestValidation === null)
    return { decay: kept.evidence.decay, evidence: kept.evidence };
  return { decay: problem.decay, evidence: found ?? regularization.evidence(run.method) ?? undefined };
}

/** What the user of a network should know of its evidence. */
export function evidenceWarnings(evidence: Evidence | undefined): readonly string[] {
  if (evidence === undefined || evidence.effectiveParameters >= 1) return [];
  return [
    `the data determine less than one parameter (${evidence.effectiveParameters.toPrecision(2)} with a weight decay of ${evidence.decay.toPrecision(2)}): to this network the targets look like noise around their mean`,
  ];
}
