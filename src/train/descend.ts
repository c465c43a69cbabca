// Runs the loop over batches: the counterpart of minimize.ts for methods that see a part of the rows at each step
// (method/batch-method.ts). train.ts calls it, and tests do on dense problems: it knows no networks, files or units.
//
//   load a batch -> step -> at the end of an epoch: full loss, validation, keep the best, a record, the stop rules -> again
//
// It is an async generator of records. At any end of the run it RETURNS the best point with a reason, as minimize.ts
// does. The state at the boundary of every step is plain data; with the order of rows a function of seed and epoch, a
// run resumed in the middle of an epoch repeats the uninterrupted one bit for bit.
import { largest, plainVectors, type VectorOperations } from "../algebra/vectors.js";
import { type Engine, type Failure, failed } from "../backend/engine.js";
import { unlessMemory } from "../backend/memory.js";
import type { EngineRows } from "../backend/rows.js";
import { Pace } from "../event-loop-yield.js";
import { objectiveOf, type Point } from "../linearize/problem.js";
import type { BatchContext, BatchEnd, BatchMethod, BatchNeeds, BatchSizes, BatchStep } from "../method/batch-method.js";
import type { MethodState } from "../method/method.js";
import { type RunPlace, rateAt } from "../method/rate-schedule.js";
import type { Reason, ReasonCode } from "../method/reason.js";
import { Random } from "../random.js";
import { CheckpointKeeper, type CheckpointOptions } from "../run/checkpoint-keeper.js";
import { failureReason, memoryReason } from "../run/failure-reason.js";
import { endedBy, Interrupt } from "../run/interrupt.js";
import type { Observer } from "../run/observer.js";
import type { TrainRecord } from "../run/record.js";
import { BatchAccount, completed } from "./batch-account.js";
import type { BatchRows, LoadableEngine } from "./batch-rows.js";
import { type LossOfAll, lossOfAll, validate } from "./evaluate.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import { RunState } from "./run-state.js";
import type { Snapshot } from "./snapshot.js";
import * as stops from "./stop.js";

/** Random streams of the steps: one each. Those of the order of rows are below (batch-rows.ts). */
const STEP_STREAM = 2 ** 52;

/** Ends of a run after which nothing is evaluated. */
const UNEVALUATED: readonly (ReasonCode | undefined)[] = ["aborted", "memory", undefined];

/** Options of the loop; some are those of `minimize`. */
export interface DescendOptions
  extends Pick<
    MinimizeOptions,
    "stop" | "decay" | "meanFactor" | "separable" | "validation" | "spent" | "recordFields" | "signal" | "resume"
  > {
  readonly method: BatchMethod;
  readonly sizes: BatchSizes;
  readonly needs: BatchNeeds;
  /** Engines of `needs`, in its order. Where a batch is all rows the first is the engine of the run. */
  readonly engines: readonly LoadableEngine[];
  /** The rows of the batches; null where a batch is all rows. */
  readonly rows: BatchRows | null;
  /** All rows, where every step sees them and they are in memory. Default null. */
  readonly whole?: EngineRows | null | undefined;
  /** Seed of the order of rows and of the method's random numbers. */
  readonly seed: number;
  /** The parameters to start from, seen from the initial point; null = the initial ones. Not called when resuming. */
  readonly startBeside?: ((point: Pick<Point, "parameters" | "gradient">) => Float64Array | null) | undefined;
  readonly observer?: Pick<Observer, "onRecord"> | undefined;
  readonly checkpoint?: CheckpointOptions<Snapshot> | null | undefined;
}

/** Steps of an epoch: rows that are left over are left out of that epoch. */
export function stepsPerEpoch({ rows }: Pick<BatchSizes, "rows">, needs: Pick<BatchNeeds, "rows">): number {
  return Math.max(1, Math.floor(rows / needs.rows));
}

/** Steps of the run that the stop rules allow; Infinity without a limit. */
export function stepsOfRun({ iterations, epochs }: stops.StopRules, perEpoch: number): number {
  return Math.min(iterations, epochs * perEpoch);
}

/**
 * Minimizes the objective from `initial`, batch by batch.
 *
 * @param engine of all rows: evaluates the loss at the ends of the epochs
 * @param initial p parameters, not changed. Ignored when resuming.
 * @returns (through the generator) the reason and the best points; every record is also yielded
 */
