// Estimates the weight decay anew at a point of the run, as `renew` and `assess` of the policy that bayesian-regularization.ts makes. The
// training loop calls them between iterations.
//
// Between updates the run takes several steps with one decay: an estimate at a point that is not yet a fit is wrong, and with one after every
// step half of the runs never settle. From a poor start the weights can shrink to nothing, where the decay grows without end and no
// parameter is left that the data determine: gamma below 1 is such a collapse, and the run begins again with a thousandth of its decay.
// Where that happens again and again the evidence is that the targets are noise, and the fit stays. A first decay that the first estimate finds
// several times too large has shrunk the weights before the units had found what to fit, which ends in a poor minimum: the run begins again
// with the estimate. The opposite collapse is a fit that goes through the data, where noise and decay go to 0 together: it ends the estimates.
// After them the run tries larger decays (climb.ts).
import { dot } from "../../algebra/vectors.js";
import type { Failure } from "../../backend/engine.js";
import type { Point, Problem } from "../../linearize/problem.js";
import { arrayOf, type MethodState, numberOf } from "../method.js";
import type { Evidence, Renewed } from "../regularization.js";
import { climb, restartAtPeak, startClimb } from "./climb.js";
import { evidenceOf, type Fit, nextDecay, type Spectrum } from "./evidence.js";
import { spectrumAt } from "./spectrum-at.js";
import { freshPart, noted, PHASES } from "./state.js";

/** Effective parameters below which a fit has collapsed. */
const COLLAPSED = 1;
const MOST_RESTARTS = 6;
/** Factor of the decay after a collapse. */
const RESTART_SHARE = 1e-3;
/** Share of the first decay below which the first estimate of a run begins it again. */
const TOO_LARGE = 1 / 3;
/** An update that would change the decay by less, relatively, leaves it: the objective stays what it is. */
const SETTLED = 1e-3;
/** The estimates end once two updates in a row have left the decay, and the log evidence has changed by less than this between them; so does the run. */
const STATIONARY = 1e-3;
/** So does a fall of it by so much, at the decay where it was the highest. */
const CLEAR_FALL = 10;
/** So many updates end them, too. */
const MOST_UPDATES = 40;
/** Share of the equations left as degrees of freedom below which a fit goes through the data. */
const INTERPOLATES = 0.05;
/** Largest decay relative to the largest eigenvalue: beyond it the parameters are 0 to the last digit. */
const MOST = 1e6;

/** The evidence at a point just linearized. */
export async function assess(
  problem: Problem,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Evidence | Failure> {
  const spectrum = await spectrumAt(problem, signal);
  return finite(evidenceOf(spectrum, fitAt(problem, point), problem.decay));
}

/**
 * The state after an update.
 * @param begin a state of Levenberg-Marquardt for a run that begins again
 */
export async function renew(
  begin: (state: MethodState) => MethodState,
  problem: Problem,
  state: MethodState,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Renewed | Failure> {
  const spectrum = await spectrumAt(problem, signal);
  const fit = fitAt(problem, point);
  const found = finite(evidenceOf(spectrum, fit, problem.decay));
  if ("code" in found) return found;
  const phase = numberOf(state, "phase");
  if (phase === PHASES.climbs) return climb(begin, state, found, point);
  if (phase === PHASES.ends) return conclude(state, found);
  const wanted = within(spectrum, nextDecay(found.effectiveParameters, fit), problem.decay);
  const again = decayOfRestart(state, found, wanted);
  if (again !== null) {
    const part = { ...freshPart(again, numberOf(state, "restarts") + 1), taken: numberOf(state, "taken") };
    const begun = arrayOf(state, "begun");
    return { ok: true, state: { ...begin(state), ...part, begun }, restart: begun.slice(), end: null };
  }
  const stays = Math.abs(Math.log(wanted / problem.decay)) < SETTLED;
  const updates = numberOf(state, "updates") + 1;
  const settled = stays ? numberOf(state, "settled") + 1 : 0;
  const stationary = Math.abs(found.logEvidence - numberOf(state, "logEvidence")) < STATIONARY;
  const interpolates = fit.equations - found.effectiveParameters < INTERPOLATES * fit.equations;
  const ended = (settled >= 2 && stationary) || (stays && numberOf(state, "hastened") > 0) || updates >= MOST_UPDATES;
  if (ended || interpolates) return startClimb(begin, { ...state, ...noted(found) }, found, point);
  const peak = numberOf(state, "peakEvidence");
  if (found.logEvidence < peak - CLEAR_FALL) return restartAtPeak(begin, state);
  const higher = found.logEvidence > peak ? { peakEvidence: found.logEvidence, peakDecay: found.decay } : {};
  const decay = stays ? problem.decay : wanted;
  const next = { ...state, ...noted(found), ...higher, decay, steps: 0, hastened: 0, updates, settled };
  return { ok: true, state: next, restart: null, end: null };
}

/** The last updates of a run, whose decay stays: it ends where the evidence does. */
function conclude(state: MethodState, found: Evidence): Renewed {
  const change = found.logEvidence - numberOf(state, "logEvidence");
  const next = { ...state, ...noted(found), steps: 0, hastened: 0 };
  if (!(Math.abs(change) < STATIONARY)) return { ok: true, state: next, restart: null, end: null };
  const { decay, logEvidence, effectiveParameters } = found;
  const message = `the evidence is the highest at a weight decay of ${decay.toPrecision(3)}, and its logarithm changed by ${change.toExponential(1)} to ${logEvidence.toFixed(2)}: ${effectiveParameters.toPrecision(3)} effective parameters`;
  return { ok: true, state: next, restart: null, end: { code: "evidence", message } };
}

/** The decay with which the run begins again; null where it goes on. */
function decayOfRestart(state: MethodState, { decay, effectiveParameters }: Evidence, wanted: number): number | null {
  if (numberOf(state, "restarts") >= MOST_RESTARTS || arrayOf(state, "begun").length === 0) return null;
  if (effectiveParameters < COLLAPSED) return decay * RESTART_SHARE;
  return numberOf(state, "updates") === 0 && wanted < TOO_LARGE * decay ? wanted : null;
}

function fitAt({ engine }: Problem, { loss, parameters }: Point): Fit {
  return { loss, parameterSquare: dot(parameters, parameters), equations: engine.sampleCount * engine.outputSize };
}

/** The decay kept where it has an effect: above the rounding of the largest eigenvalue, and below what leaves no parameter. */
function within({ values }: Spectrum, decay: number, present: number): number {
  const most = values.at(-1) ?? 0;
  // A network without any effect, or all of whose parameters are 0, says nothing about its decay.
  if (most === 0 || Number.isNaN(decay)) return present;
  return Math.min(Math.max(decay, Number.EPSILON * most), MOST * most);
}

/** The evidence, or the failure of numbers that overflow. */
function finite(evidence: Evidence): Evidence | Failure {
  if (Object.values(evidence).every(Number.isFinite)) return evidence;
  return {
    code: "non-finite",
    where: { what: "objective" },
    message: "the evidence is not finite: the curvature or the objective leaves the range of double precision",
  };
}
