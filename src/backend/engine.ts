// Defines Engine, the interface of all numerical work of a run: an engine does the arithmetic of one architecture on one data set. There
// are two kinds, `native` (C++ on OpenBLAS, all cores) and `reference` (plain TypeScript: oracle, fallback, baseline); create.ts makes
// both, and tests pass their own (dense residual functions). linearize, step, method, train and flow call engines by this interface. Calls
// are coarse: one a linearization, one a solve; flat Float64Arrays in and out.
//
// Conventions
//   psi(w)   predictions, n*c, sample-major          J  their Jacobian, n*c x p
//   loss     g = sum_i s_i l(psi_i, y_i), the SUM loss; s_i are the sample weights (1 without)
//   R, z     of each sample (src/loss/loss.ts): R R^T is the curvature of l, R z its gradient by psi;
//            squared error: R = I, z = psi - y
//   J~       sqrt(s) R^T J, n*c x p;   z~ = sqrt(s) z
//   gradient J~^T z~  (plus decay * w with a weight decay)
//   primal   G = J~^T J~  (p x p)      dual   K = J~ D^-1 J~^T  (n*c x n*c), D = one factor a layer
//   matrix-free   products with G = J~^T J~, never formed
//   sampled  B B^T  (n x n), one row b_i a sample (`sampled.ts`): B^T B in place of G, identity scaling, damping + decay > 0
//   orthogonal   R of J~ = Q R  (p x p upper triangle), block of samples after block of samples: squares no condition number
// A numerical failure is a value (`Failure`), misuse throws GaussflowError, an aborted signal rejects with its reason.

import type { VectorOperations } from "../algebra/vectors.js";
import type { RankSlots } from "../cluster/cluster.js";
import type { RowLayout } from "../data/row-reader.js";
import type { ColumnScaling } from "../data/scaling.js";
import type { Loss } from "../loss/rules.js";
import type { Accumulation, Curvature, Eigen, LowRank, Precision, SampledRows } from "./curvature.js";
import type { EngineRows } from "./rows.js";

/** The data an engine works on. The engine copies it; inputs n x d and targets n x c, row-major. */
export interface EngineData {
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** n x d, row-major, in the units of training. */
  readonly inputs: Float64Array;
  /** n x k, row-major, in the units of training. k is c, or c/2 with `gaussianNll`, whose networks have two outputs for each target. */
  readonly targets: Float64Array;
  /** One non-negative weight a sample; absent = all 1. */
  readonly weights?: Float64Array | undefined;
  /**
   * What is minimized; the decay is an argument of each call. Default squared error. Targets must be what the loss needs: an engine checks
   * those in memory, and leaves those of a file to `train`.
   */
  readonly loss?: Loss | undefined;
  /**
   * Contiguous parts, S, that sums over the samples are cut into and joined from by a fixed binary tree (`slots.ts`): a power of two, at most 1024 and
   * at most the samples. Results depend on it in their last bits. Above 1 the engine refuses what it does not sum by slots: "sampled"
   * and subsets. Default 1.
   */
  readonly slots?: number | undefined;
  /**
   * Where other processes sum a part of the slots: which are this one's. The data are those of all samples on every rank, and the engine keeps the
   * rows of its slots alone. Native engine only. Absent: all slots are summed here.
   */
  readonly ranks?: RankSlots | undefined;
  /** Where the samples are in a file instead: inputs and targets are empty then. Weights are in memory all the same. */
  readonly file?: FileSamples | undefined;
}

/** Samples of a data file, and z = (x - offset) / scale of their columns. */
export interface FileSamples {
  /** Where the rows are in the file. */
  readonly layout: RowLayout;
  /** Offset and scale of the d input columns. */
  readonly inputs: ColumnScaling;
  /** Offset and scale of the k target columns. */
  readonly targets: ColumnScaling;
}

