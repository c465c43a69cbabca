// Defines the sizes of what an observer (the monitor) computes during a run: its curvature, its spectrum, the kernel of a sample.
// memory-model.ts adds their bytes to a plan, and the monitor, `src/spectrum` and run/sample-engine.ts follow the same limits.

/** What an observer computes at each point of the run; the plan includes its bytes. */
export interface ObserverNeeds {
  /** A curvature and its factor, in double precision. */
  readonly curvature: boolean;
  /** The eigenvalues of the curvature. */
  readonly spectrum: boolean;
  /** A tangent kernel on a sample of at most `sampleEquations` equations. */
  readonly sample: boolean;
}

/** Largest number of equations of an engine made by `sample`. */
export const sampleEquations = 512;

/** Largest number of parameters for which all singular values are computed; above it they would cost seconds, and only the extremes are estimated. */
export const exactParameters = 512;

/** The curvature that the monitor forms at a point: the triangle R if that is cheap, else the regular one of Gram matrix and kernel. */
export function measuredCurvature(parameterCount: number, equations: number): "dual" | "orthogonal" | "primal" {
  if (parameterCount > equations) return "dual";
  return parameterCount <= exactParameters ? "orthogonal" : "primal";
}

/** Largest number of products of a Lanczos run. That many directions are kept and orthogonalized. */
export const lanczosSteps = 300;
