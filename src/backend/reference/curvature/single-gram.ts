// The Gram matrix of the primal route of the reference engine with a factor in single precision (`../../single.ts`): steps by conjugate
// gradients on the operator in double precision, which the factor preconditions. The matrix may be that of a subset of the samples, the
// operator is then that of the passes over all. store.ts makes it.
import type { Pace } from "../../../event-loop-yield.js";
import type { Eigen } from "../../curvature.js";
import type { Failure, LinearizeRequest } from "../../engine.js";
import { indefinite } from "../../indefinite.js";
import { HELD_SINGLE, mostSingleSteps, mostSubsetSteps, singleTolerance } from "../../single.js";
import type { BlockRows } from "../blocks.js";
import { multiplySymmetric } from "../cholesky.js";
import { formSampled } from "../sampled.js";
import { applySingle, factorSingle, type SingleOperator, solveSingle } from "../single.js";
import { type Finished, type Pass, stateError } from "./curvature.js";
import { Gram } from "./gram.js";
import type { Damped, Solution } from "./matrix.js";

export class SingleGram extends Gram {
  override readonly precision = "single";

  override async addBlock(rows: BlockRows, pace: Pace): Promise<void> {
    if (this.subset === null) await super.addBlock(rows, pace);
  }

  override async finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    if (this.subset !== null) {
      const sums = { diagonal: pass.diagonal, scaling: request.scaling, arrays: this.arrays };
      await formSampled(this.context.blocks, this.subset, this.parameters, sums, pace);
    }
    return super.finish(pass, request, pace);
  }

  protected override async factorAndSolve(
    damped: Damped,
    right: Float64Array,
    pace: Pace,
  ): Promise<Solution | Failure> {
    const { matrix, factor } = this.arrays;
    const pivot = await factorSingle(matrix, factor, this.lengths.order, damped.shift, pace);
    if (pivot >= 0) return indefinite(pivot);
    const solved = await this.#solve(damped, right, pace);
    return "code" in solved ? solved : { ...solved, condition: Number.NaN };
  }

  protected override async solveAgain(
    damped: Damped,
    right: Float64Array,
    pace: Pace,
  ): Promise<Float64Array | Failure> {
    const solved = await this.#solve(damped, right, pace);
    return "code" in solved ? solved : solved.x;
  }

  protected override applyFactor({ shift }: Damped, x: Float64Array): Float64Array {
    return applySingle(this.arrays.matrix, shift, this.arrays.factor, x);
  }

  #solve({ request, shift }: Damped, right: Float64Array, pace: Pace) {
    const { tolerance = singleTolerance } = request;
    return solveSingle(this.#operator(shift, pace), this.arrays.factor, right, tolerance, pace);
  }

  /** What the conjugate gradients work on. */
  #operator(shift: Float64Array, pace: Pace): SingleOperator {
    const { matrix } = this.arrays;
    const { order } = this.lengths;
    if (this.subset === null)
      return { matrix, shift, most: mostSingleSteps, multiply: (v) => multiplySymmetric(matrix, order, shift, v) };
    const multiply = async (v: Float64Array) => {
      const image = await this.context.passes.gram(this.parameters, v, pace);
      return image.map((value, j) => value + shift[j] * v[j]);
    };
    return { matrix, shift, most: mostSubsetSteps, multiply };
  }

  // The entries are those of a double-precision sum here, but of float32 in the native engine: both refuse to show them.
  override dense(): Float64Array {
    throw stateError(HELD_SINGLE);
  }

  override eigen(): Promise<Eigen> {
    throw stateError(HELD_SINGLE);
  }

  override inverse(): Promise<Float64Array | Failure> {
    throw stateError(HELD_SINGLE);
  }
}
