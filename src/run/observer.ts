// Defines Observer, the interface by which `train` and `flow` show their records and points while they run. The monitor implements it; the
// interface is here so that `train` and `flow` do not import the monitor.

import type { NetworkEngine } from "../backend/network-engine.js";
import type { Loss } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import type { Architecture } from "../network/architecture.js";
import type { ObserverNeeds } from "../plan/observation.js";
import type { FlowRecord, TrainRecord } from "./record.js";

/** Weighted norms of the terms of the residual, in the units of training. The rounding of the residual is relative to the largest of them. */
export interface ResidualTerms {
  /** |y|. */
  readonly targets: number;
  /** |y| before the mean was subtracted. */
  readonly raw: number;
  /** |alpha f(w_0)| of a centered network; else 0. */
  readonly shift: number;
}

/** The run as an observer sees it before the first point. */
export interface ObservedRun {
  /** Which kind of run. The position of a point is the time of a flow and the iteration of a training. */
  readonly kind: "train" | "flow";
  /** Engine on all data. It is idle whenever the observer is called, and the run linearizes again afterwards, so the observer may use it freely. */
  readonly engine: NetworkEngine;
  /** Engine on at most `sampleEquations` equations of the same data, evenly spaced, with squared error; created at the first call, freed by the run. */
  readonly sample: () => NetworkEngine;
  /** Layers of the network. */
  readonly architecture: Architecture;
  /** Parameters at the start of the run, also in a resumed run: distances and drift are measured from here. */
  readonly start: Float64Array;
  /** What the run minimizes, with all its parameters. */
  readonly loss: Loss;
  /** Weight decay d of the objective g + d/2 |w|^2. Where the method sets it, that of the last record. */
  decay: number;
  /** Targets in the units of the run: n*c, sample-major. */
  readonly targets: Float64Array;
  /** Sample weights; null = all 1. */
  readonly weights: Float64Array | null;
  /** Computes the terms of the residual by a pass over the data. */
  readonly terms: () => ResidualTerms | Promise<ResidualTerms>;
  /** Excess objective below which the run's own errors (of time integration) show; 0 for training and for fixed steps. */
  readonly resolution: number;
  /**
   * Converts a rate of the exact flow to the rate under fixed steps: infinite if one step removes the whole excess, negative if the excess
   * grows. The rate itself if steps are controlled.
   */
  readonly discretized: (rate: number) => number;
  /** The fixed step, in words; null where steps are controlled. */
  readonly fixedStep: string | null;
  /** Scaling matrix of the damping: D = I, or anything else. Flows have D = I. */
  readonly identityScaling: boolean;
  /** The signal of the caller; a deadline of the run does not abort it. */
  readonly signal: AbortSignal;
}

/** An accepted point, the start included. */
export interface ObservedPoint {
  /** p entries; they must not be changed nor kept. */
  readonly parameters: Float64Array;
  /** Time of a flow, iteration of a training. */
  readonly position: number;
}

/** Receives every record as it is made, and every accepted point. The run waits for a promise that a method returns. `Report` is what it answers at the end. */
export interface Observer<Report = unknown> {
  /** What the observer computes, for the plan's memory. Default: nothing. */
  readonly needs?: ObserverNeeds | undefined;
  /** Called once, before the first point. */
  onStart?(run: ObservedRun): void | Promise<void>;
  /** Called with every trial of a training. */
  onRecord?(record: TrainRecord): void | Promise<void>;
  /** Called with every accepted step of a flow. */
  onFlowRecord?(record: FlowRecord): void | Promise<void>;
  /** Called with every accepted point. */
  onPoint?(point: ObservedPoint): void | Promise<void>;
  /** Called once, after the last point. Its answer becomes `monitor` of the result. */
  onEnd?(reason: Reason): Report | Promise<Report>;
}
