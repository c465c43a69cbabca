// Computes the damped steps of a fit inside a box, from the triangle R and c = Q^T z~ of its Jacobian. residual-engine.ts loads them at each
// linearization and asks for steps of different dampings.
//
//   minimize |R s + c|^2 + decay |w + s|^2 + mu s^T D s   with lower <= w + s <= upper
//
// A parameter at a bound that the gradient pushes against is held: its gradient counts as 0 and it does not move. The others are solved for; where some would
// leave the box they end at their bounds, and the rest is solved for again. If that does not lower the model, the step without bounds is shortened
// to the first bound on its way, which does, because the model is convex.

import { dot } from "../algebra/vectors.js";
import type { LowRank } from "../backend/curvature.js";
import { cholesky, solveFactored } from "../backend/dense-cholesky.js";
import type { Failure, SolveRequest } from "../backend/engine.js";
import { addLowRank } from "../backend/low-rank.js";
import { Pace } from "../event-loop-yield.js";
import { DampedTriangle } from "./damped-triangle.js";
import { applyTransposed, factorColumns, type Reflections, reflectionsOf } from "./householder.js";
import type { Box } from "./residual-function.js";

/** R of some of the columns, and the right-hand side rotated with it. */
interface Reduced {
  readonly which: readonly number[];
  /** Row-major. */
  readonly triangle: Float64Array;
  readonly factor: Reflections | null;
  readonly systems: DampedTriangle;
}

export class BoundedSteps {
  /** R, row-major, p x p. */
  readonly triangle: Float64Array;
  /** Which parameters are held at a bound. */
  readonly held: boolean[];
  readonly #order: number;
  readonly #limits: Box | null;
  readonly #whole: Reduced;
  readonly #c: Float64Array;
  #w: Float64Array = new Float64Array(0);
  #gradient: Float64Array = new Float64Array(0);
  #decay = 0;
  #reduced: Reduced;
  #request: SolveRequest = { damping: 0, decay: 0, scaling: null };
  /** Decrease of the model without damping where the last step is not the one without bounds; else null. */
  predicted: number | null = null;
  /** Whether the last step ended at a bound. */
  #clipped = false;

  /** @param limits of w; null without bounds */
  constructor(order: number, limits: Box | null) {
    this.#order = order;
    this.#limits = limits;
    this.triangle = new Float64Array(order * order);
    this.held = new Array<boolean>(order).fill(false);
    this.#c = new Float64Array(order);
    const which = this.held.map((_, j) => j);
    this.#whole = { which, triangle: this.triangle, factor: null, systems: new DampedTriangle(order) };
    this.#reduced = this.#whole;
  }

  /** Takes the gradient at w: gets the part of the decay, and becomes 0 for parameters that are held. */
  hold(w: Float64Array, gradient: Float64Array, decay: number): void {
    this.#w = w.slice();
    for (let j = 0; j < this.#order; j++) {
      gradient[j] += decay * w[j];
      this.held[j] = this.#pushed(j, gradient[j]);
      if (this.held[j]) gradient[j] = 0;
    }
    this.#gradient = gradient.slice();
    this.#decay = decay;
  }

