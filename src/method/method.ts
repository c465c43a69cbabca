// Defines Method, the interface by which the training loop (train/minimize.ts) calls a method. A method has no loop, no
// clock and no engine of its own; gaussNewton and levenbergMarquardt implement it, and users may.
//
//   (state, point) -> proposal;     (state, proposal, trial) -> accepted or rejected, and the next state
//
// The division into a step and a judgment follows optimistix (descent and search). The state is plain data, numbers and
// Float64Arrays, so that a checkpoint can hold it and a resumed run continues bit for bit.
import { type Failure, failed } from "../backend/engine.js";
import type { Point, Problem, ScalingKind } from "../linearize/problem.js";
import type { Fidelity, RunSizes } from "../step/fidelity.js";
import type { DampedStep } from "../step/step-model.js";
import type { TrialHistory } from "../step/trial-history.js";
import type { MethodState } from "./method-state.js";
import type { ReasonCode } from "./reason.js";
import type { RegularizationPolicy } from "./regularization.js";

export type { MethodState };

/** A step to try: a damped step, or a part of one. */
export interface Proposal extends DampedStep {
  /** Step length along `direction` (1 for damped steps). */
  readonly length: number;
  /** The line (or curve) the step lies on: the damped step without its acceleration. */
  readonly direction: Float64Array;
  /** 2 |a| / |v|, lengths in D, where the step holds a geodesic acceleration a of the velocity v, else null. */
  readonly acceleration: number | null;
  /** Pairs of the secant correction in the model; undefined where there can be none. */
  readonly secant?: number | undefined;
  /**
   * Changes of the objective up to this size are rounding; with steps on the exact Hessian and in fits
   * (`Point.rounding`), which may be accepted below it.
   */
  readonly rounding?: number | undefined;
  /** True if the damping must not fall where this step is accepted. Default false. */
  readonly holdsDamping?: boolean | undefined;
}

/** The objective at the trial point. */
export interface Trial {
  /** Tells it from a failure. */
  readonly ok: true;
  /** Sum objective there. */
  readonly objective: number;
}

/** What a method makes of a trial. */
export interface Judgment {
  /** Whether the step is taken. */
  readonly accepted: boolean;
  /** State of the method from now on. */
  readonly state: MethodState;
  /** Actual / predicted reduction; null where one of them is unknown. */
  readonly gainRatio: number | null;
  /** Why the trial was rejected, as a sentence; null where it was accepted. */
  readonly rejection: string | null;
  /**
   * True where a step was accepted whose change of the objective is rounding. The loop keeps its end as the best point,
   * and ends the run if the gradient does not fall by half. Default false.
   */
  readonly unresolved?: boolean | undefined;
  /** Set when the method has nothing left to try from this point. */
  readonly end?: {
    /** The reason, for programs. */
    readonly code: ReasonCode;
    /** The reason, as a sentence with the numbers. */
    readonly message: string;
  };
}

/** What a run may save, from its sizes: the plan counts its memory and time. */
export interface PlannedFidelity {
  /** Whether the primal curvature is in single precision, until that no longer suffices. */
  readonly single: boolean;
  /** Samples behind the curvature at first and at most, while they are not all; null = all, always. */
  readonly subset: {
    /** Samples at first, far from the minimum. */
    readonly first: number;
    /** Most samples before it is all of them. */
    readonly most: number;
  } | null;
}

/** Where a run stands when it asks for the next fidelity. */
export interface RunPosition {
  /** State of the method; null before the first linearization. */
  readonly state: MethodState | null;
  /** Accepted steps so far. */
  readonly iteration: number;
  /** All trials so far. */
  readonly records: readonly TrialHistory[];
}

/**
 * Decides how exactly curvatures are formed and solved with. Both answers are plain data that follow from the arguments
 * alone.
 */
export interface FidelityPolicy {
  /** What a run of these sizes may save at most. */
  planned(sizes: RunSizes): PlannedFidelity;
  /**
   * The fidelity of the next linearization. Where a solve fails the loop goes on to all samples, then to double
   * precision.
   */
  next(sizes: RunSizes, position: RunPosition): Fidelity;
}

