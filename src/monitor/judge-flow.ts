// Collects the facts for the verdict on a flow: promised and attainable rates over the window, and what excludes the theory. report.ts
// calls it at the end of a flow; verdict.ts turns the facts into the verdict.

import type { Reason, ReasonCode } from "../method/reason.js";
import { isSmooth } from "../network/activations.js";
import type { ObservedRun } from "../run/observer.js";
import type { RateFit, Verdict } from "./monitor-report.js";
import { deadNetwork, isOver, type Observations } from "./observation.js";
import { attainableRate, promisedRate, windowMean } from "./promised.js";
import { flowVerdict } from "./verdict.js";

export interface Judged {
  readonly verdict: Verdict;
  readonly promised: number | null;
  readonly attainable: number | null;
}

export function judgeFlow(
  input: Observations,
  run: ObservedRun,
  optimumKnown: boolean,
  missedOptimum: string | null,
  fit: RateFit | null,
): Judged {
  const inWindow = ({ position }: { readonly position: number }) =>
    fit !== null && position >= fit.from && position <= fit.until;
  const over = isOver(run);
  const flow = input.flow.map(({ time, damping, smallestEigenvalue }) => ({
    position: time,
    damping,
    smallest: smallestEigenvalue,
  }));
  // rho = 0 promises 2 without a spectrum; otherwise the schedule itself may have computed one, or the observations have it.
  const own = flow.every(({ damping, smallest }) => damping === 0 || smallest !== null);
  const observed = input.observations.map(({ position, flow: record, spectrum }) => ({
    position,
    damping: record?.damping ?? 0,
    smallest: spectrum?.smallest ?? null,
  }));
  const points = (own ? flow : observed).filter(inWindow);
  const mean = (value: (point: (typeof points)[number]) => number | null) =>
    windowMean(points.map((point) => ({ position: point.position, value: value(point) })));
  const discretized = (rate: number | null) => (rate === null ? null : run.discretized(rate));
  const promised = discretized(mean(({ damping, smallest }) => promisedRate(damping, smallest)));
  const attainable = discretized(mean(({ smallest }) => attainableRate(over, smallest)));
  const shares = input.observations.filter(inWindow).map(({ position, flow: record, tangentNorm }) => ({
    position,
    value: record === null || !tangentNorm ? null : record.dissipation / tangentNorm ** 2,
  }));
  const verdict = flowVerdict({
    excluded: excluded(input, run),
    optimumKnown,
    missedOptimum,
    ended: ended(input.reason),
    fit,
    promised,
    attainable,
    share: windowMean(shares),
    damping: mean(({ damping }) => damping) ?? 0,
    overparameterized: over,
    singular: singular(input),
    rounding: input.flow.find((record) => record.rounding !== null)?.rounding ?? null,
    unstable: unstable(input, run),
  });
  return { verdict, promised, attainable };
}

/** Ends that cut a flow short. */
const cutShort: readonly ReasonCode[] = [
  "steps",
  "seconds",
  "aborted",
  "step-too-small",
  "non-finite",
  "memory",
  "no-progress",
];

function ended(reason: Reason | null): string | null {
  return reason !== null && cutShort.includes(reason.code) ? `the flow was cut short: ${reason.message}` : null;
}

function singular({ reason, flow }: Observations): { start: boolean; message: string } | null {
  if (reason?.code !== "singular-jacobian") return null;
  return { start: flow.length <= 1, message: reason.message };
}

/** A fixed step in which the fastest mode, k/((1-rho) k + rho) of the largest eigenvalue k, grows. */
function unstable({ observations }: Observations, run: ObservedRun): string | null {
  const last = observations.at(-1);
  const rho = last?.flow?.damping ?? 0;
  const largest = last?.spectrum?.largest ?? null;
  const fastest = promisedRate(rho, largest);
  return run.fixedStep !== null && fastest !== null && run.discretized(fastest) < 0
    ? `${run.fixedStep} is beyond its stability limit: the fastest mode decays at ${fastest.toPrecision(4)} and such a step makes it grow; use a smaller one`
    : null;
}

/** A normal part of the residual below this share of the tangent part does not bend the rate. */
const negligible = 0.01;

function excluded({ observations }: Observations, run: ObservedRun): string | null {
  const rough = run.architecture.layers.find(({ activation }) => !isSmooth(activation));
  if (rough !== undefined) return `the activation ${rough.activation} is not smooth`;
  if (run.decay > 0)
    return `the rates are those of the loss alone, and this objective has a weight decay of ${run.decay}`;
  const last = observations.at(-1);
  if (last?.rank === 0) return deadNetwork;
  if (!isOver(run) || !last?.spectrum || last.spectrum.below === 0) return null;
  const { tangentNorm, normalNorm, spectrum } = last;
  const lost = `${spectrum.below} eigenvalues of the kernel lie below the rounding floor (duplicate samples?)`;
  if (tangentNorm === null || normalNorm === null)
    return `${lost}, and how much of the residual lies there is not known: \`parts\` is off, or its system is singular to rounding`;
  return normalNorm > negligible * tangentNorm
    ? `${lost}, and ${normalNorm.toExponential(2)} of the residual lies where they are`
    : null;
}
