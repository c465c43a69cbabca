// Defines the types of what the monitor says of a run: its measurements at the observed points, the rate of the loss, and the verdict.
// report.ts makes them; users, the experiments and gaussflow train --monitor read them.

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
  /** dissipation / (2 (objective - optimum)), with squared error; see `MonitorReport.optimum` for where the optimum comes from. */
  readonly plRatio: number | null;
  /** rho of a flow, mu of a discrete step. */
  readonly damping: number;
  /**
   * Norms of the parts of the weighted residual in the range of J and orthogonal to it (|r + J step|, without cancellation). With other
   * losses than squared error: half of `tangentNorm`^2 is the reduction of the objective that the undamped quadratic model offers.
   */
  readonly tangentNorm: number | null;
  /** The part orthogonal to the range of J; null where it is not measured, and with other losses than squared error. */
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
  /** Why the theory promises no rate to this run, as a sentence: its loss is not squared error. null where it promises one. */
  readonly noPromise: string | null;
}

/**
 * Spectrum of K = J J^T without outputScale (of its nonzero part where p <= n c). With other losses than squared error J stands for
 * J~ = sqrt(s) R^T J, R the curvature factor of the loss: softmax has n eigenvalues of 0, because the entries of a row sum to 0.
 */
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
   * The last window: rate of the excess loss objective - optimum; with other losses than squared error, where no `optimum` is given, that
   * of the reduction which the undamped model offers. `promised` and `attainable` are null if unknown, and
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
   * it is unknown (`parts` is off, or a loss other than squared error without a given optimum).
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
  /** Why the theory promises no rate to this run, as a sentence: its loss is not squared error. null where it promises one. */
  readonly noPromise: string | null;
  /** Observations that failed, with the reason: memory that could not be had, or a number that is not finite. */
  readonly warnings: readonly string[];
}
