// The base class of a curvature of the reference engine: what a linearization forms of J~ (the Jacobian with every row times the root of its
// sample's weight), and what is solved with it. There is one class per kind, as in native/core/curvature; store.ts chooses it. engine.ts
// makes one object a linearization, lets the passes add their blocks to it, and depends on nothing else of it:
//
//   begin -> (addBlock for every block of a slot, endSlot) for every slot, in order -> finish -> anything else, any number of times
//
// What a class does not override is refused with the reason.
import { GaussflowError } from "../../../errors.js";
import type { Pace } from "../../../event-loop-yield.js";
import type { Architecture } from "../../../network/architecture.js";
import type { Curvature, Eigen, Precision } from "../../curvature.js";
import type { Failure, LayerFactors, LinearizeRequest, Solved, SolveRequest } from "../../engine.js";
import { memoryFailure, refuseOrder } from "../../memory.js";
import { raiseFinite } from "../accumulate.js";
import type { BlockReceiver, BlockRows, BlockSums, Blocks } from "../blocks.js";
import { cosine } from "../measure.js";
import type { Passes } from "../passes.js";
import type { DampedSystem } from "./damped-system.js";

/** The parts of the engine that curvatures use; they outlive every curvature. */
export interface Context {
  readonly blocks: Blocks;
  /** Over all samples. */
  readonly passes: Passes;
  /** Gram matrices and kernel take turns in it. */
  readonly system: DampedSystem;
}

/** What the bytes of a curvature depend on. */
export interface CurvatureSizes {
  readonly architecture: Architecture;
  readonly sampleCount: number;
  readonly slots: number;
  /** Whether a moving average is held. Default false. */
  readonly average?: boolean | undefined;
}

/** Bytes of a curvature by purpose. */
export interface CurvatureBytes {
  readonly curvature: number;
  readonly factor: number;
  readonly workspaces: number;
}

/** The pass over all samples at its end. */
export interface Pass extends BlockSums {
  /** `gradient` with the decay, which a curvature copies if it keeps it. */
  readonly objectiveGradient: Float64Array;
  /** |z~| where the loss is a sum of squares, else NaN. */
  readonly residualNorm: number;
}

/** What a curvature adds to the answer of `linearize`. */
export interface Finished {
  readonly gradientCosine: number;
  /** Seconds of forming the curvature after the pass. */
  readonly seconds: number;
  /** diag J~^T J~, p entries; matrix-free only. */
  readonly diagonal?: Float64Array | undefined;
}

export function stateError(message: string): GaussflowError {
  return new GaussflowError("GAUSSFLOW_STATE", message);
}

export abstract class ReferenceCurvature implements BlockReceiver {
  abstract readonly kind: Curvature;
  readonly precision: Precision = "double";
  readonly gradientSeeds: Float64Array | null = null;
  /** Indices of the samples that replace all samples, or null. */
  protected readonly subset: Uint32Array | null;
  /** Why there are no steps, entries and products where a class has none. */
  protected readonly refusal: string = "there is no curvature: linearize with one first";

  constructor(
    protected readonly context: Context,
    readonly parameters: Float64Array,
    { subset = null }: LinearizeRequest,
  ) {
    this.subset = subset;
  }

  /** The most that `begin` and a solve hold, from sizes alone; also what they hold only while a call runs. */
  static estimate(_sizes: CurvatureSizes): CurvatureBytes {
    return { curvature: 0, factor: 0, workspaces: 0 };
  }

  protected get sizes(): CurvatureSizes {
    const { architecture, samples, slots } = this.context.blocks;
    return { architecture, sampleCount: samples.sampleCount, slots };
  }

  /** Entries of the scaling D: one a parameter or one a layer; 0 = D is not looked at. */
  get scalingCount(): number {
    return this.context.blocks.architecture.parameterCount;
  }

  /** Bytes besides those of the damped system. */
  get bytes(): number {
    return 0;
  }

  /** Makes room, all or nothing. */
  begin(): Failure | null {
    return null;
  }

  /** The block's rows of J~. */
  async addBlock(_rows: BlockRows, _pace: Pace): Promise<void> {}

  /** Joins the sum of slot number `slot`, which is whole, to those before. */
  endSlot(_slot: number, _pace: Pace): void | Promise<void> {}

  /** Raises the running maximum of the request to the diagonal; null where the curvature is not finite. */
  async finish(pass: Pass, { scaling }: LinearizeRequest, _pace: Pace): Promise<Finished | null> {
    const { gradient, diagonal, residualNorm } = pass;
    if (!raiseFinite(scaling, diagonal)) return null;
    return { gradientCosine: cosine(gradient, diagonal, residualNorm), seconds: 0 };
  }

  /** The step, which may be non-finite, and what is known of it. */
  solve(_request: SolveRequest, _pace: Pace): Promise<Omit<Solved, "seconds"> | Failure> {
    throw stateError(this.refusal);
  }

  /** The acceleration with the factor of the last solve; it may be non-finite. `scaling` as in that solve. */
  accelerate(_velocity: Float64Array, _scaling: Float64Array | null, _pace: Pace): Promise<Float64Array | Failure> {
    throw stateError("there is no factor: solve before accelerating");
  }

  /** F'' v of the sum loss for the rows v of `vectors`, whatever the curvature is. */
  async hessianProduct(vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    if (this.parameters.length === 0) throw stateError("there is no linearization: linearize before a Hessian product");
    return this.context.passes.hessian(this.parameters, vectors, pace);
  }

  /** Whether `dampedInverse` reads the factor alone, and nothing of the linearization. */
  get factorAlone(): boolean {
    return false;
  }

  /** (G + decay I + mu D)^-1 v with the factor of the last solve, not refined; it may be non-finite. */
  dampedInverse(_vector: Float64Array, _pace: Pace): Promise<Float64Array | Failure> {
    throw stateError("there is no factor: solve before a product with its inverse");
  }

  /** M v for the rows v of `vectors`. */
  multiply(_vectors: Float64Array, _pace: Pace): Promise<Float64Array> {
    throw stateError(this.refusal);
  }

  /** (M + shift I)^-1 v; it may be non-finite. */
  inverse(_vector: Float64Array, _shift: number, _pace: Pace): Promise<Float64Array | Failure> {
    throw stateError(this.refusal);
  }

  /** A copy, whole and symmetric, row-major, in `into` or in a fresh array. */
  dense(_into?: Float64Array): Float64Array {
    throw stateError(this.refusal);
  }

  /** Eigenvalues, ascending, and with `vectors` the eigenvectors. */
  eigen(_vectors: boolean, _pace: Pace): Promise<Eigen> {
    throw stateError(this.refusal);
  }

  layerFactors(_pace: Pace): Promise<readonly LayerFactors[]> {
    throw stateError("layer factors are of a matrix-free curvature");
  }

  /** Runs `allocate` unless two matrices of that order cannot fit. Where an array is refused, the damped system is freed too. */
  protected makeRoom(order: number, what: string, allocate: () => void): Failure | null {
    const refused = refuseOrder(order, 2, what);
    if (refused !== null) return refused;
    try {
      allocate();
      return null;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      this.context.system.release();
      return memoryFailure(16 * order * order, `${what} of order ${order}`);
    }
  }
}
