// Makes the lines that every command prints with --json: one JSON object a line, distinguished by `type`. JSON has no NaN or infinity, so
// such values become null.

import type { RankWaits } from "../cluster/cluster.js";
import type { SetMetrics } from "../loss/set-metrics.js";
import type { Sparsity } from "../method/ggn-score/sparsity.js";
import type { Reason } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import type { MonitorReport } from "../monitor/monitor-report.js";
import type { TrainRecord } from "../run/record.js";
import type { Advice } from "../train/advice.js";

/** The last line of `train --json`. */
export interface ResultLine {
  readonly reason: Reason;
  readonly iterations: number;
  readonly seconds: number;
  readonly route: string;
  readonly engine: string;
  readonly slots: number;
  readonly ranks: number;
  /** Fitted rows that rank 0 summed. */
  readonly rankRows: number;
  /** Exchanges of its engines, or null where it was alone. */
  readonly rankWaits: RankWaits | null;
  /** Whether the ranks held the Gram matrix together. */
  readonly distributed: boolean;
  /** Signal that ended the run early, or null. */
  readonly interrupted: string | null;
  /** With --monitor, else null. */
  readonly monitor: Pick<MonitorReport, "rate" | "verdict" | "converged" | "warnings"> | null;
  readonly sets: readonly SetMetrics[];
  readonly advice: readonly Advice[];
  /** With the method bayes: decay, effective parameters, noise in the units of training, log evidence; else null. */
  readonly evidence: Evidence | null;
  /** With --uncertainty: rows, effective parameters, noise in raw units, degrees of freedom, decades of the spectrum; else null. */
  readonly uncertainty: object | null;
  /** With the method ggn-score: small parameters of the model, else null. */
  readonly sparsity: Sparsity | null;
  /** Where the model was saved, or null. */
  readonly model: string | null;
  /** Networks of the ensemble that was kept; null where it is one network. */
  readonly ensemble: number | null;
  readonly warnings: readonly string[];
}

/** One line, with its newline, for one object. Typed arrays become arrays of numbers. */
export function jsonLine(type: string, fields: object): string {
  return `${JSON.stringify({ type, ...fields }, (_key, value: unknown) =>
    ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value,
  )}\n`;
}

/** A record as a line. */
export function recordLine(record: TrainRecord): string {
  return jsonLine("record", record);
}

/** The result as a line. */
export function resultLine(result: ResultLine): string {
  return jsonLine("result", result);
}
