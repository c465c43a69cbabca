// Small arithmetic of the loop: the size of the curvature for the first damping, a trial point, a failure as a reason.
import { addScaled, dot } from "../algebra/vectors.js";
import type { Failure } from "../backend/engine.js";
import { memoryRefusal } from "../backend/memory.js";
import type { Point } from "../linearize/problem.js";
import type { Reason } from "../method/reason.js";
import type { Route } from "../plan/route.js";
import type { TrainRecord } from "../run/record.js";

/** Size of the curvature in the units of D, max_j G_jj / D_j, for the first damping. */
export function curvatureScale(point: Point, decay: number, probe: Float64Array | null, rooted: boolean): number {
  let scale = 0;
  if (point.scaling !== null) {
    if (!rooted) return 1;
    for (const value of point.scaling) scale = Math.max(scale, value); // G_jj = D_j^2 at the start
    return scale;
  }
  if (probe !== null) for (const value of probe) scale = Math.max(scale, value);
  // Dual route: r.K r / r.r, a Rayleigh quotient of the kernel that costs nothing: r.K r = |J^T r|^2.
  else if (point.loss > 0) {
    const slope = decay === 0 ? point.gradient : addScaled(point.gradient, -decay, point.parameters);
    scale = dot(slope, slope) / (2 * point.loss);
  }
  return scale > 0 && Number.isFinite(scale) ? scale : 1;
}

export const noSeconds = { passes: 0, curvature: 0, solve: 0, evaluate: 0, validation: 0 };

/** The record of the starting point, which no step led to. */
export function startRecord(
  point: Point,
  at: {
    readonly route: Route;
    readonly damping: number;
    readonly meanFactor: number;
    readonly validation: { readonly loss: number | null; readonly seconds: number };
    readonly elapsed: number;
  },
): TrainRecord {
  return {
    iteration: 0,
    trial: 1,
    accepted: true,
    rejection: null,
    loss: point.loss * at.meanFactor,
    objective: point.objective,
    gradientNorm: point.gradientNorm,
    gradientCosine: point.gradientCosine,
    damping: at.damping,
    gainRatio: null,
    stepNorm: 0,
    acceleration: null,
    route: at.route,
    condition: null,
    validationLoss: at.validation.loss,
    elapsed: at.elapsed,
    seconds: { ...noSeconds, validation: at.validation.seconds },
  };
}

/** Callers see a record before the run is done with it. */
export const frozen = (record: TrainRecord): TrainRecord =>
  Object.freeze({ ...record, seconds: Object.freeze(record.seconds) });

/** The seconds of a point that was linearized twice. */
export function addSeconds(a: Point["seconds"], b: Point["seconds"]): Point["seconds"] {
  return { passes: a.passes + b.passes, curvature: a.curvature + b.curvature };
}

/** The reason of a run that an error for want of memory ends; null for other errors. */
export function memoryReason(error: unknown): Reason | null {
  const message = memoryRefusal(error);
  return message === null ? null : { code: "memory", message };
}

export function asReason(failure: Failure): Reason {
  switch (failure.code) {
    case "non-finite":
      return { code: "non-finite", message: failure.message, where: failure.where };
    case "memory":
      return { code: "memory", message: failure.message };
    case "indefinite":
    case "imprecise":
      return { code: "no-progress", message: failure.message };
    default:
      failure satisfies never;
      throw new Error("unreachable");
  }
}
