// The engine of fits (`ResidualEngine`): loss, gradient, steps and acceleration for any residual function, behind the interface of src/backend/engine.ts,
// so that the loop, the methods, the records and the stop rules of `train` fit it. least-squares.ts makes one for each start.
//
//   w_k = b_j / unit_j   the free parameters b_j in units that are powers of two, so that b is exact; fixed ones never enter w
//   J~ = sqrt(s) R dr/dw,  z~ = sqrt(s) z   with the factor of the loss (src/loss/loss.ts), as everywhere
//
// A linearization factors J~ = Q R once (householder.ts). Each damped step then solves a p x p problem by orthogonal reflections (damped-triangle.ts),
// whose condition is that of J~ and not its square. Bounds hold exactly: a parameter at a bound that the gradient pushes against has a gradient
// of 0 and does not move, and a step that would leave the box ends at its bound while the other parameters are solved for again (bounded-step.ts).

import { dot } from "../algebra/vectors.js";
import type {
  Accelerated,
  Engine,
  Failure,
  Linearized,
  LinearizeRequest,
  Solved,
  SolveRequest,
} from "../backend/engine.js";
import type { LossRule, LossSeeds } from "../loss/loss.js";
import { squaredErrorRule } from "../loss/squared-error.js";
import { BoundedSteps } from "./bounded-step.js";
import { Differences } from "./differences.js";
import { applyTransposed, factorColumns, type Reflections, reflectionsOf } from "./householder.js";
import type { Box, ResidualFunction } from "./residual-function.js";

/** Gradient measure below which errors of the derivatives and of the loss decide how many digits are right. */
const NEAR = 1e-3;

/** Least scale of a parameter for differences, relative to its size: smaller steps would show rounding where the first residuals are small. */
const LEAST_SIZE = 1e-2;

/** What an engine of a fit is made of. */
export interface ResidualEngineSetup {
  readonly function: ResidualFunction;
  /** p values: those of fixed parameters stay. */
  readonly start: Float64Array;
  /** Indices of the free parameters, ascending. Default all. */
  readonly free?: readonly number[] | undefined;
  /** Typical size of each parameter, above 0. Default 1. */
  readonly sizes?: Float64Array | undefined;
  /** Limits in the units of b. Default none. */
  readonly box?: Box | null | undefined;
  /** Rule of the loss of each residual. Default squared error. */
  readonly rule?: LossRule | undefined;
  /** Root of the weight of each residual. Default all 1. */
  readonly roots?: Float64Array | null | undefined;
}

/** How often the function was called. */
export interface Evaluations {
  /** For residuals, differences among them. */
  readonly residuals: number;
  /** For derivatives. */
  readonly jacobians: number;
}

export class ResidualEngine implements Engine {
  readonly kind = "residuals";
  readonly outputSize = 1;
  readonly layerCount = 1;
  readonly threads = 1;
  readonly sampleCount: number;
  readonly parameterCount: number;
  /** Power of two that w is in units of; one entry a free parameter. */
  readonly units: Float64Array;
  /** The free parameters. */
  readonly free: readonly number[];
  readonly #function: ResidualFunction;
  readonly #box: Box | null;
  readonly #rule: LossRule;
  readonly #roots: Float64Array | null;
  readonly #zeros: Float64Array;
  readonly #seeds: LossSeeds & { readonly factor: Float64Array; readonly z: Float64Array };
  readonly #differences: Differences;
  readonly #sizes: Float64Array;
  readonly #factor: Reflections;
  readonly #steps: BoundedSteps;
  readonly #counts = { residuals: 0, jacobians: 0 };
  /** b of the last linearization, and of the last evaluation. */
  readonly #b: Float64Array;
  readonly #tried: Float64Array;
  /** Residuals at both; the loss at the tried point. */
  #residual: Float64Array;
  #triedResidual: Float64Array;
  #triedLoss = Number.NaN;
  /** Length of the scaled residuals at the first linearization and at the last, and squared lengths of the columns at the last. */
  #magnitude = 0;
  #length = 0;
  #squares: Float64Array;
  readonly #largestSquares: Float64Array;
  /** Whether the last gradient was small: from there on differences are of the higher order, and the rounding is measured. */
  #near = false;

