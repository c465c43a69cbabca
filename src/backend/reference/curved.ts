// Holds the state of the reference engine between and during its calls: the last linearization with its curvature, and its buffers.
// engine.ts reserves and stores them in a linearization, and solves, spectrum and products read them.
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, type Workspace, workspace, workspaceDoubles } from "../../network/forward.js";
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

/** Lengths of the arrays of a curvature that is a matrix. */
function storeLengths(
  curvature: "primal" | "dual",
  { parameterCount: p, outputSize: c }: Architecture,
  n: number,
  slots: number,
) {
  const order = curvature === "dual" ? n * c : p;
  return {
    matrix: order * order,
    // Partial sums of the Gram matrix; the first is kept in the factor.
    pending: curvature === "primal" ? pendingSums(slots) : 0,
    transposed: curvature === "primal" ? p * PASS_BLOCK * c : 0,
  };
}

/**
 * Bytes of what `reserve` and a solve hold for a curvature, from sizes alone: also of what they take only while a call runs (the panels of all
 * samples of the dual route, the damped triangle).
 */
export function curvatureBytes(
  curvature: Curvature,
  architecture: Architecture,
  n: number,
  slots: number,
): { readonly curvature: number; readonly factor: number; readonly workspaces: number } {
  const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
  const { parameterCount: p, outputSize: c } = architecture;
  if (curvature === "none" || curvature === "matrix-free") return { curvature: 0, factor: 0, workspaces: 0 };
  if (curvature === "orthogonal") {
    const { triangle, folded, block } = Triangle.doubles(p, PASS_BLOCK * c);
    return { curvature: DOUBLE * triangle, factor: DOUBLE * folded, workspaces: DOUBLE * block };
  }
  const { matrix, pending, transposed } = storeLengths(curvature, architecture, n, slots);
  const panels = curvature === "dual" ? workspaceDoubles(architecture, n, c) : 0;
  const workspaces = DOUBLE * (transposed + panels + Math.max(0, pending - 1) * matrix);
  return { curvature: DOUBLE * matrix, factor: DOUBLE * matrix, workspaces };
}

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
      const { matrix, pending, transposed } = storeLengths(curvature, architecture, n, slots);
      if (this.matrix?.length !== matrix) {
        this.matrix = new Float64Array(matrix);
        this.factor = new Float64Array(matrix);
        this.#pending = [];
      }
      while (this.#pending.length < pending - 1) this.#pending.push(new Float64Array(matrix));
      if (transposed === 0) this.#transposed = null;
      else this.#transposed ??= new Float64Array(transposed);
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
