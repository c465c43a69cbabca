// The base class of the curvatures of the reference engine that are a matrix, the Gram matrices and the kernel: damped systems by Cholesky,
// spectrum, products and inverse products. gram.ts, single-gram.ts and kernel.ts derive from it.
import { symmetricEigen } from "../../../algebra/symmetric-eigen.js";
import type { Pace } from "../../../event-loop-yield.js";
import type { Eigen } from "../../curvature.js";
import type { Failure, LinearizeRequest, Solved, SolveRequest } from "../../engine.js";
import { indefinite } from "../../indefinite.js";
import { copyOf } from "../../low-rank.js";
import { checkArray, checkNonNegative, checkRows, checkSolve } from "../checks.js";
import { conditionEstimate, factorDamped, multiplySymmetric, solveDamped, solveFactored } from "../cholesky.js";
import { type Finished, type Pass, ReferenceCurvature } from "./curvature.js";
import type { SystemArrays, SystemLengths } from "./damped-system.js";

/** What a factor is made for: M + diag(shift) + the request's correction. */
export interface Damped {
  readonly request: SolveRequest;
  readonly shift: Float64Array;
}

/** A solution of a damped system, and what `Solved` says of it. */
export interface Solution {
  readonly x: Float64Array;
  readonly residual: number;
  readonly condition: number;
  readonly steps?: number | undefined;
}

export abstract class MatrixCurvature extends ReferenceCurvature {
  /** From sizes alone. */
  protected abstract readonly lengths: SystemLengths;
  /** Matrix, factor and scratch, from `begin` on. */
  protected arrays!: SystemArrays;
  /** Of the objective, from `finish` on. */
  protected gradient!: Float64Array;
  /** What the factor was last made for by a solve; null once it is another. */
  #solved: Damped | null = null;
  /** Shift of the factor held for inverse products, or -1. */
  #factored = -1;
  /** Ascending, once they were asked for: each count below a bound asks again. */
  #eigenvalues: Float64Array | null = null;

  override begin(): Failure | null {
    return this.makeRoom(this.lengths.order, "the curvature matrix and its factor", () => this.reserve());
  }

  protected reserve(): void {
    this.arrays = this.context.system.reserve(this.lengths);
  }

