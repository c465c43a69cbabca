// Integration of any y' = f(t, y), without networks: checks what it is given and gathers what the loop of integrate.ts yields.
import { argumentError } from "../errors.js";
import { checkOptionNames } from "../network/option-names.js";
import { integrateSteps } from "./integrate.js";
import { dormandPrince, type Integrator } from "./integrator.js";
import type { EventSample, OdeEnd, OdeEvent, RightHandSide, Sample, Stage } from "./ode.js";
import { checkEvents, checkIntegrator, checkOutputs, checkSpan } from "./ode-options.js";

/** f(t, y): the derivative as a new array of either kind, or why there is none. */
export type OdeFunction = (
  time: number,
  state: Float64Array,
) => Stage | readonly number[] | Promise<Stage | readonly number[]>;

export interface IntegrateOdeOptions {
  /** Default 0. */
  readonly from?: number | undefined;
  readonly until: number;
  readonly initial: ArrayLike<number>;
  /** Default `dormandPrince()`. */
  readonly integrator?: Integrator | undefined;
  /** Times at which the state is wanted: increasing, within [from, until]. */
  readonly outputs?: readonly number[] | undefined;
  readonly events?: readonly OdeEvent[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface IntegrateResult {
  readonly end: OdeEnd;
  /** Start and accepted steps. */
  readonly times: readonly number[];
  readonly states: readonly Float64Array[];
  readonly outputs: readonly Sample[];
  readonly events: readonly EventSample[];
}

const NAMES = ["from", "until", "initial", "integrator", "outputs", "events", "signal"];

/**
 * Integrates y' = f(t, y) for any f, from `from` to `until`.
 *
 * @example const { states } = await integrate((t, [x, v]) => [v, -x], { initial: [1, 0], until: 10 });
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
  checkOptionNames("integrate options", options, NAMES);
  const { from = 0, until, integrator = dormandPrince(), outputs = [], events = [], signal } = options;
  checkSpan(from, until);
  checkIntegrator(integrator);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentError("options.signal", "must be an AbortSignal", signal);
  return {
    from,
    until,
    initial: checkInitial(options.initial),
    integrator,
    outputs: checkOutputs(outputs, from, until),
    events: checkEvents(events),
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

/** The right-hand side with its answers checked: the loop keeps every derivative, so that each must be an array of its own. */
function checked(rightHandSide: OdeFunction, length: number): RightHandSide {
  let before: Float64Array | null = null;
  const check = (answer: Stage | readonly number[], state: Float64Array): Stage => {
    const stage = Array.isArray(answer) ? Float64Array.from(answer as readonly number[]) : (answer as Stage);
    if (stage instanceof Float64Array) {
      if (stage.length !== length) throw argumentError("rightHandSide", `must return ${length} numbers`, stage);
      if (stage === state || stage === before)
        throw argumentError(
          "rightHandSide",
          "must return a new array at every call",
          stage === state ? "the state it was given" : "the array of the call before",
        );
      before = stage;
      return stage;
    }
    if (typeof stage?.failure === "string" && typeof stage.message === "string") return stage;
    throw argumentError("rightHandSide", `must return an array of ${length} numbers or a failure`, stage);
  };
  return (time, state) => {
    const answer = rightHandSide(time, state);
    return answer instanceof Promise ? answer.then((stage) => check(stage, state)) : check(answer, state);
  };
}
