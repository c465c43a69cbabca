// Tries decays above the one that a run has estimated, and keeps the most probable fit. renew.ts calls it from the end of the estimates on.
//
// An estimate takes the curvature as it is, but the curvature follows the decay: with a smaller one units that were the same come apart, and
// their parameters count as determined. With several inputs, or with about as many parameters as rows, the estimates therefore end at a decay that
// is several times too small, where the evidence itself is lower (Friedman #1, 200 rows, p = 193: estimate 0.004 with log evidence -241, best
// near 2 with -164). So the run goes up from there by factors of 3, each time from its start, until the evidence has fallen, and ends with the fit
// of the highest. Minima of a few parameters differ by a few nats without being better: that of the estimates stays unless another is clearly more
// probable.
import type { Point } from "../../linearize/problem.js";
import { arrayOf, type MethodState, numberOf } from "../method.js";
import type { Evidence, Renewed } from "../regularization.js";
import { asBest, noted, PHASES } from "./state.js";

/** From one decay to the next. */
const FACTOR = 3;
/** Updates with one decay at most, and the change of the log evidence between two of them at which it counts as known. */
const MOST_UPDATES = 12;
const KNOWN = 0.1;
/** Decays in a row that are less probable than the best before the run gives up, and the fall after which one is enough. */
const MOST_FALLS = 2;
const CLEAR_FALL = 5;
/** By how much the log evidence of another fit must be above that of the estimates. */
const MARGIN = 5;

/** What the steps begin with after a jump: a fresh state of Levenberg-Marquardt. */
type Begin = (state: MethodState) => MethodState;

/** The end of estimates whose evidence falls all the way: the first fit to compare with is made with the decay of their peak. */
export function restartAtPeak(begin: Begin, state: MethodState): Renewed {
  const to = { decay: numberOf(state, "peakDecay"), phase: PHASES.climbs };
  return jump(begin, state, to, arrayOf(state, "begun"));
}

/** The end of the estimates: the fit there is the first to compare with. */
export function startClimb(begin: Begin, state: MethodState, found: Evidence, point: Point): Renewed {
  return nextDecay(begin, asBest(state, found, point), found.decay);
}

/** An update of a run that climbs. */
export function climb(begin: Begin, state: MethodState, found: Evidence, point: Point): Renewed {
  const updates = numberOf(state, "updates") + 1;
  const change = Math.abs(found.logEvidence - numberOf(state, "logEvidence"));
  const known = change < KNOWN || updates >= MOST_UPDATES || numberOf(state, "hastened") > 0;
  if (!known) return { ok: true, state: { ...state, ...noted(found), updates, steps: 0 }, restart: null, end: null };
  const best = numberOf(state, "bestEvidence");
  // Where the estimates have ended is the fit to beat, by more than the approximation of Laplace is off.
  const margin = numberOf(state, "beaten") > 0 ? 0 : MARGIN;
  if (found.logEvidence > best + margin)
    return nextDecay(begin, { ...asBest(state, found, point), beaten: 1 }, found.decay);
  const falls = numberOf(state, "falls") + 1;
  if (falls >= MOST_FALLS || found.logEvidence < best - CLEAR_FALL) return goBack(begin, state);
  return nextDecay(begin, { ...state, falls }, found.decay);
}

/** From the start of the run with the next decay. */
function nextDecay(begin: Begin, state: MethodState, decay: number): Renewed {
  return jump(begin, state, { decay: FACTOR * decay, phase: PHASES.climbs }, arrayOf(state, "begun"));
}

/** To the most probable fit, with whose decay the run ends. */
function goBack(begin: Begin, state: MethodState): Renewed {
  return jump(
    begin,
    state,
    { decay: numberOf(state, "bestDecay"), phase: PHASES.ends, settled: 1 },
    arrayOf(state, "best"),
  );
}

function jump(begin: Begin, state: MethodState, to: MethodState, parameters: Float64Array): Renewed {
  const fresh = { steps: 0, hastened: 0, updates: 0, settled: 0, logEvidence: Number.NEGATIVE_INFINITY };
  return { ok: true, state: { ...state, ...begin(state), ...fresh, ...to }, restart: parameters.slice(), end: null };
}
