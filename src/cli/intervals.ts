// What the commands show of the uncertainty of a network that was trained with --uncertainty: the columns of predict --intervals and
// --averaged, the coverage of evaluate --intervals, and the lines of train. predict.ts and train-outcome.ts call it.

import { showBytes } from "../bytes.js";
import type { Dataset } from "../data/dataset.js";
import { Ensemble } from "../network/ensemble.js";
import type { Network } from "../network/network.js";
import { excessBytes } from "../network/posterior-file.js";
import { counted, formatNumber } from "../report/numbers.js";
import { UNMEASURED } from "../train/uncertainty.js";
import { type Uncertainty, uncertaintyOf } from "../uncertainty/uncertainty.js";
import { UsageError } from "./exit.js";

/** The flags of `predict` and `evaluate` that need an uncertainty. */
export interface IntervalFlags {
  readonly intervals?: number;
  readonly averaged?: true;
}

/**
 * The uncertainty that the flags ask for; null where they ask for none.
 * @throws UsageError for a model without one, or with the other kind of predictions
 */
export function askedUncertainty(
  model: Network | Ensemble,
  file: string,
  { intervals, averaged }: IntervalFlags,
): Uncertainty | null {
  const flag = intervals !== undefined ? "--intervals" : averaged ? "--averaged" : null;
  if (flag === null) return null;
  if (model instanceof Ensemble)
    throw new UsageError(
      `${flag} is about one network, and ${file} is an ensemble: leave ${flag} out, or use --spread`,
    );
  if (model.posterior === null)
    throw new UsageError(
      `${flag} needs a model that was trained with gaussflow train --uncertainty, and ${file} was not: train it again`,
    );
  const probabilities = model.link !== "identity";
  if (intervals !== undefined && probabilities)
    throw new UsageError(
      `--intervals is about numbers, and ${file} predicts probabilities: --averaged has them averaged over the uncertainty`,
    );
  if (averaged && !probabilities)
    throw new UsageError(
      `--averaged is about probabilities, and ${file} predicts numbers: --intervals 0.9 has their intervals`,
    );
  return uncertaintyOf(model);
}

/** Columns to write in place of the predictions alone: n rows of as many columns as there are targets in each. */
export async function uncertainColumns(
  uncertainty: Uncertainty,
  targets: readonly string[],
  inputs: Float64Array,
  { intervals }: IntervalFlags,
): Promise<readonly { readonly names: readonly string[]; readonly values: Float64Array }[]> {
  if (intervals === undefined) {
    const { probabilities } = await uncertainty.probabilities(inputs);
    return [{ names: targets, values: probabilities }];
  }
  const { mean, lower, upper, standardError } = await uncertainty.predict(inputs, { intervals });
  const named = (what: string) => targets.map((name) => `${name} ${what}`);
  return [
    { names: targets, values: mean },
    { names: named("standard error"), values: standardError },
    { names: named("lower"), values: lower },
    { names: named("upper"), values: upper },
  ];
}

/** Share of the targets of a table in the intervals of new observations. */
export interface IntervalCoverage {
  readonly target: string;
  readonly level: number;
  readonly coverage: number;
}

/** One entry a target; rows of a set with weights count by them. */
export async function coverageOf(
  uncertainty: Uncertainty,
  { inputs, targets, weights, targetNames }: Dataset,
  level: number,
): Promise<readonly IntervalCoverage[]> {
  const { lower, upper } = await uncertainty.predict(inputs, { intervals: level });
  const k = targetNames.length;
  const inside = new Float64Array(k);
  let total = 0;
  for (let at = 0; at < targets.length; at++) {
    const weight = weights?.[Math.floor(at / k)] ?? 1;
    if (at % k === 0) total += weight;
    if (targets[at]! >= lower[at]! && targets[at]! <= upper[at]!) inside[at % k]! += weight;
  }
  return targetNames.map((target, a) => ({ target, level, coverage: inside[a]! / total }));
}

/** One line of `evaluate`. */
export function coverageLine(list: readonly IntervalCoverage[]): string {
  const parts = list.map(({ target, coverage }) => `${(100 * coverage).toFixed(1)}% of ${target}`);
  return `Intervals of ${Number((100 * (list[0]?.level ?? 0)).toPrecision(6))}%: they hold ${parts.join(", ")}.`;
}

/** One line of `train`. */
export function uncertaintyLine(
  { network, noise, degreesOfFreedom, effectiveParameters, spectrum }: Uncertainty,
  targets: readonly string[],
): string {
  const { directions, determined, decades } = spectrum;
  const span = (decades[0]?.exponent ?? 0) - (decades.at(-1)?.exponent ?? 0) + 1;
  const found = `${formatNumber(effectiveParameters)} effective of ${counted(network.parameterCount, "parameter")}; the data determine ${determined} of ${directions} directions, over ${counted(span, "decade")} of curvature`;
  if (noise === null || degreesOfFreedom === null) return `Uncertainty: ${found}.`;
  const parts = [...noise].map(
    (one, a) =>
      `${formatNumber(one)}${noise.length > 1 ? ` in ${targets[a]}` : ""} (${formatNumber(degreesOfFreedom[a]!)} degrees of freedom)`,
  );
  return `Uncertainty: noise ${parts.join(", ")}; ${found}.`;
}

/** What a JSON line of `train` has of it. */
export function uncertaintyFields(uncertainty: Uncertainty | null): object | null {
  if (uncertainty === null) return null;
  const { samples, decay, effectiveParameters, noise, degreesOfFreedom, spectrum } = uncertainty;
  const { directions, determined, decades } = spectrum;
  return {
    ...{ samples, decay, effectiveParameters, directions, determined, decades },
    noise: noise && [...noise],
    degreesOfFreedom: degreesOfFreedom && [...degreesOfFreedom],
  };
}

/** The model as it is saved: without a posterior that is too large for a file, because the training is not lost over it. */
export function savable(model: Network | Ensemble, caution: (text: string) => void): Network | Ensemble {
  if (model instanceof Ensemble || model.posterior === null) return model;
  const bytes = excessBytes(model.posterior);
  if (bytes === 0) return model;
  caution(
    `the model is saved without its uncertainty of ${showBytes(bytes)}, for which files have no room: fewer units (--hidden) need less`,
  );
  return model.withPosterior(null);
}

/** Warnings of the end of a training that nothing has shown yet. */
export function uncertaintyWarnings(uncertainty: Uncertainty | null, warnings: readonly string[]): readonly string[] {
  return uncertainty?.warnings ?? warnings.filter((warning) => warning.startsWith(UNMEASURED));
}
