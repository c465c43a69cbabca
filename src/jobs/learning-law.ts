// Fits the law of a learning curve, f(m) = floor + scale m^-exponent of m rows to train on, and asks it what twice the rows would bring.
// learning-curve.ts calls it for each target.
//
// The law is that of the mean squared error or the log-loss: the floor is what noise and network leave however many rows there are, and the rest
// falls by a power (Hestness et al. 2017, arXiv 1712.00409, for networks; 1 for a model that holds the truth). For every exponent of a list
// floor and scale are a linear least-squares problem in relative errors with both at least 0.

/** f(m) = floor + scale m^-exponent. */
export interface LearningLaw {
  /** What no number of rows goes below, at least 0. */
  readonly floor: number;
  /** Factor of the part that falls, at least 0. */
  readonly scale: number;
  /** Power by which it falls, 0.2 to 2. */
  readonly exponent: number;
}

/** Exponents that are tried: a slower power than the first cannot be told from a higher floor on a factor of ten in rows. */
const EXPONENTS = Array.from({ length: 37 }, (_, k) => 0.2 + 0.05 * k);

/** Points that a law needs: it has three numbers. */
export const LEAST_POINTS = 3;

/** Value of the law at `rows`. */
export function lawAt({ floor, scale, exponent }: LearningLaw, rows: number): number {
  return floor + scale * rows ** -exponent;
}

/**
 * The law of least relative error; null for fewer than three points or a value that is not above 0.
 * @param rows of each point, different from each other
 * @param values of each point
 */
export function fitLaw(rows: readonly number[], values: readonly number[]): LearningLaw | null {
  if (rows.length < LEAST_POINTS || !values.every((value) => value > 0 && Number.isFinite(value))) return null;
  let best: { readonly law: LearningLaw; readonly error: number } | null = null;
  for (const exponent of EXPONENTS) {
    const law = { ...linearPart(rows, values, exponent), exponent };
    const error = rows.reduce((sum, m, k) => sum + (lawAt(law, m) / values[k]! - 1) ** 2, 0);
    if (best === null || error < best.error) best = { law, error };
  }
  return best?.law ?? null;
}

/** The floor and scale of least relative error for an exponent, both at least 0. */
function linearPart(
  rows: readonly number[],
  values: readonly number[],
  exponent: number,
): Omit<LearningLaw, "exponent"> {
  // Columns 1 / y and m^-exponent / y, right-hand side 1.
  let [aa, ab, bb, a, b] = [0, 0, 0, 0, 0];
  for (const [k, m] of rows.entries()) {
    const [one, power] = [1 / values[k]!, m ** -exponent / values[k]!];
    aa += one * one;
    ab += one * power;
    bb += power * power;
    a += one;
    b += power;
  }
  const determinant = aa * bb - ab * ab;
  const [floor, scale] = [(a * bb - b * ab) / determinant, (aa * b - ab * a) / determinant];
  if (!(floor >= 0)) return { floor: 0, scale: b / bb };
  return scale >= 0 ? { floor, scale } : { floor: a / aa, scale: 0 };
}
