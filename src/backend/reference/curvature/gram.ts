// The Gram matrix G = J~^T J~, p x p, of the primal route of the reference engine: explicit blocks of J~ are added to it slot by slot, and
// steps are solved with it in double precision. store.ts makes it; single-gram.ts derives from it.
import type { Pace } from "../../../event-loop-yield.js";
import { PASS_BLOCK } from "../../../network/forward.js";
import type { Failure, SolveRequest } from "../../engine.js";
import { pendingSums } from "../../slots.js";
import type { BlockRows } from "../blocks.js";
import { addRankUpdate, jacobianTransposed } from "../matrices.js";
import { SlotSum } from "../slot-sums.js";
import type { CurvatureBytes, CurvatureSizes } from "./curvature.js";
import { DampedSystem, type SystemLengths } from "./damped-system.js";
import { type Damped, MatrixCurvature } from "./matrix.js";

export class Gram extends MatrixCurvature {
  readonly kind = "primal";
  protected readonly lengths = Gram.lengthsOf(this.sizes);
  #sum!: SlotSum;

  static lengthsOf({ architecture, slots }: CurvatureSizes): SystemLengths {
    const { parameterCount: p, outputSize: c } = architecture;
    return { order: p, pending: pendingSums(slots), scratch: p * PASS_BLOCK * c };
  }

  static override estimate(sizes: CurvatureSizes): CurvatureBytes {
    return DampedSystem.bytes(Gram.lengthsOf(sizes));
  }

  protected override reserve(): void {
    super.reserve();
    this.#sum = new SlotSum(this.arrays.matrix, this.context.blocks.slots, this.arrays.pending);
  }

  override async addBlock({ space, count }: BlockRows, pace: Pace): Promise<void> {
    const { matrix, scratch } = this.arrays;
    jacobianTransposed(space, count, scratch);
    await addRankUpdate(matrix, this.lengths.order, scratch, count * space.architecture.outputSize, pace);
  }

  override endSlot(slot: number): void {
    this.#sum.endSlot(slot);
  }

  protected override shifts(request: SolveRequest): Float64Array {
    const { damping, decay, scaling } = request;
    return scaling === null ? super.shifts(request) : scaling.map((d) => decay + damping * d);
  }

  protected async rightSide(): Promise<Float64Array | Failure> {
    return this.gradient.map((value) => -value);
  }

  protected async stepOf(x: Float64Array): Promise<Float64Array> {
    return x;
  }

  protected async inverseOf(damped: Damped, v: Float64Array, _pace: Pace): Promise<Float64Array | Failure> {
    return this.applyFactor(damped, v);
  }

  protected async accelerationOf(
    damped: Damped,
    second: Float64Array,
    _scaling: Float64Array | null,
    pace: Pace,
  ): Promise<Float64Array | Failure> {
    const right = await this.context.passes.seededTranspose(this.parameters, second, pace);
    for (let j = 0; j < right.length; j++) right[j] = -right[j];
    return this.solveAgain(damped, right, pace);
  }
}
