// What a run tells the world: one record a trial or time step, a reason at the end. The library itself prints nothing.
import type { NonFinite } from "../backend/engine.js";
import type { Precision } from "../backend/single.js";
import type { PreconditionerName } from "./problem.js";

/** How a step is solved (docs/architecture.md). */
export type Route = "primal" | "dual" | "orthogonal" | "matrix-free";

/** The routes of training. */
/** How a training solves for its steps: by a p x p matrix, by an (n c) x (n c) matrix, or by products with the curvature. */
export type TrainRoute = "primal" | "dual" | "matrix-free";
export const TRAIN_ROUTES: readonly TrainRoute[] = ["primal", "dual", "matrix-free"];

/** The routes of flows. */
export const FLOW_ROUTES = ["primal", "dual", "orthogonal"] as const satisfies readonly Route[];
export type FlowRoute = (typeof FLOW_ROUTES)[number];

/** Why a run ended. Every code comes with a sentence that holds the numbers. */
export type ReasonCode =
  | "gradient"
  | "step"
  | "reduction"
  | "loss"
  | "iterations"
  | "seconds"
  | "patience"
  | "aborted"
  | "damping-saturated"
  | "no-progress"
  | "non-finite"
  | "memory"
  // of flows
  | "until"
  | "event"
  | "steps"
  | "step-too-small"
  | "singular-jacobian";

/** Why a run ended. */
export interface Reason {
  /** The reason, for programs. */
  readonly code: ReasonCode;
  /** The reason, as a sentence with the numbers. */
  readonly message: string;
  /** With `non-finite`: where it first went bad. */
  readonly where?: NonFinite | undefined;
}

/** How the matrix-free route solved for a step. */
export interface InnerSolve {
  /** Of the conjugate gradients, and what they were preconditioned with. */
  readonly iterations: number;
  /** What the conjugate gradients were preconditioned with. */
  readonly preconditioner: PreconditionerName;
  /** |residual| / |gradient| of the damped system in the units of D, and how far down it was asked for. */
  readonly residual: number;
  /** How far down the residual was asked for. */
  readonly tolerance: number;
  /** What ended them: the residual, a model that no longer fell, the number allowed, or rounding. */
  readonly end: "residual" | "model" | "iterations" | "rounding";
}

/** What the primal curvature of a trial was formed and factored in, in runs that may use single precision. */
export interface PrecisionUse {
  /** The precision of the curvature and its factor. */
  readonly used: Precision;
  /** Of the conjugate gradients behind a single-precision factor; 0 in double. */
  readonly steps: number;
  /** Where they stop (`step/forcing.ts`); null in double. */
  readonly tolerance: number | null;
  /** Why this trial went to more samples or from single to double precision, as a sentence; else null. */
  readonly fallback: string | null;
}