/** What a linearization forms. */
export interface LinearizeRequest {
  /** What to form besides loss and gradient. */
  readonly curvature: Curvature;
  /** Weight decay d >= 0: the objective is g + d/2 |w|^2, its gradient gets d*w. */
  readonly decay: number;
  /**
   * Precision of the Gram matrix and its factor, primal only: "single" forms both in float32, and solves by conjugate gradients on the float64
   * operator with that factor (`single.ts`). Loss, gradient, scaling and the gradient's measure stay in double. Default "double".
   */
  readonly precision?: Precision | undefined;
  /**
   * Ascending indices of the samples that replace all samples in the costly part of the curvature (`subset.ts`): matrix-free, or primal in
   * single precision. diag G, the scaling and the gradient's measure follow them. null, the default = all samples.
   */
  readonly subset?: Uint32Array | null | undefined;
  /** What the rows of a sampled curvature are made from; of no other. */
  readonly sampled?: SampledRows | undefined;
  /**
   * Primal in double precision: the matrix is a moving average of Gram matrices, which the engine holds beside the rest. Scaling and gradient's
   * measure stay those of J~^T J~ alone, and `dampedInverse` keeps the factor of the last solve where there is one slot.
   */
  readonly accumulate?: Accumulation | undefined;
  /**
   * State of the running-maximum scaling, updated in place; null = identity scaling; not looked at with
   * curvature "none", and null with "sampled".
   * primal, orthogonal, matrix-free: p entries, becomes max(itself, diag G). dual: one entry a layer, becomes max(itself, mean over the layer's
   * parameters of diag(J~^T J~)), and K is formed with D = these factors. Entries start at 0; where the maximum is still 0
   * the engine uses 1.
   */
  readonly scaling: Float64Array | null;
  /**
   * Dual only, where the gradient's measure alone asks for diag G (n p flops): a lower bound of the measure, from one sum of squares a
   * unit, is the answer where it is above this. Default Infinity: the measure is exact.
   */
  readonly exactMeasureBelow?: number | undefined;
  /** Array of p entries that the engine may write the gradient to. Without it the answer holds a fresh array. */
  readonly gradient?: Float64Array | undefined;
}

/** Where the first non-finite number arose; indices from 0. */
export interface NonFinite {
  /** Which number it is. */
  readonly what: "parameter" | "activation" | "prediction" | "loss" | "objective" | "gradient" | "curvature" | "step";
  /** Layer of the network; absent where it is of none. */
  readonly layer?: number | undefined;
  /** Row of the data; absent where it is of none. */
  readonly sample?: number | undefined;
  /** Flat parameter index. */
  readonly parameter?: number | undefined;
  /** Unit of the layer; absent where it is of none. */
  readonly unit?: number | undefined;
  /** The other rank of an MPI run that met it, and knows the rest of it. */
  readonly rank?: number | undefined;
}

/** An expected numerical failure. `message` is a whole sentence with the numbers in it. */
export type Failure =
  | {
      /** Which failure it is. */
      readonly code: "non-finite";
      /** The failure, as a sentence with the numbers. */
      readonly message: string;
      /** Where the first such number arose. */
      readonly where: NonFinite;
    }
  /** `pivot` is the first that is not positive, from 0. */
  | {
      /** Which failure it is. */
      readonly code: "indefinite";
      /** The failure, as a sentence with the numbers. */
      readonly message: string;
      /** The first pivot that is not positive, from 0. */
      readonly pivot: number;
    }
  /**
   * Single precision does not do for this damped system: linearize in double and solve again. `steps` of the conjugate gradients
   * were not enough; 0: a number left the range of float32.
   */
  | {
      /** Which failure it is. */
      readonly code: "imprecise";
      /** The failure, as a sentence with the numbers. */
      readonly message: string;
      /** Steps of the conjugate gradients; 0: a number left the range of float32. */
      readonly steps: number;
    }
  /** The memory for `bytes` is refused; 0 if the number is unknown. */
  | {
      /** Which failure it is. */
      readonly code: "memory";
      /** The failure, as a sentence with the numbers. */
      readonly message: string;
      /** Bytes that cannot be had; 0 where nobody says how many. */
      readonly bytes: number;
    };