export async function* descend(
  engine: Engine,
  initial: Float64Array,
  options: DescendOptions,
): AsyncGenerator<TrainRecord, MinimizeResult> {
  const loop = new BatchLoop(engine, initial, options);
  try {
    yield* loop.run();
  } catch (error) {
    const { signal } = loop.interrupt;
    loop.reason = endedBy(signal, error) ? loop.interrupt.reason() : memoryReason(error);
    if (loop.reason === null) throw error;
  } finally {
    loop.interrupt.dispose();
    if (loop.reason?.code === "non-finite") loop.checkpoints.forget();
    await loop.checkpoints.close();
  }
  yield* loop.conclude();
  return loop.finish();
}

class BatchLoop {
  readonly interrupt: Interrupt;
  readonly checkpoints: CheckpointKeeper<Snapshot>;
  reason: Reason | null = null;
  readonly #engine: Engine;
  readonly #options: DescendOptions;
  readonly #run: RunState;
  readonly #account: BatchAccount;
  readonly #vectors: VectorOperations;
  readonly #penalty: (parameters: Float64Array) => number;
  readonly #pace: Pace;
  readonly #stepsPerEpoch: number;
  readonly #steps: number;
  readonly #meanFactor: number;
  readonly #scratch = new Map<string, Float64Array>();
  #next: Float64Array;
  /** Why the last step ended the run; a run that goes on from there ends at once. */
  #end: BatchEnd | undefined;

