// Defines how exactly the curvature at a point is formed, and how far down its damped systems are solved (Fidelity). A method decides it
// from sizes, its state and the records; the training loop (train/base.ts, minimize.ts) follows it and records it, refines it after a
// failure or before a run ends, and stop.ts asks whether a rough step may end the run. It is plain data that follows from plain data, so a
// resumed run decides the same.
import type { Precision } from "../backend/curvature.js";
import type { Point } from "../linearize/problem.js";
import type { TrainRoute } from "../plan/route.js";
import { forcingTerm, type Tolerance, toleranceAt } from "./forcing.js";
import type { TrialHistory } from "./trial-history.js";

/** Sizes of a run, all that is known of it before it begins. */
export interface RunSizes {
  /** How steps are solved. */
  readonly route: TrainRoute;
  /** Whether every solve estimates the condition of its system. */
  readonly condition: boolean;
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** Outputs of the model, c. */
  readonly outputSize: number;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** Equal samples that the weighted ones are worth, as a share of n, in (0, 1]. Default 1. */
  readonly evenness?: number | undefined;
  /** Slots that sums over samples are joined from. Default 1. */
  readonly slots?: number | undefined;
  /** Whether ranks hold the Gram matrix of the primal route together, which is in double precision. Default false. */
  readonly distributed?: boolean | undefined;
  /** Whether the engine forms curvatures of all samples in double precision alone (`Engine.exactOnly`). Default false. */
  readonly exactOnly?: boolean | undefined;
  /** Whether the loss is not squared error and the engine has Hessian products: then a method may step on the exact Hessian. Default false. */
  readonly exactHessian?: boolean | undefined;
}

/** How exactly one curvature is formed and solved with. `{}` is exact: all samples, double precision. */
export interface Fidelity {
  /** Precision of the primal curvature and its factor. Absent: double, and records do not say it. */
  readonly precision?: Precision | undefined;
  /** Ascending indices of the samples behind the curvature, null = all. Absent: all, and records do not say it. */
  readonly subset?: Uint32Array | null | undefined;
  /** Where conjugate gradients stop. Default: 1e-10 in the matrix-free route, 1e-8 in single precision. */
  readonly tolerance?: Tolerance | undefined;
  /**
   * Matrix-free route with a subset: a step that promises less than this share of the objective ends no run, because the next model has more
   * samples. Default 0.
   */
  readonly scarceBelow?: number | undefined;
}

/** The fidelity of a method that states none: exact but for the conjugate gradients of the matrix-free route. */
export function exactFidelity({ route }: Pick<RunSizes, "route">, records: readonly TrialHistory[]): Fidelity {
  return route === "matrix-free" ? { tolerance: forcingTerm(records) } : {};
}

/** The fidelity with which sums over samples are joined from slots: all samples; and in double precision where ranks hold the matrix together. */
export function slottedFidelity(
  { precision, tolerance }: Fidelity,
  { route, distributed = false }: Pick<RunSizes, "route" | "distributed">,
): Fidelity {
  if (route === "primal" && distributed) return {};
  return route === "matrix-free" ? { tolerance } : { precision, tolerance };
}

/** The next finer fidelity at `point`, after the one it has did not do: all samples, then double precision; null = it is exact. */
export function refine(fidelity: Fidelity, { precision, subset }: Point): Fidelity | null {
  if (subset !== null) return { ...fidelity, subset: null };
  return precision === "single" ? { ...fidelity, precision: "double", tolerance: undefined } : null;
}

/** The same where the model itself is that of a subset: it ends no run before the model of all samples did no better. null = end it. */
export function refineBeforeEnd(fidelity: Fidelity, point: Point, route: TrainRoute): Fidelity | null {
  return route === "matrix-free" ? refine(fidelity, point) : null;
}

/** True if the stop rules must skip an accepted step: its model used a subset, and the next model will use more samples. */
export function endsNoRun(fidelity: Fidelity, point: Point, route: TrainRoute, predicted: number): boolean {
  const scarce = predicted / Math.abs(point.objective) < (fidelity.scarceBelow ?? 0);
  return scarce && refineBeforeEnd(fidelity, point, route) !== null;
}

/** The point just linearized, with the tolerance of its systems. */
export function withTolerance(point: Point, { tolerance }: Fidelity): Point {
  return tolerance === undefined ? point : { ...point, tolerance: toleranceAt(tolerance, point.gradientNorm) };
}
