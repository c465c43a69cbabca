// Integration holds the state of an integration and its operations, which the loop of drive.ts calls in turn: begin, try a step until its
// error is within the tolerance, accept it with the events and outputs in it.
import { argumentError } from "../errors.js";
import { eventsOfStep, eventValue } from "./events.js";
import type { Integrator } from "./integrator.js";
import { componentNorm } from "./norm.js";
import { evaluate, interpolate, interpolateSlope, type TrialStep, tryStep } from "./runge-kutta.js";
import { startingStep, stepFactor } from "./step-control.js";
import { Stiffness } from "./stiffness.js";
import type {
  AcceptedStep,
  ErrorNorm,
  EventSample,
  IntegrateOptions,
  OdeEnd,
  OdeEvent,
  OdeProblem,
  Sample,
  Stage,
  StageFailure,
} from "./types.js";

/** Longest time in milliseconds without a turn of the event loop, so that signals and timers are not delayed. */
const breathAfter = 20;

/** A trial step whose error is within the tolerance. */
interface WithinTolerance {
  readonly trial: TrialStep;
  readonly size: number;
  readonly to: number;
  /** True if the step ends at the end time, which may have shortened it. */
  readonly fitted: boolean;
  readonly error: number;
  readonly rejections: number;
}

export class Integration {
  time: number;
  readonly #problem: OdeProblem;
  readonly #integrator: Integrator;
  readonly #norm: ErrorNorm;
  readonly #outputs: readonly number[];
  readonly #events: readonly OdeEvent[];
  readonly #options: IntegrateOptions;
  readonly #fixed: boolean;
  readonly #stiffness: Stiffness;
  #state: Float64Array;
  #derivative: Float64Array;
  /** Size of the next trial, before it is shortened to the end time. */
  #h = 0;
  #errors: readonly number[];
  #values: number[] = [];
  #nextOutput = 0;
  #accepted: number;
  #rejected: number;
  #evaluations: number;
  #breath = performance.now();

  constructor(problem: OdeProblem, integrator: Integrator, options: IntegrateOptions) {
    const { resume } = options;
    this.#problem = problem;
    this.#integrator = integrator;
    this.#options = options;
    this.#norm = options.norm ?? componentNorm(integrator.settings);
    this.#outputs = options.outputs ?? [];
    this.#events = options.events ?? [];
    this.#fixed = integrator.settings.step > 0;
    this.#stiffness = new Stiffness(resume?.memory);
    this.time = problem.from;
    this.#state = problem.initial.slice();
    this.#derivative = this.#state;
    this.#errors = resume?.memory.errors ?? [];
    this.#accepted = resume?.index ?? 0;
    this.#rejected = resume?.rejected ?? 0;
    this.#evaluations = resume?.evaluations ?? (options.derivative === undefined ? 0 : 1);
  }

