// Defines the part of a training record that later decisions depend on: precision.ts, subset.ts and forcing.ts read it, and
// train/trial-record.ts fills it. A resumed run has the same records, so it decides as the uninterrupted run does.
import type { Precision } from "../backend/curvature.js";
import type { InnerSolve } from "./inner-solve.js";

/** The precision of the primal curvature of a trial and what it cost, in runs that may use single precision. */
export interface PrecisionUse {
  /** The precision of the curvature and its factor. */
  readonly used: Precision;
  /** Conjugate-gradient steps with a single-precision factor; 0 in double. */
  readonly steps: number;
  /** Relative residual at which they stop (`step/forcing.ts`); null in double. */
  readonly tolerance: number | null;
  /** Why this trial switched to more samples or to double precision, as a sentence; else null. */
  readonly fallback: string | null;
}

/** One trial step, as far as later steps depend on it. */
export interface TrialHistory {
  /** From 1; iteration 0 is the starting point (its record has no step: stepNorm 0, accepted true). */
  readonly iteration: number;
  /** Whether the step was taken. */
  readonly accepted: boolean;
  /** Sum objective g + decay/2 |w|^2 there. */
  readonly objective: number;
  /** Euclidean norm of the objective's gradient at the point the step started from. */
  readonly gradientNorm: number;
  /** Damping mu of the step; 0 without damping. */
  readonly damping: number;
  /** Actual / predicted reduction; null where there is no model value (start, failed solve). */
  readonly gainRatio: number | null;
  /** Precision of the curvature, in runs that may use single precision. */
  readonly precision?: PrecisionUse | undefined;
  /** Samples behind the curvature, null = all; in runs that may use a subset (`step/subset.ts`). */
  readonly subset?: number | null | undefined;
  /** What the conjugate gradients did; matrix-free route only. */
  readonly inner?: InnerSolve | undefined;
}
