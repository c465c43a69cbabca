// Runs one flow for `flow.ts`: turns the integrator's steps into records, keeps the best point, calls the observer and writes checkpoints.
// Every end is a reason; only misuse and errors of the caller's functions throw. It frees no engine except the sample engine that it made.
import { norm } from "../algebra/vectors.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import type { Agreement } from "../cluster/agreement.js";
import { GaussflowError } from "../errors.js";
import type { Reason } from "../method/reason.js";
import type { Architecture } from "../network/architecture.js";
import { integrateSteps } from "../ode/drive.js";
import { stability } from "../ode/runge-kutta.js";
import type { AcceptedStep, EventSample, OdeEnd, Sample } from "../ode/types.js";
import { CheckpointKeeper, type CheckpointOptions } from "../run/checkpoint-keeper.js";
import { memoryReason } from "../run/failure-reason.js";
import { endedBy, Interrupt } from "../run/interrupt.js";
import type { ObservedRun, Observer, ResidualTerms } from "../run/observer.js";
import type { FlowRecord } from "../run/record.js";
import { jacobianRank } from "../spectrum/jacobian-rank.js";
import { FlowField } from "./field.js";
import { type FlowSnapshot, unbegun } from "./flow-checkpoint.js";
import { asCode, singularReason, startReason } from "./flow-end.js";
import { odeEvents } from "./flow-events.js";
import type { CompletedFlowOptions } from "./flow-options.js";
import { parameterNorm, predictionError, predictionNorm } from "./prediction-norm.js";
import { type Rounding, RoundingWatch, untroubled } from "./rounding-watch.js";

/** A rise of the objective is reported from this multiple of the rise that one error of the tolerance can cause. */
const climbTolerance = 10;

export interface FlowRunContext {
  readonly engine: NetworkEngine;
  /** The engine itself, or under ranks one of all samples. */
  readonly whole: NetworkEngine;
  readonly sample: () => NetworkEngine;
  readonly architecture: Architecture;
  /** n*c, sample-major. */
  readonly targets: Float64Array;
  /** Sample weights; null = all 1. */
  readonly weights: Float64Array | null;
  readonly terms: () => ResidualTerms | Promise<ResidualTerms>;
  /** Parameters at the start of the flow, also in a resumed flow. */
  readonly start: Float64Array;
  /** 2 / (sum of weights * outputs): from a sum loss to twice its weighted mean over samples and outputs. */
  readonly meanFactor: number;
  /** From the sum loss to the mean of the records; the same with squared error. */
  readonly lossFactor: number;
  readonly signal: AbortSignal | undefined;
  readonly agreement: Agreement | null;
  readonly onRecord: ((record: FlowRecord) => void | Promise<void>) | undefined;
  readonly observer: Observer | undefined;
  readonly checkpoint: CheckpointOptions<FlowSnapshot> | null;
  readonly resume: FlowSnapshot | null;
}

export class FlowRun {
  reason: Reason | null = null;
  readonly interrupt: Interrupt;
  readonly field: FlowField;
  readonly records: FlowRecord[];
  readonly outputs: Sample[];
  readonly events: EventSample[];
  best: { readonly objective: number; readonly parameters: Float64Array };
  time: number;
  /** [w; dissipated]. */
  state: Float64Array;
  counts: { readonly accepted: number; readonly rejected: number; readonly evaluations: number };
  stiffness: string | null;
  readonly #completed: CompletedFlowOptions;
  readonly #context: FlowRunContext;
  readonly #began = performance.now();
  #initialLoss: number;
  readonly #rounding: RoundingWatch;
  readonly #checkpoints: CheckpointKeeper<FlowSnapshot>;

