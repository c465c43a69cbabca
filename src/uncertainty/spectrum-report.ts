// Describes how far the data determine the parameters: the eigenvalues of G over the decades, and the number of directions that stand above
// the weight decay or above rounding. Neural networks are sloppy: the values of G spread evenly over many decades (Transtrum, Machta and
// Sethna, Phys. Rev. Lett. 104 (2010) 060201). Uncertainty (uncertainty.ts) makes one.
import type { Posterior } from "../network/posterior.js";

/** Eigenvalues of G that lie in one decade. */
export interface Decade {
  /** k: the values from 10^k to below 10^(k+1). */
  readonly exponent: number;
  /** How many values it has. */
  readonly count: number;
}

/** The spectrum of G = J~^T J~ at the trained network, in the units of training. */
export interface SpectrumReport {
  /** Eigenvalues, descending; without those that are 0 or below rounding. */
  readonly values: Float64Array;
  /** Number of directions, p. */
  readonly directions: number;
  /**
   * Directions that the data determine: those whose value is above the weight decay, and so is learned rather from the data than from the decay;
   * without a decay those above rounding, the numerical rank.
   */
  readonly determined: number;
  /** Decades with at least one value, the largest first. */
  readonly decades: readonly Decade[];
}

export function spectrumReport({ values: ascending, decay }: Posterior, directions: number): SpectrumReport {
  const rounding = directions * Number.EPSILON * (ascending.at(-1) ?? 0);
  const values = ascending.filter((value) => value > rounding || (decay === 0 && value > 0)).reverse();
  const decades: { exponent: number; count: number }[] = [];
  for (const value of values) {
    const exponent = Math.floor(Math.log10(value));
    const last = decades.at(-1);
    if (last?.exponent === exponent) last.count++;
    else decades.push({ exponent, count: 1 });
  }
  return { values, directions, determined: values.filter((value) => value > decay).length, decades };
}
