// Computes derivatives of residuals by differences, for functions that come without them. residual-engine.ts calls it at each linearization, and for
// the second derivative along a step.
//
//   order 1    (r(b + h e_j) - r(b)) / h,  h = eps^(1/2) size_j:  relative error about eps^(1/2)
//   order 2    (r(b + h e_j) - r(b - h e_j)) / 2h,  h = eps^(1/3) size_j:  relative error about eps^(2/3)
//   order 4    (8 d(h) - d(2h)) / 12h, d(h) = r(b + h e_j) - r(b - h e_j),  h = eps^(1/5) size_j:  relative error about eps^(4/5)
//   at a bound (4 r(b + h e_j) - 3 r(b) - r(b + 2h e_j)) / 2h towards the inside, of order 2
//
// The step is rounded so that b + h - b is h exactly. Where a side is not finite (a logarithm near 0) the other side is taken alone.
import type { Box, ResidualFunction } from "./residual-function.js";

/** Order of the error in the step. */
export type DifferenceOrder = 1 | 2 | 4;

const STEP: Readonly<Record<DifferenceOrder, number>> = {
  1: Number.EPSILON ** (1 / 2),
  2: Number.EPSILON ** (1 / 3),
  4: Number.EPSILON ** (1 / 5),
};

/** Arrays that the differences of one function share. */
export class Differences {
  readonly #function: ResidualFunction;
  readonly #box: Box | null;
  readonly #point: Float64Array;
  readonly #near: Float64Array;
  readonly #far: Float64Array;

  constructor(of: ResidualFunction, box: Box | null) {
    this.#function = of;
    this.#box = box;
    this.#point = new Float64Array(of.parameterCount);
    const room = new Float64Array(2 * of.count);
    this.#near = room.subarray(0, of.count);
    this.#far = room.subarray(of.count);
  }