  constructor(completed: CompletedFlowOptions, context: FlowRunContext) {
    const { resume, start, engine } = context;
    this.#completed = completed;
    this.#context = context;
    this.interrupt = new Interrupt(context.signal, completed.stop.seconds, 0, context.agreement);
    this.records = [...(resume?.records ?? [])];
    this.outputs = [...(resume?.outputs ?? [])];
    this.events = [...(resume?.events ?? [])];
    this.best = resume?.best ?? { objective: Number.POSITIVE_INFINITY, parameters: start };
    this.time = resume?.time ?? completed.from;
    this.state = resume?.state ?? Float64Array.of(...start, 0);
    this.counts = resume ?? { accepted: 0, rejected: 0, evaluations: 0 };
    this.stiffness = resume?.stiffness ?? null;
    this.#initialLoss = resume?.initialLoss ?? Number.NaN;
    const { settings } = completed.integrator;
    this.field = new FlowField(
      engine,
      {
        alpha: context.architecture.outputScale,
        decay: completed.loss.decay,
        schedule: completed.schedule,
        route: completed.route,
        relativeTolerance: settings.relativeTolerance,
        signal: this.interrupt.signal,
      },
      resume && { initialObjective: resume.initialObjective, switched: resume.switched },
    );
    this.#checkpoints = new CheckpointKeeper(context.checkpoint, "step");
    this.#rounding = new RoundingWatch(this.field, completed.from, start, this.records);
  }

