// Sample weights s in the sum loss: |r|^2 of the residual with its rows times sqrt(s).

/** sqrt(s) of the sample that entry k of n x c values belongs to; 1 without weights. */
export function rootWeight(weights: Float64Array | null | undefined, k: number, outputSize: number): number {
  return weights == null ? 1 : Math.sqrt(weights[Math.floor(k / outputSize)]!);
}

/** n x c values, each times the root of its sample's weight; the values themselves without weights. */
export function weighted(
  values: Float64Array,
  weights: Float64Array | null | undefined,
  outputSize: number,
): Float64Array {
  return weights == null ? values : values.map((value, k) => rootWeight(weights, k, outputSize) * value);
}