  /**
   * Writes dr/db_j, n entries, to `out` from `at` on.
   * @param residual r(b)
   * @param size the scale of b_j, above 0
   * @param order where no bound is near
   */
  async column(
    b: Float64Array,
    residual: Float64Array,
    j: number,
    size: number,
    out: Float64Array,
    at: number,
    order: DifferenceOrder,
  ): Promise<void> {
    const [near, far] = [this.#near, this.#far];
    const upper = this.#box?.upper[j] ?? Number.POSITIVE_INFINITY;
    const lower = this.#box?.lower[j] ?? Number.NEGATIVE_INFINITY;
    if (order === 1) {
      // Away from 0, towards the side with more room.
      const away = b[j] < 0 ? -1 : 1;
      const h = stepAt(b[j], away * STEP[1] * size);
      const short = b[j] + h <= upper && b[j] + h >= lower ? h : stepAt(b[j], -away * STEP[1] * size);
      if (b[j] + short <= upper && b[j] + short >= lower) {
        await this.#evaluate(b, j, b[j] + short, near);
        const inverse = 1 / short;
        let sum = 0;
        for (let i = 0; i < near.length; i++) {
          const slope = (near[i] - residual[i]) * inverse;
          out[at + i] = slope;
          sum += slope;
        }
        if (Number.isFinite(sum) || allFinite(out, at, near.length)) return;
      }
    }
    const long = stepAt(b[j], STEP[4] * size);
    if (order === 4 && b[j] + 2 * long <= upper && b[j] - 2 * long >= lower) {
      await this.#symmetric(b, j, long, 8 / (12 * long), out, at, false);
      await this.#symmetric(b, j, 2 * long, -1 / (12 * long), out, at, true);
      if (allFinite(out, at, near.length)) return;
    }
    const step = stepAt(b[j], STEP[2] * size);
    if (b[j] + step <= upper && b[j] - step >= lower) {
      await this.#symmetric(b, j, step, 1 / (2 * step), out, at, false);
      if (allFinite(out, at, near.length)) return;
    }
    // Towards the side with more room first.
    const first = upper - b[j] >= b[j] - lower ? step : -step;
    for (const h of [first, -first]) {
      const inside = Math.min(Math.abs(h), (h > 0 ? upper - b[j] : b[j] - lower) / 2);
      const signed = Math.sign(h) * inside;
      if (!(inside > 0)) continue;
      await this.#evaluate(b, j, b[j] + signed, near);
      await this.#evaluate(b, j, b[j] + 2 * signed, far);
      for (let i = 0; i < near.length; i++) out[at + i] = (4 * near[i] - 3 * residual[i] - far[i]) / (2 * signed);
      if (allFinite(out, at, near.length)) return;
    }
  }

  /**
   * Writes the second derivative of r along `direction` to `out`: (r(b + h d) - 2 r(b) + r(b - h d)) / h^2, or where b - h d is outside the box
   * (r(b) - 2 r(b + h d) + r(b + 2h d)) / h^2, whose error is of order h.
   *
   * h = 0.1 (Transtrum and Sethna 2012): the direction is a step of the fit, and a smaller h would leave rounding of the residuals alone.
   * @param direction d; b + d is inside the box
   */
  async along(b: Float64Array, residual: Float64Array, direction: Float64Array, out: Float64Array): Promise<void> {
    const h = 0.1;
    const [near, far] = [this.#near, this.#far];
    const behind = this.#inside(b, direction, -h);
    await this.#evaluateAlong(b, direction, h, near);
    await this.#evaluateAlong(b, direction, behind ? -h : 2 * h, far);
    const [first, middle] = behind ? [near, residual] : [residual, near];
    for (let i = 0; i < near.length; i++) out[i] = (first[i] - 2 * middle[i] + far[i]) / (h * h);
  }

  #inside(b: Float64Array, direction: Float64Array, share: number): boolean {
    const box = this.#box;
    if (box === null) return true;
    return b.every((value, j) => {
      const end = value + share * direction[j];
      return direction[j] === 0 || (end >= box.lower[j] && end <= box.upper[j]);
    });
  }

  /** Residuals at b + share * direction. The clamp undoes roundings at a bound. */
  async #evaluateAlong(b: Float64Array, direction: Float64Array, share: number, out: Float64Array): Promise<void> {
    for (let j = 0; j < b.length; j++)
      this.#point[j] = direction[j] === 0 ? b[j] : this.#clamped(j, b[j] + share * direction[j]);
    const answer = this.#function.residuals(this.#point, out);
    if (answer !== undefined) await answer;
  }

  /** factor (r(b + h e_j) - r(b - h e_j)), written or added. */
  async #symmetric(b: Float64Array, j: number, h: number, factor: number, out: Float64Array, at: number, add: boolean) {
    const [near, far] = [this.#near, this.#far];
    await this.#evaluate(b, j, b[j] + h, near);
    await this.#evaluate(b, j, b[j] - h, far);
    if (add) for (let i = 0; i < near.length; i++) out[at + i] += factor * (near[i] - far[i]);
    else for (let i = 0; i < near.length; i++) out[at + i] = factor * (near[i] - far[i]);
  }

  #clamped(j: number, value: number): number {
    return this.#box === null ? value : Math.min(Math.max(value, this.#box.lower[j]), this.#box.upper[j]);
  }

  /** Residuals at b with entry j replaced. */
  async #evaluate(b: Float64Array, j: number, value: number, out: Float64Array): Promise<void> {
    this.#point.set(b);
    this.#point[j] = value;
    const answer = this.#function.residuals(this.#point, out);
    if (answer !== undefined) await answer;
  }
}

/** A step near `wanted` for which value + step - value is the step. */
function stepAt(value: number, wanted: number): number {
  return value + wanted - value || wanted;
}

/** Whether these numbers are all finite. */
export function allFinite(values: Float64Array, at: number, count: number): boolean {
  let sum = 0;
  // A sum of finite numbers may overflow, and then they are looked at one by one.
  for (let i = 0; i < count; i++) sum += values[at + i];
  if (Number.isFinite(sum)) return true;
  for (let i = 0; i < count; i++) if (!Number.isFinite(values[at + i])) return false;
  return true;
}
