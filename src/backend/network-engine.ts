// Defines NetworkEngine, the interface of an engine whose model is a network: predictions, products with its Jacobian, and the spectrum of
// its curvature. Both engines implement it; flows, the monitor and src/spectrum call it, and training needs `Engine` alone.
import type { Architecture } from "../network/architecture.js";
import type { Curvature, Eigen } from "./curvature.js";
import type { Engine, EngineData, Failure, LayerFactors } from "./engine.js";
import type { EngineRows } from "./rows.js";

export type { Eigen };

/** An engine of a network, as `createEngine` makes it. */
export interface NetworkEngine extends Engine {
  /** The curvature inside: of the last linearize that succeeded, until a product at parameters or a load ends it. */
  readonly held: Curvature;
  readonly slots: number;
  load(rows: EngineRows): void;
  /** Predictions psi at `parameters` on the engine's inputs: n*c, sample-major. Non-finite values pass through. */
  forward(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  // Both products take blocks: one vector, or several one after the other (row after row), and answer in the same form. The number of
  // vectors is that of the rows. A block costs less than its vectors one by one: the passes are done once.
  /** J v (not weighted by sqrt(s)) at `parameters`: rows of p entries to rows of n*c. */
  jacobianProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  /** J^T u (not weighted by sqrt(s)) at `parameters`: rows of n*c entries to rows of p. */
  transposeProduct(parameters: Float64Array, vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  /** Rows of J (not weighted) for samples [first, first+count): count*c x p, row-major. For checks, not for training. */
  jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array>;
  /**
   * A copy of the curvature of the last linearize, whole and symmetric, row-major: p x p (primal, orthogonal), n*c x n*c (dual,
   * sample-major index) or n x n (sampled). For checks and spectra. The matrix-free curvature has products only, and one in single precision has no
   * exact entries: this, `eigen`, `eigenvaluesBelow` and `curvatureInverse` refuse both, `solve` the first.
   * @param into array of that length for the copy; default a fresh one
   */
  curvature(into?: Float64Array): Promise<Float64Array>;
  /** All eigenvalues (and eigenvectors) of the curvature of the last linearize, without any damping. O(order^3). */
  eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen>;
  /** Number of eigenvalues of that curvature below `bound`, by the inertia of M - bound I: about the cost of a solve. */
  eigenvaluesBelow(bound: number, signal?: AbortSignal): Promise<number>;
  /**
   * Copies p x p numbers, symmetric, as the matrix that the next linearization with `accumulate` keeps its share of: `curvature()` of a run that
   * goes on. The linearization and the factor of now stay as they are.
   */
  restoreCurvature(matrix: Float64Array): void;
  hessianProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure>;
  layerFactors(signal?: AbortSignal): Promise<readonly LayerFactors[]>;
  /** (M + shift I)^-1 v, refined once, primal, dual or sampled. The factor is kept until a call has another shift or damping. */
  curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure>;
}

/** Both engines are made by a function of this form. */
export type EngineFactory = (
  architecture: Architecture,
  data: EngineData,
  options?: { readonly threads?: number | undefined },
) => NetworkEngine;
