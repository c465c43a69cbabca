// Defines the records of a run: one per trial of a training, one per accepted step of a flow. `train` and `flow` make them, and pass them
// to `onRecord`, the observer and the result; the monitor, the experiments and the reports read them. The library itself prints nothing.
import type { Evidence } from "../method/regularization.js";
import type { Route, StepRoute } from "../plan/route.js";
import type { HessianSolve } from "../step/inner-solve.js";
import type { TrialHistory } from "../step/trial-history.js";

/**
 * One trial step. An iteration is one linearization; it has one accepted trial, and before it any number of rejected ones. With a batch method
 * (`exactGaussNewton` and others) an iteration is a step on one batch, and a record stands for all of them since the last record: there is one at
 * the end of each epoch, at each validation and at the end of the run.
 */
export interface TrainRecord extends TrialHistory {
  /** Number of the trial within the iteration, from 1. */
  readonly trial: number;
  /** Why the trial was rejected, as a sentence; null where it was accepted. */
  readonly rejection: string | null;
  /**
   * Weighted mean of squared errors in the units the network is trained in, at the point kept after this trial; with other losses the
   * weighted mean of the loss, over samples and outputs (softmax: over samples). With a batch method: of all data at the end of an epoch and of
   * the run; at a validation in between, where all data are not evaluated, `batchLoss`.
   */
  readonly loss: number;
  /**
   * MINPACK's scale-free gradient measure at that point (`stop.gradient`). In the dual route a lower bound of it, as long as that is
   * above the tolerance. With weight decay an upper bound. With losses other than squared error: the largest entry of the gradient, relative
   * to that at the start of the run. With a batch method: the same of the gradient of the last batch, relative to that of the first.
   */
  readonly gradientCosine: number;
  /** Euclidean norm of the step. */
  readonly stepNorm: number;
  /** 2 |a| / |v| if the step holds a geodesic acceleration a of the velocity v, lengths in D; else null. */
  readonly acceleration: number | null;
  /** Route by which the step was solved. */
  readonly route: StepRoute;
  /** Condition estimate of the damped system, if it was requested. */
  readonly condition: number | null;
  /** True where the ranks held the Gram matrix together: the last bits depend on their number and on ScaLAPACK. Absent elsewhere. */
  readonly distributed?: true | undefined;
  /** Number of pairs of the secant correction that was added to G (`step/secant.ts`); absent without one. */
  readonly secant?: number | undefined;
  /** A step on the exact Hessian, with losses other than squared error: how it was solved for. Absent with other steps. */
  readonly hessian?: HessianSolve | undefined;
  /** With `huber` and `pseudoHuber`: the threshold in the units of training, the same in all records of a run. Absent with other losses. */
  readonly delta?: number | undefined;
  /** With `quantile`: the smoothing in the units of training, the same in all records of a run. Absent with other losses. */
  readonly smoothing?: number | undefined;
  /** With `bayesianRegularization`: the weight decay of this trial. Absent with other methods, whose decay is that of the loss. */
  readonly decay?: number | undefined;
  /** With `bayesianRegularization`: what was estimated last, for the decay of then. Absent before the first estimate. */
  readonly evidence?: Evidence | undefined;
  /** With a batch method: epochs done, a fraction within an epoch. Absent with other methods, as the next three are. */
  readonly epoch?: number | undefined;
  /** Mean loss of the batches since the last record, each at the start of its step; null at the start of the run. Same measure as `loss`. */
  readonly batchLoss?: number | null | undefined;
  /** Learning rate of the last step; 0 at the start of the run. */
  readonly rate?: number | undefined;
  /** Steps since the last record that the method did not take. */
  readonly rejected?: number | undefined;
  /** With `ggnScore`: parameters with |w| below its `threshold`. Absent with other methods, as the next. */
  readonly smallParameters?: number | undefined;
  /** With `ggnScore`: least number of parameters that hold 99.9% of the sum of |w|. */
  readonly holdingParameters?: number | undefined;
  /** Same measure as `loss` on the validation set; null without one or for a rejected trial. */
  readonly validationLoss: number | null;
  /** Seconds since the start of the run. */
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
  /** Mean loss, as in training. */
  readonly loss: number;
  /** Sum objective g + decay/2 |w|^2: the one that rates refer to. */
  readonly objective: number;
  /** Euclidean norm of the objective's gradient. */
  readonly gradientNorm: number;
  /** null where no curvature was formed (gradient flow), and with losses other than squared error. */
  readonly gradientCosine: number | null;
  /** -d objective/dt along the flow; 0 if the flow ends at its start because it has no velocity. */
  readonly dissipation: number;
  /** Integral of `dissipation` since the start. */
  readonly dissipated: number;
  /** Damping rho. */
  readonly damping: number;
  /** Smallest eigenvalue of K above the rounding floor, if the schedule needs the spectrum; else null. */
  readonly smallestEigenvalue: number | null;
  /** Number of eigenvalues below the rounding floor, if the schedule needs the spectrum; else null. */
  readonly eigenvaluesBelowFloor: number | null;
  /** |w - w(start)|. */
  readonly distance: number;
  /** Route by which the velocity was solved. */
  readonly route: Route;
  /** Orthogonal route: numerical rank of alpha J; else null. */
  readonly rank: number | null;
  /** Orthogonal route: estimate of the smallest singular value of alpha J; else null. */
  readonly smallestSingularValue: number | null;
  /** Condition estimate of the damped system; null where there is none. */
  readonly condition: number | null;
  /**
   * Relative change of dw/dt when the parameters move by their last digit: measured where steps keep being rejected, at the
   * start of the flow (later J may lose its rank by curvature); else null. From 0.01 on rounding sets the step size.
   */
  readonly velocityNoise: number | null;
  /** Why rounding limits the steps, in the one record of a flow where this is detected; else null. */
  readonly rounding: string | null;
  /**
   * Stiffness or a limit by rounding seen for the first time, an objective that rose (an exact flow never climbs: integrator error), or
   * why there is no velocity at the start; else null.
   */
  readonly warning: string | null;
  /** Seconds since the start of the flow. */
  readonly elapsed: number;
}
