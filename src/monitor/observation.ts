// Defines the data that the monitor collects during a run: measurements at observed points, and the run's own records. monitor.ts collects
// them, and report.ts and the judgments (judge-*.ts, convergence.ts) make the report of them at the end.

import type { Reason } from "../method/reason.js";
import type { ObservedRun, ResidualTerms } from "../run/observer.js";
import type { FlowRecord, TrainRecord } from "../run/record.js";
import type { MonitorSpectrum } from "./monitor-report.js";

export interface Observation {
  readonly position: number;
  readonly objective: number;
  readonly gradientNorm: number;
  readonly spectrum: MonitorSpectrum | null;
  readonly rank: number | null;
  readonly tangentNorm: number | null;
  readonly normalNorm: number | null;
  readonly dissipation: number | null;
  readonly drift: number | null;
  readonly stepNorm: number;
  readonly distance: number;
  /** The run's record that ends at this point; null at the start of a training run. */
  readonly flow: FlowRecord | null;
  readonly train: TrainRecord | null;
}

export interface Observations {
  readonly run: ObservedRun | null;
  readonly reason: Reason | null;
  /** Points of a rate's window. */
  readonly window: number;
  /** The optimum given by the user, if any. */
  readonly optimum: number | null;
  /** Sum objective below which rounding dominates. */
  readonly floor: number;
  /** null where the run was aborted before they were found. */
  readonly terms: ResidualTerms | null;
  /** Observations that failed, as sentences. */
  readonly warnings: readonly string[];
  readonly observations: readonly Observation[];
  /** Accepted iterations, the start included; empty for flows. */
  readonly train: readonly TrainRecord[];
  readonly flow: readonly FlowRecord[];
}

/** Where J is 0, as at a network whose units are all dead, its gradient is 0 whatever the residual. */
export const deadNetwork = "J is 0: no parameter moves a prediction (are all units dead, or all weights 0?)";

export function isOver({ engine }: ObservedRun): boolean {
  return engine.parameterCount > engine.sampleCount * engine.outputSize;
}
