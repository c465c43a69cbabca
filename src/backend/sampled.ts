// Defines what a sampled curvature is made from and checks it, for both engines: a batch method asks for one row a sample in place of one a
// residual, so that a step is a system of as many equations as there are samples, whatever the number of outputs.
//
//   b_i = seed_i^T J_i,   B = rows b_i,   step = -(B^T B + (decay + mu) I)^-1 gradient
//
// With signs v the seeds are sqrt(s) R v_i, and the mean of B^T B over random signs is G. Seeds may also be given, as in a game of two
// networks, where what is minimized is no loss of the engine's: then the gradient by the predictions is given too.
import { argumentError } from "../errors.js";
import { checkDoubles, checkOptionNames, isObject } from "../options.js";
import type { Curvature, SampledRows } from "./curvature.js";
import type { LinearizeRequest, SolveRequest } from "./engine.js";

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkSampled({ curvature, sampled, scaling }: LinearizeRequest, count: number): void {
  if (curvature !== "sampled") {
    if (sampled !== undefined)
      throw argumentError("sampled", 'must be absent unless the curvature is "sampled"', sampled);
    return;
  }
  if (!isObject(sampled)) throw argumentError("sampled", "must have signs, or rows and gradient", sampled);
  if (scaling !== null) throw argumentError("scaling", "must be null with the sampled curvature", scaling);
  if (!("signs" in sampled)) {
    checkOptionNames("sampled", sampled, ["rows", "gradient"]);
    checkDoubles("sampled.rows", sampled.rows, count);
    checkDoubles("sampled.gradient", sampled.gradient, count);
    return;
  }
  checkOptionNames("sampled", sampled, ["signs"]);
  const { signs } = sampled;
  checkDoubles("sampled.signs", signs, count);
  const wrong = signs.findIndex((sign) => Math.abs(sign) !== 1);
  if (wrong >= 0) throw argumentError(`sampled.signs[${wrong}]`, "must be 1 or -1", signs[wrong]);
}

/** What a solve needs of a sampled curvature. @throws GAUSSFLOW_ARGUMENT */
export function checkSampledSolve(held: Curvature, { damping, decay, scaling }: SolveRequest): void {
  if (held !== "sampled") return;
  if (scaling !== null) throw argumentError("scaling", "must be null with the sampled curvature", scaling);
  if (damping + decay === 0)
    throw argumentError(
      "damping",
      "must be above 0 without decay: a sampled curvature has fewer rows than there are parameters",
      damping,
    );
}

/** The same with null for what is not given. */
export function partsOf(sampled: SampledRows | undefined) {
  if (sampled === undefined) return { signs: null, rows: null, gradient: null };
  if ("signs" in sampled) return { signs: sampled.signs, rows: null, gradient: null };
  return { signs: null, rows: sampled.rows, gradient: sampled.gradient };
}

/** What an acceleration says where the curvature is sampled. */
export const NO_SAMPLED_ACCELERATION = "a sampled curvature has no acceleration: linearize with primal or dual for one";