/** One trial step. An iteration is one linearization; it has one accepted trial, and before it any number of rejected ones. */
export interface TrainRecord {
  /** From 1; iteration 0 is the starting point (its record has no step: stepNorm 0, accepted true). */
  readonly iteration: number;
  /** From 1 within the iteration. */
  readonly trial: number;
  /** Whether the step was taken. */
  readonly accepted: boolean;
  /** Why the trial was rejected, as a sentence; null where it was accepted. */
  readonly rejection: string | null;
  /** Weighted mean of squared errors in the units the network is trained in, at the point kept after this trial. */
  readonly loss: number;
  /** Sum objective g + decay/2 |w|^2 there. */
  readonly objective: number;
  /** Euclidean norm of the objective's gradient at the point the step started from. */
  readonly gradientNorm: number;
  /**
   * MINPACK's scale-free gradient measure at that point (`stop.gradient`). In the dual route a lower bound of it, as long as that is
   * above the tolerance. With weight decay an upper bound.
   */
  readonly gradientCosine: number;
  /** Damping mu of the step; 0 without damping. */
  readonly damping: number;
  /** Actual / predicted reduction; null where there is no model value (start, failed solve). */
  readonly gainRatio: number | null;
  /** Euclidean norm of the step. */
  readonly stepNorm: number;
  /** 2 |a| / |v| where the step holds a geodesic acceleration a of the velocity v, lengths in D; null where it does not. */
  readonly acceleration: number | null;
  /** How the step was solved for. */
  readonly route: Route;
  /** Condition estimate of the damped system, when the method asked for it. */
  readonly condition: number | null;
  /** Precision of the curvature, in runs that may use single precision. */
  readonly precision?: PrecisionUse | undefined;
  /** Samples behind the curvature, null = all; in runs that may use a subset (`step/subset.ts`). */
  readonly subset?: number | null | undefined;
  /** Matrix-free route only. */
  readonly inner?: InnerSolve | undefined;
  /** Pairs of the secant correction that was added to G (`step/secant.ts`), where it was. */
  readonly secant?: number | undefined;
  /** Same measure as `loss` on the validation set; null without one or for a rejected trial. */
  readonly validationLoss: number | null;
  /** Seconds since the start of the run, and of this trial by phase. */
  readonly elapsed: number;
  /** Seconds of this trial, by phase. */
  readonly seconds: {
    /** Forward and backward passes. */
    readonly passes: number;
    /** Forming the curvature. */
    readonly curvature: number;
    /** Solving for the step. */
    readonly solve: number;
    /** The loss at the trial point. */
    readonly evaluate: number;
    /** The loss on the validation data. */
    readonly validation: number;
  };
}

/** One accepted time step of a flow; step 0 is the start. */
export interface FlowRecord {
  /** Number of the step, from 1; 0 is the start. */
  readonly step: number;
  /** Time at the end of the step. */
  readonly time: number;
  /** Length of the step in time. */
  readonly stepSize: number;
  /** Trials rejected before it. */
  readonly rejections: number;
  /** Right-hand sides so far. */
  readonly evaluations: number;
  /** Local error in units of the tolerance; null at a fixed step and at the start. */
  readonly error: number | null;
  /** Weighted mean of squared errors, as in training. */
  readonly loss: number;
  /** Sum objective g + decay/2 |w|^2: the one that rates refer to. */
  readonly objective: number;
  /** Euclidean norm of the objective's gradient. */
  readonly gradientNorm: number;
  /** null where no curvature was formed (gradient flow). */
  readonly gradientCosine: number | null;
  /** -d objective/dt along the flow (0 where it ends at its start for want of a velocity), and its integral since the start. */
  readonly dissipation: number;
  /** Integral of `dissipation` since the start. */
  readonly dissipated: number;
  /** Damping rho. */
  readonly damping: number;
  /** Smallest eigenvalue of K above the rounding floor and the number below, where the schedule asked; else null. */
  readonly smallestEigenvalue: number | null;
  /** How many eigenvalues lie below the rounding floor; null where the schedule did not ask. */
  readonly eigenvaluesBelowFloor: number | null;
  /** |w - w(start)|. */
  readonly distance: number;
  /** How the velocity was solved for. */
  readonly route: Route;
  /** Orthogonal route: numerical rank and estimated smallest singular value of alpha J; else null. */
  readonly rank: number | null;
  /** Estimate of the smallest singular value of alpha J; null but in the orthogonal route. */
  readonly smallestSingularValue: number | null;
  /** Condition estimate of the damped system; null where there is none. */
  readonly condition: number | null;
  /**
   * Relative change of dw/dt when the parameters move by their last digit: measured where steps keep being rejected, at the
   * start of the flow (later J may lose its rank by curvature); else null. From 0.01 on rounding sets the step size.
   */
  readonly velocityNoise: number | null;
  /** Why rounding limits the steps, where that was seen: once in a flow; else null. */
  readonly rounding: string | null;
  /**
   * Stiffness or a limit by rounding seen for the first time, an objective that rose (an exact flow never climbs: integrator error), or
   * why there is no velocity at the start; else null.
   */
  readonly warning: string | null;
  /** Seconds since the start of the flow. */
  readonly elapsed: number;
}