/** A way to propose steps and to judge them: `levenbergMarquardt`, `gaussNewton`, or one of the caller's own. */
export interface Method {
  /** Name in checkpoints. */
  readonly name: string;
  /** A phrase for people: "Levenberg-Marquardt (marquardt scaling, nielsen damping)". */
  readonly label: string;
  /** All options as plain data; two methods with equal settings take equal steps. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Scaling D of the damping. */
  readonly scaling: ScalingKind;
  /** How exactly curvatures are formed and solved with. Default: all samples in double precision. */
  readonly fidelity?: FidelityPolicy | undefined;
  /** Sets the weight decay of the run as it goes on; the loss then has none. Default: the decay of the loss, all along. */
  readonly regularization?: RegularizationPolicy | undefined;
  /**
   * State before the first iteration.
   * @param curvatureScale size of the curvature in the units of D: the largest diagonal entry of G for the identity
   *   (dual route: a Rayleigh quotient of K), 1 for the running maximum.
   * @param effect the scaling actually used on the route (scalingInEffect).
   * @param parameterCount of the network.
   */
  start(curvatureScale: number, effect: ScalingKind, parameterCount: number): MethodState;
  /**
   * For a state that comes from a file, its names and kinds checked and nothing NaN: the rule it breaks ("damping must
   * be ..."), or null. Default: none.
   */
  checkState?(state: MethodState): string | null;
  /** Damping that the next trial will use: what a record shows when the solve fails. */
  damping(state: MethodState): number;
  /**
   * The next step from a point, or why there is none.
   * @param previous the trial just rejected at the same point, whose direction may be reused; else null.
   */
  propose(
    problem: Problem,
    state: MethodState,
    point: Point,
    previous: Proposal | null,
    signal?: AbortSignal,
  ): Promise<Proposal | Failure>;
  /**
   * Whether a trial is accepted, and the state that follows.
   * @param trial null when there was no proposal to evaluate.
   */
  judge(state: MethodState, point: Point, proposal: Proposal | Failure, trial: Trial | Failure | null): Judgment;
  /**
   * The state to go on from after the data of the run were replaced between two iterations: without what was to be
   * compared with the next gradient. Default: the state as it is.
   */
  renewed?(state: MethodState): MethodState;
}

/** A number of the state, by name. */
export function numberOf(state: MethodState, name: string): number {
  const value = state[name];
  return typeof value === "number" ? value : Number.NaN;
}

/** An array of the state, by name; empty where there is none. */
export function arrayOf(state: MethodState, name: string): Float64Array {
  const value = state[name];
  return value instanceof Float64Array ? value : new Float64Array(0);
}

/** The rule that the first of these numbers breaks which is not finite and at least 0 (or above 0), or null. */
export function checkSizes(state: MethodState, names: readonly string[], above: boolean): string | null {
  const bad = names.find((name) => {
    const value = numberOf(state, name);
    return !(value < Number.POSITIVE_INFINITY && (above ? value > 0 : value >= 0));
  });
  if (bad === undefined) return null;
  return `${bad} must be a finite number ${above ? "above" : "of at least"} 0; it is ${numberOf(state, bad)}`;
}

/** The outcome of a trial, for every method: its gain ratio, or the sentence that explains why there is none. */
export function weigh(
  point: Point,
  proposal: Proposal | Failure,
  trial: Trial | Failure | null,
): { readonly ratio: number; readonly actual: number } | { readonly rejection: string } {
  if (failed(proposal)) return { rejection: proposal.message };
  if (trial === null) return { rejection: "the trial was not evaluated" };
  if (failed(trial)) return { rejection: trial.message };
  if (!Number.isFinite(trial.objective)) return { rejection: `the objective at the trial is ${trial.objective}` };
  const actual = point.objective - trial.objective;
  return { actual, ratio: proposal.predicted > 0 ? actual / proposal.predicted : Number.NaN };
}

/** The sentence for a trial that did not lower the objective. */
export function riseMessage(point: Point, trial: number): string {
  return trial === point.objective
    ? `the objective stayed at ${point.objective.toExponential(6)}`
    : `the objective went from ${point.objective.toExponential(6)} to ${trial.toExponential(6)}`;
}

/** Methods that {name, settings} fully describe. Modified copies are not registered. */
const described = new WeakSet<object>();

/**
 * Registers a method that its name and settings fully describe, so that another thread can rebuild it
 * (`rebuild-method.ts`).
 */
export function describedBySettings<Kind extends object = Method>(method: Kind): Kind {
  described.add(Object.freeze(method));
  return method;
}

export function isDescribedBySettings(method: object): boolean {
  return described.has(method);
}
