// Defines the part of the state that Bayesian regularization adds to that of Levenberg-Marquardt: the decay, the last estimates, and what the
// next update depends on. bayesian-regularization.ts and renew.ts read and change it.
import { arrayOf, type MethodState, numberOf } from "../method.js";
import type { Evidence } from "../regularization.js";

/** The part at the start of a run, or of one that begins again after a collapse. */
export function freshPart(decay: number, restarts: number): MethodState {
  return {
    decay,
    restarts,
    /** Accepted steps since the last update. */
    steps: 0,
    /** 1 where the next point is due whatever the count. */
    hastened: 0,
    /** Updates so far, and how many of the last left the decay as it was. */
    updates: 0,
    settled: 0,
    /** The estimates of the last update, and the decay that they are of. */
    ofDecay: decay,
    effectiveParameters: 0,
    noise: 0,
    logEvidence: 0,
    /** Parameters that the run began with; empty before the first trial. */
    begun: new Float64Array(0),
  };
}

const SIZES = ["restarts", "steps", "hastened", "updates", "settled", "effectiveParameters", "noise"];

/** The rule that a part from a file breaks, or null. */
export function checkPart(state: MethodState): string | null {
  for (const name of ["decay", "ofDecay"]) {
    const decay = numberOf(state, name);
    if (!(decay > 0 && decay < Number.POSITIVE_INFINITY))
      return `${name} must be a finite number above 0; it is ${decay}`;
  }
  for (const name of SIZES)
    if (!(numberOf(state, name) >= 0)) return `${name} must be at least 0; it is ${numberOf(state, name)}`;
  return arrayOf(state, "begun").every(Number.isFinite) ? null : "begun must hold finite numbers";
}

/** The evidence of the last update; null before the first. */
export function evidenceIn(state: MethodState): Evidence | null {
  if (numberOf(state, "updates") === 0) return null;
  return {
    decay: numberOf(state, "ofDecay"),
    effectiveParameters: numberOf(state, "effectiveParameters"),
    noise: numberOf(state, "noise"),
    logEvidence: numberOf(state, "logEvidence"),
  };
}
