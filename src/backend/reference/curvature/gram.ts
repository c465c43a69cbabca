// The Gram matrix G = J~^T J~, p x p, of the primal route of the reference engine: explicit blocks of J~ are added to it slot by slot, and
// steps are solved with it in double precision. Where a linearization accumulates, the matrix is the moving average of such matrices. store.ts
// makes it; single-gram.ts derives from it.
import type { Pace } from "../../../event-loop-yield.js";
import { PASS_BLOCK } from "../../../network/forward.js";
import type { Accumulation } from "../../curvature.js";
import type { Failure, LinearizeRequest, SolveRequest } from "../../engine.js";
import { pendingSums } from "../../slots.js";
import type { BlockRows } from "../blocks.js";
import { addRankUpdate, jacobianTransposed } from "../matrices.js";
import { SlotSum } from "../slot-sums.js";
import type { Context, CurvatureBytes, CurvatureSizes, Finished, Pass } from "./curvature.js";
import { DampedSystem, type SystemLengths } from "./damped-system.js";
import { type Damped, MatrixCurvature } from "./matrix.js";

export class Gram extends MatrixCurvature {
  readonly kind = "primal";
  protected readonly lengths = Gram.lengthsOf(this.sizes);
  readonly #shares: Accumulation | null;
  #sum!: SlotSum;

  constructor(context: Context, parameters: Float64Array, request: LinearizeRequest) {
    super(context, parameters, request);
    this.#shares = request.accumulate === undefined ? null : { ...request.accumulate };
  }

  static lengthsOf({ architecture, slots }: CurvatureSizes): SystemLengths {
    const { parameterCount: p, outputSize: c } = architecture;
    return { order: p, pending: pendingSums(slots), scratch: p * PASS_BLOCK * c };
  }

  static override estimate(sizes: CurvatureSizes): CurvatureBytes {
    const { workspaces, ...matrices } = DampedSystem.bytes(Gram.lengthsOf(sizes));
    const { parameterCount: p } = sizes.architecture;
    return { ...matrices, workspaces: workspaces + (sizes.average ? Float64Array.BYTES_PER_ELEMENT * p * p : 0) };
  }

  override get factorAlone(): boolean {
    return this.precision === "double";
  }

  protected override reserve(): void {
    const { system } = this.context;
    if (this.#shares !== null) system.average(this.lengths.order);
    // With several slots a partial sum is kept in the place of the factor.
    this.arrays = system.reserve(this.lengths, this.#shares !== null && this.lengths.pending === 0);
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

  override async finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    const finished = await super.finish(pass, request, pace);
    return finished === null || this.#shares === null || this.#join(this.#shares) ? finished : null;
  }

  /** M = keep * M_before + add * G takes the place of G; false, and M stays, where a diagonal entry is not finite. */
  #join({ keep, add }: Accumulation): boolean {
    const { order } = this.lengths;
    const { matrix } = this.arrays;
    const average = this.context.system.average(order);
    for (let at = 0; at < matrix.length; at += order + 1)
      if (!Number.isFinite(keep * average[at]! + add * matrix[at]!)) return false;
    for (let at = 0; at < matrix.length; at++) matrix[at] = average[at] = keep * average[at]! + add * matrix[at]!;
    return true;
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
