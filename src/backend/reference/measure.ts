// Computes the scale-free gradient measure of the reference engine, `Linearized.gradientCosine`, or the lower bound of it that the dual route
// may return. The curvatures (curvature/) call it at the end of each linearization.
import type { Architecture } from "../../network/architecture.js";

/**
 * max_j |gradient_j| / (|J_j| |r|) with |J_j|^2 on the diagonal: MINPACK's gtol measure.
 * @param gradient without decay   @param residualNorm NaN where the loss is no sum of squares, which the measure is of
 */
export function cosine(gradient: Float64Array, diagonal: Float64Array, residualNorm: number): number {
  if (Number.isNaN(residualNorm)) return Number.NaN;
  if (residualNorm === 0) return 0;
  let result = 0;
  for (let j = 0; j < gradient.length; j++)
    if (diagonal[j] > 0) result = Math.max(result, Math.abs(gradient[j]) / (Math.sqrt(diagonal[j]) * residualNorm));
  return result;
}

/** A lower bound of it where that is above `exactBelow`, else the measure: this engine has the diagonal, and could do without. */
export function boundedCosine(
  architecture: Architecture,
  exactBelow: number | undefined,
  gradient: Float64Array,
  diagonal: Float64Array,
  residualNorm: number,
): number {
  const bound = cosineBound(architecture, gradient, diagonal, residualNorm);
  return bound > (exactBelow ?? Number.POSITIVE_INFINITY) ? bound : cosine(gradient, diagonal, residualNorm);
}

/** The same with the sum of the squares of all weights of a unit in place of each of them. */
function cosineBound(
  { layers }: Architecture,
  gradient: Float64Array,
  diagonal: Float64Array,
  residualNorm: number,
): number {
  const joined = diagonal.slice();
  for (const { inputSize, outputSize, weightOffset } of layers)
    for (let o = 0; o < outputSize; o++) {
      const weights = joined.subarray(weightOffset + o * inputSize, weightOffset + (o + 1) * inputSize);
      weights.fill(weights.reduce((sum, value) => sum + value, 0));
    }
  return cosine(gradient, joined, residualNorm);
}