/** The loss at one point. */
export interface Evaluation {
  /** Tells it from a failure. */
  readonly ok: true;
  /** Sum loss g, without decay. */
  readonly loss: number;
}

/** Loss and gradient at the point whose curvature the engine holds from now on. */
export interface Linearized {
  /** Tells it from a failure. */
  readonly ok: true;
  /** Sum loss g, without decay. */
  readonly loss: number;
  /** J~^T z~ + decay*w, p entries. A fresh array, or the one of the request. */
  readonly gradient: Float64Array;
  /**
   * max_j |J~_j^T z~| / (|J~_j| |z~|), MINPACK's gtol measure, in [0,1]; NaN for "none" and "sampled", and for losses other than squared error. Dual, above `exactMeasureBelow`: a lower
   * bound, with the length of all columns of a unit's weights together in place of |J~_j|.
   */
  readonly gradientCosine: number;
  /** |z~|^2, not finite where an entry of z~ is not; absent for squared error, where it is 2 g, and for "sampled". */
  readonly residualSquare?: number | undefined;
  /** Changes of the loss up to this size are rounding of the residuals, where the engine can tell. Absent: that of a sum of n c terms. */
  readonly rounding?: number | undefined;
  /** Relative offset (Bates, Watts 1981): share of |z~| that an undamped step of the linearized model removes. Fits alone. */
  readonly offset?: number | undefined;
  /** diag G, p entries; matrix-free only. */
  readonly diagonal?: Float64Array | undefined;
  /** Seconds spent in the passes and in forming the curvature. */
  readonly seconds: {
    /** Forward and backward passes. */
    readonly passes: number;
    /** Forming the curvature. */
    readonly curvature: number;
  };
}

/** The damped system to solve. */
export interface SolveRequest {
  /** mu >= 0 in (G + decay I + mu D) step = -gradient. Sampled: mu + decay > 0. */
  readonly damping: number;
  /** Weight decay, at least 0. */
  readonly decay: number;
  /**
   * D, or null for I. Dual: what the last linearize formed K with, one factor a layer, and then no decay. Sampled: null. Else p entries,
   * D = diag(scaling).
   */
  readonly scaling: Float64Array | null;
  /**
   * Also estimate the condition number of the damped matrix: in the 1-norm by a few more triangular solves; orthogonal route: in the
   * 2-norm, from the extreme singular values of its rank report.
   */
  readonly condition?: boolean | undefined;
  /** Primal in double precision, without a condition estimate: a matrix that is added to G in this solve and its accelerations. */
  readonly correction?: LowRank | null | undefined;
  /** Single precision: where the conjugate gradients stop, relative (`single.ts`), in (0, 1). Default 1e-8. Also of the acceleration. */
  readonly tolerance?: number | undefined;
  /** Array of p entries that the engine may write the step to. Without it the answer holds a fresh array. */
  readonly step?: Float64Array | undefined;
}

/** What a rank-revealing factorization says of the columns of the matrix it solved with. */
export interface RankReport {
  /** Numerical rank, at most p: order of the largest leading triangle of the pivoted R whose singular values are above tolerance * largest. */
  readonly rank: number;
  /** Relative: max(rows, p) * eps. */
  readonly tolerance: number;
  /** Estimates of the extreme singular values, from iterations with R: never outside of them, rarely off by more than 2. */
  readonly largest: number;
  /** The smallest singular value, in the same sense as `largest`. */
  readonly smallest: number;
}

