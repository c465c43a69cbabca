// The facts behind a flow's verdict: promised and attainable rates over the window, and what excludes the theory.
import type { ObservedRun, RateFit, Verdict } from "../linearise/observer.js";
import { isSmooth } from "../network/activations.js";
import { isOver, type Observations } from "./observation.js";
import { attainableRate, promisedRate, windowMean } from "./promised.js";
import { flowVerdict } from "./verdict.js";

export interface Judged {
  readonly verdict: Verdict;
  readonly promised: number | null;
  readonly attainable: number | null;
}

export function judgeFlow(input: Observations, run: ObservedRun, optimumKnown: boolean, fit: RateFit | null): Judged {
  const inWindow = ({ position }: { readonly position: number }) =>
    fit !== null && position >= fit.from && position <= fit.until;
  const over = isOver(run);
  const flow = input.flow.map(({ time, damping, smallestEigenvalue }) => ({
    position: time,
    damping,
    smallest: smallestEigenvalue,
  }));
  // rho = 0 promises 2 without a spectrum; otherwise the schedule itself may have asked for one, or the observations have it.
  const own = flow.every(({ damping, smallest }) => damping === 0 || smallest !== null);
  const observed = input.observations.map(({ position, flow: record, spectrum }) => ({
    position,
    damping: record?.damping ?? 0,
    smallest: spectrum?.smallest ?? null,
  }));
  const points = (own ? flow : observed).filter(inWindow);
  const mean = (value: (point: (typeof points)[number]) => number | null) =>
    windowMean(points.map((point) => ({ position: point.position, value: value(point) })));
  const discretised = (rate: number | null) => (rate === null ? null : run.discretised(rate));
  const promised = discretised(mean(({ damping, smallest }) => promisedRate(damping, smallest)));
  const attainable = discretised(mean(({ smallest }) => attainableRate(over, smallest)));
  const verdict = flowVerdict({
    excluded: excluded(input, run),
    optimumKnown,
    fit,
    promised,
    attainable,
    damping: mean(({ damping }) => damping) ?? 0,
    overparameterised: over,
  });
  return { verdict, promised, attainable };
}

/** A normal part of the residual below this share of the tangent part does not bend the rate. */
const negligible = 0.01;

function excluded({ observations }: Observations, run: ObservedRun): string | null {
  const rough = run.architecture.layers.find(({ activation }) => !isSmooth(activation));
  if (rough !== undefined) return `the activation ${rough.activation} is not smooth`;
  if (run.decay > 0)
    return `the rates are those of the loss alone, and this objective has a weight decay of ${run.decay}`;
  const last = observations.at(-1);
  if (!isOver(run) || !last?.spectrum || last.spectrum.below === 0) return null;
  const { tangentNorm, normalNorm, spectrum } = last;
  const lost = `${spectrum.below} eigenvalues of the kernel lie below the rounding floor (duplicate samples?)`;
  if (tangentNorm === null || normalNorm === null)
    return `${lost}, and how much of the residual lies there is not known: switch \`parts\` on`;
  return normalNorm > negligible * tangentNorm
    ? `${lost}, and ${normalNorm.toExponential(2)} of the residual lies where they are`
    : null;
}
