// Makes the record of a trial from the loop, the point, the proposal and the judgment. The loop (minimize.ts) calls it after each trial; no
// other place makes a `TrainRecord`.
import { failed } from "../backend/engine.js";
import { singleTolerance } from "../backend/single.js";
import type { Proposal } from "../method/method.js";
import type { TrainRecord } from "../run/record.js";
import type { PrecisionUse } from "../step/trial-history.js";
import type { MinimizeOptions } from "./minimize-options.js";
import type { Base, Trial } from "./trial.js";

/** Where the run stands after the trial. */
export interface Kept {
  /** Mean loss as in the records. */
  readonly loss: number;
  readonly objective: number;
  /** Validation loss there, null without one, and the seconds it took. */
  readonly validation: { readonly loss: number | null; readonly seconds: number };
  readonly elapsed: number;
  /** Fields that no trial makes. */
  readonly recordFields?: MinimizeOptions["recordFields"] & Pick<TrainRecord, "decay" | "evidence">;
}

/** Callers see a record before the run is done with it, so it is frozen. */
export function trialRecord(
  { iteration, number, base, route, damping, proposal, end, stepNorm, judgment }: Trial,
  { loss, objective, validation, elapsed, recordFields }: Kept,
): TrainRecord {
  const { point, seconds } = base;
  const step = proposal === null || failed(proposal) ? null : proposal;
  return Object.freeze({
    iteration,
    trial: number,
    accepted: judgment.accepted,
    rejection: judgment.rejection,
    loss,
    objective,
    gradientNorm: point.gradientNorm,
    gradientCosine: point.gradientCosine,
    damping: step?.damping ?? damping,
    gainRatio: judgment.gainRatio,
    stepNorm,
    acceleration: step?.acceleration ?? null,
    route,
    condition: step?.condition ?? null,
    ...(proposal === null ? {} : savings(base, step)),
    ...(step?.secant ? { secant: step.secant } : {}),
    ...(step?.hessian === undefined ? {} : { hessian: step.hessian }),
    ...(step?.inner === undefined ? {} : { inner: step.inner }),
    ...recordFields,
    validationLoss: validation.loss,
    elapsed,
    seconds: Object.freeze({
      passes: seconds.passes,
      curvature: seconds.curvature,
      solve: step?.seconds ?? 0,
      evaluate: end?.seconds ?? 0,
      validation: validation.seconds,
    }),
  });
}

/** Precision and samples of the curvature, in runs that may save some of them. */
function savings(
  { point, fidelity, fallback }: Base,
  step: Proposal | null,
): Pick<TrainRecord, "precision" | "subset"> {
  const { precision: used, tolerance = singleTolerance, subset } = point;
  const precision: PrecisionUse = {
    used,
    steps: step?.steps ?? 0,
    tolerance: used === "single" ? tolerance : null,
    fallback,
  };
  return {
    ...(fidelity.precision === undefined ? {} : { precision }),
    ...(fidelity.subset === undefined ? {} : { subset }),
  };
}
