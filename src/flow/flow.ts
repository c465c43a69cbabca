// The training dynamics of method.md 2 as an ordinary differential equation: engine, right-hand side and records around the one
// loop of integrate.ts. Whatever ends a flow - its time, an event, a singular J, an abort - it returns the best point with a
// reason; only misuse throws.
import { createEngine } from "../backend/create.js";
import { type Engine, failed, type RankReport } from "../backend/engine.js";
import type { Dataset, DatasetInput } from "../data/dataset.js";
import { argumentError, GaussflowError } from "../errors.js";
import { memoryProblem, type Plan, planRoute } from "../linearise/plan.js";
import { objectiveOf } from "../linearise/problem.js";
import type { FlowRecord, Reason } from "../linearise/record.js";
import type { Network } from "../network/network.js";
import { Interrupt } from "../train/interrupt.js";
import { engineData, meanFactor, unitsOf } from "../train/prepare.js";
import { asDataset } from "../train/train-options.js";
import { FlowField } from "./field.js";
import { type CompletedFlowOptions, completeFlowOptions, type FlowOptions } from "./flow-options.js";
import { integrateSteps } from "./integrate.js";
import type { AcceptedStep, OdeEnd, OdeEvent } from "./ode.js";
import { parameterNorm, predictionNorm } from "./prediction-norm.js";

export interface FlowSample {
  readonly time: number;
  readonly network: Network;
}

export interface FlowResult {
  /** Best by the objective, over the start and all accepted steps: finite whatever happened. */
  readonly network: Network;
  /** Where the flow ended. */
  readonly last: Network;
  readonly time: number;
  readonly reason: Reason;
  /** One a step, the start included. */
  readonly records: readonly FlowRecord[];
  readonly outputs: readonly FlowSample[];
  readonly events: readonly (FlowSample & { readonly name: string })[];
  readonly statistics: {
    readonly accepted: number;
    readonly rejected: number;
    readonly evaluations: number;
    readonly linearisations: number;
  };
  /** When the orthogonal route took over and why, or null. */
  readonly switched: { readonly time: number; readonly message: string } | null;
  /** Set where the problem looked stiff to the explicit integrator. */
  readonly stiffness: string | null;
  readonly plan: Plan;
  readonly engine: string;
  readonly threads: number;
  readonly seconds: number;
  /** One line: what flow chose. */
  readonly chosen: string;
}

/**
 * Integrates the flow as an async generator: yields a record at the start and at every accepted step, returns the result.
 * Leaving the loop early frees the engine.
 *
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA, GAUSSFLOW_MEMORY, GAUSSFLOW_NO_NATIVE, and what onRecord and the monitor throw
 */
export async function* flowSteps(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions = {},
): AsyncGenerator<FlowRecord, FlowResult> {
  const set = asDataset(data);
  if (set.inputSize !== network.inputSize || set.outputSize !== network.outputSize)
    throw argumentError(
      "data",
      `must have ${network.inputSize} inputs and ${network.outputSize} targets, as the network`,
      `${set.inputSize} and ${set.outputSize}`,
    );
  const fit = set.parts === null ? set.fitted() : set.split().train;
  const completed = completeFlowOptions(options, network, fit);
  const scaling = network.scaling ?? (completed.standardise ? unitsOf(network, fit) : null);
  const start = network.withScaling(scaling).withEncoding(fit.encoding ?? network.encoding);
  const plan = planRoute(
    start.parameterCount,
    fit.sampleCount * fit.outputSize,
    completed.route === "orthogonal" ? "primal" : completed.route,
  );
  const refused = memoryProblem(plan);
  if (refused !== null) throw new GaussflowError("GAUSSFLOW_MEMORY", refused, { bytes: plan.bytes });
  const engine = createEngine(start.architecture, engineData(start, fit, scaling), options);
  const run = new FlowRun(start, fit, engine, completed, options, plan);
  try {
    yield* run.steps();
    return run.result();
  } finally {
    run.interrupt.dispose();
    engine.dispose();
  }
}

