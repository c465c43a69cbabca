// The one training loop. It knows the Engine interface and the Method interface and nothing of networks, files or units:
// tests run it on dense residual functions, train() on networks.
//
//   linearize -> [ propose -> evaluate -> judge ] until accepted -> validate, keep the best, test the stop rules -> again
//
// An async generator of records. Whatever ends the run - a rule, an abort, a number that is not finite - it RETURNS the
// best point with a reason; only misuse and foreign errors throw. It never disposes of engines: they belong to the caller.
import { plainVectors, type VectorOperations } from "../algebra/vectors.js";
import { type Engine, type Failure, failed } from "../backend/engine.js";
import { unlessMemory } from "../backend/memory.js";
import {
  defaultMatrixFree,
  freshScaling,
  linearizeAt,
  objectiveOf,
  type Point,
  type Problem,
  scalingInEffect,
} from "../linearize/problem.js";
import { SpareVectors } from "../linearize/spare-vectors.js";
import { Workspace } from "../linearize/workspace.js";
import type { MethodState, Proposal, Trial } from "../method/method.js";
import type { Reason } from "../method/reason.js";
import { CheckpointKeeper } from "../run/checkpoint-keeper.js";
import { Interrupt } from "../run/interrupt.js";
import type { TrainRecord } from "../run/record.js";
import { type Effort, StepPolicy } from "../step/step-policy.js";
import { firstPoint } from "./first-point.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import { addSeconds, asReason, frozen, memoryReason, noSeconds, startRecord } from "./outcome.js";
import { type Best, better, type Snapshot } from "./snapshot.js";
import {
  acceptedReason,
  gradientReason,
  iterationsReason,
  lossReason,
  patienceReason,
  rejectedReason,
} from "./stop.js";

/**
 * Minimizes the engine's objective from `initial`.
 *
 * @param initial p parameters, not changed. Ignored when resuming.
 * @returns (through the generator) the reason and the best points; every record is also yielded.
 */
export async function* minimize(
  engine: Engine,
  initial: Float64Array,
  options: MinimizeOptions,
): AsyncGenerator<TrainRecord, MinimizeResult> {
  const loop = new Loop(engine, initial, options);
  try {
    yield* loop.run();
  } catch (error) {
    // A canceled engine rejects with the signal's reason; memory can be refused anywhere. Other errors are the caller's.
    const { aborted, reason: cause } = loop.interrupt.signal;
    const reason = aborted && error === cause ? loop.interrupt.reason() : memoryReason(error);
    if (reason === null) throw error;
    loop.reason = reason;
  } finally {
    loop.interrupt.dispose();
    // Also where the caller leaves the loop early or an observer throws: nothing accepted is lost.
    await loop.checkpoints.close();
  }
  return loop.finish();
}

class Loop {
  readonly interrupt: Interrupt;
  readonly checkpoints: CheckpointKeeper<Snapshot>;
  reason: Reason | null = null;
  readonly #options: MinimizeOptions;
  readonly #problem: Problem;
  readonly #spare: SpareVectors | null;
  readonly #vectors: VectorOperations;
  readonly #policy: StepPolicy;
  readonly #meanFactor: number;
  readonly #records: TrainRecord[];
  readonly #start = performance.now();
  readonly #before: number;
  #iteration: number;
  #parameters: Float64Array;
  #scaling: Float64Array | null;
  #state: MethodState | null;
  #best: Best;
  #bestValidation: Best | null;
  #last: Best;
  #stale: number;
  /** What a checkpoint of the last boundary of this run refers to. */
  #boundary: Omit<Snapshot, "records"> | null = null;