/** A damped step. */
export interface Solved {
  /** Tells it from a failure. */
  readonly ok: true;
  /** p entries, a fresh array or the one of the request. Behind a Cholesky factor in double precision: refined once. */
  readonly step: Float64Array;
  /** Condition estimate of the damped matrix, or NaN if not requested or in single precision. */
  readonly condition: number;
  /**
   * |residual|_inf / |right-hand side|_inf of the damped system: before refinement, how far the factor can be trusted; in single
   * precision and in the orthogonal route, of the step itself; with the sampled curvature of its n x n system alone, whose rounding the step has
   * |B B^T| / (decay + mu) times as large.
   */
  readonly residual: number;
  /** Single precision: steps of the conjugate gradients. */
  readonly steps?: number | undefined;
  /**
   * Orthogonal route only. Below full rank the step is the one of least norm: its part in the numerical null space is 0.
   */
  readonly rank?: RankReport | undefined;
  /** Decrease of the quadratic model, without the damping, by a step that bounds keep from being the solution of the whole system; else absent. */
  readonly predicted?: number | undefined;
  /** Seconds that the solve took. */
  readonly seconds: number;
}

/** Second-order correction of a damped step. */
export interface Accelerated {
  /** Tells it from a failure. */
  readonly ok: true;
  /** p entries, a fresh array or the one that was given. */
  readonly acceleration: Float64Array;
  /** Seconds that it took. */
  readonly seconds: number;
}

/** Of one layer: G_l ~ left (x) right. */
export interface LayerFactors {
  /** Inputs of the layer, without the bias. */
  readonly inputs: number;
  /** Outputs of the layer. */
  readonly outputs: number;
  /** Whether the layer has biases. */
  readonly bias: boolean;
  /** Positions of its weights (outputs x inputs, row-major) and biases among the parameters. */
  readonly weightOffset: number;
  /** Flat index of the first bias. */
  readonly biasOffset: number;
  /** Mean of h h^T over the samples, h the layer's inputs and, with a bias, 1 at the end. */
  readonly right: Float64Array;
  /** Sum of delta delta^T over samples and outputs, the deltas those of J~: outputs x outputs. */
  readonly left: Float64Array;
}

/**
 * Computes losses, gradients, curvatures and steps of one model on one set of data: what training and its methods need. The model is a
 * network (`NetworkEngine`), or any residual function. One call at a time.
 */
export interface Engine {
  /** "native", or "reference": the one in TypeScript. */
  readonly kind: string;
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** Outputs of the model, c. */
  readonly outputSize: number;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** Number of layers = length of the dual route's scaling state. */
  readonly layerCount: number;
  /** Threads that compute (1 for the reference engine). */
  readonly threads: number;
  /** Slots that its sums over samples are joined from (`EngineData.slots`). Absent: 1. */
  readonly slots?: number | undefined;
  /** Whether ranks hold the Gram matrix of the primal route together (`EngineData.ranks`). Absent: no. */
  readonly distributed?: boolean | undefined;
  /**
   * True where the engine forms the primal route in double precision over all samples and nothing else: a run then saves neither precision
   * nor samples. Absent: no.
   */
  readonly exactOnly?: boolean | undefined;
  /** Operations on vectors with the engine's threads; absent: those of `algebra/vectors.ts`, which have the same bits. @internal */
  readonly vectors?: VectorOperations | undefined;

