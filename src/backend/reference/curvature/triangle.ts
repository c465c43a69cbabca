// The triangle R of J~ = Q R of the orthogonal route of the reference engine: every block of rows is absorbed into it
// (`../orthogonal.ts`), the triangles of the slots are joined, and steps, rank and spectrum are computed from it. store.ts makes it.
import type { Pace } from "../../../event-loop-yield.js";
import { PASS_BLOCK } from "../../../network/forward.js";
import type { Eigen } from "../../curvature.js";
import type { Failure, LinearizeRequest, Solved, SolveRequest } from "../../engine.js";
import { pendingSums } from "../../slots.js";
import type { BlockRows } from "../blocks.js";
import { checkArray, checkSolve } from "../checks.js";
import { jacobianTransposed } from "../matrices.js";
import { OrthogonalSystem } from "../orthogonal.js";
import { LARGEST_SQUARE } from "../semi-normal.js";
import { type CurvatureBytes, type CurvatureSizes, type Finished, type Pass, ReferenceCurvature } from "./curvature.js";

export class Triangle extends ReferenceCurvature {
  readonly kind = "orthogonal";
  /** From `begin` on. */
  #system!: OrthogonalSystem;

  static override estimate({ architecture, slots }: CurvatureSizes): CurvatureBytes {
    const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
    const { parameterCount: p, outputSize: c } = architecture;
    const { triangle, folded, block, packed } = OrthogonalSystem.doubles(p, PASS_BLOCK * c, slots);
    const workspaces = DOUBLE * (block + pendingSums(slots) * packed);
    return { curvature: DOUBLE * triangle, factor: DOUBLE * folded, workspaces };
  }

  override get bytes(): number {
    return this.#system.bytes;
  }

  override begin(): Failure | null {
    const { parameterCount: p, outputSize: c } = this.context.blocks.architecture;
    return this.makeRoom(p, "the triangle of the QR factorization", () => {
      this.#system = new OrthogonalSystem(this.parameters, PASS_BLOCK * c, this.context.blocks.slots);
    });
  }

  override async addBlock({ space, count, z }: BlockRows, pace: Pace): Promise<void> {
    const { outputSize: c, parameterCount: p } = space.architecture;
    jacobianTransposed(space, count, this.#system.block);
    this.#system.block.set(z.subarray(0, count * c), p * count * c);
    await this.#system.absorb(count * c, pace);
  }

  override endSlot(slot: number, pace: Pace): Promise<void> {
    return this.#system.endSlot(slot, pace);
  }

  override async finish(pass: Pass, request: LinearizeRequest, pace: Pace): Promise<Finished | null> {
    const finished = await super.finish(pass, request, pace);
    const { loss, objectiveGradient, residualSquare } = pass;
    if (!this.context.blocks.seeds.rule.sumOfSquares)
      this.#system.useGradient(objectiveGradient, !(residualSquare <= LARGEST_SQUARE * 2 * loss));
    return finished;
  }

  override async solve(request: SolveRequest, pace: Pace): Promise<Omit<Solved, "seconds"> | Failure> {
    checkSolve(this, this.parameters.length, request);
    const solved = await this.#system.solve(request, pace);
    if (!("step" in solved)) return solved;
    const { step, residual, rank } = solved;
    const ratio = rank.smallest > 0 ? rank.largest / rank.smallest : Number.POSITIVE_INFINITY;
    return { ok: true, step, residual, rank, condition: request.condition ? ratio * ratio : Number.NaN };
  }

  override dense(into?: Float64Array): Float64Array {
    const gram = this.#system.gram();
    if (into === undefined) return gram;
    checkArray("into", into, gram.length);
    into.set(gram);
    return into;
  }

  override eigen(vectors: boolean, pace: Pace): Promise<Eigen> {
    return this.#system.eigen(vectors, pace);
  }
}
