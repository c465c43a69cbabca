// Computes the covariance of the parameters from what a posterior keeps, and their standard errors, its diagonal's roots: sums over
// directions of parameter space, which in the space of samples are made block by block. Uncertainty (uncertainty.ts) calls it.
//   "parameters"   phi sum_k v_k v_k^T / (value_k + d)
//   "samples"      phi (I / d + sum_k (1 / (value_k + d) - 1 / d) v_k v_k^T),   without the part of I where d = 0,   v_k = J~^T u_k / sqrt(value_k)
// phi is the noise variance, of several targets the pooled one, and 1 for classes.
import type { BackendOptions } from "../backend/create.js";
import { reserve } from "../bytes.js";
import { Pace } from "../event-loop-yield.js";
import type { Network } from "../network/network.js";
import type { Posterior } from "../network/posterior.js";
import { applyFactorTransposed } from "./curvature-factor.js";
import { pooledVariance } from "./measure.js";
import { trainingKernel } from "./training-kernel.js";

/** Numbers of a block of directions. */
const BLOCK = 1 << 21;

/** Calls `take` with every unit direction that the data determine and its weight in the sum; returns the weight of I in it. */
async function eachDirection(
  network: Network,
  posterior: Posterior,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
  take: (direction: Float64Array, weight: number) => void,
): Promise<number> {
  const { space, values, vectors, decay } = posterior;
  const p = network.parameterCount;
  const pace = new Pace(signal);
  if (space === "parameters") {
    for (let k = 0; k < values.length; k++) {
      take(vectors.subarray(k * p, (k + 1) * p), 1 / (values[k]! + decay));
      await pace.turn();
    }
    return 0;
  }
  const { engine, factor } = await trainingKernel(network, posterior, backend, signal);
  try {
    const order = vectors.length / values.length;
    const most = Math.max(1, Math.floor(BLOCK / Math.max(p, order)));
    for (let first = 0; first < values.length; first += most) {
      const end = Math.min(values.length, first + most);
      const seeds = vectors.slice(first * order, end * order);
      for (let k = first; k < end; k++)
        for (let j = 0; j < order; j++) seeds[(k - first) * order + j]! /= Math.sqrt(values[k]!);
      applyFactorTransposed(factor, seeds, network.outputSize);
      const block = await engine.transposeProduct(network.parameters, seeds, signal);
      for (let k = first; k < end; k++) {
        const weight = 1 / (values[k]! + decay) - (decay > 0 ? 1 / decay : 0);
        take(block.subarray((k - first) * p, (k - first + 1) * p), weight);
        await pace.turn();
      }
    }
  } finally {
    engine.dispose();
  }
  return decay > 0 ? 1 / decay : 0;
}

/** phi. */
function dispersion({ noise, degrees }: Posterior): number {
  return noise === null || degrees === null ? 1 : pooledVariance(noise, degrees);
}

/** Variances of the parameters, p entries. @throws the signal's reason once it has been aborted */
export async function parameterVariances(
  network: Network,
  posterior: Posterior,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const sums = new Float64Array(network.parameterCount);
  const identity = await eachDirection(network, posterior, backend, signal, (direction, weight) => {
    for (let j = 0; j < sums.length; j++) sums[j]! += weight * direction[j]! ** 2;
  });
  const phi = dispersion(posterior);
  // A variance far below that of the decay alone is a difference, which rounding can take below 0.
  return sums.map((sum) => phi * Math.max(0, sum + identity));
}

/** Covariance of the parameters, p x p. @throws GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted */
export async function parameterCovariance(
  network: Network,
  posterior: Posterior,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const p = network.parameterCount;
  const sums = reserve(8 * p * p, "the covariance of the parameters", () => new Float64Array(p * p));
  const phi = dispersion(posterior);
  const identity = await eachDirection(network, posterior, backend, signal, (direction, weight) => {
    for (let i = 0; i < p; i++) {
      const scaled = phi * weight * direction[i]!;
      for (let j = 0; j < p; j++) sums[i * p + j]! += scaled * direction[j]!;
    }
  });
  for (let i = 0; i < p; i++) sums[i * p + i]! += phi * identity;
  return sums;
}
