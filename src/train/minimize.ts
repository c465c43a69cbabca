// Runs the training loop. train.ts calls it on networks, first-fit.ts before it for a loss without its scale, and tests on dense
// residual functions: it uses the interfaces Engine and Method and knows no networks, files or units.
//
//   linearize -> [ propose -> evaluate -> judge ] until accepted -> validate, keep the best, test the stop rules -> again
//
// It is an async generator of records. At any end of the run (a stop rule, an abort, a number that is not finite) it RETURNS the best point
// with a reason; only misuse and errors of the caller's functions throw. It never disposes of engines, which belong to the caller.
import { plainVectors, type VectorOperations } from "../algebra/vectors.js";
import { type Engine, type Failure, failed } from "../backend/engine.js";
import { unlessMemory } from "../backend/memory.js";
import { defaultMatrixFree, freshScaling, type Point, type Problem, scalingInEffect } from "../linearize/problem.js";
import { SpareVectors } from "../linearize/spare-vectors.js";
import { Workspace } from "../linearize/workspace.js";
import type { MethodState, Proposal } from "../method/method.js";
import type { Reason } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import { CheckpointKeeper } from "../run/checkpoint-keeper.js";
import { failureReason, memoryReason } from "../run/failure-reason.js";
import { endedBy, Interrupt } from "../run/interrupt.js";
import type { TrainRecord } from "../run/record.js";
import { type Fidelity, type RunSizes, refine, refineBeforeEnd } from "../step/fidelity.js";
import { baseOf, nextFidelity } from "./base.js";
import { evaluateStep, validate } from "./evaluate.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import {
  decayFields,
  finalEvidence,
  hastened,
  isDue,
  keptPoint,
  presentDecay,
  regularizedResult,
  renewDecay,
} from "./regularize.js";
import { RunState } from "./run-state.js";
import type { Snapshot } from "./snapshot.js";
import * as stops from "./stop.js";
import { addSeconds, type Base, startTrial, type Trial } from "./trial.js";
import { type Kept, trialRecord } from "./trial-record.js";

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
    const { signal } = loop.interrupt;
    loop.reason = endedBy(signal, error) ? loop.interrupt.reason() : memoryReason(error, options.agreement);
    if (loop.reason === null) throw error;
  } finally {
    loop.interrupt.dispose();
    // Also if the caller leaves the loop early or an observer throws: no accepted step is lost.
    await loop.checkpoints.close();
  }
  return loop.finish();
}

class Loop {
  readonly interrupt: Interrupt;
  readonly checkpoints: CheckpointKeeper<Snapshot>;
  reason: Reason | null = null;
  readonly #options: MinimizeOptions;
  /** Replaced where the method changes the decay. */
  #problem: Problem;
  readonly #sizes: RunSizes;
  readonly #run: RunState;
  readonly #vectors: VectorOperations;
  readonly #meanFactor: number;
  #evidence: Evidence | null = null;
  /** Trials since the last accepted one. */
  #tried = 0;
  /** Iteration behind which data were last replaced. */
  #renewedAt = -1;