  override finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    this.gradient = pass.objectiveGradient.slice();
    return super.finish(pass, request, pace);
  }

  /** @throws GAUSSFLOW_ARGUMENT */
  protected check(request: SolveRequest): void {
    checkSolve(this, this.parameters.length, request);
  }

  /** The diagonal that a solve adds to the matrix. */
  protected shifts({ damping, decay }: SolveRequest): Float64Array {
    return new Float64Array(this.lengths.order).fill(damping + decay);
  }

  /** The right-hand side of the damped system. */
  protected abstract rightSide(request: SolveRequest, pace: Pace): Promise<Float64Array | Failure>;

  /** The step that belongs to the solution x. */
  protected abstract stepOf(x: Float64Array, request: SolveRequest, pace: Pace): Promise<Float64Array>;

  /** (G + decay I + mu D)^-1 v, by `applyFactor`; v may be overwritten. */
  protected abstract inverseOf(damped: Damped, v: Float64Array, pace: Pace): Promise<Float64Array | Failure>;

  /** The acceleration for sqrt(s) R^T psi_vv, by `solveAgain`. */
  protected abstract accelerationOf(
    damped: Damped,
    second: Float64Array,
    scaling: Float64Array | null,
    pace: Pace,
  ): Promise<Float64Array | Failure>;

  override async solve(request: SolveRequest, pace: Pace): Promise<Omit<Solved, "seconds"> | Failure> {
    this.check(request);
    // An acceleration refines with them later: by then the caller may have other numbers in his arrays.
    const correction = request.correction ? copyOf(request.correction) : null;
    const own = { ...request, correction, scaling: request.scaling?.slice() ?? null };
    const damped = { request: own, shift: this.shifts(own) };
    const right = await this.rightSide(own, pace);
    if ("code" in right) return right;
    this.#factored = -1;
    this.#solved = null;
    this.context.system.factorOf = null;
    const solved = await this.factorAndSolve(damped, right, pace);
    if ("code" in solved) return solved;
    const { x, ...known } = solved;
    const step = await this.stepOf(x, own, pace);
    if (!step.every(Number.isFinite)) return { ok: true, step, ...known };
    this.#solved = damped;
    this.context.system.factorOf = this;
    return { ok: true, step, ...known };
  }

  /** The factor replaces the one before. */
  protected async factorAndSolve(
    { request, shift }: Damped,
    right: Float64Array,
    pace: Pace,
  ): Promise<Solution | Failure> {
    const { correction = null, condition = false } = request;
    const { matrix, factor } = this.arrays;
    const { order } = this.lengths;
    const pivot = await factorDamped(matrix, factor, order, shift, pace, correction);
    if (pivot >= 0) return indefinite(pivot);
    const { x, residual } = await solveDamped(matrix, factor, order, shift, right, pace, correction);
    const estimate = condition ? await conditionEstimate(matrix, factor, order, shift, pace) : Number.NaN;
    return { x, residual, condition: estimate };
  }

  /** Another right-hand side with the factor that is there. */
  protected async solveAgain(
    { request, shift }: Damped,
    right: Float64Array,
    pace: Pace,
  ): Promise<Float64Array | Failure> {
    const { correction = null } = request;
    const { matrix, factor } = this.arrays;
    return (await solveDamped(matrix, factor, this.lengths.order, shift, right, pace, correction)).x;
  }

  /** In place: x becomes (M + diag(shift))^-1 x by the factor alone. */
  protected applyFactor(_damped: Damped, x: Float64Array): Float64Array {
    solveFactored(this.arrays.factor, this.lengths.order, x);
    return x;
  }

  override async dampedInverse(vector: Float64Array, pace: Pace): Promise<Float64Array | Failure> {
    const damped = this.#solved;
    if (damped === null || this.context.system.factorOf !== this) return super.dampedInverse(vector, pace);
    checkArray("vector", vector, this.parameters.length);
    return this.inverseOf(damped, vector.slice(), pace);
  }

  /** -(G + decay I + mu D)^-1 J~^T (sqrt(s) R^T psi_vv). */
  override async accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    pace: Pace,
  ): Promise<Float64Array | Failure> {
    const damped = this.#solved;
    if (damped === null) return super.accelerate(velocity, scaling, pace);
    const second = await this.context.passes.secondDerivative(this.parameters, velocity, pace);
    return this.accelerationOf(damped, second, scaling, pace);
  }

  override async multiply(vectors: Float64Array, _pace: Pace): Promise<Float64Array> {
    const { order } = this.lengths;
    checkRows("vectors", vectors, order);
    const out = new Float64Array(vectors.length);
    const shift = new Float64Array(order);
    for (let at = 0; at < vectors.length; at += order)
      out.set(multiplySymmetric(this.arrays.matrix, order, shift, vectors.subarray(at, at + order)), at);
    return out;
  }

  /** The factor is kept for the next vector. */
  override async inverse(vector: Float64Array, shift: number, pace: Pace): Promise<Float64Array | Failure> {
    const { order } = this.lengths;
    checkArray("vector", vector, order);
    checkNonNegative("shift", shift);
    const { matrix, factor } = this.arrays;
    const right = vector.slice();
    const shifts = new Float64Array(order).fill(shift);
    if (this.#factored !== shift) {
      this.#factored = -1; // until the new one is whole
      this.#solved = null;
      this.context.system.factorOf = null;
      const pivot = await factorDamped(matrix, factor, order, shifts, pace);
      if (pivot >= 0) return indefinite(pivot);
      this.#factored = shift;
    }
    return (await solveDamped(matrix, factor, order, shifts, right, pace)).x;
  }

  /** The lower triangle mirrored. */
  override dense(into?: Float64Array): Float64Array {
    const { order } = this.lengths;
    const { matrix } = this.arrays;
    if (into !== undefined) checkArray("into", into, matrix.length);
    const out = into ?? new Float64Array(matrix.length);
    out.set(matrix);
    for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) out[j * order + i] = out[i * order + j];
    return out;
  }

  override async eigen(vectors: boolean, pace: Pace): Promise<Eigen> {
    const { order } = this.lengths;
    if (vectors) return symmetricEigen(this.dense(), order, true, pace);
    this.#eigenvalues ??= (await symmetricEigen(this.arrays.matrix.slice(), order, false, pace)).values;
    return { values: this.#eigenvalues.slice(), vectors: null };
  }
}
