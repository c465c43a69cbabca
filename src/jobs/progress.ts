// Packs the progress of many iterations of a job into one array of numbers, which worker.ts sends and train-many.ts unpacks for its
// callbacks. A small job takes thousands of iterations a second, and one message for each would cost more than the iteration.
import type { TrainRecord } from "../run/record.js";

/** One accepted iteration (0 = the start). */
export interface IterationProgress {
  /** Iteration that was accepted, from 0. */
  readonly iteration: number;
  /** As in the records: the weighted mean loss in the units of training. */
  readonly loss: number;
  /** Null without validation data, or where it is not finite. */
  readonly validationLoss: number | null;
  /** Seconds since the job began. */
  readonly elapsed: number;
}

const WIDTH = 4;
const FLUSH_MILLISECONDS = 50;

/** Collects progress and hands it on at most twenty times a second. */
export class ProgressBatch {
  readonly #send: (values: Float64Array) => void;
  #values: number[] = [];
  #last = performance.now();

  constructor(send: (values: Float64Array) => void) {
    this.#send = send;
  }

  readonly add = (record: TrainRecord): void => {
    if (!record.accepted) return;
    this.#values.push(record.iteration, record.loss, record.validationLoss ?? Number.NaN, record.elapsed);
    if (performance.now() - this.#last >= FLUSH_MILLISECONDS) this.flush();
  };

  flush(): void {
    if (this.#values.length > 0) this.#send(Float64Array.from(this.#values));
    this.#values = [];
    this.#last = performance.now();
  }
}

export function* unpackProgress(values: Float64Array): Generator<IterationProgress> {
  for (let at = 0; at < values.length; at += WIDTH) {
    const [iteration, loss, validationLoss, elapsed] = values.subarray(at, at + WIDTH);
    yield { iteration, loss, validationLoss: Number.isNaN(validationLoss) ? null : validationLoss, elapsed };
  }
}
