// The dual route's step: with m = damping + decay and D = one factor a layer (decay > 0 wants D = I),
//   u = (K + m I)^-1 (r~ - (decay/m) J~ w),   step = -D^-1 J~^T u - (decay/m) w

import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import type { SolveRequest } from "../engine.js";
import type { Curved } from "./curved.js";
import type { Passes } from "./passes.js";

export class DualStep {
  /** decay/m. */
  readonly #share: number;

  constructor(
    readonly architecture: Architecture,
    readonly passes: Passes,
    readonly rootWeights: Float64Array | null,
    readonly curved: Curved,
    readonly request: SolveRequest,
  ) {
    const { damping, decay } = request;
    this.#share = decay > 0 ? decay / (damping + decay) : 0;
  }

  async rightSide(pace: Pace): Promise<Float64Array> {
    const { parameters, residual } = this.curved;
    if (this.#share === 0) return residual;
    const product = this.weighted(await this.passes.product(parameters, parameters, pace));
    return residual.map((value, i) => value - this.#share * product[i]);
  }

  async step(u: Float64Array, pace: Pace): Promise<Float64Array> {
    const { parameters } = this.curved;
    const step = await this.back(u, pace);
    for (let j = 0; j < step.length; j++) step[j] -= this.#share * parameters[j];
    return step;
  }

  /** -D^-1 J~^T u. */
  async back(u: Float64Array, pace: Pace): Promise<Float64Array> {
    const { scaling } = this.request;
    const out = await this.passes.transpose(this.curved.parameters, this.weighted(u), pace);
    this.architecture.layers.forEach((layer, l) => {
      const d = scaling === null ? 1 : scaling[l];
      const end = layer.weightOffset + layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0));
      for (let j = layer.weightOffset; j < end; j++) out[j] = -out[j] / d;
    });
    return out;
  }

  /** A vector of n c entries, each times the square root of its sample's weight. */
  weighted(values: Float64Array): Float64Array {
    const root = this.rootWeights;
    const c = this.architecture.outputSize;
    return root === null ? values : values.map((value, k) => root[Math.floor(k / c)] * value);
  }
}
