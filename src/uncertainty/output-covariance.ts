// Computes the covariance of the outputs of single samples, sum_k weight_k (J v_k)(J v_k)^T, from directions v_k of parameter space: block of
// directions after block of directions, each one product with J of all samples, so that no n c x p matrix arises. With J~ in place of J
// the sums are leverages (leverage.ts), with J of new rows they are the variances of predictions (prediction-variance.ts).
import type { NetworkEngine } from "../backend/network-engine.js";
import { Pace } from "../event-loop-yield.js";
import { applyFactor, type CurvatureFactor } from "./curvature-factor.js";

/** Numbers that a block of images J v may have: 32 MB. */
const BLOCK = 1 << 22;
/** Most directions of a block. */
const MOST_DIRECTIONS = 128;

/** Directions of parameter space, p entries each, one after the other, and the weight of each. */
export interface WeightedDirections {
  readonly vectors: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Sums over the directions for each of the engine's n samples: n x c x c where `full`, else their diagonals, n x c.
 * @throws the signal's reason once it has been aborted
 */
export async function outputCovariance(
  engine: NetworkEngine,
  parameters: Float64Array,
  { vectors, weights }: WeightedDirections,
  { factor, full }: { readonly factor: CurvatureFactor; readonly full: boolean },
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { outputSize: c, sampleCount: n, parameterCount: p } = engine;
  const sums = new Float64Array(n * c * (full ? c : 1));
  const pace = new Pace(signal);
  const most = Math.min(MOST_DIRECTIONS, Math.max(1, Math.floor(BLOCK / (n * c))));
  for (let first = 0; first < weights.length; first += most) {
    const end = Math.min(weights.length, first + most);
    const images = await engine.jacobianProduct(parameters, vectors.subarray(first * p, end * p), signal);
    applyFactor(factor, images, c);
    for (let k = first; k < end; k++) {
      addSquares(sums, images.subarray((k - first) * n * c, (k - first + 1) * n * c), weights[k]!, full ? c : 1);
      await pace.turn();
    }
  }
  return sums;
}

/** Adds weight u u^T of every group of `size` entries of `image` to its block of `sums`: size x size numbers, of which 1 is a square. */
export function addSquares(sums: Float64Array, image: Float64Array, weight: number, size: number): void {
  if (size === 1) {
    for (let k = 0; k < image.length; k++) sums[k]! += weight * image[k]! * image[k]!;
    return;
  }
  for (let at = 0; at < image.length; at += size)
    for (let a = 0; a < size; a++) {
      const scaled = weight * image[at + a]!;
      for (let b = 0; b < size; b++) sums[(at + a) * size + b]! += scaled * image[at + b]!;
    }
}
