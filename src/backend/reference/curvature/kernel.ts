// The tangent kernel K = J~ D^-1 J~^T of the dual route of the reference engine, n c x n c, formed once the panels of all samples are there.
// store.ts makes it. With m = damping + decay and D = one factor a layer (decay > 0 requires D = I) a step is
//   u = (K + m I)^-1 (z~ - (decay/m) J~ w),   step = -D^-1 J~^T u - (decay/m) w
// If an entry of z~ is not finite (a true class whose probability underflows), by the gradient g instead, which costs a factor 1/m in
// accuracy:
//   u = (K + m I)^-1 J~ D^-1 g,               step = -D^-1 (g - J~^T u)/m
import { argumentError } from "../../../errors.js";
import type { Pace } from "../../../event-loop-yield.js";
import { type Workspace, workspace, workspaceDoubles } from "../../../network/forward.js";
import type { Failure, LinearizeRequest, SolveRequest } from "../../engine.js";
import { keepBlock, layerMeans, raiseFinite } from "../accumulate.js";
import type { BlockRows } from "../blocks.js";
import { formKernel } from "../matrices.js";
import { boundedCosine } from "../measure.js";
import type { CurvatureBytes, CurvatureSizes, Finished, Pass } from "./curvature.js";
import { DampedSystem, type SystemLengths } from "./damped-system.js";
import { type Damped, MatrixCurvature } from "./matrix.js";

const SURE_AND_WRONG =
  "the curvature is singular without damping: a prediction is so sure and so wrong that its curvature is 0";

const SINGULAR_WITHOUT_DAMPING =
  "J~^T J~ has no inverse without damping and decay: on the dual route it has more columns than rows";

/** decay/m. */
function shareOf({ damping, decay }: SolveRequest): number {
  return decay > 0 ? decay / (damping + decay) : 0;
}

export class Kernel extends MatrixCurvature {
  readonly kind = "dual";
  protected readonly lengths = Kernel.lengthsOf(this.sizes);
  /** Panels of all samples, until the kernel is formed. */
  #kept: Workspace | null = null;
  /** z~; null where an entry of it is not finite. */
  #residual: Float64Array | null = null;

  static lengthsOf({ architecture, sampleCount }: CurvatureSizes): SystemLengths {
    return { order: sampleCount * architecture.outputSize, pending: 0, scratch: 0 };
  }

  static override estimate(sizes: CurvatureSizes): CurvatureBytes {
    const { architecture, sampleCount } = sizes;
    const panels = workspaceDoubles(architecture, sampleCount, architecture.outputSize);
    const { workspaces, ...matrices } = DampedSystem.bytes(Kernel.lengthsOf(sizes));
    return { ...matrices, workspaces: workspaces + Float64Array.BYTES_PER_ELEMENT * panels };
  }

  override get scalingCount(): number {
    return this.context.blocks.architecture.layers.length;
  }

  protected override reserve(): void {
    super.reserve();
    const { architecture, sampleCount } = this.sizes;
    this.#kept = workspace(architecture, sampleCount, architecture.outputSize);
  }

  override async addBlock({ space, first, count }: BlockRows): Promise<void> {
    keepBlock(this.#kept!, space, first, count);
  }

  override async finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    const { architecture, sampleCount } = this.sizes;
    const { scaling, exactMeasureBelow } = request;
    if (!raiseFinite(scaling, layerMeans(architecture, pass.diagonal))) return null;
    const before = performance.now();
    await formKernel(architecture, this.#kept!, scaling, sampleCount, this.arrays.matrix, pace);
    const seconds = (performance.now() - before) / 1000;
    this.#kept = null;
    this.#residual = pass.residual;
    this.gradient = pass.objectiveGradient.slice();
    const { gradient, diagonal, residualNorm } = pass;
    const gradientCosine = boundedCosine(architecture, exactMeasureBelow, gradient, diagonal, residualNorm);
    return { gradientCosine, seconds };
  }

  protected override check(request: SolveRequest): void {
    super.check(request);
    if (request.scaling !== null && request.decay > 0)
      throw argumentError("decay", "must be 0 with layer factors in the dual route", request.decay);
  }

  protected async rightSide(request: SolveRequest, pace: Pace): Promise<Float64Array | Failure> {
    const { parameters } = this;
    const { passes } = this.context;
    const residual = this.#residual;
    if (residual === null) {
      if (!(request.damping + request.decay > 0)) return { code: "indefinite", pivot: 0, message: SURE_AND_WRONG };
      return passes.seededProduct(parameters, this.#overScaling(this.gradient.slice(), request.scaling), pace);
    }
    const share = shareOf(request);
    if (share === 0) return residual;
    const product = await passes.seededProduct(parameters, parameters, pace);
    return residual.map((value, i) => value - share * product[i]);
  }

  protected async stepOf(u: Float64Array, request: SolveRequest, pace: Pace): Promise<Float64Array> {
    const { parameters, gradient } = this;
    const { damping, decay, scaling } = request;
    if (this.#residual === null) {
      const product = await this.context.passes.seededTranspose(parameters, u, pace);
      const m = damping + decay;
      return this.#overScaling(
        product.map((value, j) => (value - gradient[j]) / m),
        scaling,
      );
    }
    const share = shareOf(request);
    const step = await this.#back(u, scaling, pace);
    for (let j = 0; j < step.length; j++) step[j] -= share * parameters[j];
    return step;
  }

  /** D^-1 (v - J~^T (K + m I)^-1 J~ D^-1 v)/m. */
  protected async inverseOf(damped: Damped, v: Float64Array, pace: Pace): Promise<Float64Array | Failure> {
    const { damping, decay, scaling } = damped.request;
    const { passes } = this.context;
    const m = damping + decay;
    if (!(m > 0)) return { code: "indefinite", pivot: 0, message: SINGULAR_WITHOUT_DAMPING };
    this.#overScaling(v, scaling);
    const u = this.applyFactor(damped, await passes.seededProduct(this.parameters, v, pace));
    const back = this.#overScaling(await passes.seededTranspose(this.parameters, u, pace), scaling);
    return v.map((value, j) => (value - back[j]) / m);
  }

  protected async accelerationOf(
    damped: Damped,
    second: Float64Array,
    scaling: Float64Array | null,
    pace: Pace,
  ): Promise<Float64Array | Failure> {
    const u = await this.solveAgain(damped, second, pace);
    return "code" in u ? u : this.#back(u, scaling, pace);
  }

  /** -D^-1 J~^T u. */
  async #back(u: Float64Array, scaling: Float64Array | null, pace: Pace): Promise<Float64Array> {
    const out = await this.context.passes.seededTranspose(this.parameters, u, pace);
    for (let j = 0; j < out.length; j++) out[j] = -out[j];
    return this.#overScaling(out, scaling);
  }

  /** D^-1 v, in place. */
  #overScaling(v: Float64Array, scaling: Float64Array | null): Float64Array {
    this.context.blocks.architecture.layers.forEach((layer, l) => {
      const d = scaling === null ? 1 : scaling[l];
      const end = layer.weightOffset + layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0));
      for (let j = layer.weightOffset; j < end; j++) v[j] /= d;
    });
    return v;
  }
}
