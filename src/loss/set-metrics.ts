// Defines what a set of rows is judged by: errors, or the figures of a classifier. The commands train and evaluate compute it (cli/assess.ts),
// and the tables of report show it.
import type { TargetClassMetrics } from "./class-sums.js";
import type { TargetMetrics } from "./metrics.js";

/** The figures of one set of rows. */
export interface SetMetrics {
  readonly set: string;
  readonly rows: number;
  /** Errors, one entry a target; none where predictions are probabilities of classes. */
  readonly targets: readonly TargetMetrics[];
  /** Figures of a classifier, one entry a target; not there for a regression. */
  readonly classification?: readonly TargetClassMetrics[];
}
