// The sampled curvature of the reference engine, one row b_i = seed_i^T J_i a sample (`../../sampled.ts`): the kernel B B^T, n x n, is formed
// once the panels of all samples are there. store.ts makes it. With m = damping + decay > 0 a step is
//   u = (B B^T + m I)^-1 B g,   step = -(g - B^T u) / m
// Products with B are those with J: B v is the product of the seeds with J v, sample by sample, and B^T u = J^T (u_i seed_i).
import type { Pace } from "../../../event-loop-yield.js";
import {
  backwardBlock,
  type PassWeights,
  passWeights,
  seedCombination,
  type Workspace,
  workspace,
  workspaceDoubles,
} from "../../../network/forward.js";
import type { Failure, LinearizeRequest, SolveRequest } from "../../engine.js";
import { NO_SAMPLED_ACCELERATION, partsOf } from "../../sampled.js";
import { keepBlock } from "../accumulate.js";
import type { BlockRows } from "../blocks.js";
import { formKernel } from "../matrices.js";
import {
  type Context,
  type CurvatureBytes,
  type CurvatureSizes,
  type Finished,
  type Pass,
  stateError,
} from "./curvature.js";
import { DampedSystem, type SystemLengths } from "./damped-system.js";
import { type Damped, MatrixCurvature } from "./matrix.js";

export class SampledKernel extends MatrixCurvature {
  readonly kind = "sampled";
  override readonly gradientSeeds: Float64Array | null;
  protected readonly lengths = SampledKernel.lengthsOf(this.sizes);
  /** n c numbers; where signs are given, those of the blocks that were not added yet are the signs. */
  readonly #seeds: Float64Array;
  readonly #drawn: boolean;
  readonly #weights: PassWeights;
  /** Panels of all samples with a row of deltas each, until the kernel is formed. */
  #kept: Workspace | null = null;

  constructor(context: Context, parameters: Float64Array, request: LinearizeRequest) {
    super(context, parameters, request);
    const { signs, rows, gradient } = partsOf(request.sampled);
    this.#drawn = signs !== null;
    this.#seeds = Float64Array.from(signs ?? rows ?? []);
    this.gradientSeeds = gradient?.slice() ?? null;
    this.#weights = passWeights(context.blocks.architecture, parameters);
  }

  static lengthsOf({ sampleCount }: CurvatureSizes): SystemLengths {
    return { order: sampleCount, pending: 0, scratch: 0 };
  }

  static override estimate(sizes: CurvatureSizes): CurvatureBytes {
    const { architecture, sampleCount } = sizes;
    const { workspaces, ...matrices } = DampedSystem.bytes(SampledKernel.lengthsOf(sizes));
    const doubles = workspaceDoubles(architecture, sampleCount, 1) + 2 * sampleCount * architecture.outputSize;
    return { ...matrices, workspaces: workspaces + Float64Array.BYTES_PER_ELEMENT * doubles };
  }

  override get scalingCount(): number {
    return 0;
  }

  override get bytes(): number {
    return this.#seeds.byteLength + (this.gradientSeeds?.byteLength ?? 0);
  }

  protected override reserve(): void {
    super.reserve();
    const { architecture, sampleCount } = this.sizes;
    this.#kept = workspace(architecture, sampleCount, 1);
  }

  /** The deltas of the block's rows of J~ are not needed any more: those of b_i take their place. */
  override async addBlock({ space, first, count }: BlockRows): Promise<void> {
    if (this.#drawn) this.context.blocks.seeds.apply(this.#seeds, first, count);
    seedCombination(space, this.#seeds, first, count);
    backwardBlock(space, this.#weights, count, 1);
    keepBlock(this.#kept!, space, first, count);
  }

  override async finish(pass: Pass, _request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    const { architecture, sampleCount: n } = this.sizes;
    const { matrix } = this.arrays;
    const before = performance.now();
    await formKernel(architecture, this.#kept!, null, n, matrix, pace);
    this.#kept = null;
    this.gradient = pass.objectiveGradient.slice();
    for (let i = 0; i < n; i++) if (!Number.isFinite(matrix[i * n + i])) return null;
    return { gradientCosine: Number.NaN, seconds: (performance.now() - before) / 1000 };
  }

  protected rightSide(_request: SolveRequest, pace: Pace): Promise<Float64Array> {
    return this.#product(this.gradient, pace);
  }

  protected async stepOf(u: Float64Array, { damping, decay }: SolveRequest, pace: Pace): Promise<Float64Array> {
    const back = await this.#transposed(u, pace);
    return this.gradient.map((value, j) => -(value - back[j]) / (damping + decay));
  }

  /** (v - B^T (B B^T + m I)^-1 B v) / m. */
  protected async inverseOf(damped: Damped, v: Float64Array, pace: Pace): Promise<Float64Array> {
    const { damping, decay } = damped.request;
    const back = await this.#transposed(this.applyFactor(damped, await this.#product(v, pace)), pace);
    return v.map((value, j) => (value - back[j]) / (damping + decay));
  }

  override async accelerate(): Promise<Float64Array | Failure> {
    throw stateError(NO_SAMPLED_ACCELERATION);
  }

  protected accelerationOf(): Promise<Float64Array | Failure> {
    return this.accelerate();
  }

  /** B v. */
  async #product(v: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c } = this.context.blocks.architecture;
    const images = await this.context.passes.product(this.parameters, v, pace);
    const out = new Float64Array(images.length / c);
    for (let k = 0; k < images.length; k++) out[Math.floor(k / c)]! += this.#seeds[k]! * images[k]!;
    return out;
  }

  /** B^T u. */
  #transposed(u: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c } = this.context.blocks.architecture;
    const scaled = this.#seeds.map((seed, k) => seed * u[Math.floor(k / c)]!);
    return this.context.passes.transpose(this.parameters, scaled, pace);
  }
}
