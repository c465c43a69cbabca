// Chooses among networks that were compared on the same held-out rows, by the one standard error rule: the simplest one whose mean loss is
// not significantly above the lowest. search.ts calls it.
//
// The rule is applied to differences: all networks predict the same rows, so that what makes a row hard for each of them cancels, and the
// standard error is that of the mean difference to the best. A limit bounds what simplicity may cost where few rows make that error large.
// Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), section 3.4.3.
import type { Candidate } from "./candidates.js";

/** A candidate and the losses of its held-out rows. */
export interface Compared extends Candidate {
  readonly parameterCount: number;
  /** One loss a held-out row, the same rows for all. */
  readonly losses: Float64Array;
}

/** How a candidate compares with the best. */
export interface Comparison {
  /** Weighted mean of the losses; NaN where a prediction is not finite. */
  readonly score: number;
  /** Mean of the differences to the losses of the best. */
  readonly difference: number;
  /** Standard error of that mean; 0 of the best itself. */
  readonly standardError: number;
}

/**
 * Rows times the largest relative increase of the mean loss that simplicity may cost, whatever the standard error: two thirds for 15 rows, 4%
 * for 280. With many rows decay restrains large networks as well as fewer units do, and held-out losses of networks trained on part of the
 * rows favor the small ones already. With half of this limit too little decay was chosen for the table yacht, 16% more test error than with
 * the best of the list in place of 5% (bench/fit.mjs).
 */
const MOST_LOST = 10;

/** Weighted mean; weights null = all 1. */
function meanOf(values: Float64Array, weights: Float64Array | null): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const weight = weights === null ? 1 : weights[i]!;
    sum += weight * values[i]!;
    total += weight;
  }
  return sum / total;
}

/** Standard error of the weighted mean of independent values. */
function standardErrorOf(values: Float64Array, weights: Float64Array | null): number {
  const mean = meanOf(values, weights);
  let [sum, total] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const weight = weights === null ? 1 : weights[i]!;
    sum += (weight * (values[i]! - mean)) ** 2;
    total += weight;
  }
  return Math.sqrt(sum) / total;
}

/** The position of the lowest mean loss; -1 where none is finite. */
export function bestOf(compared: readonly Compared[], weights: Float64Array | null): number {
  let [best, lowest] = [-1, Number.POSITIVE_INFINITY];
  for (const [k, { losses }] of compared.entries()) {
    const score = meanOf(losses, weights);
    if (score < lowest) [best, lowest] = [k, score];
  }
  return best;
}

/** Every candidate against the best. */
export function compare(
  compared: readonly Compared[],
  best: number,
  weights: Float64Array | null,
): readonly Comparison[] {
  const least = compared[best]?.losses;
  return compared.map(({ losses }) => {
    const differences = losses.map((loss, i) => loss - (least?.[i] ?? Number.NaN));
    return {
      score: meanOf(losses, weights),
      difference: meanOf(differences, weights),
      standardError: standardErrorOf(differences, weights),
    };
  });
}

/** Fewer parameters are simpler; of equal networks the one with more decay is, and one without decay, stopped early, the least. */
function simpler(a: Compared, b: Compared): number {
  return a.parameterCount - b.parameterCount || b.decay - a.decay;
}

/** The position of the choice; -1 where no candidate has a finite loss. */
export function choose(compared: readonly Compared[], weights: Float64Array | null): number {
  const best = bestOf(compared, weights);
  if (best === -1) return -1;
  const comparisons = compare(compared, best, weights);
  const most = (1 + MOST_LOST / compared[best]!.losses.length) * comparisons[best]!.score;
  const eligible = compared
    .map((candidate, k) => ({ candidate, k, at: comparisons[k]! }))
    .filter(({ at }) => at.difference <= at.standardError && at.score <= most)
    .sort((a, b) => simpler(a.candidate, b.candidate));
  return eligible[0]?.k ?? best;
}
