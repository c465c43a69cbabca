// Defines the state of the loop at the boundary of an iteration as plain data, with the best points so far. run-state.ts makes and restores
// it, and a checkpoint file (checkpoint.ts) holds one, which continues the run bit for bit.

import type { BatchEnd } from "../method/batch-method.js";
import type { MethodState } from "../method/method.js";
import type { TrainRecord } from "../run/record.js";

/** The best point so far. */
export interface Best {
  readonly iteration: number;
  readonly parameters: Float64Array;
  /** The objective or the validation loss by which it is the best (lower is better). */
  readonly value: number;
  /** Training loss there, as in the records. */
  readonly loss: number;
}

/** What the steps on batches since the last record add up to: the next record is made of it. */
export interface BatchTotals {
  /** Steps. */
  readonly steps: number;
  /** Sum of the losses of their batches, each times n/b. */
  readonly loss: number;
  /** Steps that the method did not take. */
  readonly rejected: number;
  /** Of the last step: Euclidean norm and largest entry of its gradient, length, damping and learning rate. */
  readonly gradientNorm: number;
  readonly gradientLargest: number;
  readonly stepNorm: number;
  readonly damping: number;
  readonly rate: number;
}

export interface Snapshot {
  /** Accepted iterations done; with a batch method its steps. */
  readonly iteration: number;
  readonly parameters: Float64Array;
  readonly methodState: MethodState;
  /** Running-maximum state; null for identity scaling. */
  readonly scaling: Float64Array | null;
  /** Best point by the training objective. */
  readonly best: Best;
  /** Best point by the validation loss; null without validation data. */
  readonly bestValidation: Best | null;
  /** Iterations since the validation loss last fell. */
  readonly stale: number;
  /** Largest entry of the gradient at the start, where the measure is relative to it; else null. */
  readonly gradientStart: number | null;
  /** Of a run whose data are replaced on the way what the present ones follow from (`DataRenewal.held`); else absent. */
  readonly renewal?: Float64Array | undefined;
  /** With a batch method, else absent. */
  readonly batches?: BatchTotals | undefined;
  /** Why the last step on a batch ended the run, if it did. */
  readonly end?: BatchEnd | undefined;
  readonly records: readonly TrainRecord[];
  /** Seconds of all calls so far. */
  readonly elapsed: number;
}

/** The better of two points; the earlier one when they are equal. */
export function better(candidate: Best, best: Best | null): Best {
  return best === null || candidate.value < best.value || Number.isNaN(best.value) ? candidate : best;
}
