// Holds the state of the reference engine between and during its calls: the last linearization with its curvature, and its buffers.
// engine.ts reserves and stores them in a linearization, and solves, spectrum and products read them.
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, type Workspace, workspace } from "../../network/forward.js";
import type { Curvature, Precision } from "../curvature.js";
import type { Failure, SolveRequest } from "../engine.js";
import { memoryFailure, refuseOrder } from "../memory.js";
import { pendingSums } from "../slots.js";
import { Triangle } from "./orthogonal.js";

/** A linearization with its curvature: lower triangle, row-major. */
export interface Curved {
  readonly kind: "primal" | "dual";
  readonly precision: Precision;
  readonly order: number;
  readonly matrix: Float64Array;
  readonly parameters: Float64Array;
  readonly gradient: Float64Array;
  /** z~; null where an entry of it is not finite. */
  readonly residual: Float64Array | null;
  /** The matrix is that of a subset of the samples: it preconditions, the operator is that of the passes. */
  readonly sampled: boolean;
  /** Shift of the factor held for inverse products, or -1. */
  factored: number;
  /** What the factor was last made for by a solve: its request and diagonal shift; null once it is another. */
  solved: { readonly request: SolveRequest; readonly shift: Float64Array } | null;
  /** Ascending, once they were asked for. */
  eigenvalues: Float64Array | null;
}

/** What a linearization works in; `kept` is for the dual route, `transposed` for the primal, `triangle` for the orthogonal. */
export interface Reserved {
  readonly matrix: Float64Array | null;
  readonly kept: Workspace | null;
  readonly transposed: Float64Array | null;
  readonly triangle: Triangle | null;
  /** Partial sums of a matrix that is joined from slots; the factor is the first of them, which a linearization ends. */
  readonly pending: readonly Float64Array[];
}

/** Buffers of a linearization without a curvature. */
export const NOTHING: Reserved = { matrix: null, kept: null, transposed: null, triangle: null, pending: [] };

/** The large arrays, kept from one linearization to the next. */
export class CurvatureStore {
  matrix: Float64Array | null = null;
  factor: Float64Array | null = null;
  #transposed: Float64Array | null = null;
  /** Partial sums beside the factor. */
  #pending: Float64Array[] = [];

  /** Buffers of one linearization of n samples in this many slots; the matrix is zero. */
  reserve(
    curvature: Exclude<Curvature, "none" | "matrix-free">,
    architecture: Architecture,
    n: number,
    slots: number,
    parameters: Float64Array,
  ): Reserved | Failure {
    const { parameterCount: p, outputSize: c } = architecture;
    const order = curvature === "dual" ? n * c : p;
    const what =
      curvature === "orthogonal" ? "the triangle of the QR factorization" : "the curvature matrix and its factor";
    const refused = refuseOrder(order, 2, what);
    if (refused !== null) return refused;
    try {
      if (curvature === "orthogonal") return { ...NOTHING, triangle: new Triangle(parameters, PASS_BLOCK * c) };
      if (this.matrix?.length !== order * order) {
        this.matrix = new Float64Array(order * order);
        this.factor = new Float64Array(order * order);
        this.#pending = [];
      }
      const pending = curvature === "primal" ? pendingSums(slots) : 0;
      while (this.#pending.length < pending - 1) this.#pending.push(new Float64Array(order * order));
      if (curvature === "dual") this.#transposed = null;
      else this.#transposed ??= new Float64Array(p * PASS_BLOCK * c);
      return {
        matrix: this.matrix.fill(0),
        kept: curvature === "dual" ? workspace(architecture, n, c) : null,
        transposed: this.#transposed,
        triangle: null,
        pending: [this.factor as Float64Array, ...this.#pending].slice(0, pending),
      };
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      this.release();
      return memoryFailure(16 * order * order, `${what} of order ${order}`);
    }
  }

  get bytes(): number {
    const arrays = [this.matrix, this.factor, this.#transposed, ...this.#pending];
    return arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);
  }

  release(): void {
    this.matrix = null;
    this.factor = null;
    this.#transposed = null;
    this.#pending = [];
  }
}
