// Holds the matrix M of `cumulativeGaussNewton` (cumulative.ts) in an engine: the curvature of the batches so far and
// its factor.
//
//   M' = keep M + add J~^T J~,      factor of M' + shift I
//
// The state of the method has a copy of M of the last update, and nothing of the factor, which follows from M and the
// shift. An engine that holds another M, because the run goes on from a checkpoint, gets the copy first and forms the
// factor once more, with the same bits.
import { type Engine, type Failure, failed, type Linearized } from "../../backend/engine.js";
import type { NetworkEngine } from "../../backend/network-engine.js";
import { GaussflowError } from "../../errors.js";

/** How the curvature of a batch enters M. */
export interface Update {
  readonly keep: number;
  readonly add: number;
}

/** Where M is to be formed. */
export interface MetricPoint {
  readonly parameters: Float64Array;
  readonly decay: number;
  /** Array for the gradient of an update, and one for a gradient that is not used; p entries each. */
  readonly gradient: Float64Array;
  readonly spare: Float64Array;
  /** Array for M', p x p. */
  readonly matrix: Float64Array;
  readonly signal: AbortSignal;
}

/**
 * Number of updates in the M of an engine, and the shift of its factor (NaN: no factor). No two runs share an engine.
 */
const held = new WeakMap<Engine, { updates: number; shift: number }>();

export class Metric {
  readonly #engine: NetworkEngine;
  readonly #copy: Float64Array;
  readonly #point: MetricPoint;
  #updates: number;
  #next: Float64Array | null = null;

  /**
   * @param copy M of the state, p x p, symmetric; read until `commit`
   * @param updates number of updates that are in it
   */
  constructor(engine: Engine, copy: Float64Array, updates: number, point: MetricPoint) {
    if (!("restoreCurvature" in engine))
      throw new GaussflowError("GAUSSFLOW_STATE", "cumulativeGaussNewton needs an engine of a network");
    this.#engine = engine as NetworkEngine;
    this.#copy = copy;
    this.#updates = updates;
    this.#point = point;
  }

  /** M' at the point, on the rows that the engine holds; with loss and gradient there. */
  async update({ keep, add }: Update): Promise<Linearized | Failure> {
    this.#restore();
    const answer = await this.#form({ keep, add }, this.#point.gradient);
    if (failed(answer)) return answer;
    this.#next = await this.#engine.curvature(this.#point.matrix);
    this.#updates++;
    return answer;
  }

  /** Factors M' + shift I unless the engine has that factor. Returns null, or why there is none. */
  async factor(shift: number): Promise<Failure | null> {
    const before = held.get(this.#engine);
    if (this.#next === null) {
      if (before?.updates === this.#updates && before.shift === shift) return null;
      this.#restore();
      const formed = await this.#form({ keep: 1, add: 0 }, this.#point.spare);
      if (failed(formed)) return formed;
    }
    const solved = await this.#engine.solve({ damping: shift, decay: 0, scaling: null }, this.#point.signal);
    if (failed(solved)) return solved;
    held.set(this.#engine, { updates: this.#updates, shift });
    return null;
  }

  /** (M' + shift I)^-1 x with the last factor. */
  inverse(x: Float64Array): Promise<Float64Array | Failure> {
    return this.#engine.dampedInverse(x, this.#point.signal);
  }

  /** M' x, without a shift, in a step that has updated M. */
  product(x: Float64Array): Promise<Float64Array> {
    return this.#engine.curvatureProduct(x, this.#point.signal);
  }

  /** Copies M' into the state. A step calls it once nothing can fail any more. */
  commit(): void {
    if (this.#next === null) return;
    this.#copy.set(this.#next);
    const { shift = Number.NaN } = held.get(this.#engine) ?? {};
    held.set(this.#engine, { updates: this.#updates, shift });
  }

  /** Restores the M of the state in an engine that holds another one. */
  #restore(): void {
    const updates = held.get(this.#engine)?.updates ?? 0;
    // Until `commit` the engine may be ahead of the state.
    held.delete(this.#engine);
    if (updates !== this.#updates) this.#engine.restoreCurvature(this.#copy);
  }

  #form(accumulate: Update, gradient: Float64Array): Promise<Linearized | Failure> {
    const { parameters, decay, signal } = this.#point;
    return this.#engine.linearize(
      parameters,
      { curvature: "primal", decay, scaling: null, gradient, accumulate },
      signal,
    );
  }
}
