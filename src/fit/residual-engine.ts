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
import { unscaledCovariance } from "./covariance.js";
import { allFinite } from "./differences.js";
import { applyTransposed, factorColumns } from "./householder.js";
import type { Box, ResidualFunction } from "./residual-function.js";
import { ScaledJacobian } from "./scaled-jacobian.js";

/** Gradient measure below which the rounding of the loss may matter, and is measured. */
const SMALL = 1e-3;

/** Share of the promised decrease from which on the residuals were nearly linear along a step, so that the next needs no second derivative. */
const KEPT = 0.75;

/** Relative offset before a last step that leaves the derivatives, and so the standard errors, their digits. */
const UNCHANGED = 1e-7;

const STRAIGHT: Failure = {
  code: "non-finite",
  where: { what: "step" },
  message: "the residuals are nearly linear along the step, which needs no acceleration",
};

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
  /** Order of the first differences. Default 1; 2 for a start that is near the end. */
  readonly order?: 1 | 2 | undefined;
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
  readonly #plain: boolean;
  readonly #seeds: LossSeeds & { readonly factor: Float64Array; readonly z: Float64Array };
  readonly #jacobian: ScaledJacobian;
  readonly #steps: BoundedSteps;
  readonly #counts = { residuals: 0, jacobians: 0 };
  /** b of the last linearization, and of the last evaluation. */
  readonly #b: Float64Array;
  readonly #tried: Float64Array;
  /** Residuals at both; the loss at the tried point. */
  #residual: Float64Array;
  #triedResidual: Float64Array;
  #triedLoss = Number.NaN;
  /** Room for a vector of residuals while Q^T is applied to it. */
  readonly #rotated: Float64Array;
  /** Loss at the last linearization, and what the last step there was to lower it by. */
  #lossHere = Number.NaN;
  #promised = 0;
  /** Whether the step to the last linearization lowered the loss by nearly as much as it promised. */
  #straight = false;
  /** Whether the last linearization came to its end, at #b. */
  #linearized = false;

  constructor({
    function: of,
    start,
    free,
    sizes,
    box = null,
    rule = squaredErrorRule,
    roots = null,
    order = 1,
  }: ResidualEngineSetup) {
    const { count: n, parameterCount: p } = of;
    this.free = free ?? Array.from({ length: p }, (_, j) => j);
    const k = this.free.length;
    const typical = sizes ?? new Float64Array(p).fill(1);
    this.units = Float64Array.from(this.free, (j) => powerOfTwo(typical[j]));
    [this.sampleCount, this.parameterCount] = [n, k];
    [this.#box, this.#rule, this.#roots] = [box, rule, roots];
    this.#function = this.#counted(of);
    // One allocation: small fits are short beside those of many arrays.
    const room = new Float64Array(7 * n);
    const [zeros, factor, z, gradient, rotated, residual, tried] = Array.from({ length: 7 }, (_, k) =>
      room.subarray(k * n, (k + 1) * n),
    );
    [this.#zeros, this.#rotated] = [zeros, rotated];
    this.#plain = rule === squaredErrorRule && roots === null;
    if (this.#plain) factor.fill(1);
    this.#seeds = { factor, z, gradient };
    this.#jacobian = new ScaledJacobian(this.#function, box, this.free, this.units, typical);
    this.#jacobian.order = order;
    this.#steps = new BoundedSteps(k, this.#limits());
    this.#b = start.slice();
    this.#tried = start.slice();
    // An entry that the function leaves unwritten is seen as a residual that is not finite.
    this.#residual = residual.fill(Number.NaN);
    this.#triedResidual = tried.fill(Number.NaN);
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

  /** True for a free parameter, by its place among the free ones, at a bound that the gradient of the last linearization pushes against. */
  get held(): readonly boolean[] {
    return this.#steps.held;
  }

  /** Linearizes at the end of a fit, b: what its statistics are computed from. */
  async finish(b: Float64Array): Promise<{
    /** Residuals as the function writes them. */
    readonly residuals: Float64Array;
    /** n x p, row-major, their derivatives; 0 by fixed parameters. */
    readonly jacobian: Float64Array;
    /** Share of the scaled residuals that a step of the linearized model could remove. */
    readonly relativeOffset: number;
  }> {
    const [n, p] = [this.sampleCount, this.#function.parameterCount];
    const here = this.#linearized && b.every((value, j) => value === this.#b[j]);
    this.#b.set(b);
    // The last step of a fit is often evaluated and not linearized.
    const tried = !here && this.#wasTried();
    if (tried) this.#residual.set(this.#triedResidual);
    else if (!here) await this.#function.residuals(this.#b, this.#residual);
    // Derivatives from just before a last step that is too short to change them are those of the end.
    const near = this.#linearized && tried && this.#steps.relativeOffset <= UNCHANGED;
    if (!(this.#jacobian.best && (here || near))) {
      if (this.#jacobian.order === 1) this.#jacobian.order = 2;
      await this.#jacobian.fill(this.#b, this.#residual);
    }
    const matrix = this.#jacobian.derivatives;
    const jacobian = new Float64Array(n * p);
    this.free.forEach((j, k) => {
      for (let i = 0; i < n; i++) jacobian[i * p + j] = matrix[k * n + i];
    });
    const { relativeOffset } = this.#steps;
    return { residuals: this.#residual.slice(), jacobian, relativeOffset };
  }

  /**
   * Free parameters, by their places among all, that have lost their effect since the start: the column is shorter by `share` than it was, and a
   * change by the whole parameter changes the residuals by less than `share` of them.
   */
  lostEffects(share: number): number[] {
    return this.free.filter((_, k) => !this.#steps.held[k] && this.#jacobian.lostEffect(k, this.#b, share));
  }

  /** Condition number of J~ at the last linearization, with columns of norm one, of the parameters that no bound holds. */
  condition(): number {
    const moving = this.free.flatMap((_, k) => (this.#steps.held[k] ? [] : [k]));
    return unscaledCovariance(this.#steps.triangle, this.parameterCount, moving).condition;
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
    this.#linearized = false;
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
    const jacobian = this.#jacobian;
    const lowered = this.#lossHere - loss;
    this.#straight = lowered >= KEPT * this.#promised && this.#promised > 0;
    this.#lossHere = loss;
    await jacobian.fill(this.#b, this.#residual);
    const passes = performance.now();
    const { factor, z } = this.#seeds;
    const measures = jacobian.scale(factor, z);
    if ("code" in measures) return measures;
    const { gradient, squares, length } = measures;
    this.#steps.hold(w, gradient, decay);
    let gradientCosine = 0;
    for (let j = 0; j < squares.length; j++) {
      if (squares[j] > 0 && length > 0)
        gradientCosine = Math.max(gradientCosine, Math.abs(gradient[j]) / Math.sqrt(squares[j]) / length);
      if (scaling !== null) scaling[j] = Math.max(scaling[j], squares[j]) || 1;
    }
    // Forward differences may leave a gradient that their own error made small.
    const rounding = jacobian.exact && gradientCosine < SMALL ? { rounding: jacobian.rounding(w, z) } : {};
    factorColumns(jacobian.factor);
    const rotated = this.#rotated;
    rotated.set(z);
    applyTransposed(jacobian.factor, rotated);
    this.#steps.load(jacobian.factor, rotated, length);
    jacobian.look(this.#steps.relativeOffset, this.#steps.triangle);
    this.#linearized = true;
    const end = performance.now();
    const seconds = { passes: (passes - start) / 1000, curvature: (end - passes) / 1000 };
    const residualSquare = this.#rule.sumOfSquares ? {} : { residualSquare: length * length };
    const offset = this.#steps.relativeOffset;
    return { ok: true, loss, gradient, gradientCosine, offset, seconds, ...residualSquare, ...rounding };
  }

  async solve(request: SolveRequest): Promise<Solved | Failure> {
    const start = performance.now();
    const answer = await this.#steps.solve(request);
    if (!(answer instanceof Float64Array)) return answer;
    this.#promised = this.#steps.decrease(answer);
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
    if (this.#straight && !this.#jacobian.dependent) return STRAIGHT;
    const direction = new Float64Array(this.#function.parameterCount);
    this.free.forEach((j, k) => {
      direction[j] = velocity[k] * this.units[k];
    });
    const second = this.#rotated;
    await this.#jacobian.secondAlong(this.#b, this.#residual, direction, second);
    if (!allFinite(second, 0, second.length)) return notFinite(second);
    for (let i = 0; i < second.length; i++) second[i] *= this.#seeds.factor[i];
    applyTransposed(this.#jacobian.factor, second);
    const acceleration = this.#steps.accelerate(second, velocity);
    if (!(acceleration instanceof Float64Array)) return acceleration;
    return { ok: true, acceleration, seconds: (performance.now() - start) / 1000 };
  }

  async curvatureProduct(vectors: Float64Array): Promise<Float64Array> {
    return this.#steps.product(vectors);
  }

  bytes(): number {
    const { sampleCount: n, parameterCount: k } = this;
    return 8 * (n * (2 * k + 9) + 6 * k * k + 16 * k);
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
    // Squared error without weights: z is the residual, and the factors are the ones that they are from the start.
    if (this.#plain) {
      if (seeds !== null) seeds.z.set(residual);
      return 0.5 * dot(residual, residual);
    }
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

  #counted(of: ResidualFunction): ResidualFunction {
    const { count, parameterCount, columns, secondAlong } = of;
    return {
      secondAlong,
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
