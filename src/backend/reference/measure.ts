// Computes the scale-free gradient measure of the reference engine, or the lower bound of it that the dual route may return. engine.ts
// calls it at the end of each linearization.
import type { Architecture } from "../../network/architecture.js";
import type { LinearizeRequest } from "../engine.js";

/**
 * `Linearized.gradientCosine` for this request, from the gradient without decay. This engine has the diagonal and needs no lower bound.
 * @param residualNorm NaN where the loss is no sum of squares, which the measure is of
 */
export function gradientMeasure(
  architecture: Architecture,
  { curvature, exactMeasureBelow = Number.POSITIVE_INFINITY }: LinearizeRequest,
  gradient: Float64Array,
  diagonal: Float64Array,
  residualNorm: number,
): number {
  if (curvature === "none" || Number.isNaN(residualNorm)) return Number.NaN;
  const bound = curvature === "dual" ? cosineBound(architecture, gradient, diagonal, residualNorm) : 0;
  return bound > exactMeasureBelow ? bound : cosine(gradient, diagonal, residualNorm);
}

/** max_j |gradient_j| / (|J_j| |r|) with |J_j|^2 on the diagonal: MINPACK's gtol measure. */
function cosine(gradient: Float64Array, diagonal: Float64Array, residualNorm: number): number {
  if (residualNorm === 0) return 0;
  let result = 0;
  for (let j = 0; j < gradient.length; j++)
    if (diagonal[j] > 0) result = Math.max(result, Math.abs(gradient[j]) / (Math.sqrt(diagonal[j]) * residualNorm));
  return result;
}

/** A lower bound of it: the same with the sum of the squares of all weights of a unit in place of each of them. */
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
