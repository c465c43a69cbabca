// The verdict: how the measured rate stands to the promised one, and what holds it back. One table of thresholds, two readings of
// it: a flow is judged by its rate in time, a training run by what its steps took of what the damped linear model offered.
//
//   flow       goal = the better of promised and attainable rate
//              measured >= goal            on-theory, or faster-than-promised beyond the band
//              promised < goal, and kept   damping-limited: rho, not the problem, sets the rate
//              below the promise           curvature-limited: the linear theory does not hold here; stalled where next to nothing is left
//   training   the same words for rates an iteration; the goal is the whole excess at once
import type { RateFit, Verdict } from "../linearise/observer.js";

export const VERDICT_THRESHOLDS = Object.freeze({
  /** Relative distance of a flow's rate from its promise that still counts as equal; three standard errors if those are more. */
  flowBand: 0.02,
  /** The same for training, where one iteration is a whole step of nonlinear dynamics. */
  trainBand: 0.2,
  standardErrors: 3,
  /** With a wider band than this share of the rate there is no one rate in the window, and no verdict on a flow. */
  widestBand: 0.1,
  /** Below this share of the promise nothing moves. */
  stalledShare: 0.02,
  /** A training run that loses less than this share of its excess an iteration has stalled. */
  stalledDecrement: 0.01,
  /** Below this share of what the undamped model hopes for the damping is what holds training back... */
  offeredShare: 0.5,
  /** ... provided that the steps keep what the model offers: mean gain ratio at least this. */
  goodGain: 0.75,
  /** Points in the window that a verdict needs. */
  points: 4,
});

/** The facts of a flow. */
export interface FlowFacts {
  /** Why the theory says nothing here, as a phrase; null where it applies. */
  readonly excluded: string | null;
  readonly optimumKnown: boolean;
  readonly fit: RateFit | null;
  /** Means over the window. */
  readonly promised: number | null;
  readonly attainable: number | null;
  readonly damping: number;
  readonly overparameterised: boolean;
}

const show = (value: number) => value.toPrecision(5);

function notApplicable(message: string): Verdict {
  return { code: "not-applicable", message };
}

/** What keeps either verdict from being given at all. */
function withoutRate(
  { excluded, optimumKnown }: { readonly excluded: string | null; readonly optimumKnown: boolean },
  fit: RateFit | null,
): Verdict | null {
  if (excluded !== null) return notApplicable(`the theory says nothing here: ${excluded}`);
  if (!optimumKnown) return notApplicable("the optimum is not known: switch `parts` on, or give `optimum`");
  const points = fit?.points ?? 0;
  if (points >= VERDICT_THRESHOLDS.points) return null;
  return notApplicable(
    `too few points above the error floor for a rate: ${points}, at least ${VERDICT_THRESHOLDS.points} are needed`,
  );
}

export function flowVerdict(facts: FlowFacts): Verdict {
  const { fit, promised, attainable, damping, overparameterised } = facts;
  const none = withoutRate(facts, fit);
  if (none !== null || fit === null) return none ?? notApplicable("no rate");
  if (promised === null || attainable === null)
    return notApplicable("the spectrum of the kernel was not recorded, and with this damping the promise needs it");
  const measured = `the loss falls at rate ${show(fit.measured)} +- ${fit.standardError.toExponential(1)}`;
  const goal = Math.max(promised, attainable);
  const errors = VERDICT_THRESHOLDS.standardErrors * fit.standardError;
  if (errors > VERDICT_THRESHOLDS.widestBand * Math.max(goal, Math.abs(fit.measured)))
    return notApplicable(`${measured}: it changes within the window, from t = ${show(fit.from)} to ${show(fit.until)}`);
  const band = (rate: number) => Math.max(VERDICT_THRESHOLDS.flowBand * rate, errors);
  if (fit.measured >= goal - band(goal))
    return fit.measured <= goal + band(goal)
      ? { code: "on-theory", message: `${measured}, promised are ${show(goal)}` }
      : {
          code: "faster-than-promised",
          message: `${measured}, more than the ${show(goal)} promised for the slowest mode`,
        };
  if (fit.measured >= promised - band(promised)) {
    const other = overparameterised ? "spectralDamping() with c = 1" : "damping: 0";
    return {
      code: "damping-limited",
      message: `${measured}; the damping rho = ${show(damping)} promises ${show(promised)}, ${other} would promise ${show(attainable)}`,
    };
  }
  if (fit.measured <= VERDICT_THRESHOLDS.stalledShare * promised)
    return {
      code: "stalled",
      message: `${measured} where ${show(promised)} are promised: the flow hardly moves any more; look at drift and spectrum of the records`,
    };
  return {
    code: "curvature-limited",
    message: `${measured}, less than the ${show(promised)} promised: the predictions' manifold is too curved for the linear theory; a larger outputScale flattens it (recommendOutputScale)`,
  };
}

/** The facts of a training run. */
export interface TrainFacts {
  readonly excluded: string | null;
  readonly optimumKnown: boolean;
  readonly fit: RateFit | null;
  /** Means over the window: promised decrement of log excess an iteration, and how much of their prediction the steps kept. */
  readonly promised: number | null;
  readonly gainRatio: number | null;
  /** Predicted reduction over that of the undamped model at the same point: 1 without damping; null = not measured. */
  readonly share: number | null;
  readonly damping: number;
}

export function trainVerdict(facts: TrainFacts): Verdict {
  const { fit, promised, share, gainRatio, damping } = facts;
  const none = withoutRate(facts, fit);
  if (none !== null || fit === null) return none ?? notApplicable("no rate");
  if (promised === null || gainRatio === null)
    return notApplicable("no step in the window has a gain ratio, so what the model offered is not known");
  const measured = `log excess loss falls by ${show(fit.measured)} +- ${fit.standardError.toExponential(1)} an iteration`;
  const model = `the damped linear model offers ${show(promised)}, and steps keep ${show(gainRatio)} of what it offers`;
  if (
    damping > 0 &&
    share !== null &&
    share < VERDICT_THRESHOLDS.offeredShare &&
    gainRatio >= VERDICT_THRESHOLDS.goodGain
  )
    return {
      code: "damping-limited",
      message: `${measured}; ${model}, which is ${(100 * share).toPrecision(2)}% of what it would offer without: the damping ${damping.toExponential(2)} holds the steps back`,
    };
  if (fit.measured < VERDICT_THRESHOLDS.stalledDecrement)
    return { code: "stalled", message: `${measured}: next to nothing; ${model}` };
  const band = Math.max(VERDICT_THRESHOLDS.trainBand * promised, VERDICT_THRESHOLDS.standardErrors * fit.standardError);
  if (fit.measured > promised + band) return { code: "faster-than-promised", message: `${measured}; ${model}` };
  if (fit.measured >= promised - band) return { code: "on-theory", message: `${measured}; ${model}` };
  return {
    code: "curvature-limited",
    message: `${measured}; ${model}: the network is not linear over the length of a step`,
  };
}
