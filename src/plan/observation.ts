// What an observer may form at a point beside the run, and how large that is: the planner counts its bytes before anything runs.

/** What an observer computes at a point beside the run: the plan counts the bytes of it. */
export interface ObserverNeeds {
  /** A curvature and its factor, in double precision. */
  readonly curvature: boolean;
  /** The eigenvalues of the curvature. */
  readonly spectrum: boolean;
  /** A tangent kernel on a sample of at most `sampleEquations` equations. */
  readonly sample: boolean;
}

/** Most equations that an engine made by `sample` may have. */
export const sampleEquations = 512;

/** Up to so many parameters the singular values are computed; above, where they cost seconds, their extremes are estimated. */
export const exactParameters = 512;

/** What the monitor forms at a point: the triangle of R where that is cheap, else the regular one of Gram matrix and kernel. */
export function measuredCurvature(parameterCount: number, equations: number): "dual" | "orthogonal" | "primal" {
  if (parameterCount > equations) return "dual";
  return parameterCount <= exactParameters ? "orthogonal" : "primal";
}

/** Most products of a Lanczos run: as many directions are kept, and made orthogonal to each other. */
export const lanczosSteps = 300;
