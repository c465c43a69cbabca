// Holds the state that the loop (minimize.ts) carries from one iteration to the next, as an object that changes; base.ts and evaluate.ts
// read it. A snapshot of it at the boundary of an iteration restores the run bit for bit.
import type { MethodState } from "../method/method.js";
import type { TrainRecord } from "../run/record.js";
import { type Best, better, type Snapshot } from "./snapshot.js";

export class RunState {
  /** Accepted iterations done. */
  iteration: number;
  parameters: Float64Array;
  /** State of the method; null before the first linearization. */
  method: MethodState | null;
  /** Running maximum of diag G, which the engine updates in place; null with identity scaling. */
  readonly scaling: Float64Array | null;
  readonly records: TrainRecord[];
  /** Best point by the training objective. */
  best: Best;
  /** Best point by the validation loss; null without validation data. */
  bestValidation: Best | null;
  /** Iterations since the validation loss last fell. */
  stale: number;
  /** The present parameters. */
  last: Best;
  readonly #start = performance.now();
  readonly #before: number;
  /** The arrays to which a checkpoint of the last boundary refers. */
  #boundary: Omit<Snapshot, "records"> | null = null;

  /**
   * @param initial p parameters, copied. Ignored when resuming.
   * @param scaling the running maximum of a run that begins, 0 everywhere. Ignored when resuming.
   * @param spent seconds of this run so far
   */
  constructor(initial: Float64Array, scaling: () => Float64Array | null, resume: Snapshot | null, spent: number) {
    const start = { iteration: 0, parameters: initial.slice(), value: Number.NaN, loss: Number.NaN };
    this.iteration = resume?.iteration ?? 0;
    this.parameters = resume?.parameters.slice() ?? start.parameters;
    this.method = resume?.methodState ?? null;
    this.scaling = resume?.scaling?.slice() ?? scaling();
    this.records = [...(resume?.records ?? [])];
    this.best = resume?.best ?? start;
    this.bestValidation = resume?.bestValidation ?? null;
    this.stale = resume?.stale ?? 0;
    this.last = { ...start, iteration: this.iteration, parameters: this.parameters };
    this.#before = spent + (resume?.elapsed ?? 0);
  }

  /** Seconds of this call and of those it resumed. */
  get elapsed(): number {
    return this.#before + (performance.now() - this.#start) / 1000;
  }

  /**
   * Moves to a point of the present iteration, and keeps it if it is the best.
   * @param loss mean loss as in the records
   * @param unresolved true after a step whose change of the objective is rounding: the later point has the smaller gradient, but
   *   for the last of a run that ends there
   */
  standAt(parameters: Float64Array, objective: number, loss: number, unresolved = false): void {
    this.last = { iteration: this.iteration, parameters, value: objective, loss };
    this.best = unresolved ? this.last : better(this.last, this.best);
  }

  /** Forgets the best point by an objective that is no longer the run's: the next point replaces it. */
  forgetBest(): void {
    this.best = { ...this.best, value: Number.NaN };
  }

  /**
   * Keeps a point if it is the best by the validation loss, `value`.
   * @param continuation steps at the start whose points later ones replace, whatever their loss (`BatchMethod.continuation`)
   */
  validate(candidate: Best, continuation = 0): void {
    const before = this.bestValidation;
    const provisional = continuation > 0 && before !== null && before.iteration <= continuation;
    const kept = provisional ? candidate : better(candidate, before);
    this.stale = kept === candidate ? 0 : this.stale + 1;
    this.bestValidation = kept;
  }

  /**
   * The state at this boundary, made on request. The list of records only grows: its length now is where to cut it.
   * @param gradientStart what the measure of the gradient is relative to (`Problem.gradientStart`); null with squared error
   * @param renewal `DataRenewal.held`, where data are replaced
   */
  snapshot(gradientStart: number | null, renewal?: Float64Array): () => Snapshot {
    const count = this.records.length;
    const boundary = {
      iteration: this.iteration,
      parameters: this.parameters,
      methodState: this.method as MethodState,
      scaling: this.scaling?.slice() ?? null,
      best: this.best,
      bestValidation: this.bestValidation,
      stale: this.stale,
      gradientStart,
      ...(renewal === undefined ? {} : { renewal }),
      elapsed: this.elapsed,
    };
    this.#boundary = boundary;
    return () => ({ ...boundary, records: this.records.slice(0, count) });
  }

  /** All objects that hold vectors of the run. */
  get held(): readonly unknown[] {
    return [this.parameters, this.method, this.best, this.bestValidation, this.last, this.#boundary];
  }
}
