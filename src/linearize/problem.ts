// Defines the problem that a run solves (`Problem`) and a point of the run (`Point`: parameters, loss, gradient, scaling), and makes a
// point by one call of the engine (`linearizeAt`). train/base.ts and train/first-point.ts call linearizeAt before the trials of an
// iteration; methods and steps read the result.
//
//   objective F(w) = g(w) + decay/2 |w|^2          gradient = J~^T z~ + decay w
//
// The engine computes loss, gradient and curvature; this file adds the decay term to the loss.
import { largest, plainVectors, type VectorOperations } from "../algebra/vectors.js";
import type { Precision } from "../backend/curvature.js";
import { type Engine, type Failure, failed } from "../backend/engine.js";
import type { TrainRoute } from "../plan/route.js";
import type { SpareVectors } from "./spare-vectors.js";
import { Workspace } from "./workspace.js";

/** The preconditioner of the conjugate gradients of the matrix-free route. */
export type PreconditionerName = "none" | "diagonal" | "kronecker" | "nystrom";
export const PRECONDITIONERS: readonly PreconditionerName[] = ["none", "diagonal", "kronecker", "nystrom"];

/** How the matrix-free route solves. */
export interface MatrixFreeSettings {
  /** The preconditioner. */
  readonly preconditioner: PreconditionerName;
  /** Vectors of the Nystrom sketch. Each costs one product with G an iteration of the training. */
  readonly rank: number;
  /** Largest number of conjugate-gradient iterations a step. */
  readonly iterations: number;
}

/** Chosen by `node bench/preconditioners.mjs`; docs/benchmarks.md has the table. */
export const defaultMatrixFree: MatrixFreeSettings = { preconditioner: "diagonal", rank: 64, iterations: 500 };

/**
 * Scaling matrix D of the damping, from the running maximum M of diag G:
 *   identity   I
 *   root       M^(1/2), half-way between the other two; in the dual route I
 *   marquardt  M, as MINPACK; in the dual route one factor a layer
 */
export type ScalingKind = "identity" | "root" | "marquardt";

/** All names. */
export const scalingKinds: readonly ScalingKind[] = ["identity", "root", "marquardt"];

/** The scaling actually used. The dual route supports only I or one factor a layer, and only I with weight decay. */
export function scalingInEffect(kind: ScalingKind, route: TrainRoute, decay: number): ScalingKind {
  return route === "dual" && (kind === "root" || decay > 0) ? "identity" : kind;
}

/** One minimization: an engine, the route and settings of its solves, and the decay. */
export interface Problem {
  /** The engine that computes. */
  readonly engine: Engine;
  /** The route by which steps are solved. */
  readonly route: TrainRoute;
  /** Weight decay, at least 0. */
  readonly decay: number;
  /** Scaling in effect (see scalingInEffect). */
  readonly scaling: ScalingKind;
  /** Number of parameters of each layer, in order: what "one factor a layer" covers. Sums to the parameter count. */
  readonly layerSizes: readonly number[];
  /** True if every solve also estimates the condition. */
  readonly condition: boolean;
  /** Settings of the matrix-free route. Default `defaultMatrixFree`. */
  readonly matrixFree?: MatrixFreeSettings | undefined;
  /** Dual route: above this value a lower bound of the gradient measure is enough (`LinearizeRequest`). Default Infinity. */
  readonly exactMeasureBelow?: number | undefined;
  /**
   * Set where the loss is not squared error: the measure of the gradient is then its largest entry relative to that at the start of the
   * run, which is kept here (null before it is known).
   */
  readonly gradientStart?:
    | {
        /** Largest entry of the gradient at the start; null before it is known. */
        value: number | null;
      }
    | undefined;
  /** Whether the loss is convex in the predictions (`LossRule.convex`). Default true. */
  readonly convex?: boolean | undefined;
  /** Store for the whole run. Without it the values are computed again. @internal */
  readonly workspace?: Workspace | undefined;
  /** Reused arrays for gradients and steps, in a run with very many parameters. @internal */
  readonly spare?: SpareVectors | null | undefined;
}

/** Everything known at the current parameters. */
export interface Point {
  /** Distinguishes a point from a failure. */
  readonly ok: true;
  /** p entries. */
  readonly parameters: Float64Array;
  /** Sum loss g. */
  readonly loss: number;
  /** g + decay/2 |w|^2. */
  readonly objective: number;
  /** Gradient of the objective, p entries. */
  readonly gradient: Float64Array;
  /** Euclidean norm of `gradient`. */
  readonly gradientNorm: number;
  /**
   * Scale-free gradient measure in [0,1], or a bound of it (`exactMeasureBelow`, decay); 0 where the objective is exactly 0. Losses other than
   * squared error: |gradient|_max relative to that at the start.
   */
  readonly gradientCosine: number;
  /** |z~|^2: twice the loss for squared error; not finite where an entry is not (`Linearized.residualSquare`). */
  readonly residualSquare: number;
  /** D of the damping: one entry a parameter (primal) or a layer (dual), or null for identity. */
  readonly scaling: Float64Array | null;
  /** Precision of the primal curvature. */
  readonly precision: Precision;
  /**
   * Changes of the objective up to this size are rounding, where the engine can tell (`Linearized.rounding`). The method may then accept a step that
   * changes less, because the gradient still falls.
   */
  readonly rounding?: number | undefined;
  /** Relative offset, where the engine knows it (`Linearized.offset`). */
  readonly offset?: number | undefined;
  /** Matrix-free route: diag G. */
  readonly diagonal?: Float64Array | undefined;
  /** Relative residual at which the conjugate gradients of a step stop; default 1e-10 matrix-free, 1e-8 in single precision. */
  readonly tolerance?: number | undefined;
  /** Samples behind the curvature, null = all. */
  readonly subset: number | null;
  /** Values that are computed once at this point for all its trials. No checkpoint holds them. @internal */
  readonly workspace: Workspace;
  /** Seconds of the linearization. */
  readonly seconds: {
    /** Forward and backward passes. */
    readonly passes: number;
    /** Forming the curvature. */
    readonly curvature: number;
  };
}

