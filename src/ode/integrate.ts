// The public `integrate`, which users call: integrates any y' = f(t, y), without networks. It checks its arguments, runs the loop of
// drive.ts and collects the steps in a result.
import { argumentError } from "../errors.js";
import { checkOptionNames, checkSignal } from "../options.js";
import { integrateSteps } from "./drive.js";
import { dormandPrince, type Integrator } from "./integrator.js";
import { checkEvents, checkIntegrator, checkOutputs, checkSpan } from "./options.js";
import type { EventSample, OdeEnd, OdeEvent, RightHandSide, Sample, Stage, StageFailure } from "./types.js";

/** f(t, y): returns the derivative as an array, which is copied, or a failure. The state that it receives is a copy. */
export type OdeFunction = (
  time: number,
  state: Float64Array,
) => Stage | readonly number[] | Promise<Stage | readonly number[]>;

/** Options of `integrate`. */
export interface IntegrateOdeOptions {
  /** Default 0. */
  readonly from?: number | undefined;
  /** Time at which the integration ends, after `from`. */
  readonly until: number;
  /** State at the start: at least one finite number. */
  readonly initial: ArrayLike<number>;
  /** Default `dormandPrince()`. */
  readonly integrator?: Integrator | undefined;
  /** Times at which the result holds a state: increasing, within [from, until]. */
  readonly outputs?: readonly number[] | undefined;
  /** Events to detect during the integration. Default none. */
  readonly events?: readonly OdeEvent[] | undefined;
  /** Ends the integration. */
  readonly signal?: AbortSignal | undefined;
}

/** What `integrate` resolves with. */
export interface IntegrateResult {
  /** How it ended. */
  readonly end: OdeEnd;
  /** Start and accepted steps. */
  readonly times: readonly number[];
  /** The start and the end of every accepted step. */
  readonly states: readonly Float64Array[];
  /** States at the times in `outputs`. */
  readonly outputs: readonly Sample[];
  /** States at the events, in order of time. */
  readonly events: readonly EventSample[];
}

const NAMES = ["from", "until", "initial", "integrator", "outputs", "events", "signal"];

/**
 * Integrates y' = f(t, y) for any f, from `from` to `until`.
 *
 * @example const { states } = await integrate((t, [x = 0, v = 0]) => [v, -x], { initial: [1, 0], until: 10 });
 * @throws GAUSSFLOW_ARGUMENT for options, and for a right-hand side and events that break their contract; the signal's reason when
 * aborted
 */
export async function integrate(rightHandSide: OdeFunction, options: IntegrateOdeOptions): Promise<IntegrateResult> {
  if (typeof rightHandSide !== "function") throw argumentError("rightHandSide", "must be a function", rightHandSide);
  const { from, until, initial, integrator, outputs, events, signal } = complete(options);
  const steps = integrateSteps(
    { rightHandSide: checked(rightHandSide, initial.length), from, until, initial },
    integrator,
    {
      outputs,
      events,
      signal,
    },
  );
  const times = [from];
  const states = [initial];
  const samples: Sample[] = outputs[0] === from ? [{ time: from, state: initial.slice() }] : [];
  const crossings: EventSample[] = [];
  for (;;) {
    const next = await steps.next();
    if (next.done) return { end: next.value, times, states, outputs: samples, events: crossings };
    const step = next.value;
    times.push(step.time);
    states.push(step.state);
    samples.push(...step.outputs);
    crossings.push(...step.events);
  }
}

function complete(options: IntegrateOdeOptions) {
  checkOptionNames("options", options, NAMES);
  const { from = 0, until, integrator = dormandPrince(), outputs = [], events = [], signal } = options;
  checkSpan(from, until);
  checkIntegrator(integrator);
  checkSignal("options.signal", signal);
  return {
    from,
    until,
    initial: checkInitial(options.initial),
    integrator,
    outputs: checkOutputs(outputs, from, until),
    events: checkEvents(events).map(shielded),
    signal,
  };
}

function checkInitial(values: ArrayLike<number>): Float64Array {
  const length = (values as ArrayLike<number> | undefined | null)?.length;
  if (typeof values !== "object" || length === undefined || length === 0)
    throw argumentError("options.initial", "must be an array of at least one number", values);
  const initial = Float64Array.from(values);
  const bad = initial.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw argumentError(`options.initial[${bad}]`, "must be a finite number", values[bad]);
  return initial;
}

/**
 * The right-hand side with its answers checked. The loop keeps states and derivatives, and the caller's function may write to both. It therefore
 * receives a copy of the state, and its derivative is copied, so that it may reuse its own buffers.
 */
function checked(rightHandSide: OdeFunction, length: number): RightHandSide {
  const check = (answer: Stage | readonly number[]): Stage => {
    if (Array.isArray(answer) || answer instanceof Float64Array) {
      if (answer.length !== length) throw argumentError("rightHandSide", `must return ${length} numbers`, answer);
      return Float64Array.from(answer);
    }
    const failure = answer as StageFailure;
    if (typeof failure?.failure === "string" && typeof failure.message === "string") return failure;
    throw argumentError("rightHandSide", `must return an array of ${length} numbers or a failure`, failure);
  };
  return (time, state) => {
    const answer = rightHandSide(time, state.slice());
    return answer instanceof Promise ? answer.then(check) : check(answer);
  };
}

/** The event with a copy of the state, so that it cannot change the integration. */
const shielded = (event: OdeEvent): OdeEvent => ({
  ...event,
  value: (time, state) => event.value(time, state.slice()),
});
