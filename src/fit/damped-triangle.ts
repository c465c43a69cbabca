// Solves the damped systems of a fit from the triangle R of its Jacobian, by orthogonal reflections: residual-engine.ts calls it for every trial.
//
//   minimize |R s + c|^2 + |d s - g|^2,   d a diagonal      (R: p x p upper triangle, c = the first p entries of Q^T r)
//
// The diagonal is below R at the start and fills to an upper triangle while its columns are eliminated, so that a solve costs 2/3 p^3 multiplications
// (More 1978 does the same by Givens rotations). A new damping needs no new factorization of J.

/** Arrays of one size that solves share. */
export class DampedTriangle {
  readonly #order: number;
  /** The triangle that becomes that of the damped system; row-major. */
  readonly #upper: Float64Array;
  /** The rows of the diagonal, which fill; row-major. */
  readonly #lower: Float64Array;
  readonly #upperRight: Float64Array;
  readonly #lowerRight: Float64Array;

  constructor(order: number) {
    this.#order = order;
    this.#upper = new Float64Array(order * order);
    this.#lower = new Float64Array(order * order);
    this.#upperRight = new Float64Array(order);
    this.#lowerRight = new Float64Array(order);
  }

  /**
   * Writes the minimizer to `step`.
   * @param triangle R, row-major, `order` x `order`
   * @param c right-hand side of R
   * @param diagonal d, at least 0
   * @param pull g
   * @returns -1, or the first column, from 0, that depends on those before it within rounding: then there is no step
   */
  solve(
    triangle: Float64Array,
    c: Float64Array,
    diagonal: Float64Array,
    pull: Float64Array,
    step: Float64Array,
  ): number {
    const p = this.#order;
    const [upper, lower, b, g] = [this.#upper, this.#lower, this.#upperRight, this.#lowerRight];
    upper.set(triangle.subarray(0, p * p));
    lower.fill(0);
    for (let k = 0; k < p; k++) {
      b[k] = -c[k];
      g[k] = pull[k];
      lower[k * p + k] = diagonal[k];
    }
    for (let k = 0; k < p; k++) if (!this.#eliminate(k, columnSquare(triangle, p, k, diagonal[k]))) return k;
    for (let k = p - 1; k >= 0; k--) {
      let value = b[k];
      for (let j = k + 1; j < p; j++) value -= upper[k * p + j] * step[j];
      step[k] = value / upper[k * p + k];
    }
    return -1;
  }

  /** Clears column k of the lower rows by one reflection. False where what is left of the column is rounding. */
  #eliminate(k: number, square: number): boolean {
    const p = this.#order;
    const [upper, lower, b, g] = [this.#upper, this.#lower, this.#upperRight, this.#lowerRight];
    const first = upper[k * p + k];
    let sum = first * first;
    for (let i = 0; i <= k; i++) sum += lower[i * p + k] ** 2;
    const length = Math.sqrt(sum);
    if (!(length > p * Number.EPSILON * Math.sqrt(square))) return false;
    const value = first > 0 ? -length : length;
    const head = first - value;
    const half = length * (length + Math.abs(first));
    upper[k * p + k] = value;
    for (let j = k + 1; j <= p; j++) {
      // Column p is the right-hand side.
      let along = head * (j < p ? upper[k * p + j] : b[k]);
      for (let i = 0; i <= k; i++) along += lower[i * p + k] * (j < p ? lower[i * p + j] : g[i]);
      const factor = along / half;
      if (j < p) {
        upper[k * p + j] -= factor * head;
        for (let i = 0; i <= k; i++) lower[i * p + j] -= factor * lower[i * p + k];
      } else {
        b[k] -= factor * head;
        for (let i = 0; i <= k; i++) g[i] -= factor * lower[i * p + k];
      }
    }
    return true;
  }
}

/** Squared length of a column of the damped matrix. */
function columnSquare(triangle: Float64Array, p: number, k: number, diagonal: number): number {
  let sum = diagonal * diagonal;
  for (let i = 0; i <= k; i++) sum += triangle[i * p + k] ** 2;
  return sum;
}