  get elapsed(): number {
    return (this.#context.resume?.elapsed ?? 0) + (performance.now() - this.#began) / 1000;
  }

  get warnings(): readonly string[] {
    return this.#checkpoints.warnings;
  }

  get rounding(): string | null {
    return this.#rounding.sentence;
  }

  get parameters(): Float64Array {
    return this.state.slice(0, this.#context.start.length);
  }

  /** Yields a record at the start and at every accepted step; afterwards `reason` is set. */
  async *steps(): AsyncGenerator<FlowRecord, void> {
    try {
      yield* this.#integrate();
    } catch (error) {
      const ended = endedBy(this.interrupt.signal, error);
      const reason = ended ? this.interrupt.reason() : memoryReason(error, this.#context.agreement);
      if (reason === null) throw error;
      this.reason = reason;
    } finally {
      this.interrupt.dispose();
      // Also if the caller leaves the loop early or an observer throws: no accepted step is lost.
      await this.#checkpoints.close();
    }
  }

  async *#integrate(): AsyncGenerator<FlowRecord, void> {
    const { until, outputs } = this.#completed;
    const { resume, observer } = this.#context;
    const derivative = await this.field.evaluate(this.time, this.state);
    const stuck = derivative instanceof Float64Array ? null : derivative;
    // A point without a loss is none to show; one without a velocity is.
    if (stuck !== null && this.field.last === null) {
      this.reason = startReason(stuck);
      return;
    }
    if (resume === null) this.#initialLoss = this.field.last?.loss ?? Number.NaN;
    await observer?.onStart?.(this.#observed());
    if (resume === null) {
      if (outputs[0] === this.time) this.outputs.push({ time: this.time, state: this.state });
      const record = this.#record(null, stuck?.message ?? null);
      await this.#keepBoundary(null);
      yield await this.#tell(record);
    } else {
      this.field.linearizations = resume.linearizations;
      // Where it goes on from: a run that has nothing left to do has been seen all the same.
      await this.#show(this.records[this.records.length - 1]);
    }
    if (!(derivative instanceof Float64Array)) {
      this.reason = startReason(derivative);
      return;
    }
    if (this.#stopped() || this.time >= until) {
      this.reason ??= { code: "until", message: `t = ${this.time} is reached` };
      return;
    }
    const steps = this.#stepsFrom(derivative);
    for (;;) {
      const next = await steps.next();
      if (next.done) {
        this.reason = await this.#endReason(next.value);
        const { accepted, rejected, evaluations } = next.value;
        this.counts = { accepted, rejected, evaluations };
        this.stiffness = next.value.stiffness ?? this.stiffness;
        return;
      }
      const step = next.value;
      this.#take(step);
      const record = this.#record(step, null, await this.#rounding.look(this.records, step.rejections));
      await this.#keepBoundary(step);
      yield await this.#tell(record);
      await this.interrupt.meet({ index: record.step, loss: record.objective, computed: [this.state] });
      if (this.#stopped()) return;
    }
  }

  /** The steps from the present state of the flow, with this velocity. */
  #stepsFrom(derivative: Float64Array) {
    const { until, integrator, outputs, events, loss } = this.#completed;
    const { engine, sample, start, lossFactor, resume } = this.#context;
    const { signal } = this.interrupt;
    const { decay } = loss;
    return integrateSteps(
      {
        rightHandSide: (time, state) => this.field.evaluate(time, state),
        refresh: (time, state) => this.field.refresh(time, state),
        from: this.time,
        until,
        initial: this.state,
        judged: start.length,
      },
      integrator,
      {
        norm: this.#norm(),
        outputs: outputs.filter((time) => time > this.time),
        events: odeEvents(events, { engine, start, decay, lossFactor, sample, signal }),
        signal,
        derivative,
        resume: resume === null ? undefined : { ...resume, index: resume.accepted },
      },
    );
  }

  #take(step: AcceptedStep): void {
    this.time = step.time;
    this.state = step.state;
    this.counts = {
      accepted: step.index,
      rejected: this.counts.rejected + step.rejections,
      evaluations: step.evaluations,
    };
    this.stiffness ??= step.stiffness;
    this.outputs.push(...step.outputs);
    this.events.push(...step.events);
  }

  #norm() {
    const { integrator, loss } = this.#completed;
    const { relativeTolerance, absoluteTolerance } = integrator.settings;
    const { whole, weights, meanFactor } = this.#context;
    if (integrator.settings.norm === "parameters") return parameterNorm(whole.parameterCount, integrator.settings);
    return predictionNorm(whole, {
      relativeTolerance,
      absoluteTolerance,
      scale: Math.sqrt(Math.abs(this.#initialLoss) * meanFactor),
      meanFactor,
      weights,
      decay: loss.decay,
      signal: this.interrupt.signal,
    });
  }

  #record(step: AcceptedStep | null, trouble: string | null, { noise, sentence }: Rounding = untroubled): FlowRecord {
    const point = this.field.last;
    if (point === null) throw new GaussflowError("GAUSSFLOW_INTERNAL", "a flow step without a right-hand side");
    const parameters = this.parameters;
    // Callers see it before the run is done with it.
    const record: FlowRecord = Object.freeze({
      step: step?.index ?? 0,
      time: this.time,
      stepSize: step?.stepSize ?? 0,
      rejections: step?.rejections ?? 0,
      evaluations: step?.evaluations ?? 1,
      error: step === null || Number.isNaN(step.error) ? null : step.error,
      loss: point.loss * this.#context.lossFactor,
      objective: point.objective,
      gradientNorm: point.gradientNorm,
      gradientCosine: Number.isNaN(point.gradientCosine) ? null : point.gradientCosine,
      dissipation: point.dissipation,
      dissipated: this.state[this.state.length - 1],
      damping: point.rho,
      smallestEigenvalue: point.spectrum?.smallest ?? null,
      eigenvaluesBelowFloor: point.spectrum?.below ?? null,
      distance: this.#distance(parameters),
      route: point.route,
      rank: point.rank?.rank ?? null,
      smallestSingularValue: point.rank?.smallest ?? null,
      condition: point.condition,
      velocityNoise: noise,
      rounding: sentence,
      warning: trouble ?? step?.stiffness ?? sentence ?? this.#climb(point.objective),
      elapsed: this.elapsed,
    });
    this.records.push(record);
    if (point.objective < this.best.objective) this.best = { objective: point.objective, parameters };
    return record;
  }

  async #tell(record: FlowRecord): Promise<FlowRecord> {
    await this.#context.onRecord?.(record);
    await this.#show(record);
    return record;
  }

  async #show(record: FlowRecord): Promise<void> {
    await this.#context.observer?.onFlowRecord?.(record);
    await this.#context.observer?.onPoint?.({ parameters: this.parameters, position: record.time });
  }

