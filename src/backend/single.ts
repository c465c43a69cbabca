// Defines the tolerances, limits and failure of single precision in the primal curvature, which both engines keep; the steps read the
// default tolerance.
//
//   S (G + decay I + mu D) S ~ L L^T in float32 with a unit diagonal; conjugate gradients on the float64 operator, preconditioned
//   by it, down to sqrt(r^T M^-1 r) <= tolerance of the start
//
// That is the error of the step in the norm of the damped system where M is near it. The default tolerance changes the reduction that the
// model promises by its square, which is below rounding, and limits the convergence to a linear rate of 1e-8 where the method's own rate is
// better. G may be that of a subset of the samples (`subset.ts`): a rougher preconditioner of the same operator.
import { argumentError } from "../errors.js";
import type { Curvature } from "./curvature.js";
import type { Failure } from "./engine.js";

/** As kTolerance and kMostSteps in native/core/curvature/single_system.h. */
export const singleTolerance = 1e-8;
export const mostSingleSteps = 12;
/** As kMostSubsetSteps there. */
export const mostSubsetSteps = 40;

/** The failure that sends the caller back to double precision. `steps` 0: a number left the range of float32. */
export function imprecise(steps: number, tolerance: number = singleTolerance): Failure {
  const why =
    steps === 0
      ? "an entry of the curvature left the range of float32"
      : `${steps} steps of conjugate gradients did not bring the residual to ${tolerance.toPrecision(2)} of its start`;
  return { code: "imprecise", steps, message: `single precision is not enough for the damped system: ${why}` };
}

export const HELD_SINGLE = "the curvature is held in single precision: linearize in double precision first";

export function checkTolerance(tolerance: unknown): void {
  if (typeof tolerance !== "number" || !(tolerance > 0 && tolerance < 1))
    throw argumentError("tolerance", "must be a number between 0 and 1", tolerance);
}

export function checkPrecision(curvature: Curvature, precision: unknown): void {
  if (precision !== "double" && precision !== "single")
    throw argumentError("precision", 'must be "double" or "single"', precision);
  if (precision === "single" && curvature !== "primal")
    throw argumentError("precision", 'must be "double" unless the curvature is "primal"', precision);
}
