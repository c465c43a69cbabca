// Defines the types of time integration: right-hand side, accepted step, event, end. The files of this folder integrate any y' = f(t, y) by
// them, and src/flow the flows of docs/theory.md; nothing here depends on networks.
import type { NonFinite } from "../backend/engine.js";

/** There is no derivative at (t, y). A failed stage rejects the step; `fatal` ends the integration with `code`. */
export interface StageFailure {
  /** Code that the integration ends with. */
  readonly failure: string;
  /** The reason, as a sentence. */
  readonly message: string;
  /** Where a number was not finite. */
  readonly where?: NonFinite | undefined;
  /** True if the integration ends; else a shorter step is tried. */
  readonly fatal?: boolean | undefined;
}

/** The answer of a right-hand side: the derivative, or a failure. */
export type Stage = Float64Array | StageFailure;

/** f(t, y). The function must neither change nor keep the state. It returns a new array at every call, which the integrator keeps. */
export type RightHandSide = (time: number, state: Float64Array) => Stage | Promise<Stage>;

export interface OdeProblem {
  readonly rightHandSide: RightHandSide;
  readonly from: number;
  /** > from. */
  readonly until: number;
  /** Not changed. */
  readonly initial: Float64Array;
  /** Number of leading components from which stiffness is detected; components that are only integrated along follow them. Default all. */
  readonly judged?: number | undefined;
  /**
   * For right-hand sides that hold something fixed through the stages of a step: called after every accepted step but the last
   * with its end, and first of all where a run is resumed from such a step. Returns the derivative there with whatever is held
   * brought up to date, or null where nothing has changed.
   */
  readonly refresh?: ((time: number, state: Float64Array) => Stage | null | Promise<Stage | null>) | undefined;
}

/** Measures the local error: 1 = exactly at the tolerance. Default: rms of e_i / (atol + rtol max(|y_i|, |y'_i|)). */
export interface ErrorNorm {
  measure(error: Float64Array, before: Float64Array, after: Float64Array): number | Promise<number>;
  /** The same norm of a state itself, and of a derivative at it: the starting-step rule compares the two. */
  size(state: Float64Array): number | Promise<number>;
  derivativeSize(derivative: Float64Array, state: Float64Array): number | Promise<number>;
}

/** A condition to detect during an integration. */
export interface OdeEvent {
  /** Name of the event in the result. */
  readonly name: string;
  /** Its zero crossing is the event. */
  readonly value: (time: number, state: Float64Array) => number | Promise<number>;
  /** Sign change that counts. Default "either". */
  readonly direction?: "rising" | "falling" | "either" | undefined;
  /** Ends the integration at the root. Default false. */
  readonly terminal?: boolean | undefined;
}

/** A state at a time: a requested output, or the root of an event. */
export interface Sample {
  /** Time of the event. */
  readonly time: number;
  /** State there. */
  readonly state: Float64Array;
}

export interface EventSample extends Sample {
  /** Name of the event. */
  readonly name: string;
}

/** The memory of the integrator after an accepted step, from which it continues bit for bit: plain numbers, for checkpoints. */
export interface StepMemory {
  /** Step size that the controller chose next; 0 = none yet, at the start. */
  readonly nextStep: number;
  /** Scaled errors of the last accepted steps, newest first (PI and PID control look back). */
  readonly errors: readonly number[];
  /** Number of consecutive steps that look stiff, and that do not. */
  readonly stiffCount: number;
  readonly calmCount: number;
}

export interface IntegrateOptions {
  readonly norm?: ErrorNorm | undefined;
  /** Increasing times; those up to `from` are passed over. */
  readonly outputs?: readonly number[] | undefined;
  readonly events?: readonly OdeEvent[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** f(from, initial) where it is known; it counts as an evaluation. */
  readonly derivative?: Float64Array | undefined;
  /** Goes on from an accepted step, bit for bit; the step's `refresh` comes first. */
  readonly resume?:
    | { readonly memory: StepMemory; readonly index: number; readonly evaluations: number; readonly rejected: number }
    | undefined;
}

export interface AcceptedStep {
  /** From 1. */
  readonly index: number;
  readonly from: number;
  /** End of the step: the root where a terminal event cut it. */
  readonly time: number;
  /** Size used (before a cut). */
  readonly stepSize: number;
  /** State there. */
  readonly state: Float64Array;
  /** f(time, state): it is evaluated for every method before the step is shown, and is the next step's first stage. */
  readonly derivative: Float64Array;
  /** Scaled local error; NaN at a fixed step. */
  readonly error: number;
  /** Trials rejected before this step was accepted, and right-hand sides so far (all of them). */
  readonly rejections: number;
  readonly evaluations: number;
  /** State at any time within [from, time], by the tableau's interpolant. */
  interpolate(time: number): Float64Array;
  /** Requested output times within (from, time]. */
  readonly outputs: readonly Sample[];
  readonly events: readonly EventSample[];
  /** Set at the step where stiffness was first seen: a sentence with the numbers. */
  readonly stiffness: string | null;
  readonly memory: StepMemory;
  /** Ends at `until` or at a terminal event, which may have shortened it: a longer run might not have taken this step. */
  readonly cut: boolean;
}

/** Why an integration ended: a code of its own, or that of a failed right-hand side. */
export type OdeEndCode = "until" | "event" | "steps" | "step-too-small" | "non-finite" | (string & {});

/** How an integration ended. */
export interface OdeEnd {
  /** Why it ended. */
  readonly code: OdeEndCode;
  /** The reason, as a sentence. */
  readonly message: string;
  /** Where a number was not finite. */
  readonly where?: NonFinite | undefined;
  /** Time of the event. */
  readonly time: number;
  /** State there. */
  readonly state: Float64Array;
  /** Steps that were accepted. */
  readonly accepted: number;
  /** Trials that were rejected. */
  readonly rejected: number;
  /** Right-hand sides that were evaluated. */
  readonly evaluations: number;
  /** The sentence of the first step that looked stiff. */
  readonly stiffness: string | null;
}