  constructor(engine: Engine, initial: Float64Array, options: MinimizeOptions) {
    const { resume = null, layerSizes = [engine.parameterCount], condition = false, route, stop } = options;
    const decay = presentDecay(options);
    const { matrixFree = defaultMatrixFree, convex = true, evenness, spent = 0 } = options;
    const { sampleCount, outputSize, parameterCount, slots, distributed, exactOnly, vectors = plainVectors } = engine;
    const scaling = scalingInEffect(options.method.scaling, route, decay);
    const spare = SpareVectors.for(parameterCount);
    const solving = { route, decay, scaling, condition, matrixFree, exactMeasureBelow: stop.gradient };
    this.#options = options;
    const gradientStart = options.sumOfSquares === false ? { value: resume?.gradientStart ?? null } : undefined;
    this.#problem = { engine, layerSizes, ...solving, gradientStart, convex, spare, workspace: new Workspace() };
    const exactHessian = gradientStart !== undefined && engine.hessianProduct !== undefined;
    this.#sizes = {
      route,
      condition,
      sampleCount,
      outputSize,
      parameterCount,
      evenness,
      slots,
      distributed,
      exactOnly,
      exactHessian,
    };
    this.#vectors = vectors;
    this.#meanFactor = options.meanFactor ?? 2 / (sampleCount * outputSize);
    const fresh = () => (scaling === "identity" ? null : freshScaling(this.#problem));
    this.#run = new RunState(initial, fresh, resume, spent);
    this.interrupt = new Interrupt(options.signal, stop.seconds, spent, options.agreement);
    this.checkpoints = new CheckpointKeeper(options.checkpoint ?? null, "iteration");
    if (resume !== null) this.checkpoints.note(resume.iteration, () => resume);
  }

  async *run(): AsyncGenerator<TrainRecord, void> {
    const { stop } = this.#options;
    await this.#show();
    while (this.reason === null) {
      this.#reclaim();
      await this.#renewData();
      const base = await this.#linearize(nextFidelity(this.#options, this.#sizes, this.#run));
      if (base === null) return;
      const { parameters, objective, loss } = base.point;
      this.#run.standAt(parameters, objective, loss * this.#meanFactor);
      if (this.#run.records.length === 0) {
        const damping = this.#options.method.damping(this.#run.method as MethodState);
        const validation = await this.#validate(parameters, loss, this.#run.iteration);
        yield await this.#record(startTrial(base, this.#problem.route, damping), base.point, validation);
      }
      const converged = stops.gradientReason(stop, base.point, this.#options.sumOfSquares);
      if (
        isDue(this.#options.method, this.#run.method, converged !== null) &&
        !(await this.#renew(base.point, converged !== null))
      )
        continue;
      // Tests at the boundary of an iteration. They also end a resumed run at once if it has nothing left to do.
      this.reason =
        stops.separableReason(this.#options.separable ?? null, loss) ??
        converged ??
        stops.unresolvedReason(this.#run.records, base.point) ??
        stops.lossReason(stop, loss * this.#meanFactor) ??
        stops.patienceReason(stop, this.#run) ??
        stops.iterationsReason(stop, this.#run.iteration);
      if (this.reason === null) yield* this.#iterate(base);
    }
    const { signal } = this.interrupt;
    this.#evidence = await finalEvidence(this.#options.method, this.#problem, this.#run, this.reason, signal);
  }

  finish(): MinimizeResult {
    const [run, { method }] = [this.#run, this.#options];
    const { iteration, last, bestValidation, records, elapsed } = run;
    const best = keptPoint(method, run.method, this.#meanFactor) ?? run.best;
    const reason = this.reason ?? { code: "no-progress", message: "the run was given up" };
    const { warnings } = this.checkpoints;
    const regularized = regularizedResult(method, run, this.#problem, this.#evidence);
    return { reason, iterations: iteration, last, best, bestValidation, records, elapsed, warnings, ...regularized };
  }

  /** Lets the method estimate the weight decay. False: the run ends, or the next point has another objective. */
  async #renew(point: Point, forced: boolean): Promise<boolean> {
    const { signal } = this.interrupt;
    const renewed = await renewDecay(this.#options.method, this.#problem, this.#run, point, forced, signal);
    if (failed(renewed)) this.reason = failureReason(renewed);
    else {
      this.reason = renewed.end;
      if (renewed.moved) this.#problem = { ...this.#problem, decay: renewed.decay };
    }
    return this.reason === null && !failed(renewed) && !renewed.moved;
  }

  /** Runs trials from one point until one is accepted, none is left, or the method changes the objective. */
  async *#iterate(start: Base): AsyncGenerator<TrainRecord, void> {
    const [{ method }, problem] = [this.#options, this.#problem];
    const { route, sampleCount, outputSize } = this.#sizes;
    const sizes = { equations: sampleCount * outputSize, start: this.#run.records[0].objective };
    const entered = this.#run.method as MethodState;
    let base = start;
    let previous: Proposal | null = null;
    let first = 1;
    for (let number = this.#tried + 1; this.reason === null; number++) {
      this.#tried = number;
      await this.interrupt.breathe();
      this.reason = this.interrupt.reason();
      if (this.reason !== null) return;
      this.#reclaim(base, previous, entered);
      const state = this.#run.method as MethodState;
      const proposed = await this.#propose(base, state, previous);
      if (proposed === null) return;
      base = proposed.base;
      const { proposal } = proposed;
      const { point, fidelity } = base;
      this.reason = await this.#meet(point.loss, proposal);
      if (this.reason !== null) return;
      const end = failed(proposal)
        ? null
        : await evaluateStep(problem, point.parameters, proposal.step, this.interrupt.signal);
      const judgment = method.judge(state, point, proposal, end?.answer ?? null);
      this.#run.method = judgment.state;
      const stepNorm = failed(proposal) ? 0 : this.#vectors.norm(proposal.step);
      const iteration = this.#run.iteration + 1;
      const damping = method.damping(state);
      const trial: Trial = { iteration, number, base, route, damping, proposal, end, stepNorm, judgment };
      if (judgment.accepted && end !== null && !failed(end.answer) && !failed(proposal)) {
        yield* this.#accept(trial, proposal.predicted, end.parameters, end.answer);
        return;
      }
      const over = stops.rejectedReason(trial, number - first + 1, sizes);
      const finer = over === null || over.code === "memory" ? null : refineBeforeEnd(fidelity, point, route);
      const renewing = finer === null && over !== null && over.code !== "memory" && isDue(method, entered, true);
      if (finer === null && !renewing) this.reason = over;
      yield await this.#record(trial, point);
      if (renewing) {
        // The curvature inside is still that of this point; the state is that before the trials.
        this.#run.method = entered;
        await this.#renew(point, true);
        return;
      }
      if (!failed(proposal)) previous = proposal;
      base = { ...base, fallback: null, seconds: { passes: 0, curvature: 0 } };
      if (finer === null) continue;
      const whole = await this.#linearize(finer);
      if (whole === null) return;
      // The state is that before the trials, because the damping grew against another model.
      [base, previous, first, this.#run.method] = [whole, null, number + 1, entered];
    }
  }

  /** Gets a proposal at `base`, and refines the curvature until there is one or the curvature is exact. null: the run is over. */
  async #propose(base: Base, state: MethodState, previous: Proposal | null) {
    const ask = ({ point }: Base) =>
      this.#options.method.propose(this.#problem, state, point, previous, this.interrupt.signal);
    let at = base;
    let proposal = unlessMemory(await ask(at));
    for (let finer = refine(at.fidelity, at.point); failed(proposal) && finer !== null; ) {
      const again = await this.#linearize(finer);
      if (again === null) return null;
      // The same point: its loss, gradient and scaling were exact already.
      at = { ...again, fallback: proposal.message, seconds: addSeconds(at.seconds, again.seconds) };
      finer = refine(at.fidelity, at.point);
      proposal = unlessMemory(await ask(at));
    }
    return { base: at, proposal };
  }

  /** Compares the step with those of the other ranks before it is taken: they must have the same bits. */
  #meet(loss: number, proposal: Proposal | Failure): Promise<Reason | null> {
    const computed = failed(proposal) ? [proposal.code] : [proposal.step, Float64Array.of(proposal.predicted)];
    return this.interrupt.meet({ index: this.#run.iteration + 1, loss, computed });
  }

  async *#accept(
    trial: Trial,
    predicted: number,
    parameters: Float64Array,
    end: { readonly objective: number; readonly loss: number },
  ): AsyncGenerator<TrainRecord, void> {
    const { stop } = this.#options;
    const run = this.#run;
    // First the part that an abort can end: iterations and records must agree.
    const validation = await this.#validate(parameters, end.loss, trial.iteration);
    run.iteration = trial.iteration;
    this.#tried = 0;
    run.parameters = parameters;
    const mean = end.loss * this.#meanFactor;
    run.standAt(parameters, end.objective, mean, trial.judgment.unresolved);
    const move = { predicted, objective: end.objective, parameterNorm: this.#vectors.norm(parameters) };
    this.reason =
      stops.lossReason(stop, mean) ??
      stops.settledReason(run.records, trial) ??
      this.#unlessUnsettled(stops.acceptedReason(stop, trial, move)) ??
      stops.patienceReason(stop, run) ??
      stops.iterationsReason(stop, run.iteration);
    const record = await this.#record(trial, end, validation);
    await this.#show();
    yield record;
  }

  /** A step that would end the run is the time to estimate a decay that has not settled. */
  #unlessUnsettled(reason: Reason | null): Reason | null {
    if (reason === null) return null;
    const next = hastened(this.#options.method, this.#run.method as MethodState);
    if (next !== null) this.#run.method = next;
    return next === null ? reason : null;
  }

  /** Lets the data be replaced where that is due: not at the end of the run, whose best point is that of the data before. */
  async #renewData(): Promise<void> {
    const { renewal, method, stop } = this.#options;
    const { iteration, parameters } = this.#run;
    if (!renewal?.due(iteration) || iteration >= stop.iterations || iteration === this.#renewedAt) return;
    this.#renewedAt = iteration;
    await renewal.renew(iteration, parameters, this.interrupt.signal);
    this.#run.forgetBest();
    if (this.#run.method !== null) this.#run.method = method.renewed?.(this.#run.method) ?? this.#run.method;
  }

  /** Shows the point to the observer while the engine is idle: the observer may use it, because the loop linearizes again afterwards. */
  async #show(): Promise<void> {
    const { parameters, iteration } = this.#run;
    await this.#options.observer?.onPoint?.({ parameters: parameters.slice(), position: iteration });
  }

  /** Linearizes the present point of the run. null: the linearization failed, which ends the run. */
  async #linearize(fidelity: Fidelity): Promise<Base | null> {
    const base = await baseOf(this.#problem, this.#options, this.#run, fidelity, this.interrupt.signal);
    if (!failed(base)) return base;
    this.reason = failureReason(base);
    return null;
  }

  /** Takes back the arrays that neither the run nor `own` refers to, for gradients, steps and trial points. */
  #reclaim(...own: readonly unknown[]): void {
    this.#problem.spare?.reclaim([...own, this.#problem.workspace, ...this.#run.held]);
  }

  /** Makes the record of a trial, after which the run stands at a point of this objective and sum loss, and shows it. */
  async #record(
    trial: Trial,
    { objective, loss }: { readonly objective: number; readonly loss: number },
    validation: Kept["validation"] = { loss: null, seconds: 0 },
  ): Promise<TrainRecord> {
    const [run, { checkpoint, observer, method, renewal }] = [this.#run, this.#options];
    const recordFields = { ...this.#options.recordFields, ...decayFields(method, run.method, this.#problem.decay) };
    const kept = { objective, loss: loss * this.#meanFactor, validation, elapsed: run.elapsed, recordFields };
    const record = trialRecord(trial, kept);
    run.records.push(record);
    // Only for checkpoints: the scaling is copied, which is as long as the parameters.
    if (checkpoint && trial.judgment.accepted && trial.proposal !== null)
      await this.checkpoints.keep(
        run.iteration,
        run.snapshot(this.#problem.gradientStart?.value ?? null, renewal?.held),
      );
    await observer?.onRecord?.(record);
    return record;
  }

  #validate(parameters: Float64Array, loss: number, iteration: number): Promise<Kept["validation"]> {
    const point = { iteration, parameters, loss: loss * this.#meanFactor };
    return validate(this.#options, this.#run, point, this.interrupt.signal);
  }
}