/** Runs the flow to its end. */
export async function integrateFlow(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions = {},
): Promise<FlowResult> {
  const steps = flowSteps(network, data, options);
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

class FlowRun {
  readonly interrupt: Interrupt;
  readonly #start: Network;
  readonly #engine: Engine;
  readonly #completed: CompletedFlowOptions;
  readonly #options: FlowOptions;
  readonly #plan: Plan;
  readonly #meanFactor: number;
  readonly #field: FlowField;
  readonly #records: FlowRecord[] = [];
  readonly #outputs: FlowSample[] = [];
  readonly #events: (FlowSample & { readonly name: string })[] = [];
  readonly #began = performance.now();
  #best: { readonly objective: number; readonly parameters: Float64Array };
  #last: Float64Array;
  #time: number;
  #reason: Reason | null = null;
  #counts = { accepted: 0, rejected: 0, evaluations: 0 };
  #stiffness: string | null = null;

  constructor(
    start: Network,
    fit: Dataset,
    engine: Engine,
    completed: CompletedFlowOptions,
    options: FlowOptions,
    plan: Plan,
  ) {
    this.#start = start;
    this.#engine = engine;
    this.#completed = completed;
    this.#options = options;
    this.#plan = plan;
    this.#meanFactor = meanFactor(fit);
    this.interrupt = new Interrupt(options.signal, completed.stop.seconds);
    this.#best = { objective: Number.POSITIVE_INFINITY, parameters: start.parameters };
    this.#last = start.parameters;
    this.#time = completed.from;
    const { settings } = completed.integrator;
    this.#field = new FlowField(engine, {
      alpha: start.architecture.outputScale,
      decay: completed.loss.decay,
      schedule: completed.schedule,
      route: completed.route,
      relativeTolerance: Number(settings.relativeTolerance ?? 1e-6),
      signal: this.interrupt.signal,
    });
  }

  async *steps(): AsyncGenerator<FlowRecord, void> {
    try {
      yield* this.#integrate();
    } catch (error) {
      const { aborted, reason: cause } = this.interrupt.signal;
      const reason = aborted && error === cause ? this.interrupt.reason() : null;
      if (reason === null) throw error;
      this.#reason = reason;
    }
  }

  async *#integrate(): AsyncGenerator<FlowRecord, void> {
    const { from, until, integrator, outputs } = this.#completed;
    const p = this.#start.parameterCount;
    const initial = new Float64Array(p + 1);
    initial.set(this.#start.parameters);
    const derivative = await this.#field.evaluate(from, initial);
    if (!(derivative instanceof Float64Array)) {
      this.#reason = {
        code: asCode(derivative.failure),
        message: `at the start: ${derivative.message}`,
        ...(derivative.where ? { where: derivative.where } : {}),
      };
      return;
    }
    yield await this.#record(null, initial);
    if (this.#stopped()) return;
    const steps = integrateSteps(
      { rightHandSide: (time, state) => this.#field.evaluate(time, state), from, until, initial },
      integrator,
      {
        norm: this.#norm(),
        outputs,
        events: this.#completed.events.map((event) => this.#event(event)),
        signal: this.interrupt.signal,
        derivative,
      },
    );
    for (;;) {
      const next = await steps.next();
      if (next.done) {
        this.#reason = await this.#endReason(next.value);
        this.#counts = next.value;
        this.#stiffness = next.value.stiffness;
        return;
      }
      const step = next.value;
      this.#time = step.time;
      this.#last = step.state.slice(0, p);
      this.#counts = {
        accepted: step.index,
        rejected: this.#counts.rejected + step.rejections,
        evaluations: step.evaluations,
      };
      this.#stiffness ??= step.stiffness;
      for (const { time, state } of step.outputs) this.#outputs.push({ time, network: this.#at(state) });
      for (const { name, time, state } of step.events) this.#events.push({ name, time, network: this.#at(state) });
      yield await this.#record(step, step.state);
      if (this.#stopped()) return;
    }
  }

  #norm() {
    const { settings } = this.#completed.integrator;
    const options = {
      relativeTolerance: Number(settings.relativeTolerance ?? 1e-6),
      absoluteTolerance: Number(settings.absoluteTolerance ?? 1e-9),
      scale: Math.sqrt((2 * (this.#field.last?.loss ?? 0)) / (this.#engine.sampleCount * this.#engine.outputSize)),
      signal: this.interrupt.signal,
    };
    return settings.norm === "parameters"
      ? parameterNorm(this.#engine.parameterCount, options)
      : predictionNorm(this.#engine, options);
  }

  #event(event: CompletedFlowOptions["events"][number]): OdeEvent {
    const { name, direction, terminal } = event;
    const value = async (time: number, state: Float64Array) => {
      const parameters = state.slice(0, this.#engine.parameterCount);
      const answer = await this.#engine.evaluate(parameters, this.interrupt.signal);
      const loss = failed(answer) ? Number.POSITIVE_INFINITY : answer.loss;
      return event.value({
        time,
        parameters,
        loss: loss * this.#meanFactor,
        objective: objectiveOf(loss, this.#completed.loss.decay, parameters),
        distance: this.#distance(parameters),
      });
    };
    return { name, value, direction, terminal };
  }

  async #record(step: AcceptedStep | null, state: Float64Array): Promise<FlowRecord> {
    const point = this.#field.last;
    if (point === null) throw new GaussflowError("GAUSSFLOW_INTERNAL", "a flow step without a right-hand side");
    const parameters = state.slice(0, this.#engine.parameterCount);
    const record: FlowRecord = {
      step: step?.index ?? 0,
      time: step?.time ?? this.#completed.from,
      stepSize: step?.stepSize ?? 0,
      rejections: step?.rejections ?? 0,
      evaluations: step?.evaluations ?? 1,
      error: step === null || Number.isNaN(step.error) ? null : step.error,
      loss: point.loss * this.#meanFactor,
      objective: point.objective,
      gradientNorm: point.gradientNorm,
      gradientCosine: Number.isNaN(point.gradientCosine) ? null : point.gradientCosine,
      dissipation: point.dissipation,
      dissipated: state[state.length - 1],
      damping: point.rho,
      smallestEigenvalue: point.spectrum?.smallest ?? null,
      eigenvaluesBelowFloor: point.spectrum?.below ?? null,
      distance: this.#distance(parameters),
      route: point.route,
      rank: point.rank?.rank ?? null,
      smallestSingularValue: point.rank?.smallest ?? null,
      condition: point.condition,
      elapsed: this.#elapsed(),
    };
    this.#records.push(record);
    if (point.objective < this.#best.objective) this.#best = { objective: point.objective, parameters };
    await this.#options.onRecord?.(record);
    const { monitor } = this.#options;
    await monitor?.onFlowRecord?.(record);
    await monitor?.onPoint?.({
      kind: "flow",
      engine: this.#engine,
      parameters,
      position: record.time,
      objective: record.objective,
      outputScale: this.#start.architecture.outputScale,
      decay: this.#completed.loss.decay,
      signal: this.interrupt.signal,
    });
    return record;
  }

  /** The stop rules that look at an accepted point. */
  #stopped(): boolean {
    const { stop } = this.#completed;
    const record = this.#records[this.#records.length - 1];
    if (stop.loss > 0 && record.loss <= stop.loss)
      this.#reason = {
        code: "loss",
        message: `the mean loss ${record.loss.toExponential(3)} is at or below ${stop.loss}`,
      };
    else if (stop.gradient > 0 && record.gradientCosine !== null && record.gradientCosine <= stop.gradient)
      this.#reason = {
        code: "gradient",
        message: `the gradient measure ${record.gradientCosine.toExponential(3)} is at or below ${stop.gradient}`,
      };
    else this.#reason = this.interrupt.reason();
    return this.#reason !== null;
  }

  /**
   * A flow whose step collapses because J loses rank is told apart from one that is merely too rough: sigma_min/sigma_max at the
   * last point is below a tenth of its value at the start, or J is rank-deficient numerically.
   */
  async #endReason(end: OdeEnd): Promise<Reason> {
    const reason = { code: asCode(end.code), message: end.message, ...(end.where ? { where: end.where } : {}) };
    const { schedule, loss } = this.#completed;
    const undamped = schedule.name === "constant" && schedule.settings.rho === 0 && loss.decay === 0;
    if (!undamped || !["step-too-small", "singular-jacobian", "steps"].includes(end.code)) return reason;
    const p = this.#engine.parameterCount;
    const parameters = end.state.slice(0, p);
    const [before, now] = [await this.#rankAt(this.#start.parameters), await this.#rankAt(parameters)];
    if (before === null || now === null) return reason;
    const [first, relative] = [before.smallest / before.largest, now.smallest / now.largest];
    if (now.rank === p && relative >= 0.1 * first) return reason;
    const rank =
      now.rank < p
        ? `numerical rank ${now.rank} of ${p} at tolerance ${now.tolerance.toExponential(1)}`
        : `rank still ${p}`;
    return {
      code: "singular-jacobian",
      message: `J became singular at t = ${end.time.toPrecision(6)}: sigma_min = ${now.smallest.toExponential(3)}, sigma_min/sigma_max = ${relative.toExponential(3)} against ${first.toExponential(3)} at the start, ${rank}; |w - w_0| = ${this.#distance(parameters).toPrecision(4)}. A larger outputScale or damping above 0 keeps it away`,
    };
  }

  async #rankAt(parameters: Float64Array): Promise<RankReport | null> {
    const { signal } = this.interrupt;
    const request = { curvature: "orthogonal", decay: 0, scaling: null } as const;
    if (failed(await this.#engine.linearise(parameters, request, signal))) return null;
    const solved = await this.#engine.solve({ damping: 0, decay: 0, scaling: null }, signal);
    return failed(solved) ? null : (solved.rank ?? null);
  }

  #at(state: Float64Array): Network {
    return this.#start.withParameters(state.slice(0, this.#start.parameterCount));
  }

  #distance(parameters: Float64Array): number {
    let sum = 0;
    for (let j = 0; j < parameters.length; j++) sum += (parameters[j] - this.#start.parameters[j]) ** 2;
    return Math.sqrt(sum);
  }

  #elapsed(): number {
    return (performance.now() - this.#began) / 1000;
  }

  result(): FlowResult {
    const { schedule, integrator } = this.#completed;
    const rho = Object.entries(schedule.settings).map(([name, value]) => `${name} = ${value}`);
    const threads = this.#engine.threads === 1 ? "1 thread" : `${this.#engine.threads} threads`;
    return {
      network: this.#start.withParameters(this.#best.parameters),
      last: this.#start.withParameters(this.#last),
      time: this.#time,
      reason: this.#reason ?? { code: "no-progress", message: "the flow was given up" },
      records: this.#records,
      outputs: this.#outputs,
      events: this.#events,
      statistics: {
        accepted: this.#counts.accepted,
        rejected: this.#counts.rejected,
        evaluations: this.#counts.evaluations,
        linearisations: this.#field.linearisations,
      },
      switched: this.#field.switched,
      stiffness: this.#stiffness,
      plan: this.#plan,
      engine: this.#engine.kind,
      threads: this.#engine.threads,
      seconds: this.#elapsed(),
      chosen: `${schedule.name} damping${rho.length > 0 ? ` (${rho.join(", ")})` : ""}, ${integrator.label}, ${this.#field.route} route (${this.#plan.because}), ${this.#engine.kind} engine, ${threads}`,
    };
  }
}

const CODES: readonly Reason["code"][] = [
  "until",
  "event",
  "steps",
  "step-too-small",
  "singular-jacobian",
  "non-finite",
  "memory",
];

function asCode(code: string): Reason["code"] {
  return CODES.find((one) => one === code) ?? "no-progress";
}
