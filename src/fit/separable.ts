// Variable projection (Golub and Pereyra 1973): parameters that enter a residual function linearly are solved for exactly, and a fit in the others alone
// begins it. That removes the narrow valleys in which amplitudes compensate for rates, and far starts of the amplitudes do not matter. fit.ts calls
// it where the caller names linear parameters, or where a fit from the start has not ended well.
//
//   r(a, c) = r(a, 0) + Phi(a) c      ->      min over a of |r(a, c(a))|,  c(a) = argmin_c |r(a, 0) + Phi(a) c|
import { DampedTriangle } from "./damped-triangle.js";
import { applyTransposed, factorColumns, type Reflections, reflectionsOf } from "./householder.js";
import type { Box, ResidualFunction } from "./residual-function.js";

/** Second differences that are rounding, relative to first differences: a model may be computed less exactly than its residuals are held. */
const ROUNDING = 1e-10;
/** The same relative to the residuals, which can be far larger than what the model has in them: their rounding, four times over. */
const HELD = 4 * Number.EPSILON;

/**
 * Parameters among `candidates` in which the residuals are linear together, seen from their values around b. Those with bounds must not be
 * among the candidates.
 */
export async function linearParameters(
  of: ResidualFunction,
  b: Float64Array,
  candidates: readonly number[],
): Promise<number[]> {
  const at = async (changes: ReadonlyMap<number, number>) => {
    const [point, out] = [b.slice(), new Float64Array(of.count)];
    for (const [j, factor] of changes) point[j] = factor * (b[j] || 1);
    await of.residuals(point, out);
    return out;
  };
  const twice = new Map<number, Float64Array>();
  const base = await at(new Map());
  const linear: number[] = [];
  for (const j of candidates) {
    const value = await at(new Map([[j, 2]]));
    // At 0 the start has no multiples, and the middle is where b_j is 1.
    const [near, far] = b[j] === 0 ? [await at(new Map([[j, 1]])), base] : [base, await at(new Map([[j, 0]]))];
    if (!isZero(value, near, near, far)) continue;
    if (!value.some((one, i) => one !== far[i])) continue;
    let joint = true;
    for (const k of linear)
      joint &&= isZero(
        await at(
          new Map([
            [j, 2],
            [k, 2],
          ]),
        ),
        value,
        twice.get(k) as Float64Array,
        base,
      );
    if (!joint) continue;
    twice.set(j, value);
    linear.push(j);
  }
  return linear;
}

/** Whether a - b - c + d is rounding in every entry. */
function isZero(a: Float64Array, b: Float64Array, c: Float64Array, d: Float64Array): boolean {
  return a.every((value, i) => {
    const size = Math.abs(value) + Math.abs(b[i]) + Math.abs(c[i]) + Math.abs(d[i]);
    const change = Math.abs(value - b[i]) + Math.abs(c[i] - d[i]) + Math.abs(value - c[i]) + Math.abs(b[i] - d[i]);
    return Math.abs(value - b[i] - c[i] + d[i]) <= ROUNDING * change + HELD * size;
  });
}

/** Residuals at the best values of the linear parameters, as a function of all parameters that ignores the linear ones. */
export class ProjectedFunction implements ResidualFunction {
  readonly count: number;
  readonly parameterCount: number;
  readonly columns = null;
  readonly #function: ResidualFunction;
  readonly #linear: readonly number[];
  readonly #roots: Float64Array | null;
  readonly #point: Float64Array;
  readonly #offset: Float64Array;
  readonly #basis: Float64Array;
  readonly #right: Float64Array;
  readonly #factor: Reflections;
  readonly #systems: DampedTriangle;

  /** @param roots root of the weight of each residual; null = all 1 */
  constructor(of: ResidualFunction, linear: readonly number[], roots: Float64Array | null) {
    [this.count, this.parameterCount] = [of.count, of.parameterCount];
    this.#function = of;
    this.#linear = linear;
    this.#roots = roots;
    this.#point = new Float64Array(of.parameterCount);
    this.#offset = new Float64Array(of.count);
    this.#right = new Float64Array(of.count);
    this.#basis = new Float64Array(of.count * linear.length);
    this.#factor = reflectionsOf(of.count, linear.length);
    this.#systems = new DampedTriangle(linear.length);
  }

  async residuals(b: Float64Array, out: Float64Array): Promise<void> {
    const best = await this.solved(b);
    await this.#function.residuals(best, out);
  }

  /** b with the linear parameters solved for. */
  async solved(b: Float64Array): Promise<Float64Array> {
    const [n, count] = [this.count, this.#linear.length];
    const point = this.#point;
    point.set(b);
    for (const j of this.#linear) point[j] = 0;
    await this.#function.residuals(point, this.#offset);
    for (let k = 0; k < count; k++) {
      point[this.#linear[k]] = 1;
      const column = this.#basis.subarray(k * n, (k + 1) * n);
      await this.#function.residuals(point, column);
      point[this.#linear[k]] = 0;
      for (let i = 0; i < n; i++) {
        column[i] -= this.#offset[i];
        this.#factor.matrix[k * n + i] = this.#root(i) * column[i];
      }
    }
    for (let i = 0; i < n; i++) this.#right[i] = this.#root(i) * this.#offset[i];
    const best = b.slice();
    const answer = this.#leastSquares();
    for (let k = 0; k < count; k++) best[this.#linear[k]] = answer[k];
    return best;
  }

  /** The best linear parameters; NaN where the basis is not finite. */
  #leastSquares(): Float64Array {
    const order = this.#linear.length;
    factorColumns(this.#factor);
    applyTransposed(this.#factor, this.#right);
    const triangle = new Float64Array(order * order);
    const diagonal = new Float64Array(order);
    for (let k = 0; k < order; k++) {
      let square = 0;
      for (let i = 0; i <= Math.min(k, this.count - 1); i++) {
        triangle[i * order + k] = this.#factor.matrix[k * this.count + i];
        square += triangle[i * order + k] ** 2;
      }
      // So little that it changes nothing, but where columns depend on each other.
      diagonal[k] = 4 * order * Number.EPSILON * Math.sqrt(square) || 1;
    }
    const answer = new Float64Array(order);
    const dependent = this.#systems.solve(triangle, this.#right, diagonal, new Float64Array(order), answer);
    return dependent >= 0 ? answer.fill(Number.NaN) : answer;
  }

  #root(i: number): number {
    return this.#roots === null ? 1 : this.#roots[i];
  }
}

/** The parameters that may be linear: free ones without bounds. */
export function unbounded(free: readonly number[], box: Box | null): number[] {
  return free.filter((j) => box === null || (box.lower[j] === -Infinity && box.upper[j] === Infinity));
}
