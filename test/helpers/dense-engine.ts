// A test-only Engine for any residual function r(w): so that the very same method and loop code runs on problems whose answers are
// certified. Jacobian by fourth-order differences; damped steps by Householder QR of [J; sqrt(decay I + mu D)], which squares no
// condition number.

import type { Engine, Failure, LinearizeRequest, Solved, SolveRequest } from "../../src/backend/engine.js";
import { factorDamped, solveDamped } from "../../src/backend/reference/cholesky.js";
import { Pace } from "../../src/event-loop-yield.js";
import { householderSolve } from "./qr.js";

export interface ResidualProblem {
  readonly parameterCount: number;
  readonly residualCount: number;
  residual(w: Float64Array): Float64Array;
}

export class DenseEngine implements Engine {
  readonly kind = "dense";
  readonly outputSize = 1;
  readonly layerCount = 1;
  readonly threads = 1;
  readonly sampleCount: number;
  readonly parameterCount: number;
  evaluations = 0;
  readonly #problem: ResidualProblem;
  #jacobian: Float64Array = new Float64Array(0);
  #residual: Float64Array = new Float64Array(0);
  #parameters: Float64Array = new Float64Array(0);
  #request: SolveRequest = { damping: 0, decay: 0, scaling: null };

  constructor(problem: ResidualProblem) {
    this.#problem = problem;
    this.sampleCount = problem.residualCount;
    this.parameterCount = problem.parameterCount;
  }

  async evaluate(w: Float64Array) {
    this.evaluations++;
    const loss = half(this.#problem.residual(w));
    return Number.isFinite(loss) ? ({ ok: true, loss } as const) : notFinite();
  }

  async linearize(w: Float64Array, { decay, scaling }: LinearizeRequest) {
    const [m, p] = [this.sampleCount, this.parameterCount];
    const r = this.#problem.residual(w);
    const jacobian = differences(this.#problem, w);
    const loss = half(r);
    if (!Number.isFinite(loss) || jacobian.some((value) => !Number.isFinite(value))) return notFinite();
    const gradient = new Float64Array(p);
    const diagonal = new Float64Array(p);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < p; j++) {
        gradient[j] += jacobian[i * p + j] * r[i];
        diagonal[j] += jacobian[i * p + j] ** 2;
      }
    let gradientCosine = 0;
    const norm = Math.sqrt(2 * loss);
    for (let j = 0; j < p; j++)
      if (diagonal[j] > 0 && norm > 0)
        gradientCosine = Math.max(gradientCosine, Math.abs(gradient[j]) / Math.sqrt(diagonal[j]) / norm);
    if (scaling !== null) for (let j = 0; j < p; j++) scaling[j] = Math.max(scaling[j], diagonal[j]) || 1;
    for (let j = 0; j < p; j++) gradient[j] += decay * w[j];
    this.#jacobian = jacobian;
    this.#residual = r;
    this.#parameters = w.slice();
    return { ok: true, loss, gradient, gradientCosine, seconds: { passes: 0, curvature: 0 } } as const;
  }

  async solve(request: SolveRequest): Promise<Solved | Failure> {
    this.#request = request;
    const pull = this.#parameters.map((value) => -Math.sqrt(request.decay) * value);
    const step = request.correction ? await this.#corrected(request) : this.#leastSquares(this.#residual, pull);
    return step instanceof Float64Array ? { ok: true, step, condition: Number.NaN, residual: 0, seconds: 0 } : step;
  }

  /** The second derivative of the residuals by central differences. */
  async accelerate(velocity: Float64Array) {
    const h = Number.EPSILON ** 0.25;
    const at = (t: number) => this.#problem.residual(this.#parameters.map((value, j) => value + t * velocity[j]));
    const [behind, ahead] = [at(-h), at(h)];
    const second = this.#residual.map((value, i) => (ahead[i] - 2 * value + behind[i]) / h ** 2);
    const acceleration = this.#leastSquares(second, new Float64Array(this.parameterCount));
    return acceleration instanceof Float64Array ? ({ ok: true, acceleration, seconds: 0 } as const) : acceleration;
  }

  /** The x of least |J x + residual|^2 + |sqrt(decay) x - pull|^2 + damping x^T D x, of the last request. */
  #leastSquares(residual: Float64Array, pull: Float64Array): Float64Array | Failure {
    const [m, p] = [this.sampleCount, this.parameterCount];
    const { damping, decay, scaling } = this.#request;
    const rows = new Float64Array((m + 2 * p) * p);
    rows.set(this.#jacobian);
    const right = new Float64Array(m + 2 * p);
    for (let i = 0; i < m; i++) right[i] = -residual[i];
    for (let j = 0; j < p; j++) {
      rows[(m + j) * p + j] = Math.sqrt(damping * (scaling === null ? 1 : scaling[j]));
      rows[(m + p + j) * p + j] = Math.sqrt(decay);
      right[m + p + j] = pull[j];
    }
    const x = householderSolve(rows, m + 2 * p, p, right);
    return x ?? { code: "indefinite", pivot: 0, message: "the damped Jacobian has no full column rank" };
  }

  /** With a correction there is no least-squares problem: the normal equations, whose condition is squared. */
  async #corrected({ damping, decay, scaling, correction }: SolveRequest): Promise<Float64Array | Failure> {
    const [m, p] = [this.sampleCount, this.parameterCount];
    const { left, right } = correction as NonNullable<typeof correction>;
    const matrix = new Float64Array(p * p);
    const target = new Float64Array(p);
    for (let j = 0; j < p; j++) {
      target[j] = -decay * this.#parameters[j];
      for (let i = 0; i < m; i++) target[j] -= this.#jacobian[i * p + j] * this.#residual[i];
      for (let k = 0; k <= j; k++) {
        let sum = 0;
        for (let i = 0; i < m; i++) sum += this.#jacobian[i * p + j] * this.#jacobian[i * p + k];
        for (let at = 0; at < left.length; at += p) sum += left[at + j] * right[at + k] + right[at + j] * left[at + k];
        matrix[j * p + k] = sum;
      }
    }
    const shift = Float64Array.from({ length: p }, (_, j) => decay + damping * (scaling?.[j] ?? 1));
    const pace = new Pace(undefined, () => {});
    const factor = new Float64Array(p * p);
    if ((await factorDamped(matrix, factor, p, shift, pace)) >= 0)
      return { code: "indefinite", pivot: 0, message: "the corrected matrix is not positive definite" };
    return (await solveDamped(matrix, factor, p, shift, target, pace)).x;
  }