  constructor(engine: Engine, initial: Float64Array, options: MinimizeOptions) {
    const { resume = null, layerSizes = [engine.parameterCount], condition = false, route, decay } = options;
    const scaling = scalingInEffect(options.method.scaling, route, decay);
    this.#options = options;
    const { matrixFree = defaultMatrixFree, stop } = options;
    const exactMeasureBelow = stop.gradient;
    this.#spare = SpareVectors.for(engine.parameterCount);
    this.#vectors = engine.vectors ?? plainVectors;
    const spare = this.#spare;
    const solving = { route, decay, scaling, condition, matrixFree, exactMeasureBelow };
    this.#problem = { engine, layerSizes, ...solving, spare, workspace: new Workspace() };
    this.#policy = new StepPolicy(this.#problem, options.method, options.evenness);
    this.#meanFactor = options.meanFactor ?? 2 / (engine.sampleCount * engine.outputSize);
    this.interrupt = new Interrupt(options.signal, stop.seconds);
    const start = { iteration: 0, parameters: initial.slice(), value: Number.NaN, loss: Number.NaN };
    this.#iteration = resume?.iteration ?? 0;
    this.#parameters = resume?.parameters.slice() ?? start.parameters;
    this.#scaling = resume?.scaling?.slice() ?? (scaling === "identity" ? null : freshScaling(this.#problem));
    this.#state = resume?.methodState ?? null;
    this.#best = resume?.best ?? start;
    this.#bestValidation = resume?.bestValidation ?? null;
    this.#last = { ...start, iteration: this.#iteration, parameters: this.#parameters };
    this.#stale = resume?.stale ?? 0;
    this.#records = [...(resume?.records ?? [])];
    this.#before = resume?.elapsed ?? 0;
    this.checkpoints = new CheckpointKeeper(options.checkpoint ?? null, "iteration");
    if (resume !== null) this.checkpoints.note(resume.iteration, () => resume);
  }