  /**
   * Takes the factor of the Jacobian at that point.
   * @param rotated Q^T z~, of which the first p entries are kept
   * @param length |z~|
   */
  load({ rows, matrix }: Reflections, rotated: Float64Array, length: number): void {
    const p = this.#order;
    this.triangle.fill(0);
    for (let j = 0; j < p; j++)
      for (let i = 0; i <= Math.min(j, rows - 1); i++) this.triangle[i * p + j] = matrix[j * rows + i];
    for (let i = 0; i < p; i++) this.#c[i] = i < rows ? rotated[i] : 0;
    this.#reduced = this.held.includes(true) ? this.#reduce((j) => !this.held[j]) : this.#whole;
    const c = this.#c.slice();
    if (this.#reduced.factor !== null) applyTransposed(this.#reduced.factor, c);
    const removable = c.subarray(0, this.#reduced.which.length);
    this.relativeOffset = length > 0 ? Math.sqrt(dot(removable, removable)) / length : 0;
  }

  /** Length of the part of z~ that a step of the linearized model without damping could remove, relative to z~. */
  relativeOffset = 0;

  /** The step of a damping. */
  async solve(request: SolveRequest): Promise<Float64Array | Failure> {
    this.#request = request;
    this.predicted = null;
    this.#clipped = false;
    const step = request.step ?? new Float64Array(this.#order);
    step.fill(0);
    const { correction = null } = request;
    if (correction !== null) return this.#corrected(correction, step);
    const failure = this.#reducedStep(this.#reduced, step);
    if (failure !== null) return failure;
    if (this.#limits === null || !this.#leaves(step)) return step;
    return this.#inside(step);
  }

  /** The acceleration for r_vv, rotated by Q^T: the same system with another right-hand side. */
  accelerate(rotated: Float64Array, velocity: Float64Array): Float64Array | Failure {
    const atBound: Failure = { code: "non-finite", where: { what: "step" }, message: "the step ends at a bound" };
    if (this.#clipped) return atBound;
    const acceleration = new Float64Array(this.#order);
    const right = rotated.subarray(0, this.#order);
    const failure = this.#systemStep(this.#reduced, right, () => 0, acceleration);
    if (failure !== null) return failure;
    const end = velocity.map((value, j) => value + 0.5 * acceleration[j]);
    return this.#limits !== null && this.#leaves(end) ? atBound : acceleration;
  }

  /** R^T R v, row after row. */
  product(vectors: Float64Array): Float64Array {
    const p = this.#order;
    const image = new Float64Array(vectors.length);
    for (let at = 0; at < vectors.length; at += p) {
      const v = vectors.subarray(at, at + p);
      for (let i = 0; i < p; i++) {
        const along = dot(this.triangle.subarray(i * p, (i + 1) * p), v);
        for (let j = i; j < p; j++) image[at + j] += this.triangle[i * p + j] * along;
      }
    }
    return image;
  }

  #pushed(j: number, slope: number): boolean {
    if (this.#limits === null) return false;
    const { lower, upper } = this.#limits;
    return (this.#w[j] <= lower[j] && slope > 0) || (this.#w[j] >= upper[j] && slope < 0) || lower[j] === upper[j];
  }

  #leaves(step: Float64Array): boolean {
    const { lower, upper } = this.#limits as Box;
    return step.some((value, j) => this.#w[j] + value < lower[j] || this.#w[j] + value > upper[j]);
  }

  /** The step inside the box, where that of the free system leaves it. */
  #inside(free: Float64Array): Float64Array | Failure {
    this.#clipped = true;
    const { lower, upper } = this.#limits as Box;
    const step = free.slice();
    const fixed = this.held.slice();
    for (let changed = true; changed; ) {
      changed = false;
      for (let j = 0; j < step.length; j++) {
        const end = this.#w[j] + step[j];
        if (fixed[j] || (end >= lower[j] && end <= upper[j])) continue;
        fixed[j] = changed = true;
        step[j] = (end < lower[j] ? lower[j] : upper[j]) - this.#w[j];
      }
      if (!changed || fixed.every(Boolean)) break;
      const failure = this.#reducedStep(
        this.#reduce((j) => !fixed[j]),
        step,
      );
      if (failure !== null) return failure;
    }
    this.predicted = this.decrease(step);
    if (this.predicted > 0) return step;
    let share = 1;
    for (let j = 0; j < free.length; j++) {
      const end = this.#w[j] + free[j];
      if (end < lower[j]) share = Math.min(share, (lower[j] - this.#w[j]) / free[j]);
      if (end > upper[j]) share = Math.min(share, (upper[j] - this.#w[j]) / free[j]);
    }
    const short = free.map((value) => share * value);
    this.predicted = this.decrease(short);
    return short;
  }

  /** Decrease of the objective's model, without the damping, by a step. */
  decrease(step: Float64Array): number {
    const p = this.#order;
    let curved = this.#decay * dot(step, step);
    for (let i = 0; i < p; i++) curved += dot(this.triangle.subarray(i * p, (i + 1) * p), step) ** 2;
    let slope = 0;
    for (let j = 0; j < p; j++) if (!this.held[j]) slope += this.#gradient[j] * step[j];
    return -slope - 0.5 * curved;
  }

  /** R of the columns that `chosen` answers for. */
  #reduce(chosen: (j: number) => boolean): Reduced {
    const p = this.#order;
    const which = this.#whole.which.filter(chosen);
    const factor = reflectionsOf(p, which.length);
    which.forEach((j, k) => {
      for (let i = 0; i <= j; i++) factor.matrix[k * p + i] = this.triangle[i * p + j];
    });
    factorColumns(factor);
    const order = which.length;
    const triangle = new Float64Array(order * order);
    for (let k = 0; k < order; k++) for (let i = 0; i <= k; i++) triangle[i * order + k] = factor.matrix[k * p + i];
    return { which, triangle, factor, systems: new DampedTriangle(order) };
  }

  /** Solves for the parameters of `reduced`, the other entries of `step` being given. */
  #reducedStep(reduced: Reduced, step: Float64Array): Failure | null {
    const p = this.#order;
    const right = this.#c.slice();
    const given = new Set(reduced.which);
    for (let j = 0; j < p; j++)
      if (!given.has(j) && step[j] !== 0) for (let i = 0; i <= j; i++) right[i] += this.triangle[i * p + j] * step[j];
    return this.#systemStep(reduced, right, (j) => this.#w[j], step);
  }

  #systemStep(
    { which, triangle, factor, systems }: Reduced,
    c: Float64Array,
    pulled: (j: number) => number,
    step: Float64Array,
  ): Failure | null {
    const { damping, decay, scaling } = this.#request;
    if (factor !== null) {
      c = c.slice();
      applyTransposed(factor, c);
    }
    const diagonal = Float64Array.from(which, (j) => Math.sqrt(decay + damping * (scaling === null ? 1 : scaling[j])));
    const pull = Float64Array.from(which, (j, k) => (decay === 0 ? 0 : (-decay * pulled(j)) / diagonal[k]));
    const answer = new Float64Array(which.length);
    const dependent = systems.solve(triangle, c, diagonal, pull, answer);
    if (dependent >= 0) {
      const message = `the Jacobian has no full column rank: parameter ${which[dependent]} changes the residuals as those before it do, or not at all`;
      return { code: "indefinite", pivot: which[dependent], message };
    }
    which.forEach((j, k) => {
      step[j] = answer[k];
    });
    return null;
  }

  /** With a correction there is no least-squares problem: the normal equations, whose condition is squared. */
  async #corrected(correction: LowRank, step: Float64Array): Promise<Float64Array | Failure> {
    const p = this.#order;
    const { damping, decay, scaling } = this.#request;
    const matrix = new Float64Array(p * p);
    for (let j = 0; j < p; j++) {
      for (let k = 0; k <= j; k++)
        for (let i = 0; i <= k; i++) matrix[j * p + k] += this.triangle[i * p + j] * this.triangle[i * p + k];
      matrix[j * p + j] += decay + damping * (scaling?.[j] ?? 1);
      step[j] = -this.#gradient[j];
    }
    addLowRank(correction, matrix, p);
    const pivot = await cholesky(matrix, p, new Pace(undefined));
    if (pivot >= 0) return { code: "indefinite", pivot, message: "the corrected matrix is not positive definite" };
    solveFactored(matrix, p, step);
    return step;
  }
}
