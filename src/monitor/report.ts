// Makes the monitor's report from observations and records: excess objective, rates, promised rates, convergence, verdict. monitor.ts calls
// it at the end of a run, and provisionalRecord at each observed point.
//
// If the caller does not give the optimum, it is 0 where p > n c and the kernel is regular. Otherwise it is the remainder that the undamped
// linear model predicts at the last point, normal^2/2 (objective - dissipation/2 if `parts` is off and rho = 0). Rates are then fitted to
// tangent^2, which does not cancel as the difference would, and the report marks them as `estimated`.

import type { ObservedRun } from "../run/observer.js";
import { convergence } from "./convergence.js";
import { judgeFlow } from "./judge-flow.js";
import { judgeTraining, predictions } from "./judge-training.js";
import type { MonitorRecord, MonitorReport, Verdict } from "./monitor-report.js";
import { isOver, type Observation, type Observations } from "./observation.js";
import { convergenceOther, judgeOther, offeredSeries, withoutPromise } from "./other-losses.js";
import { promisedDecrement, promisedRate } from "./promised.js";
import { fitRate, type RatePoint } from "./rate-fit.js";

/** Excess below this multiple of eps * objective is a difference of rounding errors. */
const cancellation = 1000;
/** Points within this factor of the floors are left out of the rate. */
const margin = 100;

type Optimum = NonNullable<MonitorReport["optimum"]>;

/** The record of a point during the run: rate, PL ratio and the promised rate of a training step are missing, because they need the optimum. */
export function provisionalRecord({ flow, train, ...measured }: Observation, noPromise: string | null): MonitorRecord {
  return {
    ...measured,
    dissipation: flow?.dissipation ?? measured.dissipation,
    plRatio: null,
    damping: flow?.damping ?? train?.damping ?? 0,
    gainRatio: train?.gainRatio ?? null,
    rate: null,
    promised:
      noPromise === null
        ? flow && promisedRate(flow.damping, measured.spectrum?.smallest ?? flow.smallestEigenvalue)
        : null,
    noPromise,
  };
}

export function report(input: Observations): MonitorReport {
  const { run, observations, window } = input;
  if (run === null) return nothingSeen(input);
  const noPromise = withoutPromise(run.loss);
  const optimum = findOptimum(input, run, noPromise === null);
  const series = optimum !== null ? excessSeries(input, run, optimum) : noPromise === null ? [] : offeredSeries(input);
  const predicted = predictions(input.train);
  let end = 0;
  const records = observations.map((one): MonitorRecord => {
    while (end < series.length && series[end].position <= one.position) end++;
    const record = provisionalRecord(one, noPromise);
    const excess = optimum === null ? 0 : one.objective - optimum.value;
    const meaningful = noPromise === null && excess > cancellation * Number.EPSILON * one.objective;
    const step = predicted.get(one.position);
    return {
      ...record,
      plRatio: meaningful && record.dissipation !== null ? record.dissipation / (2 * excess) : null,
      rate: fitRate(series.slice(Math.max(0, end - window), end)),
      promised:
        step === undefined || optimum === null || noPromise !== null
          ? record.promised
          : promisedDecrement(step.predicted, step.before - optimum.value),
    };
  });
  const fit = fitRate(series.slice(-window));
  const converged = noPromise === null ? convergence(input, run, optimum) : convergenceOther(input);
  const missed = missedOptimum(input, converged.holds);
  const judged =
    noPromise !== null
      ? judgeOther(input, run, optimum !== null, fit)
      : run.kind === "flow"
        ? judgeFlow(input, run, optimum !== null, missed, fit)
        : judgeTraining(input, run, optimum, missed, fit);
  return {
    records,
    rate: fit && { ...fit, promised: finite(judged.promised), attainable: finite(judged.attainable) },
    optimum,
    converged,
    verdict: judged.verdict,
    noPromise,
    warnings: input.warnings,
  };
}

/** A fixed step that removes the whole excess at once promises no rate. */
function finite(rate: number | null): number | null {
  return rate === Number.POSITIVE_INFINITY ? null : rate;
}

/** A sentence if the run cannot be approaching the optimum that the caller gave; else null. */
function missedOptimum({ optimum, observations, floor }: Observations, converged: boolean): string | null {
  const last = observations.at(-1);
  if (optimum === null || last === undefined) return null;
  const excess = last.objective - optimum;
  const given = `the optimum given is ${optimum}`;
  if (excess < -margin * Math.max(floor, Number.EPSILON * optimum))
    return `${given}, and the run is below it with an objective of ${last.objective.toExponential(3)}`;
  const { tangentNorm } = last;
  const least = margin * Math.max(floor, (tangentNorm ?? 0) ** 2 / 2);
  return converged && tangentNorm !== null && excess > least
    ? `${given}, and the run has converged to an objective of ${last.objective.toExponential(3)}: that is the optimum it can reach from where it started; leave \`optimum\` out, and it is estimated`
    : null;
}

function nothingSeen({ reason, warnings }: Observations): MonitorReport {
  const message = `no point was seen: ${reason?.message ?? "the run has not begun"}`;
  const verdict: Verdict = { code: "not-applicable", message };
  const converged = { holds: false, message };
  return { records: [], rate: null, optimum: null, converged, verdict, noPromise: null, warnings };
}

function findOptimum({ optimum, observations }: Observations, run: ObservedRun, sumOfSquares: boolean): Optimum | null {
  if (optimum !== null) return { value: optimum, estimated: false };
  const last = observations.at(-1);
  if (last === undefined || !sumOfSquares) return null;
  if (isOver(run) && run.decay === 0 && last.spectrum?.below === 0) return { value: 0, estimated: false };
  if (last.normalNorm !== null) return { value: last.normalNorm ** 2 / 2, estimated: true };
  return last.flow?.damping === 0
    ? { value: Math.max(0, last.objective - last.flow.dissipation / 2), estimated: true }
    : null;
}

/** Excess objective over position, above the floors of rounding and of the integrator. */
function excessSeries(input: Observations, run: ObservedRun, optimum: Optimum): RatePoint[] {
  const { flow, train, observations } = input;
  const least = margin * Math.max(input.floor, run.resolution);
  if (run.kind === "flow" && optimum.estimated) {
    const undamped = flow.every(({ damping }) => damping === 0);
    return above(
      undamped
        ? flow.map(({ time, dissipation }) => ({ position: time, value: dissipation / 2 }))
        : observations.map(({ position, tangentNorm }) => ({ position, value: (tangentNorm ?? 0) ** 2 / 2 })),
      () => least,
    );
  }
  const points =
    run.kind === "flow"
      ? flow.map(({ time, objective }) => ({ position: time, value: objective - optimum.value }))
      : train.map(({ iteration, objective }) => ({ position: iteration, value: objective - optimum.value }));
  // The excess is a difference: what is left of the optimum's rounding is no part of it.
  return above(points, (value) =>
    Math.max(least, optimum.value > 0 ? cancellation * Number.EPSILON * (value + optimum.value) : 0),
  );
}

function above(points: readonly RatePoint[], floor: (value: number) => number): RatePoint[] {
  return points.filter(({ value }) => value > floor(value) && value < Number.POSITIVE_INFINITY);
}
