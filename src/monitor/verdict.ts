// Computes the verdict of the monitor: compares the measured rate with the promised one and states what holds the run back. judge-flow.ts
// and judge-training.ts call it at the end of a run. One table of thresholds serves two cases: a flow is judged by its rate in time, a
// training by the share of the damped linear model's prediction that its steps achieved.
//
//   flow       goal = the better of promised and attainable rate
//              measured >= goal            on-theory, or faster-than-promised beyond the band
//              below the promise           curvature-limited: the linear theory does not hold here; stalled if the rate is nearly 0
//              between promise and goal    damping-limited if rho explains it: the rate is the one that rho promises for the slowest mode,
//                                          or, at these same points, the undamped flow would have the goal (dissipation/tangent^2)
//              a singular J, rounding, an unstable step and a wrong optimum are reported before any rate
//   training   the same words for rates an iteration; the goal is the whole excess at once
import type { RateFit, Verdict } from "./monitor-report.js";
import { percent } from "./percent.js";

/** The numbers behind the monitor's verdicts. */
export const VERDICT_THRESHOLDS = Object.freeze({
  /** Relative distance of a flow's rate from its promise that still counts as equal; three standard errors if those are more. */
  flowBand: 0.02,
  /** The same for training, where one iteration is a whole step of nonlinear dynamics. */
  trainBand: 0.2,
  /** Standard errors of a rate that count as no difference. */
  standardErrors: 3,
  /** With a wider band than this share of the rate there is no one rate in the window, and no verdict on a flow. */
  widestBand: 0.1,
  /** A flow below this share of the promised rate has stalled. */
  stalledShare: 0.02,
  /** A training run that loses less than this share of its excess an iteration has stalled. */
  stalledDecrement: 0.01,
  /** A training is damping-limited if its predicted reduction is below this share of the undamped model's ... */
  offeredShare: 0.5,
  /** ... and the steps achieve what the model predicts: mean gain ratio at least this. */
  goodGain: 0.75,
  /** Points in the window that a verdict needs. */
  points: 4,
});

/** Reasons why a run cannot be judged by its rate, as sentences; null if a reason does not apply. */
interface Obstacles {
  /** Why the theory says nothing here, as a phrase. */
  readonly excluded: string | null;
  readonly optimumKnown: boolean;
  /** The caller's optimum is not what the run tends to. */
  readonly missedOptimum: string | null;
  /** How the run ended, if it was cut short. */
  readonly ended: string | null;
}

/** The facts of a flow. */
export interface FlowFacts extends Obstacles {
  readonly fit: RateFit | null;
  /** Means over the window; infinite where a fixed step takes everything at once. */
  readonly promised: number | null;
  readonly attainable: number | null;
  /** Dissipation over that of the undamped flow at the same points; null = not measured. */
  readonly share: number | null;
  readonly damping: number;
  readonly overparameterized: boolean;
  /** The flow ran into a singular J; `start`: it began at one. */
  readonly singular: { readonly start: boolean; readonly message: string } | null;
  /** Set if rounding determines the steps. */
  readonly rounding: string | null;
  /** A fixed step beyond the method's stability limit. */
  readonly unstable: string | null;
}

const show = (value: number) => value.toPrecision(5);

const tooCurved =
  "the flow is slower than the theory promises, since the predictions' manifold is too curved for a linear theory; a larger outputScale flattens it (recommendOutputScale)";

function notApplicable(message: string): Verdict {
  return { code: "not-applicable", message };
}

/** The obstacles that both kinds of verdict share. */
function withoutRate({ excluded, optimumKnown, missedOptimum, ended }: Obstacles, fit: RateFit | null): Verdict | null {
  if (excluded !== null) return notApplicable(`the theory says nothing here: ${excluded}`);
  if (missedOptimum !== null) return notApplicable(missedOptimum);
  if (!optimumKnown) return notApplicable("the optimum is not known: switch `parts` on, or give `optimum`");
  const points = fit?.points ?? 0;
  if (points >= VERDICT_THRESHOLDS.points) return null;
  return notApplicable(
    `the run is too short to say how fast it is (too few points above the error floor for a rate: ${points}, at least ${VERDICT_THRESHOLDS.points} are needed)${ended === null ? "" : `; ${ended}`}`,
  );
}