  constructor(engine: Engine, initial: Float64Array, options: DescendOptions) {
    const { resume = null, sizes, needs, method, stop, spent = 0 } = options;
    const { vectors = plainVectors, outputSize } = engine;
    this.#engine = engine;
    this.#options = options;
    this.#vectors = vectors;
    this.#penalty = method.penalty?.(sizes) ?? (() => 0);
    this.#stepsPerEpoch = stepsPerEpoch(sizes, needs);
    this.#steps = stepsOfRun(stop, this.#stepsPerEpoch);
    this.#meanFactor = options.meanFactor ?? 2 / (sizes.rows * outputSize);
    this.#run = new RunState(initial, () => null, resume, spent);
    this.#run.method ??= method.start(sizes);
    this.#account = new BatchAccount(resume);
    this.#end = resume?.end;
    this.#next = new Float64Array(initial.length);
    this.interrupt = new Interrupt(options.signal, stop.seconds, spent);
    this.#pace = new Pace(this.interrupt.signal);
    this.checkpoints = new CheckpointKeeper(options.checkpoint ?? null, "iteration");
    // Methods change the arrays of a resumed state in place: every write takes the state of the run at that time.
    if (resume !== null) this.checkpoints.note(resume.iteration, () => this.#snapshot());
  }

  async *run(): AsyncGenerator<TrainRecord, void> {
    const [run, { signal }] = [this.#run, this.interrupt];
    if (run.records.length === 0) {
      await this.#startBeside();
      const start = await this.#evaluate(true, signal);
      if (start === null) return;
      yield start;
    }
    let changed = false;
    for (;;) {
      // Comes before the stop rules, also in a run that resumes at an evaluation that was interrupted.
      if (this.#isDue()) {
        const record = await this.#evaluate(this.#epochEnds, signal);
        if (record === null) return;
        changed = true;
        yield record;
      }
      if (changed) await this.checkpoints.keep(run.iteration, () => this.#snapshot());
      this.reason = this.#end ?? this.interrupt.reason() ?? this.#recordReason() ?? this.#limitReason();
      if (this.reason !== null) return;
      await this.#pace.turn();
      if (!(await this.#step())) return;
      changed = true;
      // The state has changed in place: a checkpoint of an interrupted evaluation has this state and no record of it.
      this.checkpoints.note(run.iteration, () => this.#snapshot());
    }
  }

  /**
   * Makes the last record of a run that ends within an epoch, with the loss of all rows, and evaluates that loss at the
   * point that is best by validation. Neither is part of the checkpoint, so that a resumed run has the records of one
   * that was never interrupted. After an abort neither is computed.
   */
  async *conclude(): AsyncGenerator<TrainRecord, void> {
    if (this.#run.records.length === 0 || UNEVALUATED.includes(this.reason?.code)) return;
    const { signal = new AbortController().signal } = this.#options;
    try {
      if (this.reason?.code !== "non-finite" && !(this.#isRecorded() && this.#epochEnds)) {
        const record = await this.#evaluate(true, signal);
        if (record !== null) yield record;
      }
      await this.#completeBest(signal);
    } catch (error) {
      if (endedBy(signal, error)) return;
      this.reason = memoryReason(error);
      if (this.reason === null) throw error;
    }
  }

  finish(): MinimizeResult {
    const { iteration, best, bestValidation, records, elapsed, parameters } = this.#run;
    const reason = this.reason ?? { code: "no-progress", message: "the run was given up" };
    // After a step to numbers that are not finite the last point is that of the last record.
    const present = parameters.every(Number.isFinite);
    const last = present ? { ...this.#run.last, iteration, parameters: parameters.slice() } : this.#run.last;
    const { warnings } = this.checkpoints;
    return { reason, iterations: iteration, last, best, bestValidation, records, elapsed, warnings };
  }

  async #startBeside(): Promise<void> {
    const { startBeside, decay } = this.#options;
    if (startBeside === undefined) return;
    const { parameters } = this.#run;
    const request = { curvature: "none", decay, scaling: null } as const;
    const answer = unlessMemory(await this.#engine.linearize(parameters, request, this.interrupt.signal));
    // A start that is not finite ends the run at its evaluation.
    if (!failed(answer)) this.#run.parameters = startBeside({ parameters, gradient: answer.gradient }) ?? parameters;
  }

  /** Whether an epoch ends at the present point. */
  get #epochEnds(): boolean {
    return this.#run.iteration % this.#stepsPerEpoch === 0;
  }

  /** Whether the present point has a record. */
  #isRecorded(): boolean {
    return this.#run.records.at(-1)?.iteration === this.#run.iteration;
  }

  /** Whether the present point needs a record and has none. At the end of a run `conclude` makes the record. */
  #isDue(): boolean {
    const { validateEvery } = this.#options.stop;
    if (this.#isRecorded()) return false;
    if (this.#epochEnds) return true;
    return validateEvery !== null && this.#run.iteration % validateEvery === 0 && this.#limitReason() === null;
  }

  /** Takes one step on one batch. Returns false if the run is over without one. */
  async #step(): Promise<boolean> {
    const { method, needs, rows, engines, sizes } = this.#options;
    const run = this.#run;
    const perEpoch = this.#stepsPerEpoch;
    const [epoch, position] = [Math.floor(run.iteration / perEpoch), run.iteration % perEpoch];
    await rows?.load(epoch, position, engines);
    const context = this.#context();
    const answer = unlessMemory(await method.step(context, run.method as MethodState));
    if (failed(answer) || !Number.isFinite(answer.loss) || !Number.isFinite(answer.stepNorm)) {
      this.reason = this.#brokenReason(answer, epoch, position);
      return false;
    }
    run.method = answer.state;
    this.#end = answer.end;
    run.iteration += 1;
    if (answer.accepted) [run.parameters, this.#next] = [this.#next, run.parameters];
    this.#account.add(answer, {
      gradientNorm: this.#vectors.norm(answer.gradient),
      gradientLargest: largest(answer.gradient),
      loss: (answer.loss * sizes.rows) / needs.rows,
      rate: context.rate,
    });
    return true;
  }

  #context(): BatchContext {
    const { needs, sizes, engines, decay, seed, rows, whole = null } = this.#options;
    const { parameters, iteration } = this.#run;
    const place: RunPlace = { step: iteration, stepsPerEpoch: this.#stepsPerEpoch, steps: this.#steps };
    return {
      parameters,
      next: this.#next,
      engines,
      batch: rows?.batch ?? whole,
      loss: sizes.loss,
      rows: needs.rows,
      totalRows: sizes.rows,
      decay: (decay * needs.rows) / sizes.rows,
      rate: rateAt(needs.rate, place),
      iteration: iteration + 1,
      stepsPerEpoch: this.#stepsPerEpoch,
      vectors: this.#vectors,
      scratch: (name, length = parameters.length) => this.#scratchOf(name, length),
      random: () => new Random(seed, STEP_STREAM + iteration),
      signal: this.interrupt.signal,
    };
  }

  #scratchOf(name: string, length: number): Float64Array {
    let array = this.#scratch.get(name);
    if (array === undefined) {
      array = new Float64Array(length);
      this.#scratch.set(name, array);
    }
    return array;
  }

  /**
   * Evaluates the present point and makes the record of the steps since the last record. A record of this point with
   * the mean loss of its batches is replaced by one with the loss of all rows.
   * @param whole whether the loss of all rows is evaluated
   * @returns null where the loss is not finite: the run is over
   */
  async #evaluate(whole: boolean, signal: AbortSignal): Promise<TrainRecord | null> {
    const { decay, observer, recordFields, needs, method, validation = null } = this.#options;
    const [run, account] = [this.#run, this.#account];
    const held = account.still ? run.records.at(-1)?.validationLoss : undefined;
    const validated = { validation, continuation: method.continuation, held };
    const parameters = run.parameters.slice();
    const evaluated = whole ? await this.#lossOf(parameters, signal) : { sum: account.meanLoss, seconds: 0 };
    if (evaluated === null) return null;
    const objective = objectiveOf(evaluated.sum, decay, parameters, this.#vectors) + this.#penalty(parameters);
    const loss = evaluated.sum * this.#meanFactor;
    const before = this.#isRecorded() ? run.records.pop() : undefined;
    const place = { loss, objective, evaluateSeconds: evaluated.seconds };
    const record =
      before !== undefined
        ? completed(before, { ...place, elapsed: run.elapsed })
        : account.record({
            ...place,
            iteration: run.iteration,
            epoch: run.iteration / this.#stepsPerEpoch,
            meanFactor: this.#meanFactor,
            route: needs.route,
            validation: await validate(validated, run, { iteration: run.iteration, parameters, loss }, signal),
            elapsed: run.elapsed,
            recordFields: { ...recordFields, ...method.report?.(parameters) },
          });
    if (whole) run.standAt(parameters, objective, loss);
    run.records.push(record);
    await observer?.onRecord?.(record);
    return record;
  }

  /** The sum loss of all rows; null where it is not finite, which ends the run. */
  async #lossOf(parameters: Float64Array, signal: AbortSignal): Promise<LossOfAll | null> {
    const answer = await lossOfAll(this.#engine, parameters, signal);
    if (!("code" in answer)) return answer;
    this.reason = this.#run.iteration > 0 ? { ...answer, message: this.#withRemedy(answer.message) } : answer;
    return null;
  }

  /** Evaluates the loss of all rows at the point that is best by validation, if that point is within an epoch. */
  async #completeBest(signal: AbortSignal): Promise<void> {
    const run = this.#run;
    const kept = run.bestValidation;
    if (kept === null || kept.iteration % this.#stepsPerEpoch === 0) return;
    const { last } = run;
    if (kept.iteration === last.iteration && Number.isFinite(last.loss)) {
      run.bestValidation = { ...kept, loss: last.loss };
      return;
    }
    const evaluated = await this.#lossOf(kept.parameters, signal);
    if (evaluated !== null) run.bestValidation = { ...kept, loss: evaluated.sum * this.#meanFactor };
  }

  /** The rules that are tested at every step. */
  #limitReason(): Reason | null {
    const [{ stop }, { iteration }] = [this.#options, this.#run];
    return stops.iterationsReason(stop, iteration) ?? stops.epochsReason(stop, iteration, this.#stepsPerEpoch);
  }

  /** The rules that are tested where the last step made a record. */
  #recordReason(): Reason | null {
    const { stop, separable = null, needs, sizes } = this.#options;
    const record = this.#run.records.at(-1)!;
    if (!this.#isRecorded()) return null;
    const whole = Number.isInteger(record.epoch);
    const full = needs.rows === sizes.rows && record.iteration > 0;
    return (
      (whole ? stops.separableReason(separable, record.loss / this.#meanFactor) : null) ??
      (whole ? stops.lossReason(stop, record.loss) : null) ??
      (full ? stops.relativeGradientReason(stop, record.gradientCosine) : null) ??
      stops.patienceReason(stop, this.#run, "validations")
    );
  }

  #brokenReason(answer: BatchStep | Failure, epoch: number, position: number): Reason {
    const place = `batch ${position + 1} of epoch ${epoch + 1}`;
    if (!failed(answer)) {
      const message = Number.isFinite(answer.loss)
        ? `the step of ${place} is not finite`
        : `the loss of ${place} is ${answer.loss}`;
      return { code: "non-finite", message: this.#withRemedy(message) };
    }
    const reason = failureReason(answer);
    return { ...reason, message: this.#withRemedy(`at ${place} ${reason.message}`) };
  }

  #withRemedy(message: string): string {
    return `${message}: ${this.#options.method.remedy} keeps the steps within bounds`;
  }

  /** The state between two steps. It shares its arrays with the run: it must be written before the next step. */
  #snapshot(): Snapshot {
    const { iteration, parameters, method, best, bestValidation, stale, records, elapsed } = this.#run;
    return {
      iteration,
      parameters,
      methodState: method as MethodState,
      scaling: null,
      best,
      bestValidation,
      stale,
      gradientStart: this.#account.gradientStart,
      batches: this.#account.totals,
      end: this.#end,
      records,
      elapsed,
    };
  }
}
