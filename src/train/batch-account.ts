// Adds up the steps on batches between two records, and makes the record of them. The loop over batches (descend.ts)
// adds each step; a checkpoint holds the sums, so that the next record of a resumed run is that of the uninterrupted
// one.
import type { BatchSeconds, BatchStep } from "../method/batch-method.js";
import type { StepRoute } from "../plan/route.js";
import type { TrainRecord } from "../run/record.js";
import type { BatchTotals, Snapshot } from "./snapshot.js";

const NONE: BatchTotals = {
  steps: 0,
  loss: 0,
  rejected: 0,
  gradientNorm: 0,
  gradientLargest: 0,
  stepNorm: 0,
  damping: 0,
  rate: 0,
};
const NO_SECONDS: BatchSeconds = { passes: 0, curvature: 0, solve: 0, evaluate: 0 };

/** Where a run is at a record. */
interface RecordPlace {
  readonly iteration: number;
  readonly epoch: number;
  /** Mean loss and sum objective. */
  readonly loss: number;
  readonly objective: number;
  readonly meanFactor: number;
  readonly route: StepRoute;
  readonly validation: { readonly loss: number | null; readonly seconds: number };
  /** Seconds of the loss of all rows. */
  readonly evaluateSeconds: number;
  readonly elapsed: number;
  readonly recordFields?: Pick<TrainRecord, "delta" | "smallParameters"> | undefined;
}

export class BatchAccount {
  /** Steps since the last record. */
  totals: BatchTotals;
  /** Largest entry of the gradient of the first batch; null before the first step. */
  gradientStart: number | null;
  #seconds = NO_SECONDS;

  constructor(resume: Pick<Snapshot, "batches" | "gradientStart"> | null) {
    this.totals = resume?.batches ?? NONE;
    this.gradientStart = resume?.gradientStart ?? null;
  }

  get steps(): number {
    return this.totals.steps;
  }

  /** Whether the method has taken none of these steps, so that the parameters are those of the last record. */
  get still(): boolean {
    return this.totals.steps > 0 && this.totals.rejected === this.totals.steps;
  }

  /** Mean over the steps of n/b times the sum loss of the batch: an estimate of the sum loss of all rows. */
  get meanLoss(): number {
    return this.totals.loss / this.totals.steps;
  }

  /** @param found `loss` is n/b times the sum loss of the batch */
  add(
    { accepted, stepNorm, damping, seconds }: BatchStep,
    found: Pick<BatchTotals, "gradientNorm" | "gradientLargest" | "loss" | "rate">,
  ): void {
    const { steps, loss, rejected } = this.totals;
    this.gradientStart ??= found.gradientLargest;
    this.totals = {
      ...found,
      steps: steps + 1,
      loss: loss + found.loss,
      rejected: rejected + (accepted ? 0 : 1),
      stepNorm,
      damping,
    };
    const before = this.#seconds;
    this.#seconds = {
      passes: before.passes + seconds.passes,
      curvature: before.curvature + seconds.curvature,
      solve: before.solve + seconds.solve,
      evaluate: before.evaluate + seconds.evaluate,
    };
  }

  /**
   * Makes the record of the steps since the last one, and resets the sums. Users receive the record while the run still
   * needs it, so it is frozen.
   */
  record(place: RecordPlace): TrainRecord {
    const { totals, gradientStart } = this;
    const { evaluate, ...seconds } = this.#seconds;
    const record = Object.freeze({
      iteration: place.iteration,
      trial: 1,
      accepted: true,
      rejection: null,
      loss: place.loss,
      objective: place.objective,
      gradientNorm: totals.gradientNorm,
      gradientCosine: relative(totals.gradientLargest, gradientStart),
      damping: totals.damping,
      gainRatio: null,
      stepNorm: totals.stepNorm,
      acceleration: null,
      route: place.route,
      condition: null,
      epoch: place.epoch,
      batchLoss: totals.steps === 0 ? null : this.meanLoss * place.meanFactor,
      rate: totals.rate,
      rejected: totals.rejected,
      ...place.recordFields,
      validationLoss: place.validation.loss,
      elapsed: place.elapsed,
      seconds: Object.freeze({
        ...seconds,
        evaluate: evaluate + place.evaluateSeconds,
        validation: place.validation.seconds,
      }),
    });
    this.totals = NONE;
    this.#seconds = NO_SECONDS;
    return record;
  }
}

/** The record with the loss of all rows in place of the mean loss of batches. */
export function completed(
  record: TrainRecord,
  { evaluateSeconds, ...found }: Pick<RecordPlace, "loss" | "objective" | "elapsed" | "evaluateSeconds">,
): TrainRecord {
  const seconds = Object.freeze({ ...record.seconds, evaluate: record.seconds.evaluate + evaluateSeconds });
  return Object.freeze({ ...record, ...found, seconds });
}

/** 1 at the start, which has no gradient yet. */
function relative(gradient: number, start: number | null): number {
  if (start === null) return 1;
  return start === 0 ? 0 : gradient / start;
}