  async *run(): AsyncGenerator<TrainRecord, void> {
    const { stop } = this.#options;
    await this.#show();
    while (this.reason === null) {
      this.#reclaim();
      const point = await this.#linearize();
      if (failed(point)) {
        this.reason = asReason(point);
        return;
      }
      this.#last = this.#keep(point.parameters, point.objective, point.loss);
      if (this.#records.length === 0) yield await this.#record(await this.#startRecord(point));
      // Boundary tests: also what ends a resumed run at once when it has nothing left to do.
      this.reason =
        gradientReason(stop, point) ??
        lossReason(stop, point.loss * this.#meanFactor) ??
        this.#patience() ??
        iterationsReason(stop, this.#iteration);
      if (this.reason === null) yield* this.#iterate(point);
    }
  }

  finish(): MinimizeResult {
    return {
      reason: this.reason ?? { code: "no-progress", message: "the run was given up" },
      iterations: this.#iteration,
      last: this.#last,
      best: this.#best,
      bestValidation: this.#bestValidation,
      records: this.#records,
      elapsed: this.#elapsed(),
      warnings: this.checkpoints.warnings,
    };
  }

  /** Trials from one point until one is accepted or nothing is left to try. */
  async *#iterate(start: Point): AsyncGenerator<TrainRecord, void> {
    const [{ method }, { engine }] = [this.#options, this.#problem];
    const entered = this.#state;
    let point = start;
    let asked = 0;
    let previous: Proposal | null = null;
    let seconds = { ...noSeconds, ...point.seconds };
    for (let trial = 1; this.reason === null; trial++) {
      await this.interrupt.breathe();
      this.reason = this.interrupt.reason();
      if (this.reason !== null) return;
      this.#reclaim(point, previous, entered);
      const before = this.#state as MethodState;
      const propose = async () =>
        unlessMemory(await method.propose(this.#problem, before, point, previous, this.interrupt.signal));
      let proposal = await propose();
      let fallback: string | null = null;
      // The same point again: loss, gradient and scaling were exact already.
      for (let more = StepPolicy.more(point); failed(proposal) && more !== null; ) {
        const stronger = await this.#linearize(more);
        this.reason = failed(stronger) ? asReason(stronger) : null;
        if (failed(stronger)) return;
        fallback = proposal.message;
        point = stronger;
        more = StepPolicy.more(point);
        seconds = { ...seconds, ...addSeconds(seconds, point.seconds) };
        proposal = await propose();
      }
      const tried = failed(proposal) ? null : this.#add(point.parameters, proposal.step);
      const outcome = tried === null ? null : await this.#evaluate(tried);
      const judgment = method.judge(before, point, proposal, outcome?.answer ?? null);
      this.#state = judgment.state;
      seconds = {
        ...seconds,
        solve: failed(proposal) ? 0 : proposal.seconds,
        evaluate: outcome?.seconds ?? 0,
      };
      const common = {
        iteration: this.#iteration + 1,
        trial,
        gradientNorm: point.gradientNorm,
        gradientCosine: point.gradientCosine,
        damping: failed(proposal) ? method.damping(before) : proposal.damping,
        gainRatio: judgment.gainRatio,
        stepNorm: failed(proposal) ? 0 : this.#vectors.norm(proposal.step),
        acceleration: failed(proposal) ? null : proposal.acceleration,
        route: this.#problem.route,
        condition: failed(proposal) ? null : proposal.condition,
        ...this.#policy.told(point, proposal, fallback),
        ...(failed(proposal) || proposal.inner === undefined ? {} : { inner: proposal.inner }),
      };
      if (judgment.accepted && tried !== null && outcome !== null && !failed(outcome.answer) && !failed(proposal)) {
        yield* this.#accept(point, proposal, tried, outcome.answer, { ...common, seconds });
        return;
      }
      const end =
        judgment.end ??
        rejectedReason(point, proposal, {
          ...{ tried, outcome: outcome?.answer ?? null, trial: trial - asked, rejection: judgment.rejection },
          equations: engine.sampleCount * engine.outputSize,
          start: this.#records[0].objective,
        });
      const all = end === null || end.code === "memory" ? null : this.#policy.beforeEnd(point);
      this.reason = all === null ? end : null;
      yield await this.#record({
        ...common,
        accepted: false,
        rejection: judgment.rejection,
        loss: point.loss * this.#meanFactor,
        objective: point.objective,
        validationLoss: null,
        elapsed: this.#elapsed(),
        seconds,
      });
      previous = failed(proposal) ? previous : proposal;
      seconds = noSeconds;
      if (all !== null) {
        const whole = await this.#linearize(all);
        if (failed(whole)) {
          this.reason = asReason(whole);
          return;
        }
        // As if no trial had been: the damping grew against another model.
        [point, previous, asked, this.#state] = [whole, null, trial, entered];
        seconds = { ...noSeconds, ...point.seconds };
      }
    }
  }

  async *#accept(
    point: Point,
    proposal: Proposal,
    tried: Float64Array,
    trial: Trial & { readonly loss: number },
    common: Omit<TrainRecord, "accepted" | "rejection" | "loss" | "objective" | "validationLoss" | "elapsed">,
  ): AsyncGenerator<TrainRecord, void> {
    const { stop } = this.#options;
    // First the part that an abort can end: iterations and records must tell the same story.
    const validation = await this.#validate(tried, trial.loss, this.#iteration + 1);
    this.#iteration++;
    this.#parameters = tried;
    this.#last = this.#keep(tried, trial.objective, trial.loss);
    this.reason =
      lossReason(stop, trial.loss * this.#meanFactor) ??
      (this.#policy.endsNothing(point, proposal.predicted)
        ? null
        : acceptedReason(stop, point, {
            stepNorm: common.stepNorm,
            parameterNorm: this.#vectors.norm(tried),
            predicted: proposal.predicted,
            actual: point.objective - trial.objective,
          })) ??
      this.#patience() ??
      iterationsReason(stop, this.#iteration);
    const record = frozen({
      ...common,
      accepted: true,
      rejection: null,
      loss: trial.loss * this.#meanFactor,
      objective: trial.objective,
      validationLoss: validation.loss,
      elapsed: this.#elapsed(),
      seconds: { ...common.seconds, validation: validation.seconds },
    });
    this.#records.push(record);
    // Only for checkpoints: the scaling is copied, which is as long as the parameters.
    if (this.#options.checkpoint) await this.checkpoints.keep(this.#iteration, this.#snapshot());
    await this.#options.observer?.onRecord?.(record);
    await this.#show();
    yield record;
  }

  /** Shows the point to the observer while the engine is idle: whatever it does there, the next linearization is anew. */
  async #show(): Promise<void> {
    await this.#options.observer?.onPoint?.({ parameters: this.#parameters.slice(), position: this.#iteration });
  }

  async #linearize(again?: Effort): Promise<Point | Failure> {
    const [{ method }, state] = [this.#options, this.#state];
    const damping = state === null ? Number.POSITIVE_INFINITY : method.damping(state);
    const wantsDouble = state !== null && method.wantsDouble?.(state) === true;
    const effort = again ?? this.#policy.next(damping, this.#iteration, this.#records, wantsDouble);
    const { signal } = this.interrupt;
    if (state === null) {
      const first = await firstPoint(this.#problem, this.#options, this.#parameters, this.#scaling, effort, signal);
      if (failed(first)) return first;
      [this.#parameters, this.#state] = [first.point.parameters, first.state];
      return this.#policy.withTolerance(first.point, this.#records);
    }
    const point = await linearizeAt(this.#problem, this.#parameters, this.#scaling, null, signal, effort);
    return failed(point) ? point : this.#policy.withTolerance(point, this.#records);
  }

  async #evaluate(parameters: Float64Array) {
    const start = performance.now();
    const answer = unlessMemory(await this.#problem.engine.evaluate(parameters, this.interrupt.signal));
    const seconds = (performance.now() - start) / 1000;
    if (failed(answer)) return { answer, seconds };
    const objective = objectiveOf(answer.loss, this.#problem.decay, parameters, this.#vectors);
    return { answer: { ok: true, objective, loss: answer.loss } as const, seconds };
  }

  #add(parameters: Float64Array, step: Float64Array): Float64Array {
    const sum = this.#vectors.addScaled(parameters, 1, step, this.#spare?.take());
    this.#spare?.borrow(sum);
    return sum;
  }

  /** What neither the run nor `own` refers to is free for gradients, steps and trial points. */
  #reclaim(...own: readonly unknown[]): void {
    const kept = [this.#parameters, this.#state, this.#best, this.#bestValidation, this.#last, this.#boundary];
    this.#spare?.reclaim([...own, this.#problem.workspace, ...kept]);
  }

  /** Validation loss at the point just accepted. A value that is not finite counts as no improvement. */
  async #validate(
    parameters: Float64Array,
    loss: number,
    iteration: number,
  ): Promise<{ loss: number | null; seconds: number }> {
    const { validation = null } = this.#options;
    if (validation === null) return { loss: null, seconds: 0 };
    const start = performance.now();
    const answer = unlessMemory(await validation.engine.evaluate(parameters, this.interrupt.signal));
    const seconds = (performance.now() - start) / 1000;
    const value = failed(answer) ? Number.POSITIVE_INFINITY : answer.loss * validation.meanFactor;
    const candidate = { iteration, parameters, value, loss: loss * this.#meanFactor };
    const kept = better(candidate, this.#bestValidation);
    this.#stale = kept === candidate ? 0 : this.#stale + 1;
    this.#bestValidation = kept;
    return { loss: Number.isFinite(value) ? value : null, seconds };
  }

  #keep(parameters: Float64Array, objective: number, loss: number): Best {
    const candidate = { iteration: this.#iteration, parameters, value: objective, loss: loss * this.#meanFactor };
    this.#best = better(candidate, this.#best);
    return candidate;
  }

  #patience(): Reason | null {
    const best = this.#bestValidation;
    return best === null ? null : patienceReason(this.#options.stop, this.#stale, best.iteration, best.value);
  }

  async #startRecord(point: Point): Promise<TrainRecord> {
    const validation = await this.#validate(point.parameters, point.loss, this.#iteration);
    const damping = this.#options.method.damping(this.#state as MethodState);
    const { route } = this.#problem;
    return startRecord(point, { route, damping, meanFactor: this.#meanFactor, validation, elapsed: this.#elapsed() });
  }

  async #record(made: TrainRecord): Promise<TrainRecord> {
    const record = frozen(made);
    this.#records.push(record);
    await this.#options.observer?.onRecord?.(record);
    return record;
  }

  /** The state at this boundary, made when it is asked for. The list of records only grows: its length now is where to cut it. */
  #snapshot(): () => Snapshot {
    const count = this.#records.length;
    const boundary = {
      iteration: this.#iteration,
      parameters: this.#parameters,
      methodState: this.#state as MethodState,
      scaling: this.#scaling?.slice() ?? null,
      best: this.#best,
      bestValidation: this.#bestValidation,
      stale: this.#stale,
      elapsed: this.#elapsed(),
    };
    this.#boundary = boundary;
    return () => ({ ...boundary, records: this.#records.slice(0, count) });
  }

  #elapsed(): number {
    return this.#before + (performance.now() - this.#start) / 1000;
  }
}
