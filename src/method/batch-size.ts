// Checks the option `batch` of the methods on batches, and finds the number of rows of a batch. It also computes the
// gradient on a batch, for the methods that use no curvature.
import { type Failure, failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { checkCount } from "../options.js";
import type { BatchContext, BatchSizes } from "./batch-method.js";

/** Rows of a batch; "all": every step sees all rows; "auto": the method's default for the task. */
export type BatchSize = number | "all" | "auto";

/** @throws GAUSSFLOW_ARGUMENT */
export function checkBatchSize(batch: BatchSize): void {
  if (batch === "all" || batch === "auto") return;
  if (typeof batch === "string")
    throw argumentError("options.batch", 'must be a number of rows, "all" or "auto"', batch);
  checkCount("options.batch", batch, 1);
}

/**
 * Rows of a batch.
 * @param automatic what "auto" stands for, where there are as many rows
 * @throws GAUSSFLOW_ARGUMENT for a batch of more rows than there are
 */
export function rowsOf(batch: BatchSize, automatic: number, { rows }: BatchSizes): number {
  if (batch === "all") return rows;
  if (batch === "auto") return Math.min(rows, automatic);
  if (batch <= rows) return batch;
  throw argumentError(
    "options.method.batch",
    `must be at most the rows that are fitted, ${rows}: choose a smaller batch, or "all"`,
    batch,
  );
}

/** "batches of 256 rows", or "all rows at every step". */
export function describeBatches(rows: number, sizes: BatchSizes): string {
  return rows === sizes.rows ? "all rows at every step" : `batches of ${rows} rows`;
}

/** Loss and gradient of a batch. */
export interface BatchGradient {
  readonly ok: true;
  /** Sum loss, without the decay. */
  readonly loss: number;
  /** Gradient of the batch's objective, p entries: a scratch array of the step. */
  readonly gradient: Float64Array;
  /** Seconds of the passes. */
  readonly passes: number;
}

/** Loss and gradient of the batch at `parameters`. */
export async function gradientOf(
  { engines: [engine], decay, signal, scratch }: BatchContext,
  parameters: Float64Array,
  name = "gradient",
): Promise<BatchGradient | Failure> {
  const answer = await engine!.linearize(
    parameters,
    { curvature: "none", decay, scaling: null, gradient: scratch(name) },
    signal,
  );
  if (failed(answer)) return answer;
  const { loss, gradient, seconds } = answer;
  return { ok: true, loss, gradient, passes: seconds.passes };
}
