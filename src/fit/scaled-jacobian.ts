// Holds the Jacobian of a fit, J~ = sqrt(s) R dr/dw, from its derivatives to its factor: fills the columns by the caller's derivatives or by differences with
// steps from the scale of each parameter, scales them, and measures them. residual-engine.ts has one.
import { dot } from "../algebra/vectors.js";
import type { Failure } from "../backend/engine.js";
import { allFinite, type DifferenceOrder, Differences } from "./differences.js";
import { type Reflections, reflectionsOf } from "./householder.js";
import type { Box, ResidualFunction } from "./residual-function.js";

/** Least scale of a parameter for differences, relative to its size: smaller steps would show rounding where the first residuals are small. */
const LEAST_SIZE = 1e-2;

/** Relative offset from which on the errors of forward differences would slow the fit down, or cost digits. */
const NEAR = 1e-3;
/** Share of a column that those before it leave, below which the columns are nearly dependent. */
const DEPENDENT = 1e-2;

/** What the scaled columns and residuals tell before they are factored. */
interface Measures {
  readonly gradient: Float64Array;
  /** Squared lengths of the columns. */
  readonly squares: Float64Array;
  /** Length of the residuals. */
  readonly length: number;
}

export class ScaledJacobian {
  /** dr/db of the free parameters, column-major, as they were filled last. */
  readonly derivatives: Float64Array;
  /** The scaled columns, and after factorColumns their factor. */
  readonly factor: Reflections;
  /** Order of differences in the next linearization. */
  order: DifferenceOrder = 1;
  /** That of the last. */
  #filled: DifferenceOrder = 1;
  /** Whether the columns were nearly dependent at the last. */
  dependent = false;
  readonly #function: ResidualFunction;
  readonly #free: readonly number[];
  readonly #units: Float64Array;
  readonly #sizes: Float64Array;
  readonly #differences: Differences;
  /** Length of the scaled residuals at the first linearization and at the last. */
  #magnitude = 0;
  #length = 0;
  /** Squared lengths of the columns at the last linearization, and the largest so far. */
  #squares: Float64Array;
  readonly #largestSquares: Float64Array;