  /** Computes derivative, event values and step size at the start; returns the failure that prevents the integration, or null. */
  async begin(): Promise<StageFailure | null> {
    const { derivative, resume, signal } = this.#options;
    const { settings, tableau } = this.#integrator;
    signal?.throwIfAborted();
    const first = derivative ?? (await this.#evaluate(this.time, this.#state));
    if (!(first instanceof Float64Array)) return first;
    this.#derivative = first;
    for (const event of this.#events) this.#values.push(await eventValue(event, this.time, this.#state, signal));
    while (this.#outputs[this.#nextOutput] <= this.time) this.#nextOutput++;
    if (resume !== undefined && resume.memory.nextStep > 0) {
      this.#h = resume.memory.nextStep;
      return this.refresh();
    }
    if (this.#fixed) {
      this.#h = settings.step;
      return null;
    }
    const longest = Math.min(this.#problem.until - this.time, settings.largestStep);
    const ahead = (h: number) =>
      this.#evaluate(
        this.time + h,
        this.#state.map((value, j) => value + h * first[j]),
      );
    const h =
      settings.firstStep > 0
        ? Math.min(settings.firstStep, longest)
        : await startingStep(tableau.errorOrder, this.#norm, this.#state, first, longest, ahead);
    if (typeof h !== "number") return h;
    this.#h = Math.min(settings.largestStep, Math.max(h, this.#leastStep()));
    return null;
  }

  /** Tries steps until the error of one is within the tolerance; returns the end of the integration if there is none. */
  async attempt(): Promise<WithinTolerance | OdeEnd> {
    const { rightHandSide, until, judged } = this.#problem;
    const { tableau, settings } = this.#integrator;
    let trouble: StageFailure | null = null;
    for (let rejections = 0; ; rejections++) {
      this.#options.signal?.throwIfAborted();
      if (performance.now() - this.#breath > breathAfter) await this.#breathe();
      if (this.#accepted + this.#rejected >= settings.steps)
        return this.end("steps", `${settings.steps} steps were tried and t = ${this.time} of ${until} is reached`);
      if (this.#h < this.#leastStep()) return this.#tooSmall(trouble);
      const last = this.time + this.#h + this.#sliver() >= until;
      const size = last ? until - this.time : this.#h;
      const to = last ? until : this.time + size;
      const trial = await tryStep(tableau, rightHandSide, this.time, this.#state, this.#derivative, size, to, judged);
      this.#evaluations += trial.evaluations;
      if (!("failed" in trial)) {
        const error = await this.#errorOf(trial);
        if (!(error > 1)) return { trial, size, to, fitted: last, error, rejections };
        this.#h = size * stepFactor([error], tableau.errorOrder, settings);
      } else {
        const { failed } = trial;
        if (failed.fatal) return this.end(failed.failure, failed.message, failed);
        if (this.#fixed)
          return this.end(failed.failure, `a step of ${size} from t = ${this.time} failed: ${failed.message}`, failed);
        trouble = failed;
        this.#h = size * settings.smallestFactor;
      }
      this.#rejected++;
    }
  }

  /** Moves to the end of the step, or to the terminal event within it. */
  async accept(within: WithinTolerance): Promise<{ readonly step: AcceptedStep; readonly stop: EventSample | null }> {
    const { trial, size, to, fitted, error, rejections } = within;
    const { tableau, settings } = this.#integrator;
    const [from, before, { stages }] = [this.time, this.#state, trial];
    const stateAt = (time: number) => interpolate(tableau, before, stages, size, (time - from) / size);
    const { found, end: stop } = await this.#eventsWithin(within, stateAt);
    this.time = stop?.time ?? to;
    this.#state = stop?.state ?? trial.state;
    this.#derivative = stages[stages.length - 1];
    if (stop !== null) {
      const there = await this.#evaluate(this.time, this.#state);
      this.#derivative =
        there instanceof Float64Array ? there : interpolateSlope(tableau, stages, (this.time - from) / size);
    }
    const [time, state, derivative] = [this.time, this.#state, this.#derivative];
    const stateWithin = (at: number) => {
      if (!(at >= from && at <= time))
        throw argumentError("time", `must be within the step, from ${from} to ${time}`, at);
      return at === time ? state.slice() : stateAt(at);
    };
    const outputs: Sample[] = [];
    for (; this.#outputs[this.#nextOutput] <= time; this.#nextOutput++) {
      const at = this.#outputs[this.#nextOutput];
      outputs.push({ time: at, state: stateWithin(at) });
    }
    this.#accepted++;
    if (!this.#fixed) {
      this.#errors = [error, ...this.#errors.slice(0, 2)];
      const factor = stepFactor(this.#errors, tableau.errorOrder, settings);
      // A size that was just rejected is not tried again at once.
      const next = size * (rejections > 0 ? Math.min(1, factor) : factor);
      this.#h = Math.min(Math.max(next, this.#leastStep()), settings.largestStep);
    }
    const stiffness = this.#fixed ? null : this.#stiffness.look(trial.stiffnessRatio, time);
    const { stiffCount, calmCount } = this.#stiffness;
    const step: AcceptedStep = {
      index: this.#accepted,
      from,
      time,
      stepSize: size,
      state,
      derivative,
      error,
      rejections,
      evaluations: this.#evaluations,
      interpolate: stateWithin,
      outputs,
      events: found,
      stiffness,
      memory: { nextStep: this.#h, errors: this.#errors, stiffCount, calmCount },
      cut: fitted || stop !== null,
    };
    return { step, stop };
  }

  /** Computes the derivative again if the right-hand side held something fixed through the step; returns its failure, or null. */
  async refresh(): Promise<StageFailure | null> {
    if (this.time >= this.#problem.until) return null;
    const fresh = (await this.#problem.refresh?.(this.time, this.#state)) ?? null;
    if (fresh === null) return null;
    this.#evaluations++;
    if (!(fresh instanceof Float64Array)) return fresh;
    this.#derivative = fresh;
    return null;
  }

  end(code: string, message: string, failure?: StageFailure): OdeEnd {
    return {
      code,
      message,
      ...(failure?.where ? { where: failure.where } : {}),
      time: this.time,
      state: this.#state,
      accepted: this.#accepted,
      rejected: this.#rejected,
      evaluations: this.#evaluations,
      stiffness: this.#stiffness.sentence,
    };
  }

  async #evaluate(time: number, state: Float64Array): Promise<Stage> {
    this.#evaluations++;
    return evaluate(this.#problem.rightHandSide, time, state);
  }

  /** NaN at a fixed step, which no error rejects; an error that cannot be measured is infinite. */
  async #errorOf(trial: TrialStep): Promise<number> {
    if (this.#fixed || trial.error === null) return Number.NaN;
    const error = await this.#norm.measure(trial.error, this.#state, trial.state);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }

  async #eventsWithin({ trial, to }: WithinTolerance, stateAt: (time: number) => Float64Array) {
    if (this.#events.length === 0) return { found: [], end: null };
    const { signal } = this.#options;
    const after: number[] = [];
    for (const event of this.#events) after.push(await eventValue(event, to, trial.state, signal));
    const before = this.#values;
    this.#values = after;
    return eventsOfStep(this.#events, { before, after, from: this.time, to, stateAt }, signal);
  }

  /** Least step size, below which a step is lost in the rounding of time; the share of the end time is the bound at t = 0. */
  #leastStep(): number {
    return 16 * Number.EPSILON * Math.max(Math.abs(this.time), 1e-10 * Math.abs(this.#problem.until));
  }

  /** So much short of the end time is met by the step itself: rounding, which at a fixed step has added up over all of them. */
  #sliver(): number {
    if (!this.#fixed) return 1e-12 * this.#h;
    const largest = Math.max(Math.abs(this.time), Math.abs(this.#problem.until));
    return Math.min(this.#h / 2, (this.#accepted + 1) * Number.EPSILON * largest);
  }

  #tooSmall(trouble: StageFailure | null): OdeEnd {
    const size = this.#h.toExponential(2);
    if (trouble !== null) {
      const message = `the step fell to ${size} at t = ${this.time} without getting past: ${trouble.message}`;
      return this.end(trouble.failure, message, trouble);
    }
    const { largestStep } = this.#integrator.settings;
    const asked = this.#fixed ? "a step" : largestStep <= this.#h ? "a largestStep" : null;
    const message = asked
      ? `${asked} of ${size} at t = ${this.time} is less than rounding allows`
      : `the step fell to ${size} at t = ${this.time}: the error asks for less than rounding allows`;
    return this.end("step-too-small", message);
  }

  /** Lets timers and signals run, because a synchronous right-hand side never yields to the event loop. */
  async #breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#breath = performance.now();
    this.#options.signal?.throwIfAborted();
  }
}
