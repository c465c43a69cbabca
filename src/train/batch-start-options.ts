// Defines and checks the option `batchStart` of `train`, and makes its method: train-options.ts calls
// completeBatchStart, plan.ts and batch-start.ts call startMethod.
import { argumentError } from "../errors.js";
import type { BatchMethod } from "../method/batch-method.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { checkCount, checkOptionNames, checkPositive, definedOptions } from "../options.js";

/** How a training begins on batches. */
export interface BatchStart {
  /** Passes over the rows. Default 1. */
  readonly epochs?: number | undefined;
  /** Rows of a batch, at most those that are fitted. Default: that of `exactGaussNewton`. */
  readonly batch?: number | undefined;
  /**
   * Damping of the sum loss of a batch divided by its rows (sample weights should have the mean 1), above 0. Default:
   * that of `exactGaussNewton`.
   */
  readonly damping?: number | undefined;
}

/** Plain data, for jobs in other threads and the fingerprint of a run. */
export interface CompletedBatchStart {
  readonly epochs: number;
  readonly batch: number | "auto";
  readonly damping: number | "auto";
}

const DEFAULTS: CompletedBatchStart = { epochs: 1, batch: "auto", damping: "auto" };

/** @throws GAUSSFLOW_ARGUMENT */
export function completeBatchStart(given: BatchStart | boolean | undefined): CompletedBatchStart | null {
  if (given === undefined || given === false) return null;
  if (given === true) return DEFAULTS;
  if (given === null || typeof given !== "object")
    throw argumentError("options.batchStart", "must be true, false or an object with epochs, batch and damping", given);
  checkOptionNames("options.batchStart", given, Object.keys(DEFAULTS));
  const start = { ...DEFAULTS, ...definedOptions(given) };
  checkCount("options.batchStart.epochs", start.epochs, 1);
  if (start.batch !== "auto") checkCount("options.batchStart.batch", start.batch, 1);
  if (start.damping !== "auto") checkPositive("options.batchStart.damping", start.damping);
  return start;
}

/** The method of the batches, with the learning rate 1 that falls to 0 along a cosine. */
export function startMethod({ batch, damping }: CompletedBatchStart): BatchMethod {
  return exactGaussNewton({ batch, damping, rate: 1 });
}