/** g + decay/2 |w|^2. */
export function objectiveOf(
  loss: number,
  decay: number,
  parameters: Float64Array,
  vectors: VectorOperations = plainVectors,
): number {
  return decay === 0 ? loss : loss + 0.5 * decay * vectors.dot(parameters, parameters);
}

/**
 * Rounding of the objective at a point: the sum of as many terms as there are equations. The loss may be below 0.
 * @param equations n c
 */
export function objectiveRounding(
  { loss, objective, rounding = 0 }: Pick<Point, "loss" | "objective" | "rounding">,
  equations: number,
): number {
  return Math.max(rounding, Number.EPSILON * Math.sqrt(equations) * (loss < 0 ? objective - loss - loss : objective));
}

/** The failure where the decay takes a finite loss or gradient out of the range of doubles, else null. */
export function decayOverflow(objective: number, gradientNorm: number, decay: number): Failure | null {
  const what = !Number.isFinite(objective) ? "objective" : !Number.isFinite(gradientNorm) ? "gradient" : null;
  if (what === null) return null;
  return {
    code: "non-finite",
    where: { what },
    message: `the ${what} is not finite: the weight decay ${decay} is too large`,
  };
}

/** A fresh running maximum: one entry a parameter, or in the dual route a layer. */
export function freshScaling(problem: Problem): Float64Array {
  return new Float64Array(problem.route === "dual" ? problem.engine.layerCount : problem.engine.parameterCount);
}

/**
 * Loss, gradient and curvature at `parameters`. `maximum`, the running maximum of diag G, is updated in place by the engine;
 * null with identity scaling.
 * `probe` (not dual) receives diag G when the scaling is the identity: the first damping is relative to it.
 */
export async function linearizeAt(
  problem: Problem,
  parameters: Float64Array,
  maximum: Float64Array | null,
  probe: Float64Array | null,
  signal: AbortSignal | undefined,
  {
    precision = "double",
    subset = null,
  }: { readonly precision?: Precision | undefined; readonly subset?: Uint32Array | null | undefined } = {},
): Promise<Point | Failure> {
  const { engine, route, decay, exactMeasureBelow: below = Number.POSITIVE_INFINITY } = problem;
  const answer = await engine.linearize(
    parameters,
    // With decay the bound of `cosine` below is the measure.
    {
      curvature: route,
      precision,
      subset,
      decay,
      scaling: maximum ?? probe,
      exactMeasureBelow: decay > 0 ? 0 : below,
      gradient: problem.spare?.take(),
    },
    signal,
  );
  if (failed(answer)) return answer;
  problem.spare?.borrow(answer.gradient);
  // The measure of a subset is an estimate: only the measure of all samples may end a run.
  if (subset !== null && answer.gradientCosine <= below)
    return linearizeAt(problem, parameters, maximum, probe, signal, { precision });
  const { vectors = plainVectors } = engine;
  const objective = objectiveOf(answer.loss, decay, parameters, vectors);
  const gradientNorm = vectors.norm(answer.gradient);
  const overflow = decayOverflow(objective, gradientNorm, decay);
  if (overflow !== null) return overflow;
  return {
    ok: true,
    parameters,
    loss: answer.loss,
    objective,
    gradient: answer.gradient,
    gradientNorm,
    gradientCosine: measureOf(problem, answer.gradientCosine, answer.gradient, objective),
    residualSquare: answer.residualSquare ?? 2 * answer.loss,
    scaling: problem.scaling === "root" ? (maximum?.map(Math.sqrt) ?? null) : maximum,
    precision,
    subset: subset?.length ?? null,
    workspace: new Workspace(),
    seconds: answer.seconds,
    ...(answer.diagonal === undefined ? {} : { diagonal: answer.diagonal }),
    ...(answer.rounding === undefined ? {} : { rounding: answer.rounding }),
    ...(answer.offset === undefined ? {} : { offset: answer.offset }),
  };
}

/** The measure that `stop.gradient` looks at, from the engine's own. */
function measureOf(problem: Problem, measured: number, gradient: Float64Array, objective: number): number {
  const { gradientStart } = problem;
  if (gradientStart === undefined) return cosine(measured, gradient, objective, problem.decay);
  const size = largest(gradient);
  gradientStart.value ??= size;
  return size === 0 ? 0 : size / gradientStart.value;
}

/**
 * With decay the residual vector is (r~, sqrt(decay) w) and column j of its Jacobian is at least sqrt(decay) long, so
 * |gradient|_max / sqrt(2 decay F) bounds the measure from above: a test on it never stops too early.
 */
function cosine(measured: number, gradient: Float64Array, objective: number, decay: number): number {
  if (objective === 0) return 0;
  if (decay === 0) return measured;
  // The root of the product could overflow, or vanish.
  return Math.min(1, largest(gradient) / (Math.sqrt(decay) * Math.sqrt(objective) * Math.SQRT2));
}
