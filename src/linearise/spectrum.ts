// Extreme eigenvalues of the curvature an engine holds. Eigenvalues at or below order * eps * largest are rounding noise (duplicate
// samples make them 0): the smallest is taken above that floor, and the others are counted (method.md 2, item 3).
import type { Engine } from "../backend/engine.js";

export interface CurvatureSpectrum {
  readonly largest: number;
  /** Smallest above the floor. */
  readonly smallest: number;
  readonly floor: number;
  /** How many lie at or below the floor. */
  readonly below: number;
  /** Ascending. */
  readonly values: Float64Array;
}

/**
 * Spectrum after a linearise with scaling null, by the symmetric eigensolver: O(order^3).
 * @param options.scale divides the values: alpha^2, to come from the engine's J~ = alpha J to K = J J^T. Default 1.
 */
export async function curvatureSpectrum(
  engine: Engine,
  options: { readonly scale?: number } = {},
  signal?: AbortSignal,
): Promise<CurvatureSpectrum> {
  const { scale = 1 } = options;
  const { values: raw } = await engine.eigen(false, signal);
  const values = raw.map((value) => value / scale);
  const largest = values.length > 0 ? values[values.length - 1] : 0;
  const floor = values.length * Number.EPSILON * largest;
  const first = values.findIndex((value) => value > floor);
  const below = first < 0 ? values.length : first;
  return { largest, smallest: first < 0 ? 0 : values[first], floor, below, values };
}
