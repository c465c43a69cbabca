// The one loop of time integration: try a step, judge its error, accept or reject, look for events and outputs, go on.
//
// It knows tableaux and right-hand sides, nothing of networks. An aborted signal makes it reject with the signal's reason; every
// numerical trouble is an end with a code and the last accepted state, which is always finite.
import { argumentError } from "../errors.js";
import { checkOptionNames } from "../network/option-names.js";
import { eventsOfStep, eventValue } from "./events.js";
import { dormandPrince, type Integrator } from "./integrator.js";
import type {
  AcceptedStep,
  ErrorNorm,
  EventSample,
  OdeEnd,
  OdeEvent,
  OdeProblem,
  RightHandSide,
  Sample,
  StageFailure,
  StepMemory,
} from "./ode.js";
import { evaluate, interpolate, tryStep } from "./runge-kutta.js";
import { startingStep, stepFactor } from "./step-control.js";
import { calm, Stiffness } from "./stiffness.js";

export interface IntegrateOptions {
  readonly norm?: ErrorNorm | undefined;
  readonly outputs?: readonly number[] | undefined;
  readonly events?: readonly OdeEvent[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** f(from, initial) where it is known. */
  readonly derivative?: Float64Array | undefined;
  /** Goes on from an accepted step, bit for bit. */
  readonly resume?:
    | { readonly memory: StepMemory; readonly index: number; readonly evaluations: number; readonly rejected: number }
    | undefined;
}

/** Computing for longer than this without a turn of the event loop would keep signals and timers waiting. */
const breathAfter = 20;

function componentNorm({ settings }: Integrator): ErrorNorm {
  const { relativeTolerance, absoluteTolerance } = settings;
  const measure = (values: Float64Array, a: Float64Array, b: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < values.length; j++)
      sum += (values[j] / (absoluteTolerance + relativeTolerance * Math.max(Math.abs(a[j]), Math.abs(b[j])))) ** 2;
    return values.length === 0 ? 0 : Math.sqrt(sum / values.length);
  };
  return {
    measure,
    size: (state) => measure(state, state, state),
    derivativeSize: (derivative, state) => measure(derivative, state, state),
  };
}

/** Yields every accepted step and returns how the integration ended. */
export async function* integrateSteps(
  problem: OdeProblem,
  integrator: Integrator,
  options: IntegrateOptions = {},
): AsyncGenerator<AcceptedStep, OdeEnd> {
  const { rightHandSide, from, until, initial } = problem;
  const { tableau, settings } = integrator;
  const { norm = componentNorm(integrator), outputs = [], events = [], signal, resume } = options;
  let time = from;
  let state: Float64Array = initial.slice();
  let accepted = resume?.index ?? 0;
  let rejected = resume?.rejected ?? 0;
  let evaluations = resume?.evaluations ?? 0;
  const stiffness = new Stiffness(resume?.memory ?? calm);
  let breath = performance.now();
  const end = (code: string, message: string, failure?: StageFailure): OdeEnd => ({
    code,
    message,
    ...(failure?.where ? { where: failure.where } : {}),
    time,
    state,
    accepted,
    rejected,
    evaluations,
    stiffness: stiffness.sentence,
  });

  signal?.throwIfAborted();
  let first = options.derivative ?? (await evaluate(rightHandSide, time, state));
  if (options.derivative === undefined) evaluations++;
  if (!(first instanceof Float64Array)) return end(first.failure, first.message, first);
  let derivative = first;
  let values: number[] = [];
  for (const event of events) values.push(await eventValue(event, time, state));
  let nextOutput = outputs.findIndex((output) => output > time || (output === time && accepted === 0));
  if (nextOutput < 0) nextOutput = outputs.length;

  const fixed = settings.step > 0;
  let h = resume?.memory.nextStep ?? (fixed ? settings.step : settings.firstStep);
  if (h === 0) {
    h = await startingStep(tableau.order, norm, state, derivative, until - from, async (ahead) => {
      const there = state.map((value, j) => value + ahead * derivative[j]);
      first = await evaluate(rightHandSide, time + ahead, there);
      evaluations++;
      return first instanceof Float64Array ? first : null;
    });
  }
  let errors = resume?.memory.errors ?? [];
  let rejections = 0;
  let trouble: StageFailure | null = null;

  while (time < until) {
    signal?.throwIfAborted();
    if (performance.now() - breath > breathAfter) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      breath = performance.now();
      signal?.throwIfAborted();
    }
    if (accepted + rejected >= settings.steps)
      return end("steps", `${settings.steps} steps were tried and t = ${time} of ${until} is reached`);
    h = Math.min(h, settings.largestStep);
    const least = 16 * Number.EPSILON * Math.max(Math.abs(time), Math.abs(until - from) * 1e-3);
    if (h < least) {
      if (trouble !== null)
        return end(
          trouble.failure,
          `the step fell to ${h.toExponential(2)} at t = ${time} without getting past: ${trouble.message}`,
          trouble,
        );
      return end(
        "step-too-small",
        `the step fell to ${h.toExponential(2)} at t = ${time}: the error asks for less than rounding allows`,
      );
    }
    // The end is met exactly; a last sliver below rounding is joined to the step before it.
    const last = time + h * (1 + 1e-12) >= until;
    const size = last ? until - time : h;
    const trial = await tryStep(tableau, rightHandSide, time, state, derivative, size);
    evaluations += trial.evaluations;
    let error = Number.NaN;
    if ("failed" in trial) {
      trouble = trial.failed;
      if (trial.failed.fatal) return end(trial.failed.failure, trial.failed.message, trial.failed);
      if (fixed)
        return end(
          trial.failed.failure,
          `a step of ${size} from t = ${time} failed: ${trial.failed.message}`,
          trial.failed,
        );
      error = Number.POSITIVE_INFINITY;
    } else if (!fixed && trial.error !== null) {
      error = await norm.measure(trial.error, state, trial.state);
      if (Number.isNaN(error)) error = Number.POSITIVE_INFINITY;
    }
    if ("failed" in trial || error > 1) {
      rejected++;
      rejections++;
      h =
        size *
        (Number.isFinite(error)
          ? Math.min(1, stepFactor([error], tableau.errorOrder, settings))
          : settings.smallestFactor);
      continue;
    }

    // Accepted. After a rejection the step does not grow at once.
    const start = time;
    const [before, stages] = [state, trial.stages];
    const at = (t: number) => interpolate(tableau, before, stages, size, (t - start) / size);
    let stop: EventSample | null = null;
    let found: readonly EventSample[] = [];
    if (events.length > 0) {
      const after: number[] = [];
      for (const event of events) after.push(await eventValue(event, start + size, trial.state));
      ({ found, end: stop } = await eventsOfStep(events, values, after, start, last ? until : start + size, at));
      values = after;
    }
    time = stop?.time ?? (last ? until : start + size);
    state = stop?.state ?? trial.state;
    const ending = stages[stages.length - 1];
    if (stop !== null) {
      const there = await evaluate(rightHandSide, time, state);
      evaluations++;
      derivative = there instanceof Float64Array ? there : ending;
    } else derivative = ending;
    const samples: Sample[] = [];
    for (; nextOutput < outputs.length && outputs[nextOutput] <= time; nextOutput++)
      samples.push({ time: outputs[nextOutput], state: at(outputs[nextOutput]) });
    accepted++;
    if (!fixed) {
      errors = [error, ...errors].slice(0, 3);
      const factor = stepFactor(errors, tableau.errorOrder, settings);
      h = size * (rejections > 0 ? Math.min(1, factor) : factor);
    }
    const seen = stiffness.look(trial.stiffnessRatio, time, fixed);
    const shown = rejections;
    rejections = 0;
    trouble = null;
    yield {
      index: accepted,
      from: start,
      time,
      stepSize: size,
      state,
      derivative,
      error,
      rejections: shown,
      evaluations,
      interpolate: at,
      outputs: samples,
      events: found,
      stiffness: seen,
      memory: { nextStep: h, errors, stiffCount: stiffness.stiffCount, calmCount: stiffness.calmCount },
    };
    if (stop !== null) return end("event", `event "${stop.name}" at t = ${stop.time}`);
    const fresh = time < until ? ((await problem.refresh?.(time, state)) ?? null) : null;
    if (fresh !== null) {
      evaluations++;
      if (!(fresh instanceof Float64Array)) return end(fresh.failure, fresh.message, fresh);
      derivative = fresh;
    }
  }
  return end("until", `t = ${until} is reached`);
}

