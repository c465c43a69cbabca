// The public `flow`: integrates the training dynamics of docs/theory.md as an ordinary differential equation in time. It prepares units,
// engine, plan and files, runs a FlowRun and makes the result. Users, the experiments and monitor/discretization-gap.ts call it.
import { checkWritable } from "../atomic-file.js";
import { createEngineInTurns } from "../backend/create.js";
import type { Engine } from "../backend/engine.js";
import { type Agreement, together } from "../cluster/agreement.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { argumentError } from "../errors.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import { type Plan, planRoute, refuse } from "../plan/plan.js";
import type { Route } from "../plan/route.js";
import { withHeldSlots } from "../run/held-slots.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import { checkLossTargets } from "../run/loss-targets.js";
import {
  checkTargetsKept,
  fittedPartSteps,
  fittingSteps,
  lossFactor,
  meanFactor,
  predictingNetwork,
  startingPoint,
} from "../run/prepare.js";
import { checkRanks, compareRuns, slotsOfRank, stepsOnRanks, writesFiles } from "../run/ranks.js";
import { checkReachable } from "../run/reachable.js";
import type { FlowRecord } from "../run/record.js";
import { SampleEngine } from "../run/sample-engine.js";
import { type FlowSnapshot, heldSlots, readFlowCheckpoint, writeFlowCheckpoint } from "./flow-checkpoint.js";
import { comparedOf, printOf } from "./flow-identity.js";
import { type CompletedFlowOptions, completeFlowOptions, type FlowOptions } from "./flow-options.js";
import { flowRequest } from "./flow-plan.js";
import { FlowRun } from "./flow-run.js";

/** The network at a time of the flow. */
export interface FlowSample {
  /** Time of the flow. */
  readonly time: number;
  /** The network with the parameters at that time. */
  readonly network: Network;
}

/** What `flow` resolves with. */
export interface FlowResult<Report = unknown> {
  /** The network of the least objective over the start and all accepted steps; always finite. */
  readonly network: Network;
  /** The network at the end of the flow. */
  readonly last: Network;
  /** Time at which the flow ended. */
  readonly time: number;
  /** Why it ended. */
  readonly reason: Reason;
  /** One record for the start and every accepted step; empty only if the loss at the start is not finite. */
  readonly records: readonly FlowRecord[];
  /** The networks at the times in `outputs`, from the interpolant of the step that covers them. */
  readonly outputs: readonly FlowSample[];
  /** The events that occurred, in order of time. */
  readonly events: readonly (FlowSample & {
    /** Name of the event. */
    readonly name: string;
  })[];
  /** Counts of the integration. */
  readonly statistics: {
    /** Steps that were accepted. */
    readonly accepted: number;
    /** Trials that were rejected. */
    readonly rejected: number;
    /**
     * Right-hand sides, and linearizations of the network: one each; one more where the route changed, and two where the noise of the
     * velocity was measured, once a flow.
     */
    readonly evaluations: number;
    /** Linearizations of the network. */
    readonly linearizations: number;
  };
  /** When the flow switched from Cholesky to the orthogonal route, and why; or null. */
  readonly switched: {
    /** Time of the flow. */
    readonly time: number;
    /** The reason, as a sentence. */
    readonly message: string;
  } | null;
  /** A sentence if the problem looked stiff to the explicit integrator; else null. */
  readonly stiffness: string | null;
  /** A sentence if rounding and not accuracy keeps the steps short (`FlowRecord.rounding`); else null. */
  readonly rounding: string | null;
  /** The report of the monitor, if one was given. */
  readonly monitor: Report | null;
  /** The route with its predicted memory and time. */
  readonly plan: Plan<Route>;
  /** "native", or "reference": the one in TypeScript (`backend: "typescript"`). */
  readonly engine: string;
  /** Threads that computed. */
  readonly threads: number;
  /** Slots that sums over the samples were joined from (`FlowOptions.slots`). */
  readonly slots: number;
  /** Processes that computed together (`FlowOptions.cluster`); 1 where this one was alone. */
  readonly ranks: number;
  /** Seconds of the whole flow. */
  readonly seconds: number;
  /** The loss that the flow descends. */
  readonly lossUsed: Loss;
  /** What `flow` chose, as one line; a loss other than squared error is named in it. */
  readonly chosen: string;
  /** Problems that did not end the flow, as in `TrainResult`. */
  readonly warnings: readonly string[];
}

/**
 * Integrates the flow dw/dt = -(1/alpha) H_rho(w)^-1 J^T grad g from the network's parameters on, and resolves with the best
 * network, the records and the reason it ended (after Cayci, arXiv 2412.14031; rates refer to the sum loss).
 *
 * Whatever ends a flow - its time, an event, a singular J, an abort - is a reason, never an exception.
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA, GAUSSFLOW_MEMORY, GAUSSFLOW_FILE (checkpoints), GAUSSFLOW_NO_NATIVE, GAUSSFLOW_RANKS, and what
 * onRecord, events, schedules and the monitor throw
 * @example const path = await flow(net, data, { damping: spectralDamping(), until: 5, monitor: monitor() });
 */
