// Computes the rates that the theory promises for the loss g (derived here, docs/theory.md; all refer to the sum loss). The judgments
// (judge-*.ts) call it for the verdict, and report.ts for each record.
//
//   a mode of K with eigenvalue k decays in the residual at k/((1-rho) k + rho), in the loss at twice that; the slowest has the
//   smallest eigenvalue lambda:                   promised   = 2 lambda / ((1-rho) lambda + rho)
//     rho = 0                                     promised   = 2, for any spectrum
//     rho = c lambda/(1 + c lambda)               promised   = 2 (1 + c lambda)/(1 + c)
//   with the default damping:                     attainable = 2 for p <= n c (rho = 0), 1 + lambda for p > n c (spectral, c = 1)
//
//   a discrete step removes the share q = predicted/excess of the excess objective, if the linear model is right:
//                                                 promised   = -log(1 - q) an iteration

/** Rate of the loss along a flow. @param smallest smallest eigenvalue of K above the rounding floor; null = unknown */
export function promisedRate(rho: number, smallest: number | null): number | null {
  if (rho === 0) return 2;
  return smallest === null ? null : (2 * smallest) / ((1 - rho) * smallest + rho);
}

/** The rate of the loss that the default damping of `flow` promises for this problem: rho = 0, or spectralDamping() with c = 1. */
export function attainableRate(overparameterized: boolean, smallest: number | null): number | null {
  if (!overparameterized) return 2;
  return smallest === null ? null : 1 + smallest;
}

/** -log(1 - q) of an iteration; a step that promises all of the excess is only limited by rounding. */
export function promisedDecrement(predicted: number, excess: number): number | null {
  if (!(excess > 0) || !(predicted >= 0)) return null;
  return -Math.log(Math.max(1 - predicted / excess, Number.EPSILON));
}

/** Mean over a window of positions, by the trapezoidal rule; null where a value is unknown. */
export function windowMean(
  points: readonly { readonly position: number; readonly value: number | null }[],
): number | null {
  if (points.length === 0 || points.some(({ value }) => value === null)) return null;
  const values = points.map(({ value }) => value as number);
  const span = points[points.length - 1].position - points[0].position;
  if (span === 0) return values[0];
  let sum = 0;
  for (let i = 1; i < points.length; i++)
    sum += 0.5 * (values[i] + values[i - 1]) * (points[i].position - points[i - 1].position);
  return sum / span;
}