  /**
   * @param free places of the free parameters
   * @param units of w, one a free parameter
   * @param sizes typical size of every parameter
   */
  constructor(
    of: ResidualFunction,
    box: Box | null,
    free: readonly number[],
    units: Float64Array,
    sizes: Float64Array,
  ) {
    this.#function = of;
    [this.#free, this.#units, this.#sizes] = [free, units, sizes];
    this.#differences = new Differences(of, box);
    this.derivatives = new Float64Array(of.count * free.length);
    this.factor = reflectionsOf(of.count, free.length);
    this.#squares = new Float64Array(free.length);
    this.#largestSquares = new Float64Array(free.length);
  }

  /** Computes dr/db of the free parameters. */
  async fill(b: Float64Array, residual: Float64Array): Promise<void> {
    const [n, matrix] = [this.#function.count, this.derivatives];
    this.#filled = this.order;
    const { columns } = this.#function;
    if (columns !== null) {
      const wait = columns(b, this.#free, matrix);
      if (wait !== undefined) await wait;
      return;
    }
    for (let k = 0; k < this.#free.length; k++) {
      const size = this.#differenceSize(b, k);
      await this.#differences.column(b, residual, this.#free[k], size, matrix, k * n, this.order);
    }
  }

  /** Whether the derivatives are those of the caller, or differences that are not forward. */
  get exact(): boolean {
    return this.#function.columns !== null || this.#filled > 1;
  }

  /** Whether the next derivatives at the same point would be no better. */
  get best(): boolean {
    return this.#function.columns !== null || this.#filled >= Math.max(this.order, 2);
  }

  /** Writes the second derivative of the residuals along `direction` to `out`. */
  async secondAlong(
    b: Float64Array,
    residual: Float64Array,
    direction: Float64Array,
    out: Float64Array,
  ): Promise<void> {
    const { secondAlong } = this.#function;
    if (secondAlong !== undefined) secondAlong(b, direction, out);
    else await this.#differences.along(b, residual, direction, out);
  }

  /**
   * Scales the columns by the units and the rows by the factors of the loss.
   * @returns J~^T z~, the squared lengths of the columns of J~, and the length of z~
   */
  scale(factors: Float64Array, z: Float64Array): Measures | Failure {
    const [n, k, { matrix }, given] = [z.length, this.#free.length, this.factor, this.derivatives];
    const [gradient, squares] = [new Float64Array(k), new Float64Array(k)];
    for (let j = 0, at = 0; j < k; j++, at += n) {
      const unit = this.#units[j];
      let [along, square] = [0, 0];
      for (let i = 0; i < n; i++) {
        const value = given[at + i] * unit * factors[i];
        matrix[at + i] = value;
        along += value * z[i];
        square += value * value;
      }
      if (!Number.isFinite(square) && !allFinite(matrix, at, n))
        return notFinite(
          matrix.subarray(at, at + n).findIndex((value) => !Number.isFinite(value)),
          this.#free[j],
        );
      gradient[j] = along;
      squares[j] = square;
      this.#largestSquares[j] = Math.max(this.#largestSquares[j], square);
    }
    this.#squares = squares;
    this.#length = Math.sqrt(dot(z, z));
    this.#magnitude ||= this.#length;
    return { gradient, squares, length: this.#length };
  }

  /**
   * Rounding of the loss. Residual i is known to about eps m_i, m_i = |z_i| + sum_j |J_ij w_j|: a relative change eps of the parameters changes it
   * as much, and for a model that is a sum of terms m_i is the size of the terms.
   */
  rounding(w: Float64Array, z: Float64Array): number {
    const [n, { matrix }] = [z.length, this.factor];
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let size = Math.abs(z[i]);
      for (let j = 0; j < w.length; j++) size += Math.abs(matrix[j * n + i] * w[j]);
      sum += (size * z[i]) ** 2;
    }
    return Number.EPSILON * Math.sqrt(sum);
  }

  /**
   * Looks at the factor, and chooses the order of the next differences: their errors matter from where the step that is left is short, and where columns
   * are nearly dependent.
   */
  look(relativeOffset: number, triangle: Float64Array): void {
    const p = this.#free.length;
    let least = 1;
    for (let k = 0; k < p; k++) least = Math.min(least, Math.abs(triangle[k * p + k]) / Math.sqrt(this.#squares[k]));
    this.dependent = !(least >= DEPENDENT);
    const near = relativeOffset < NEAR;
    this.order = this.dependent ? (near ? 4 : 2) : near ? 2 : 1;
  }

  /**
   * Whether a free parameter, by its place among those, has lost its effect since the start: its column is shorter by `share` than it was, and a change by
   * the whole parameter changes the residuals by less than `share` of them.
   */
  lostEffect(k: number, b: Float64Array, share: number): boolean {
    const effect = Math.sqrt(this.#squares[k]) / this.#units[k];
    const before = Math.sqrt(this.#largestSquares[k]) / this.#units[k];
    return effect < share * before && effect * Math.abs(b[this.#free[k]]) < share * this.#length;
  }

  /**
   * Scale of a parameter for differences: the change that would change the residuals by as much as the first ones were. Of the place of a peak that is its
   * width, where |b_j| would be much too long. At most |b_j|, or for a parameter near 0 the change that matters to the present residuals.
   */
  #differenceSize(b: Float64Array, k: number): number {
    const j = this.#free[k];
    const size = Math.abs(b[j]);
    const effect = Math.sqrt(this.#squares[k]) / this.#units[k];
    if (!(effect > 0)) return size || this.#sizes[j];
    const most = Math.max(size, Math.min(this.#length / effect, this.#sizes[j])) || this.#sizes[j];
    return Math.min(Math.max(this.#magnitude / effect, LEAST_SIZE * size), most);
  }
}

function notFinite(sample: number, parameter: number): Failure {
  const message = `the derivative of residual ${sample} by parameter ${parameter} (counted from 0) is not finite`;
  return { code: "non-finite", where: { what: "curvature", sample, parameter }, message };
}
