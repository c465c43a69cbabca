// Defines the part of the state that Bayesian regularization adds to that of Levenberg-Marquardt: the decay, the last estimates, what the next
// update depends on, and the most probable fit so far. bayesian-regularization.ts, renew.ts and climb.ts read and change it.
import type { Point } from "../../linearize/problem.js";
import { arrayOf, type MethodState, numberOf } from "../method.js";
import type { Evidence, KeptFit } from "../regularization.js";

/** What a run does: estimates its decay, tries larger ones, or ends with the most probable. */
export const PHASES = { estimates: 0, climbs: 1, ends: 2 } as const;

/** The part at the start of a run, or of one that begins again. */
export function freshPart(decay: number, restarts: number): MethodState {
  return {
    decay,
    restarts,
    phase: PHASES.estimates,
    /** Accepted steps of the run, and since the last update. */
    taken: 0,
    steps: 0,
    /** 1 where the next point is due whatever the count. */
    hastened: 0,
    /** Updates so far (while it climbs: with this decay), and how many of the last left the decay as it was. */
    updates: 0,
    settled: 0,
    /** The highest evidence of the estimates, and its decay. */
    peakEvidence: Number.NEGATIVE_INFINITY,
    peakDecay: 0,
    /** 1 once another fit than that of the estimates is the most probable. */
    beaten: 0,
    /** Decays in a row that were less probable than the best. */
    falls: 0,
    /** The estimates of the last update, and the decay that they are of. */
    ofDecay: decay,
    effectiveParameters: 0,
    noise: 0,
    logEvidence: Number.NEGATIVE_INFINITY,
    /** The most probable fit, once the decay has been estimated. */
    bestDecay: 0,
    bestTaken: 0,
    bestLoss: 0,
    bestEffective: 0,
    bestNoise: 0,
    bestEvidence: Number.NEGATIVE_INFINITY,
    best: new Float64Array(0),
    /** Parameters that the run began with; empty before the first trial. */
    begun: new Float64Array(0),
  };
}

const SIZES = [
  "restarts",
  "phase",
  "taken",
  "steps",
  "hastened",
  "updates",
  "settled",
  "peakDecay",
  "beaten",
  "falls",
  "effectiveParameters",
  "noise",
  "bestDecay",
  "bestTaken",
  "bestLoss",
  "bestEffective",
  "bestNoise",
];

/** The rule that a part from a file breaks, or null. */
export function checkPart(state: MethodState): string | null {
  for (const name of ["decay", "ofDecay"]) {
    const decay = numberOf(state, name);
    if (!(decay > 0 && decay < Number.POSITIVE_INFINITY))
      return `${name} must be a finite number above 0; it is ${decay}`;
  }
  for (const name of SIZES)
    if (!(numberOf(state, name) >= 0)) return `${name} must be at least 0; it is ${numberOf(state, name)}`;
  for (const name of ["begun", "best"])
    if (!arrayOf(state, name).every(Number.isFinite)) return `${name} must hold finite numbers`;
  return null;
}

/** The estimates of an update, for the state. */
export function noted({ decay, effectiveParameters, noise, logEvidence }: Evidence): MethodState {
  return { ofDecay: decay, effectiveParameters, noise, logEvidence };
}

/** The evidence of the last update; null before the first. */
export function evidenceIn(state: MethodState): Evidence | null {
  const logEvidence = numberOf(state, "logEvidence");
  if (!Number.isFinite(logEvidence)) return keptIn(state)?.evidence ?? null;
  return {
    decay: numberOf(state, "ofDecay"),
    effectiveParameters: numberOf(state, "effectiveParameters"),
    noise: numberOf(state, "noise"),
    logEvidence,
  };
}

/** The fit at a point as the most probable so far. */
export function asBest(
  state: MethodState,
  { decay, effectiveParameters, noise, logEvidence }: Evidence,
  point: Point,
): MethodState {
  return {
    ...state,
    falls: 0,
    bestDecay: decay,
    bestTaken: numberOf(state, "taken"),
    bestLoss: point.loss,
    bestEffective: effectiveParameters,
    bestNoise: noise,
    bestEvidence: logEvidence,
    best: point.parameters.slice(),
  };
}

/** The most probable fit so far; null before the decay has been estimated. */
export function keptIn(state: MethodState): KeptFit | null {
  const parameters = arrayOf(state, "best");
  if (parameters.length === 0) return null;
  const decay = numberOf(state, "bestDecay");
  return {
    iteration: numberOf(state, "bestTaken"),
    parameters,
    loss: numberOf(state, "bestLoss"),
    evidence: {
      decay,
      effectiveParameters: numberOf(state, "bestEffective"),
      noise: numberOf(state, "bestNoise"),
      logEvidence: numberOf(state, "bestEvidence"),
    },
  };
}
