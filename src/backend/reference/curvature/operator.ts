// The curvature of the matrix-free route of the reference engine: products G v by passes over all samples or over a subset, and the layer
// factors of its preconditioner. It holds no matrix. store.ts makes it.
import type { Pace } from "../../../event-loop-yield.js";
import { type LayerFactors, type LinearizeRequest, PRODUCTS_ONLY } from "../../engine.js";
import { layerFactors } from "../../layer-factors.js";
import { formSampled } from "../sampled.js";
import { type Finished, type Pass, ReferenceCurvature } from "./curvature.js";

export class GramOperator extends ReferenceCurvature {
  readonly kind = "matrix-free";
  protected override readonly refusal = PRODUCTS_ONLY;
  /** That products run on. */
  #passes = this.context.passes;

  override async finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    const { diagonal } = pass;
    if (this.subset !== null) {
      const sums = { diagonal, scaling: request.scaling, arrays: null };
      this.#passes = await formSampled(this.context.blocks, this.subset, this.parameters, sums, pace);
    }
    const finished = await super.finish(pass, request, pace);
    return finished && { ...finished, diagonal };
  }

  override multiply(vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    return this.#passes.gram(this.parameters, vectors, pace);
  }

  override layerFactors(pace: Pace): Promise<readonly LayerFactors[]> {
    return layerFactors(this.context.blocks, this.parameters, pace);
  }
}