  constructor({
    function: of,
    start,
    free,
    sizes,
    box = null,
    rule = squaredErrorRule,
    roots = null,
  }: ResidualEngineSetup) {
    const { count: n, parameterCount: p } = of;
    this.free = free ?? Array.from({ length: p }, (_, j) => j);
    const k = this.free.length;
    this.#sizes = sizes ?? new Float64Array(p).fill(1);
    this.units = Float64Array.from(this.free, (j) => powerOfTwo(this.#sizes[j]));
    [this.sampleCount, this.parameterCount] = [n, k];
    [this.#box, this.#rule, this.#roots] = [box, rule, roots];
    this.#function = this.#counted(of);
    this.#zeros = new Float64Array(n);
    this.#seeds = { factor: new Float64Array(n), z: new Float64Array(n), gradient: new Float64Array(n) };
    this.#differences = new Differences(this.#function, box);
    this.#factor = reflectionsOf(n, k);
    this.#steps = new BoundedSteps(k, this.#limits());
    [this.#squares, this.#largestSquares] = [new Float64Array(k), new Float64Array(k)];
    this.#b = start.slice();
    this.#tried = start.slice();
    // An entry that the function leaves unwritten is seen as a residual that is not finite.
    this.#residual = new Float64Array(n).fill(Number.NaN);
    this.#triedResidual = new Float64Array(n).fill(Number.NaN);
  }

  /** w of parameters b. */
  toEngine(b: Float64Array): Float64Array {
    return Float64Array.from(this.free, (j, k) => b[j] / this.units[k]);
  }

  /** All parameters b at w; inside the box. */
  toParameters(w: Float64Array): Float64Array {
    const b = this.#b.slice();
    this.#place(w, b);
    return b;
  }

  get evaluations(): Evaluations {
    return { ...this.#counts };
  }

  /** What the last linearization left, for the statistics of a fit; copies. */
  linearization(): {
    /** R of J~ = Q R by the free parameters in their own units, row-major. */
    readonly triangle: Float64Array;
    /** Residuals as the function wrote them. */
    readonly residuals: Float64Array;
    /** sqrt(s) z. */
    readonly scaledResiduals: Float64Array;
    /** True for a parameter (by its place among the free ones) at a bound that the gradient pushes against. */
    readonly held: readonly boolean[];
  } {
    const k = this.parameterCount;
    const triangle = this.#steps.triangle.map((value, at) => value / this.units[at % k]);
    const [residuals, scaledResiduals] = [this.#residual.slice(), this.#seeds.z.slice()];
    return { triangle, residuals, scaledResiduals, held: [...this.#steps.held] };
  }

  /**
   * Free parameters, by their places among all, that have lost their effect since the start: the column is shorter by `share` than it was, and a
   * change by the whole parameter changes the residuals by less than `share` of them.
   */
  lostEffects(share: number): number[] {
    return this.free.filter((j, k) => {
      const effect = Math.sqrt(this.#squares[k]) / this.units[k];
      const before = Math.sqrt(this.#largestSquares[k]) / this.units[k];
      return !this.#steps.held[k] && effect < share * before && effect * Math.abs(this.#b[j]) < share * this.#length;
    });
  }

  async evaluate(w: Float64Array) {
    this.#place(w, this.#tried);
    const wait = this.#function.residuals(this.#tried, this.#triedResidual);
    if (wait !== undefined) await wait;
    this.#triedLoss = this.#loss(this.#triedResidual, null);
    if (!Number.isFinite(this.#triedLoss)) return notFinite(this.#triedResidual);
    return { ok: true, loss: this.#triedLoss } as const;
  }

  async linearize(w: Float64Array, { decay, scaling }: LinearizeRequest): Promise<Linearized | Failure> {
    const start = performance.now();
    this.#place(w, this.#b);
    if (this.#wasTried()) {
      [this.#residual, this.#triedResidual] = [this.#triedResidual, this.#residual];
      this.#triedLoss = Number.NaN;
    } else {
      const wait = this.#function.residuals(this.#b, this.#residual);
      if (wait !== undefined) await wait;
    }
    const loss = this.#loss(this.#residual, this.#seeds);
    if (!Number.isFinite(loss)) return notFinite(this.#residual);
    await this.#columns();
    const passes = performance.now();
    const bad = this.#scaleColumns();
    if (bad !== null) return bad;
    const { gradient, squares } = this.#gradient();
    this.#steps.hold(w, gradient, decay);
    const square = dot(this.#seeds.z, this.#seeds.z);
    this.#squares = squares;
    squares.forEach((value, j) => {
      this.#largestSquares[j] = Math.max(this.#largestSquares[j], value);
    });
    this.#length = Math.sqrt(square);
    this.#magnitude ||= this.#length;
    let gradientCosine = 0;
    for (let j = 0; j < squares.length; j++) {
      if (squares[j] > 0 && square > 0)
        gradientCosine = Math.max(gradientCosine, Math.abs(gradient[j]) / Math.sqrt(squares[j]) / Math.sqrt(square));
      if (scaling !== null) scaling[j] = Math.max(scaling[j], squares[j]) || 1;
    }
    this.#near = gradientCosine < NEAR;
    const rounding = this.#near ? { rounding: this.#rounding(w) } : {};
    factorColumns(this.#factor);
    const rotated = this.#seeds.z.slice();
    applyTransposed(this.#factor, rotated);
    this.#steps.load(this.#factor, rotated);
    const end = performance.now();
    const seconds = { passes: (passes - start) / 1000, curvature: (end - passes) / 1000 };
    const residualSquare = this.#rule.sumOfSquares ? {} : { residualSquare: square };
    return { ok: true, loss, gradient, gradientCosine, seconds, ...residualSquare, ...rounding };
  }

  async solve(request: SolveRequest): Promise<Solved | Failure> {
    const start = performance.now();
    const answer = await this.#steps.solve(request);
    if (!(answer instanceof Float64Array)) return answer;
    const predicted = this.#steps.predicted;
    const seconds = (performance.now() - start) / 1000;
    return {
      ok: true,
      step: answer,
      condition: Number.NaN,
      residual: 0,
      seconds,
      ...(predicted === null ? {} : { predicted }),
    };
  }

  async accelerate(velocity: Float64Array): Promise<Accelerated | Failure> {
    const start = performance.now();
    const direction = new Float64Array(this.#function.parameterCount);
    this.free.forEach((j, k) => {
      direction[j] = velocity[k] * this.units[k];
    });
    const second = new Float64Array(this.sampleCount);
    if (!(await this.#differences.along(this.#b, this.#residual, direction, second))) return notFinite(second);
    for (let i = 0; i < second.length; i++) second[i] *= this.#seeds.factor[i];
    applyTransposed(this.#factor, second);
    const acceleration = this.#steps.accelerate(second, velocity);
    if (!(acceleration instanceof Float64Array)) return acceleration;
    return { ok: true, acceleration, seconds: (performance.now() - start) / 1000 };
  }

  async curvatureProduct(vectors: Float64Array): Promise<Float64Array> {
    return this.#steps.product(vectors);
  }

  bytes(): number {
    const { sampleCount: n, parameterCount: k } = this;
    return 8 * (n * (k + 9) + 6 * k * k + 16 * k);
  }

  dispose(): void {}

  /** Writes the free parameters of w into b. The clamp undoes roundings of w + step at a bound. */
  #place(w: Float64Array, b: Float64Array): void {
    const box = this.#box;
    for (let k = 0; k < this.free.length; k++) {
      const j = this.free[k];
      const value = w[k] * this.units[k];
      b[j] = box === null ? value : Math.min(Math.max(value, box.lower[j]), box.upper[j]);
    }
  }

  /** Whether the point to linearize is the one that was evaluated last. */
  #wasTried(): boolean {
    if (!Number.isFinite(this.#triedLoss)) return false;
    for (let j = 0; j < this.#b.length; j++) if (this.#b[j] !== this.#tried[j]) return false;
    return true;
  }

  #loss(residual: Float64Array, seeds: LossSeeds | null): number {
    const block = {
      count: residual.length,
      outputSize: 1,
      predictions: residual,
      targets: this.#zeros,
      roots: this.#roots,
      first: 0,
    };
    return this.#rule.apply(block, seeds);
  }

  /** Fills the matrix with dr/db of the free parameters. */
  async #columns(): Promise<void> {
    const { free } = this;
    const [n, { matrix }] = [this.sampleCount, this.#factor];
    if (this.#function.columns !== null) {
      const wait = this.#function.columns(this.#b, free, matrix);
      if (wait !== undefined) await wait;
      return;
    }
    for (let k = 0; k < free.length; k++) {
      const j = free[k];
      const size = this.#differenceSize(j, k);
      await this.#differences.column(this.#b, this.#residual, j, size, matrix, k * n, this.#near ? 4 : 2);
    }
  }

  /**
   * Scale of a parameter for differences: the change that would change the residuals by as much as the first ones were. Of the place of a peak that is its
   * width, where |b_j| would be much too long. At most |b_j|, or for a parameter near 0 the change that matters to the present residuals.
   */
  #differenceSize(j: number, k: number): number {
    const size = Math.abs(this.#b[j]);
    const effect = Math.sqrt(this.#squares[k]) / this.units[k];
    if (!(effect > 0)) return size || this.#sizes[j];
    const most = Math.max(size, Math.min(this.#length / effect, this.#sizes[j])) || this.#sizes[j];
    return Math.min(Math.max(this.#magnitude / effect, LEAST_SIZE * size), most);
  }

  /** Multiplies the columns by the units and the rows by the factors of the loss. */
  #scaleColumns(): Failure | null {
    const [n, { factor }, { matrix }] = [this.sampleCount, this.#seeds, this.#factor];
    for (let k = 0; k < this.parameterCount; k++) {
      const unit = this.units[k];
      for (let i = 0; i < n; i++) {
        const value = matrix[k * n + i] * unit * factor[i];
        if (!Number.isFinite(value)) return derivativeNotFinite(i, this.free[k]);
        matrix[k * n + i] = value;
      }
    }
    return null;
  }

  /** J~^T z~, and the squared lengths of the columns of J~. */
  #gradient(): { readonly gradient: Float64Array; readonly squares: Float64Array } {
    const [n, k, { matrix }] = [this.sampleCount, this.parameterCount, this.#factor];
    const [gradient, squares] = [new Float64Array(k), new Float64Array(k)];
    for (let j = 0; j < k; j++) {
      const column = matrix.subarray(j * n, (j + 1) * n);
      gradient[j] = dot(column, this.#seeds.z);
      squares[j] = dot(column, column);
    }
    return { gradient, squares };
  }

  /**
   * Rounding of the loss. Residual i is known to about eps m_i, m_i = |z_i| + sum_j |J_ij w_j|: a relative change eps of the parameters changes it
   * as much, and for a model that is a sum of terms m_i is the size of the terms.
   */
  #rounding(w: Float64Array): number {
    const [n, { z }, { matrix }] = [this.sampleCount, this.#seeds, this.#factor];
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let size = Math.abs(z[i]);
      for (let j = 0; j < w.length; j++) size += Math.abs(matrix[j * n + i] * w[j]);
      sum += (size * z[i]) ** 2;
    }
    return Number.EPSILON * Math.sqrt(sum);
  }

  #counted(of: ResidualFunction): ResidualFunction {
    const { count, parameterCount, columns } = of;
    return {
      count,
      parameterCount,
      residuals: (b, out) => {
        this.#counts.residuals++;
        return of.residuals(b, out);
      },
      columns:
        columns === null
          ? null
          : (b, which, out) => {
              this.#counts.jacobians++;
              return columns(b, which, out);
            },
    };
  }

  /** The box in the units of w; null without a limit. */
  #limits(): Box | null {
    const box = this.#box;
    if (box === null) return null;
    const of = (values: Float64Array) => Float64Array.from(this.free, (j, k) => values[j] / this.units[k]);
    return { lower: of(box.lower), upper: of(box.upper) };
  }
}

/** The power of two nearest to a positive number, by its logarithm. */
function powerOfTwo(value: number): number {
  return 2 ** Math.min(Math.max(Math.round(Math.log2(value)), -1000), 1000);
}

function notFinite(residual: Float64Array): Failure {
  const sample = residual.findIndex((value) => !Number.isFinite(value));
  if (sample < 0)
    return { code: "non-finite", where: { what: "loss" }, message: "the sum of the squared residuals is not finite" };
  const message = `residual ${sample} (counted from 0) is not finite: ${residual[sample]}`;
  return { code: "non-finite", where: { what: "prediction", sample }, message };
}

function derivativeNotFinite(sample: number, parameter: number): Failure {
  const message = `the derivative of residual ${sample} by parameter ${parameter} (counted from 0) is not finite`;
  return { code: "non-finite", where: { what: "curvature", sample, parameter }, message };
}