export interface IntegrateResult {
  readonly end: OdeEnd;
  /** Start and accepted steps. */
  readonly times: readonly number[];
  readonly states: readonly Float64Array[];
  readonly outputs: readonly Sample[];
  readonly events: readonly EventSample[];
}

/**
 * Integrates y' = f(t, y) for any f, from `from` (default 0) to `until`.
 *
 * @throws GAUSSFLOW_ARGUMENT for options and for events that break their contract; the signal's reason when aborted
 */
export async function integrate(
  rightHandSide: RightHandSide,
  options: {
    readonly from?: number;
    readonly until: number;
    readonly initial: ArrayLike<number>;
    readonly integrator?: Integrator;
    readonly outputs?: readonly number[];
    readonly events?: readonly OdeEvent[];
    readonly signal?: AbortSignal;
  },
): Promise<IntegrateResult> {
  checkOptionNames("integrate options", options, [
    "from",
    "until",
    "initial",
    "integrator",
    "outputs",
    "events",
    "signal",
  ]);
  const { from = 0, until, integrator = dormandPrince(), outputs = [], events = [], signal } = options;
  if (typeof rightHandSide !== "function") throw argumentError("rightHandSide", "must be a function", rightHandSide);
  if (!Number.isFinite(from)) throw argumentError("options.from", "must be a finite number", from);
  if (!(Number.isFinite(until) && until > from))
    throw argumentError("options.until", `must be a finite time after options.from = ${from}`, until);
  const initial = Float64Array.from(options.initial);
  const bad = initial.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw argumentError(`options.initial[${bad}]`, "must be a finite number", initial[bad]);
  outputs.forEach((time, i) => {
    if (!(time >= from && time <= until))
      throw argumentError(`options.outputs[${i}]`, `must be a time from ${from} to ${until}`, time);
    if (i > 0 && !(time > outputs[i - 1]))
      throw argumentError(`options.outputs[${i}]`, `must be later than the one before it, ${outputs[i - 1]}`, time);
  });
  const checked: RightHandSide = async (time, state) => {
    const stage = await rightHandSide(time, state);
    if (stage instanceof Float64Array && stage.length !== initial.length)
      throw argumentError("rightHandSide", `must return ${initial.length} numbers`, stage);
    return stage;
  };
  const steps = integrateSteps({ rightHandSide: checked, from, until, initial }, integrator, {
    outputs,
    events,
    ...(signal ? { signal } : {}),
  });
  const result = {
    times: [from],
    states: [initial] as Float64Array[],
    outputs: [] as Sample[],
    events: [] as EventSample[],
  };
  if (outputs[0] === from) result.outputs.push({ time: from, state: initial });
  for (;;) {
    const next = await steps.next();
    if (next.done) return { end: next.value, ...result };
    result.times.push(next.value.time);
    result.states.push(next.value.state);
    for (const sample of next.value.outputs) if (sample.time > from) result.outputs.push(sample);
    result.events.push(...next.value.events);
  }
}
