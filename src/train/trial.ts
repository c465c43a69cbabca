// Describes a trial of the loop as plain data: the point from which it starts, the proposal of the method, the end of the step, and the
// judgment. minimize.ts makes one for each proposal; the stop rules and the record are computed from it.
import type { Failure } from "../backend/engine.js";
import type { Point } from "../linearize/problem.js";
import type { Judgment, Trial as MethodTrial, Proposal } from "../method/method.js";
import type { TrainRoute } from "../plan/route.js";
import type { Fidelity } from "../step/fidelity.js";

/** A linearized point and what its trials share. */
export interface Base {
  /** Tells it from a failure. */
  readonly ok: true;
  readonly point: Point;
  /** How exactly its curvature was asked for. */
  readonly fidelity: Fidelity;
  /** Why the point was linearized again since the last record; else null. */
  readonly fallback: string | null;
  /** Seconds of the linearizations since the last record. */
  readonly seconds: Point["seconds"];
}

/** The seconds of a point that was linearized twice. */
export function addSeconds(a: Point["seconds"], b: Point["seconds"]): Point["seconds"] {
  return { passes: a.passes + b.passes, curvature: a.curvature + b.curvature };
}

/** The end of a step. */
export interface StepEnd {
  readonly parameters: Float64Array;
  /** The objective there, and the sum loss without the decay. */
  readonly answer: (MethodTrial & { readonly loss: number }) | Failure;
  readonly seconds: number;
}

/** A trial and its outcome. */
export interface Trial {
  readonly iteration: number;
  /** From 1 within the iteration. */
  readonly number: number;
  readonly base: Base;
  readonly route: TrainRoute;
  /** Damping of the method before the trial: that of the record where the solve failed. */
  readonly damping: number;
  /** null: the starting point, which no step led to. */
  readonly proposal: Proposal | Failure | null;
  /** null where there is no step. */
  readonly end: StepEnd | null;
  /** Euclidean norm of the step; 0 without one. */
  readonly stepNorm: number;
  readonly judgment: Omit<Judgment, "state">;
}

/** The start of a run, which no step led to. The first trial counts the seconds of its linearization. */
export function startTrial(base: Base, route: TrainRoute, damping: number): Trial {
  const judgment = { accepted: true, gainRatio: null, rejection: null };
  const from = { ...base, seconds: { passes: 0, curvature: 0 } };
  return { iteration: 0, number: 1, base: from, route, damping, proposal: null, end: null, stepNorm: 0, judgment };
}