  async curvatureProduct(vector: Float64Array) {
    const [m, p] = [this.sampleCount, this.parameterCount];
    const image = new Float64Array(p);
    for (let i = 0; i < m; i++) {
      let along = 0;
      for (let j = 0; j < p; j++) along += this.#jacobian[i * p + j] * vector[j];
      for (let j = 0; j < p; j++) image[j] += this.#jacobian[i * p + j] * along;
    }
    return image;
  }

  bytes() {
    return 0;
  }

  dispose() {}
}

function notFinite(): Failure {
  return { code: "non-finite", where: { what: "loss" }, message: "the loss is not finite" };
}

function half(r: Float64Array): number {
  return 0.5 * r.reduce((sum, value) => sum + value * value, 0);
}

/** Fourth-order central differences: relative error about eps^(4/5). */
function differences({ residual, residualCount, parameterCount: p }: ResidualProblem, w: Float64Array): Float64Array {
  const jacobian = new Float64Array(residualCount * p);
  for (let j = 0; j < p; j++) {
    const h = Number.EPSILON ** 0.2 * (Math.abs(w[j]) || 1e-3);
    const at = (shift: number) => {
      const moved = w.slice();
      moved[j] += shift * h;
      return { r: residual(moved), x: moved[j] };
    };
    const [a, b, c, d] = [at(-2), at(-1), at(1), at(2)];
    const unit = (d.x - a.x) / 4;
    for (let i = 0; i < residualCount; i++)
      jacobian[i * p + j] = (a.r[i] - 8 * b.r[i] + 8 * c.r[i] - d.r[i]) / (12 * unit);
  }
  return jacobian;
}
