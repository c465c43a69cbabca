// The interface by which `train` and `flow` show their records and points to an observer, and the types of the monitor's report. The monitor
// implements it; the interface is here so that `train` and `flow` do not import the monitor.

import type { NetworkEngine } from "../backend/network-engine.js";
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
  /** Engine on at most `sampleEquations` equations of the same data, evenly spaced; created at the first call, freed by the run. */
  readonly sample: () => NetworkEngine;
  /** Layers of the network. */
  readonly architecture: Architecture;
  /** Parameters at the start of the run, also in a resumed run: distances and drift are measured from here. */
  readonly start: Float64Array;
  /** Weight decay d of the objective g + d/2 |w|^2. */
  readonly decay: number;
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

/** Receives every record as it is made, and every accepted point. The run waits for a promise that a method returns. */
export interface Observer {
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
  onEnd?(reason: Reason): MonitorReport | Promise<MonitorReport>;
}

/** The monitor's measurements at one observed point; quantities that are switched off or do not exist are null. */
export interface MonitorRecord {
  /** Flow time or iteration. */
  readonly position: number;
  /** Sum objective. */
  readonly objective: number;
  /** Euclidean norm of the objective's gradient. */
  readonly gradientNorm: number;
  /** gradient^T (alpha-scaled H)^-1 gradient = -d objective/dt along the flow with this damping; null where D is not I. */
  readonly dissipation: number | null;
  /** dissipation / (2 (objective - optimum)); see `MonitorReport.optimum` for where the optimum comes from. */
  readonly plRatio: number | null;
  /** rho of a flow, mu of a discrete step. */
  readonly damping: number;
  /** Norms of the parts of the weighted residual in the range of J and orthogonal to it (|r + J step|, without cancellation). */
  readonly tangentNorm: number | null;
  /** The part orthogonal to the range of J; null where it is not measured. */
  readonly normalNorm: number | null;
  /** |w - w(previous observed point)| and |w - w(start)|. */
  readonly stepNorm: number;
  /** Distance of the parameters from the start. */
  readonly distance: number;
  /** |K - K_0|_F / |K_0|_F. */
  readonly drift: number | null;
  /** Spectrum of the kernel; null where it is not measured. */
  readonly spectrum: MonitorSpectrum | null;
  /** Numerical rank of J, where spectrum or parts are measured. */
  readonly rank: number | null;
  /** Actual / predicted reduction of the step; null where there is none. */
  readonly gainRatio: number | null;
  /** Rate of the loss over the window that ends here. */
  readonly rate: RateFit | null;
  /** Rate promised by the theory for the damping and spectrum here; per unit of `position`. */
  readonly promised: number | null;
}

/** Spectrum of K = J J^T without outputScale (of its nonzero part where p <= n c). */
export interface MonitorSpectrum {
  /** The largest eigenvalue. */
  readonly largest: number;
  /** Smallest above the rounding floor, and how many lie below that. */
  readonly smallest: number;
  /** How many eigenvalues lie below the rounding floor. */
  readonly below: number;
  /** Infinite where none lies above. */
  readonly condition: number;
  /** (sum of eigenvalues)^2 / sum of squares: how many directions carry the kernel. null where only extremes are known. */
  readonly effectiveRank: number | null;
  /** Absolute error bound of `smallest`. */
  readonly bound: number;
}

/** A least squares line through log excess loss. */
export interface RateFit {
  /** -slope, per unit of `position`. */
  readonly measured: number;
  /** Standard error from the scatter of the points about the line. It does not include a common bend of the points, nor errors of time integration. */
  readonly standardError: number;
  /** Coefficient of determination of the line. */
  readonly rSquared: number;
  /** Number of points in the window. */
  readonly points: number;
  /** Position at which the window begins. */
  readonly from: number;
  /** Position at which the window ends. */
  readonly until: number;
}

/** What holds the rate of a run back, if anything. */
export type VerdictCode =
  | "on-theory"
  | "faster-than-promised"
  | "curvature-limited"
  | "damping-limited"
  | "stalled"
  | "rounding-limited"
  | "not-applicable";

/** What the monitor makes of the rate of a run. */
export interface Verdict {
  /** The verdict, for programs. */
  readonly code: VerdictCode;
  /** A sentence with the numbers behind the code, and what to change. */
  readonly message: string;
}

/** What the monitor says of a run. */
export interface MonitorReport {
  /** One entry a point that was observed. */
  readonly records: readonly MonitorRecord[];
  /**
   * The last window: rate of the excess loss objective - optimum. `promised` and `attainable` are null if unknown, and
   * where a fixed step promises the whole excess at once.
   */
  readonly rate:
    | (RateFit & {
        /** Rate that the theory promises for the damping. */
        readonly promised: number | null;
        /** Rate that could be had without damping. */
        readonly attainable: number | null;
      })
    | null;
  /**
   * The least objective the run can hope for; `estimated`: half the square of the residual's normal part at the last point. null where
   * it is unknown (`parts` is off).
   */
  readonly optimum: {
    /** Sum objective. */
    readonly value: number;
    /** Whether it is an estimate, in place of the caller's own value. */
    readonly estimated: boolean;
  } | null;
  /** Whether the run has converged. */
  readonly converged: {
    /** True where it has. */
    readonly holds: boolean;
    /** The reason, as a sentence with the numbers. */
    readonly message: string;
  };
  /** How fast the loss falls against what is promised, and what holds it back. */
  readonly verdict: Verdict;
  /** Observations that failed, with the reason: memory that could not be had, or a number that is not finite. */
  readonly warnings: readonly string[];
}