export async function flow<Report = never>(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions<Report> = {},
): Promise<FlowResult<Report>> {
  const steps = flowSteps(network, data, options);
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** The same as an async generator: yields a record at the start and at every accepted step. Leaving the loop early frees the engine. */
export async function* flowSteps<Report = never>(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions<Report> = {},
): AsyncGenerator<FlowRecord, FlowResult<Report>> {
  return yield* stepsOnRanks("flow", options, (joined, agreement) => stepsOf(network, data, joined, agreement));
}

async function* stepsOf<Report>(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions<Report>,
  agreement: Agreement | null,
): AsyncGenerator<FlowRecord, FlowResult<Report>> {
  const { completed, set, fit, plan, engine: kind } = await settle(network, data, options, agreement);
  const { loss } = completed;
  const backend = { backend: options.backend, threads: plan.threads };
  const { checkpoint, resume, slots } = completed;
  if (resume === null) agreement?.listen();
  let begun: Awaited<ReturnType<typeof begin>>;
  try {
    // A resumed flow is not cut short here: the points of its checkpoint are in the units that the preparation finds.
    begun = await begin(network, set, fit, completed, resume === null ? options.signal : undefined);
  } catch (error) {
    const { signal } = options;
    if (!endedBy(signal, error)) throw error;
    const engine = { kind: kind === "native" ? "native" : "reference", threads: plan.threads };
    const start = predictingNetwork(network, fit, loss);
    return finish(start, completed, options, plan, engine, unbegun(start, completed, plan, abortReason(signal)));
  }
  const { start, prepared, terms, print } = begun;
  const file = resume === null ? null : { path: resume, agreement, print, slots };
  const snapshot = file === null ? null : await readFlowCheckpoint(file, start.parameterCount);
  if (snapshot !== null) checkResumed(completed, snapshot);
  // An abort meanwhile is heard by the run.
  const engine = await together(agreement, () => createEngineInTurns(start.architecture, prepared, backend, undefined));
  // Products J v have a row for every sample: an engine that shares the samples with others has none.
  const alone = { ...prepared, ranks: undefined };
  const whole =
    prepared.ranks === undefined
      ? engine
      : await together(agreement, () => createEngineInTurns(start.architecture, alone, backend, undefined));
  const sample = new SampleEngine(start.architecture, alone, backend);
  try {
    const run = new FlowRun(completed, {
      engine,
      whole,
      sample: sample.get,
      architecture: start.architecture,
      targets: prepared.targets,
      weights: prepared.weights ?? null,
      terms,
      start: start.parameters,
      meanFactor: meanFactor(fit),
      lossFactor: lossFactor(fit, completed.loss),
      signal: options.signal,
      agreement,
      onRecord: options.onRecord,
      observer: options.monitor,
      checkpoint:
        checkpoint === null || !writesFiles(agreement)
          ? null
          : {
              every: checkpoint.every,
              urgent: agreement?.own,
              write: (state) => writeFlowCheckpoint(checkpoint.path, state, print, slots),
            },
      resume: snapshot,
    });
    yield* run.steps();
    return await finish(start, completed, options, plan, engine, run);
  } finally {
    engine.dispose();
    whole.dispose();
    sample.dispose();
  }
}

/** Options, plan and data of a flow, before anything is allocated for its engine. */
async function settle<Report>(
  network: Network,
  data: Dataset | DatasetInput,
  options: FlowOptions<Report>,
  agreement: Agreement | null,
) {
  const pace = new Pace(undefined);
  const { set, fit, unheld } = await together(agreement, async () => {
    const set = await finishInTurns(fittingSteps(network, data, options), pace);
    const fit = await finishInTurns(fittedPartSteps(set), pace);
    return { set, fit, unheld: completeFlowOptions(options, network, fit) };
  });
  const completed = await withHeldSlots({ ...unheld, agreement }, options, heldSlots);
  const { schedule, loss, checkpoint, ranks, route } = completed;
  return together(agreement, async () => {
    const undamped = schedule.name === "constant" && schedule.settings.rho === 0 && loss.decay === 0;
    const request = flowRequest(network, set, fit, completed, route, options, undamped);
    const { engine } = request;
    const plan = planRoute(request);
    checkRanks(ranks, { engine, route: plan.route, monitor: options.monitor });
    refuse(plan, request);
    if (checkpoint !== null && writesFiles(agreement)) await checkWritable(checkpoint.path);
    return { completed, set, fit, plan, engine };
  });
}

/** The start of a flow in its units, and its fingerprint where checkpoints or ranks need one. Takes turns with the event loop. */
async function begin(
  network: Network,
  whole: Dataset,
  fit: Dataset,
  completed: CompletedFlowOptions,
  signal: AbortSignal | undefined,
) {
  const { checkpoint, resume, slots, agreement } = completed;
  const { point, prepared, print } = await together(agreement, async () => {
    await checkLossTargets(whole, completed.loss, "data", signal);
    const point = await startingPoint(network, fit, completed, signal);
    await checkTargetsKept(point);
    checkReachable(point, fit);
    const prepared = { ...point.data, slots, ranks: slotsOfRank(agreement, slots) };
    const needed = checkpoint !== null || resume !== null || agreement !== null;
    const print = needed ? await printOf(point.start, prepared, completed, signal) : "";
    return { point, prepared, print };
  });
  await compareRuns(agreement, comparedOf(fit, completed, print));
  return { start: point.start, prepared, terms: point.terms, print };
}

/** Drops output times before the checkpoint: their states are known only if the earlier run requested them. */
function checkResumed({ outputs, until }: CompletedFlowOptions, { time, outputs: known }: FlowSnapshot): void {
  if (until < time) throw argumentError("options.until", `must not be before the checkpoint's t = ${time}`, until);
  outputs.forEach((output, i) => {
    if (output <= time && !known.some((sample) => sample.time === output))
      throw argumentError(
        `options.outputs[${i}]`,
        `must be later than the checkpoint's t = ${time}, or have been asked for before it`,
        output,
      );
  });
}

/** What a result shows of a run. */
interface FlowOutcome
  extends Pick<
    FlowRun,
    | "reason"
    | "parameters"
    | "time"
    | "records"
    | "outputs"
    | "events"
    | "counts"
    | "stiffness"
    | "rounding"
    | "elapsed"
    | "warnings"
  > {
  readonly best: Pick<FlowRun["best"], "parameters">;
  readonly field: Pick<FlowRun["field"], "linearizations" | "switched" | "route">;
}

/** The outcome of a flow that was aborted before its first right-hand side. */
function unbegun(
  { parameters }: Network,
  { from }: CompletedFlowOptions,
  { route }: Plan<Route>,
  reason: Reason,
): FlowOutcome {
  return {
    reason,
    best: { parameters },
    parameters,
    time: from,
    records: [],
    outputs: [],
    events: [],
    counts: { accepted: 0, rejected: 0, evaluations: 0 },
    field: { linearizations: 0, switched: null, route },
    stiffness: null,
    rounding: null,
    elapsed: 0,
    warnings: [],
  };
}

async function finish<Report>(
  start: Network,
  { schedule, integrator, loss, slots, ranks }: CompletedFlowOptions,
  options: FlowOptions<Report>,
  plan: Plan<Route>,
  engine: Pick<Engine, "kind" | "threads">,
  run: FlowOutcome,
): Promise<FlowResult<Report>> {
  const reason = run.reason ?? { code: "no-progress", message: "the flow was given up" };
  const at = (state: Float64Array) => start.withParameters(state.slice(0, start.parameterCount));
  const rho = Object.entries(schedule.settings).map(([name, value]) => `${name} = ${value}`);
  const rule = lossRule(loss);
  const named = rule.sumOfSquares ? "" : `, ${rule.label}`;
  const threads = engine.threads === 1 ? "1 thread" : `${engine.threads} threads`;
  return {
    network: start.withParameters(run.best.parameters),
    last: start.withParameters(run.parameters),
    time: run.time,
    reason,
    records: run.records,
    outputs: run.outputs.map(({ time, state }) => ({ time, network: at(state) })),
    events: run.events.map(({ name, time, state }) => ({ name, time, network: at(state) })),
    statistics: {
      accepted: run.counts.accepted,
      rejected: run.counts.rejected,
      evaluations: run.counts.evaluations,
      linearizations: run.field.linearizations,
    },
    switched: run.field.switched,
    stiffness: run.stiffness,
    rounding: run.rounding,
    monitor: (await options.monitor?.onEnd?.(reason)) ?? null,
    plan,
    engine: engine.kind,
    threads: engine.threads,
    slots,
    ranks,
    seconds: run.elapsed,
    lossUsed: loss,
    chosen: `${schedule.name} damping${rho.length > 0 ? ` (${rho.join(", ")})` : ""}, ${integrator.label}${named}, ${run.field.route} route (${plan.because}), ${engine.kind} engine, ${threads}${slots === 1 ? "" : `, ${slots} slots`}${ranks === 1 ? "" : ` on ${ranks} ranks: options.slots ${slots} has the same bits on any number of ranks`}`,
    warnings: run.warnings,
  };
}
