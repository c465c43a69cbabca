// Applies sample weights s to the rows of residuals: the sum loss is half of |r|^2 with each row times sqrt(s). The monitor and the norm of
// flows weight their residuals by it, and trainings take the evenness of the weights from it for the size of subsets.

/** sqrt(s) of the sample of entry k of n x c values; 1 without weights. */
export function rootWeight(weights: Float64Array | null | undefined, k: number, outputSize: number): number {
  return weights == null ? 1 : Math.sqrt(weights[Math.floor(k / outputSize)]!);
}

/**
 * Of `count` samples with these weights, the share that as many equal ones would be: (sum s)^2 / (count sum s^2), in (0, 1]; 1 without
 * weights. Kish's effective sample size, relative.
 */
export function evenness(weights: Float64Array | null, count: number): number {
  if (weights === null) return 1;
  // Relative to the largest: their squares could overflow.
  const top = weights.reduce((most, weight) => Math.max(most, weight), 0);
  let [sum, squares] = [0, 0];
  for (const weight of weights) {
    sum += weight / top;
    squares += (weight / top) ** 2;
  }
  return Math.min(1, sum ** 2 / (count * squares));
}

/** n x c values, each times the root of its sample's weight; the values themselves without weights. */
export function weighted(
  values: Float64Array,
  weights: Float64Array | null | undefined,
  outputSize: number,
): Float64Array {
  return weights == null ? values : values.map((value, k) => rootWeight(weights, k, outputSize) * value);
}
