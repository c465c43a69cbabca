// Computes the step of the dual route, for damped.ts of the reference engine. With m = damping + decay and D = one factor a layer (decay >
// 0 requires D = I),
//   u = (K + m I)^-1 (z~ - (decay/m) J~ w),   step = -D^-1 J~^T u - (decay/m) w
// If an entry of z~ is not finite (a true class whose probability underflows), by the gradient g instead, which costs a factor 1/m in
// accuracy:
//   u = (K + m I)^-1 J~ D^-1 g,               step = -D^-1 (g - J~^T u)/m

import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import type { Failure, SolveRequest } from "../engine.js";
import type { Curved } from "./curved.js";
import type { Passes } from "./passes.js";

export class DualStep {
  /** decay/m. */
  readonly #share: number;
  readonly #m: number;

  constructor(
    readonly architecture: Architecture,
    readonly passes: Passes,
    readonly curved: Curved,
    readonly request: SolveRequest,
  ) {
    const { damping, decay } = request;
    this.#m = damping + decay;
    this.#share = decay > 0 ? decay / this.#m : 0;
  }

  /** Why there is no step, or null. */
  refusal(): Failure | null {
    if (this.curved.residual !== null || this.#m > 0) return null;
    const message =
      "the curvature is singular without damping: a prediction is so sure and so wrong that its curvature is 0";
    return { code: "indefinite", pivot: 0, message };
  }

  async rightSide(pace: Pace): Promise<Float64Array> {
    const { parameters, residual, gradient } = this.curved;
    if (residual === null) return this.passes.seededProduct(parameters, this.#overScaling(gradient.slice()), pace);
    if (this.#share === 0) return residual;
    const product = await this.passes.seededProduct(parameters, parameters, pace);
    return residual.map((value, i) => value - this.#share * product[i]);
  }

  async step(u: Float64Array, pace: Pace): Promise<Float64Array> {
    const { parameters, residual, gradient } = this.curved;
    if (residual === null) {
      const product = await this.passes.seededTranspose(parameters, u, pace);
      return this.#overScaling(product.map((value, j) => (value - gradient[j]) / this.#m));
    }
    const step = await this.back(u, pace);
    for (let j = 0; j < step.length; j++) step[j] -= this.#share * parameters[j];
    return step;
  }

  /** -D^-1 J~^T u. */
  async back(u: Float64Array, pace: Pace): Promise<Float64Array> {
    const out = await this.passes.seededTranspose(this.curved.parameters, u, pace);
    for (let j = 0; j < out.length; j++) out[j] = -out[j];
    return this.#overScaling(out);
  }

  /** D^-1 v, in place. */
  #overScaling(v: Float64Array): Float64Array {
    const { scaling } = this.request;
    this.architecture.layers.forEach((layer, l) => {
      const d = scaling === null ? 1 : scaling[l];
      const end = layer.weightOffset + layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0));
      for (let j = layer.weightOffset; j < end; j++) v[j] /= d;
    });
    return v;
  }
}