export function flowVerdict(facts: FlowFacts): Verdict {
  const { fit, promised, attainable, singular, rounding, unstable, ended } = facts;
  if (facts.excluded === null) {
    if (rounding !== null) return { code: "rounding-limited", message: rounding };
    if (singular !== null) return singularVerdict(singular, fit);
  }
  const none = unstable === null ? withoutRate(facts, fit) : null;
  if (none !== null || fit === null) return none ?? notApplicable(unstable ?? "no rate");
  const measured = inWords(fit);
  if (unstable !== null) return notApplicable(`the fixed step is too long: ${measured}: ${unstable}`);
  if (promised === null || attainable === null)
    return notApplicable(
      "how fast it should be cannot be said: the spectrum of the kernel was not recorded, and with this damping the promise needs it (monitor({ spectrum: true }))",
    );
  const verdict =
    promised === Number.POSITIVE_INFINITY
      ? notApplicable(
          `no rate is promised: to first order the fixed step takes all of the excess at once (a full Gauss-Newton step); look at \`converged\` (${measured})`,
        )
      : byRate(facts, measured, { fit, promised, attainable });
  return ended === null ? verdict : { ...verdict, message: `${verdict.message}; ${ended}` };
}

function inWords({ measured, standardError }: RateFit): string {
  const [verb, rate] = measured < 0 ? ["rises", -measured] : ["falls", measured];
  return `the excess loss ${verb} at rate ${show(rate)} (+- ${standardError.toExponential(1)} of the line fit)`;
}

/** The verdict for a singular J: not-applicable at the start, curvature-limited later. */
function singularVerdict({ start, message }: NonNullable<FlowFacts["singular"]>, fit: RateFit | null): Verdict {
  if (start) return notApplicable(message);
  const steady =
    fit !== null &&
    fit.points >= VERDICT_THRESHOLDS.points &&
    VERDICT_THRESHOLDS.standardErrors * fit.standardError <= VERDICT_THRESHOLDS.widestBand * Math.abs(fit.measured);
  const before = steady ? `; until then ${inWords(fit)}` : "";
  return { code: "curvature-limited", message: `the flow ran into a singular Jacobian: ${message}${before}` };
}

/** The rate with which the measured one is compared. */
interface Held {
  readonly fit: RateFit;
  readonly promised: number;
  readonly attainable: number;
}

function byRate(facts: FlowFacts, measured: string, { fit, promised, attainable }: Held): Verdict {
  const { damping, overparameterized } = facts;
  const goal = Math.max(promised, attainable);
  const errors = VERDICT_THRESHOLDS.standardErrors * fit.standardError;
  if (errors > VERDICT_THRESHOLDS.widestBand * Math.max(goal, Math.abs(fit.measured)))
    return notApplicable(
      `there is no one rate to judge: ${measured}, and it changes within the window, from t = ${show(fit.from)} to ${show(fit.until)}`,
    );
  const band = (rate: number) => Math.max(VERDICT_THRESHOLDS.flowBand * rate, errors);
  if (fit.measured >= goal - band(goal))
    return fit.measured <= goal + band(goal)
      ? {
          code: "on-theory",
          message: `the flow is as fast as the theory promises: ${measured}, promised are ${show(goal)}`,
        }
      : {
          code: "faster-than-promised",
          message: `the flow is faster than the theory promises, and nothing has to be changed: ${measured}, more than the ${show(goal)} promised for the slowest mode`,
        };
  if (fit.measured >= promised - band(promised)) return damped(facts, measured, { fit, promised, attainable }, band);
  if (fit.measured <= VERDICT_THRESHOLDS.stalledShare * promised)
    return {
      code: "stalled",
      message: `the flow hardly moves any more: ${measured} where ${show(promised)} are promised; look at drift and spectrum of the records`,
    };
  const rho = damping > 0 && overparameterized ? " with this damping" : "";
  return {
    code: "curvature-limited",
    message: `${tooCurved}: ${measured}, less than the ${show(promised)} promised${rho}`,
  };
}

