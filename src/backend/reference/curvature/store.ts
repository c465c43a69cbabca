// Creates the curvatures of one reference engine, and owns the arrays that its matrices take turns in: engine.ts calls it at the beginning of
// each linearization, and estimate.ts asks it for bytes. It is the only place that depends on all kinds.
import type { Curvature, Precision } from "../../curvature.js";
import type { LinearizeRequest } from "../../engine.js";
import type { Blocks } from "../blocks.js";
import type { Passes } from "../passes.js";
import {
  type Context,
  type CurvatureBytes,
  type CurvatureSizes,
  type Finished,
  ReferenceCurvature,
} from "./curvature.js";
import { DampedSystem } from "./damped-system.js";
import { Gram } from "./gram.js";
import { Kernel } from "./kernel.js";
import { GramOperator } from "./operator.js";
import { SampledKernel } from "./sampled-kernel.js";
import { SingleGram } from "./single-gram.js";
import { Triangle } from "./triangle.js";

/** Loss and gradient alone. */
class NoCurvature extends ReferenceCurvature {
  readonly kind = "none";

  override get scalingCount(): number {
    return 0;
  }

  override async finish(): Promise<Finished> {
    return { gradientCosine: Number.NaN, seconds: 0 };
  }
}

interface CurvatureClass {
  new (context: Context, parameters: Float64Array, request: LinearizeRequest): ReferenceCurvature;
  estimate(sizes: CurvatureSizes): CurvatureBytes;
}

function classOf(curvature: Curvature, precision: Precision = "double"): CurvatureClass {
  switch (curvature) {
    case "none":
      return NoCurvature;
    case "primal":
      return precision === "double" ? Gram : SingleGram;
    case "dual":
      return Kernel;
    case "orthogonal":
      return Triangle;
    case "matrix-free":
      return GramOperator;
    case "sampled":
      return SampledKernel;
  }
}

export class CurvatureStore {
  /** The curvature before any linearization: it holds nothing. */
  readonly none: ReferenceCurvature;
  readonly #context: Context;

  constructor(blocks: Blocks, passes: Passes) {
    this.#context = { blocks, passes, system: new DampedSystem() };
    this.none = new NoCurvature(this.#context, new Float64Array(0), { curvature: "none", decay: 0, scaling: null });
  }

  /** The curvature for a linearization at `parameters`, before its `begin`. */
  create(request: LinearizeRequest, parameters: Float64Array): ReferenceCurvature {
    return new (classOf(request.curvature, request.precision))(this.#context, parameters, request);
  }

  /** Bytes of a curvature from sizes alone, which both precisions have in common. */
  static estimate(curvature: Curvature, sizes: CurvatureSizes): CurvatureBytes {
    return classOf(curvature).estimate(sizes);
  }

  get bytes(): number {
    return this.#context.system.bytes;
  }

  restoreAverage(matrix: Float64Array): void {
    this.#context.system.average(this.#context.blocks.architecture.parameterCount).set(matrix);
  }

  dispose(): void {
    this.#context.system.dispose();
  }
}
