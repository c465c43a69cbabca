// The Gram matrix G = J^T J of the reference jet engine, its damped systems and its spectrum. engine.ts adds blocks of rows of J to it, and
// solves with it.
import { symmetricEigen } from "../../../algebra/symmetric-eigen.js";
import { GaussflowError } from "../../../errors.js";
import type { Pace } from "../../../event-loop-yield.js";
import type { Failure, Solved, SolveRequest } from "../../engine.js";
import { NO_FACTOR } from "../../engine.js";
import { indefinite } from "../../indefinite.js";
import { copyOf } from "../../low-rank.js";
import { memoryFailure, refuseOrder } from "../../memory.js";
import type { Eigen } from "../../network-engine.js";
import { checkArray, checkRows, checkSolve } from "../checks.js";
import { conditionEstimate, factorDamped, multiplySymmetric, solveDamped, solveFactored } from "../cholesky.js";

const NONE = new Float64Array(0);
const WHAT = "the Gram matrix and its factor";

/** The damped matrix that the factor is of: G + diag(shift) + correction. */
interface Damped {
  readonly shift: Float64Array;
  readonly correction: ReturnType<typeof copyOf> | null;
}

export class JetGram {
  readonly kind = "primal";
  readonly precision = "double";
  readonly scalingCount: number;
  readonly #order: number;
  /** Lower triangle, row-major, as the factor. */
  #matrix = NONE;
  #factor = NONE;
  #damped: Damped | null = null;

  /** @param order p */
  constructor(order: number) {
    this.#order = order;
    this.scalingCount = order;
  }

  get bytes(): number {
    return this.#matrix.byteLength + this.#factor.byteLength;
  }

  /** The matrix, zeros, for blocks to be added to; the factor ends. A failure where two matrices cannot be had. */
  begin(): Float64Array | Failure {
    const refused = refuseOrder(this.#order, 2, WHAT);
    if (refused !== null) return refused;
    this.#damped = null;
    try {
      if (this.#matrix.length === 0) this.#matrix = new Float64Array(this.#order ** 2);
      if (this.#factor.length === 0) this.#factor = new Float64Array(this.#order ** 2);
      return this.#matrix.fill(0);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      this.release();
      return memoryFailure(16 * this.#order ** 2, `${WHAT} of order ${this.#order}`);
    }
  }

  /** x of (G + decay I + damping D + correction) x = -gradient, and what is known of it; x may be non-finite. */
  async solve(request: SolveRequest, gradient: Float64Array, pace: Pace): Promise<Omit<Solved, "seconds"> | Failure> {
    checkSolve(this, this.#order, request);
    const { damping, decay, scaling, condition = false } = request;
    const shift = Float64Array.from({ length: this.#order }, (_, j) => decay + damping * (scaling?.[j] ?? 1));
    const damped = { shift, correction: request.correction ? copyOf(request.correction) : null };
    const failure = await this.#factorize(damped, pace);
    if (failure !== null) return failure;
    const right = gradient.map((value) => -value);
    const [m, l, p] = [this.#matrix, this.#factor, this.#order];
    const { x, residual } = await solveDamped(m, l, p, shift, right, pace, damped.correction);
    const estimate = condition ? await conditionEstimate(m, l, p, shift, pace) : Number.NaN;
    return { ok: true, step: x, residual, condition: estimate };
  }

  /** Another right-hand side with the factor of the last solve. */
  async solveAgain(right: Float64Array, pace: Pace): Promise<Float64Array> {
    const { shift, correction } = this.#held();
    return (await solveDamped(this.#matrix, this.#factor, this.#order, shift, right, pace, correction)).x;
  }

  /** The same by the factor alone, not refined. */
  applyInverse(vector: Float64Array): Float64Array {
    this.#held();
    checkArray("vector", vector, this.#order);
    const x = vector.slice();
    solveFactored(this.#factor, this.#order, x);
    return x;
  }

  /** (G + shift I)^-1 v, refined once. */
  async inverse(vector: Float64Array, shift: number, pace: Pace): Promise<Float64Array | Failure> {
    checkArray("vector", vector, this.#order);
    const right = vector.slice();
    const held = this.#damped;
    if (held === null || held.correction !== null || held.shift.some((value) => value !== shift)) {
      const failure = await this.#factorize(
        { shift: new Float64Array(this.#order).fill(shift), correction: null },
        pace,
      );
      if (failure !== null) return failure;
    }
    return this.solveAgain(right, pace);
  }

  /** G v for the rows v of `vectors`. */
  multiply(vectors: Float64Array): Float64Array {
    checkRows("vectors", vectors, this.#order);
    const out = new Float64Array(vectors.length);
    const none = new Float64Array(this.#order);
    for (let at = 0; at < vectors.length; at += this.#order)
      out.set(multiplySymmetric(this.#matrix, this.#order, none, vectors.subarray(at, at + this.#order)), at);
    return out;
  }

  /** A copy, whole and symmetric. */
  dense(into: Float64Array = new Float64Array(this.#order ** 2)): Float64Array {
    const p = this.#order;
    checkArray("into", into, p * p);
    into.set(this.#matrix);
    for (let i = 0; i < p; i++) for (let j = 0; j < i; j++) into[j * p + i] = into[i * p + j];
    return into;
  }

  eigen(vectors: boolean, pace: Pace): Promise<Eigen> {
    return symmetricEigen(this.dense(), this.#order, vectors, pace);
  }

  release(): void {
    this.#damped = null;
    this.#matrix = NONE;
    this.#factor = NONE;
  }

  async #factorize(damped: Damped, pace: Pace): Promise<Failure | null> {
    this.#damped = null;
    const { shift, correction } = damped;
    const pivot = await factorDamped(this.#matrix, this.#factor, this.#order, shift, pace, correction);
    if (pivot >= 0) return indefinite(pivot);
    this.#damped = damped;
    return null;
  }

  #held(): Damped {
    if (this.#damped === null) throw new GaussflowError("GAUSSFLOW_STATE", NO_FACTOR);
    return this.#damped;
  }
}