/** Between what the damping promises and what another would. */
function damped(
  { share, damping, overparameterized }: FlowFacts,
  measured: string,
  { fit, promised, attainable }: Held,
  band: (rate: number) => number,
): Verdict {
  const other = overparameterized ? "spectralDamping() with c = 1" : "damping: 0";
  const rho = `the damping rho = ${show(damping)} promises ${show(promised)} for the slowest mode`;
  const offer = `${other} would promise ${show(attainable)}`;
  const kept = fit.measured <= promised + band(promised);
  const undamped = share !== null && share > 0 ? fit.measured / share : null;
  if (kept || (undamped !== null && undamped >= attainable - band(attainable) / Math.min(1, share ?? 1))) {
    const held = share === null ? "" : `, and at these points lets through ${percent(share)} of the undamped flow`;
    return { code: "damping-limited", message: `the damping slows the flow: ${measured}; ${rho}${held}; ${offer}` };
  }
  if (undamped === null)
    return {
      code: "faster-than-promised",
      message: `the flow is faster than its damping promises: ${measured} (${rho}); ${offer}; what holds it back is not known, since \`parts\` is off`,
    };
  return {
    code: "curvature-limited",
    message: `${tooCurved}: ${measured}, less than ${show(attainable)}, and the damping alone does not explain it (without it, ${show(undamped)} at these points)`,
  };
}

/** The facts of a training run. */
export interface TrainFacts extends Obstacles {
  readonly fit: RateFit | null;
  /** Means over the window: promised decrement of log excess an iteration, and how much of their prediction the steps kept. */
  readonly promised: number | null;
  readonly gainRatio: number | null;
  /** Predicted reduction over that of the undamped model at the same point: 1 without damping; null = not measured. */
  readonly share: number | null;
  readonly damping: number;
}

export function trainVerdict(facts: TrainFacts): Verdict {
  const { fit, ended } = facts;
  const none = withoutRate(facts, fit);
  if (none !== null || fit === null) return none ?? notApplicable("no rate");
  const verdict = byDecrement(facts, fit);
  return ended === null ? verdict : { ...verdict, message: `${verdict.message}; ${ended}` };
}

/** Predicted reductions that leave less than this share of the excess are written as "all but", because their logarithm is rounding. */
const nearlyAll = 1e-6;

function byDecrement({ promised, share, gainRatio, damping }: TrainFacts, fit: RateFit): Verdict {
  if (promised === null || gainRatio === null)
    return notApplicable(
      'how fast it should be cannot be said: in the last iterations a correction of the curvature was in use, for which the theory promises nothing. Look at whether it has converged; levenbergMarquardt({ residualCurvature: "none" }) gives a run that can be judged (no step in the window has a gain ratio)',
    );
  const measured = `log excess loss falls by ${show(fit.measured)} (+- ${fit.standardError.toExponential(1)} of the line fit) an iteration`;
  const model = `the damped linear model offers ${promised > -Math.log(nearlyAll) ? "all but a millionth of the excess or less" : show(promised)}, and steps keep ${show(gainRatio)} of what it offers`;
  const numbers = `(${measured}; ${model})`;
  if (
    damping > 0 &&
    share !== null &&
    share < VERDICT_THRESHOLDS.offeredShare &&
    gainRatio >= VERDICT_THRESHOLDS.goodGain
  )
    return {
      code: "damping-limited",
      message: `the damping holds the steps back, as it has to where longer ones would fail: allow more iterations if the error has to fall further (${measured}; ${model}, which is ${percent(share)} of what it would offer without the damping ${damping.toExponential(2)})`,
    };
  if (fit.measured < VERDICT_THRESHOLDS.stalledDecrement)
    return {
      code: "stalled",
      message: `the training error hardly falls any more, and more iterations will change little: another start (seed) or other hidden units may end lower ${numbers}`,
    };
  const band = Math.max(VERDICT_THRESHOLDS.trainBand * promised, VERDICT_THRESHOLDS.standardErrors * fit.standardError);
  if (fit.measured > promised + band)
    return {
      code: "faster-than-promised",
      message: `the error falls faster than the theory promises: nothing has to be changed ${numbers}`,
    };
  if (fit.measured >= promised - band)
    return {
      code: "on-theory",
      message: `the error falls as fast as the theory promises: nothing has to be changed ${numbers}`,
    };
  return {
    code: "curvature-limited",
    message: `steps bring less than they promise, since the network is not linear over the length of a step: allow more iterations, or try more hidden units ${numbers}`,
  };
}