  /** The loss alone: what a trial step needs. */
  evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure>;
  /** Loss, gradient and curvature at `parameters`; the curvature stays inside until the next linearize or product at parameters. */
  linearize(parameters: Float64Array, request: LinearizeRequest, signal?: AbortSignal): Promise<Linearized | Failure>;
  /**
   * The damped step with the curvature of the last linearize, which it leaves intact for another damping: Cholesky, orthogonal route
   * QR. Refused where there is none, or products alone.
   */
  solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure>;
  /**
   * Geodesic acceleration along `velocity` (p) at the last linearization (primal or dual), with the factor of the last solve:
   * (G + decay I + mu D) a = -J~^T (sqrt(s) R^T psi_vv), psi_vv the exact second derivative of the predictions along the velocity
   * (Transtrum and Sethna 2012, eq. 22), with the curvature of the loss held fixed. `scaling` as in that solve. The engine may write the answer to `into`, p entries.
   */
  accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    signal?: AbortSignal,
    into?: Float64Array,
  ): Promise<Accelerated | Failure>;
  /**
   * M v with the curvature M of the last linearize. A block of vectors, row after row, costs less than its vectors one by one. Rows of p
   * entries (primal; matrix-free: G v in one sweep over the samples), n*c (dual, sample-major) or n (sampled). Not for orthogonal.
   */
  curvatureProduct(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  /** All eigenvalues of that curvature without damping, ascending (`NetworkEngine`). Absent: an engine without a matrix. */
  eigen?(vectors: boolean, signal?: AbortSignal): Promise<Eigen>;
  /**
   * F'' v of the sum loss at the parameters of the last linearize, whatever its curvature and its subset: all samples, weights in, the decay
   * not, by the exact second derivatives of loss and network. Rows of p entries; a block of vectors costs less than its vectors one by one.
   * Leaves curvature and factor intact. Numbers that are not finite pass through. Absent: no second derivatives, and no steps on the Hessian.
   */
  hessianProduct?(vectors: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  /**
   * (G + decay I + mu D)^-1 v, p entries, with the factor of the last solve (primal, dual or sampled), not refined: a preconditioner. In single
   * precision that of the float32 factor, which may be that of a subset. That of a Gram matrix in double precision stays through loads, products and
   * linearizations with "none" or, with one slot, `accumulate`: any other linearization ends it. Dual and sampled: a damping or a decay above 0. Absent: as above.
   */
  dampedInverse?(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure>;
  /** Matrix-free only: the factors of a Kronecker product a layer that approximates G (Martens and Grosse 2015). Absent: no layers. */
  layerFactors?(signal?: AbortSignal): Promise<readonly LayerFactors[]>;
  /**
   * Replaces all rows of an engine in memory, at once and without memory of its own, and ends the linearization, which was of the rows before:
   * the next batch of a batch method. Absent: the engine keeps its rows.
   * @throws GAUSSFLOW_ARGUMENT where the rows are not as many or as wide as those before, GAUSSFLOW_STATE of an engine on a file or after
   *   `dispose`, GAUSSFLOW_BUSY during a call
   */
  load?(rows: EngineRows): void;
  /** Bytes the engine holds now (data, curvature, workspaces). */
  bytes(): number;
  /** Frees the buffers. Later calls throw GAUSSFLOW_STATE. Safe to call twice. */
  dispose(): void;
}

/** True for the failure side of an engine's answer. */
export function failed<T extends { readonly ok: true }>(answer: T | Failure): answer is Failure {
  return !("ok" in answer);
}

/** The sentence for a non-finite number: what, and where it first arose. */
export function describeNonFinite(where: NonFinite): string {
  const parts: string[] = [];
  if (where.layer !== undefined) parts.push(`layer ${where.layer + 1}`);
  if (where.unit !== undefined) parts.push(`unit ${where.unit}`);
  if (where.sample !== undefined) parts.push(`sample ${where.sample}`);
  if (where.parameter !== undefined) parts.push(`parameter ${where.parameter}`);
  if (where.rank !== undefined) parts.push(`rank ${where.rank}`);
  return `the ${where.what} is not finite${parts.length > 0 ? `, first at ${parts.join(", ")}` : ""}`;
}

/** What a call that needs a matrix says where there are products only. */
export const PRODUCTS_ONLY = "the matrix-free route has products only: linearize with primal or dual first";

/** What a Hessian product says where there is no point for it. */
export const NO_LINEARIZATION = "there is no linearization: linearize before a Hessian product";

/** What a product with the inverse of the damped system says where there is no factor. */
export const NO_FACTOR =
  "there is no factor whose inverse could be applied: linearize with primal or dual and solve before";