  #observed(): ObservedRun {
    const { engine, sample, architecture, start, targets, weights, terms, signal } = this.#context;
    const { integrator, loss } = this.#completed;
    const { step } = integrator.settings;
    return {
      kind: "flow",
      engine,
      sample,
      architecture,
      start,
      targets,
      weights,
      terms,
      loss,
      decay: loss.decay,
      resolution: step > 0 ? 0 : this.#predictionError ** 2 / 2,
      // A mode that decays at k is multiplied by R(-k h) in a fixed step; the loss by its square.
      discretized: (rate) => {
        if (step === 0) return rate;
        const growth = Math.abs(stability(integrator.tableau, (-rate / 2) * step));
        return growth < Number.EPSILON ? Number.POSITIVE_INFINITY : (-2 * Math.log(growth)) / step;
      },
      fixedStep: step > 0 ? `${integrator.name} with step ${step}` : null,
      identityScaling: true,
      signal: signal ?? new AbortController().signal,
    };
  }

  get #predictionError(): number {
    return predictionError(this.#completed.integrator.settings, this.#initialLoss, this.#context.meanFactor);
  }

  /** The objective of an exact flow never rises: a rise beyond the tolerance is an error of the integrator. */
  #climb(objective: number): string | null {
    const before = this.records[this.records.length - 1]?.objective ?? Number.POSITIVE_INFINITY;
    // An error of size e in psi moves g by at most |r| e + e^2/2 with |r| <= sqrt(2 g), but for losses that bend more or are below 0.
    const error = this.#predictionError;
    const allowed = climbTolerance * error * (Math.sqrt(2 * Math.abs(before)) + error);
    if (!(objective > before + allowed)) return null;
    return `the objective rose from ${before.toExponential(6)} to ${objective.toExponential(6)}: integrator error, use a smaller step or tolerance`;
  }

  /** @param step null = the start. A step that was cut is no boundary: a run that goes on from there would be another one. */
  async #keepBoundary(step: AcceptedStep | null): Promise<void> {
    if (step?.cut) return;
    const [records, outputs, events] = [this.records.length, this.outputs.length, this.events.length];
    const rest = {
      time: this.time,
      state: this.state,
      memory: step?.memory ?? unbegun,
      ...this.counts,
      ...(step === null ? { evaluations: 1 } : {}),
      linearizations: this.field.linearizations,
      initialLoss: this.#initialLoss,
      initialObjective: this.field.initialObjective,
      best: this.best,
      switched: this.field.switched,
      stiffness: this.stiffness,
      elapsed: this.elapsed,
    };
    // The lists only grow: their lengths now are enough to cut them by, should this step be written.
    const state = () => ({
      ...rest,
      records: this.records.slice(0, records),
      outputs: this.outputs.slice(0, outputs),
      events: this.events.slice(0, events),
    });
    if (step === null) this.#checkpoints.note(0, state);
    else await this.#checkpoints.keep(step.index, state);
  }

  /** The stop rules for an accepted point. */
  #stopped(): boolean {
    const { stop } = this.#completed;
    const record = this.records[this.records.length - 1];
    if (stop.loss > 0 && record.loss <= stop.loss)
      this.reason = {
        code: "loss",
        message: `the mean loss ${record.loss.toExponential(3)} is at or below ${stop.loss}`,
      };
    else if (stop.gradient > 0 && record.gradientCosine !== null && record.gradientCosine <= stop.gradient)
      this.reason = {
        code: "gradient",
        message: `the gradient measure ${record.gradientCosine.toExponential(3)} is at or below ${stop.gradient}`,
      };
    else this.reason = this.interrupt.reason();
    return this.reason !== null;
  }

  async #endReason(end: OdeEnd): Promise<Reason> {
    const reason = { code: asCode(end.code), message: end.message, ...(end.where ? { where: end.where } : {}) };
    const { schedule, loss } = this.#completed;
    const undamped = schedule.name === "constant" && schedule.settings.rho === 0 && loss.decay === 0;
    if (!undamped || !["step-too-small", "singular-jacobian", "steps"].includes(end.code)) return reason;
    const { engine, whole, start, architecture } = this.#context;
    const { signal } = this.interrupt;
    // Where J is wide its rank is that of the kernel, which pairs samples of different ranks.
    const wide = engine.parameterCount > engine.sampleCount * engine.outputSize;
    const rankAt = (w: Float64Array) => jacobianRank(wide ? whole : engine, w, architecture.outputScale, signal);
    const parameters = end.state.slice(0, start.length);
    const at = { time: end.time, distance: this.#distance(parameters), collapsed: end.code !== "steps" };
    return singularReason(await rankAt(start), await rankAt(parameters), at) ?? reason;
  }

  #distance(parameters: Float64Array): number {
    return norm(parameters.map((value, j) => value - this.#context.start[j]));
  }
}
