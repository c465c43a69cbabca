// Holds the matrix H of `cumulativeGaussNewton` (cumulative.ts) during a step: the curvature of the batches so far and its Cholesky factor.
//
//   H' = keep H + add J~^T J~,      factor of H' + shift I
//
// The state of the method has H; a step makes H' beside it, and takes it over once nothing can fail any more. The factor is not in the state:
// it follows from H and the shift, and a resumed run makes it again with the same bits.

import { cholesky, solveFactored } from "../../backend/dense-cholesky.js";
import type { Engine, Failure } from "../../backend/engine.js";
import type { NetworkEngine } from "../../backend/network-engine.js";
import { GaussflowError } from "../../errors.js";
import { Pace } from "../../event-loop-yield.js";

/** Work arrays of a run, p x p. */
interface Work {
  /** H'. */
  readonly sum: Float64Array;
  /** Lower triangle: the factor. */
  readonly factor: Float64Array;
  /** Number of updates of the H whose factor it is, and its shift; NaN: there is none. */
  updates: number;
  shift: number;
}

/** By the engine of the run, which no two runs share. */
const works = new WeakMap<Engine, Work>();

export class Metric {
  readonly #engine: Engine;
  readonly #curvature: Float64Array;
  readonly #p: number;
  readonly #pace: Pace;
  readonly #work: Work;
  #updated: boolean;
  /** Updates of H so far, with this step's. */
  #updates: number;

  /**
   * @param curvature H of the state, p x p, symmetric; read until `commit`
   * @param updates number of batches that are in it
   */
  constructor(engine: Engine, curvature: Float64Array, updates: number, signal: AbortSignal) {
    const p = engine.parameterCount;
    let work = works.get(engine);
    if (work === undefined) {
      work = { sum: new Float64Array(p * p), factor: new Float64Array(p * p), updates: Number.NaN, shift: Number.NaN };
      works.set(engine, work);
    }
    this.#engine = engine;
    this.#curvature = curvature;
    this.#p = p;
    this.#pace = new Pace(signal);
    this.#work = work;
    this.#updated = false;
    this.#updates = updates;
  }

  /** H' = keep H + add J~^T J~, of the engine's last linearization (primal). */
  async update(keep: number, add: number): Promise<void> {
    const { curvature } = this.#engine as Partial<NetworkEngine>;
    if (curvature === undefined)
      throw new GaussflowError("GAUSSFLOW_STATE", "cumulativeGaussNewton needs an engine of a network");
    const gram = await curvature.call(this.#engine);
    const { sum } = this.#work;
    for (let k = 0; k < sum.length; k++) sum[k] = keep * this.#curvature[k]! + add * gram[k]!;
    this.#updated = true;
    this.#updates++;
  }

  /** Makes the factor of H' + shift I unless it is there. Null, or why there is none. */
  async factor(shift: number): Promise<Failure | null> {
    const { factor, updates, shift: before } = this.#work;
    if (updates === this.#updates && before === shift) return null;
    this.#work.updates = Number.NaN;
    factor.set(this.#present);
    for (let j = 0; j < this.#p; j++) factor[j * this.#p + j]! += shift;
    const pivot = await cholesky(factor, this.#p, this.#pace);
    if (pivot >= 0) {
      const message = `the cumulative curvature with damping ${shift.toExponential(3)} is not positive definite at pivot ${pivot}`;
      return { code: "indefinite", pivot, message };
    }
    this.#work.updates = this.#updates;
    this.#work.shift = shift;
    return null;
  }

  /** (H' + shift I)^-1 x with the last factor, written to `out`. */
  inverse(x: Float64Array, out: Float64Array): Float64Array {
    out.set(x);
    solveFactored(this.#work.factor, this.#p, out);
    return out;
  }

  /** H' x, without a shift. */
  product(x: Float64Array): Float64Array {
    const h = this.#present;
    const image = new Float64Array(this.#p);
    for (let i = 0, at = 0; i < this.#p; i++) for (let j = 0; j < this.#p; j++, at++) image[i]! += h[at]! * x[j]!;
    return image;
  }

  /** Takes H' over into the state. */
  commit(): void {
    if (this.#updated) this.#curvature.set(this.#work.sum);
  }

  get #present(): Float64Array {
    return this.#updated ? this.#work.sum : this.#curvature;
  }
}
