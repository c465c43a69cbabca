// What the reference engine holds between and during its calls: the last linearisation with its curvature, and the buffers of one.
import type { Workspace } from "../../network/forward.js";
import type { SolveRequest } from "../engine.js";
import type { Triangle } from "./orthogonal.js";

/** A linearisation with its curvature: lower triangle, row-major. */
export interface Curved {
  readonly kind: "primal" | "dual";
  readonly order: number;
  readonly matrix: Float64Array;
  readonly parameters: Float64Array;
  readonly gradient: Float64Array;
  readonly residual: Float64Array;
  /** Shift of the factor held for inverse products, or -1. */
  factored: number;
  /** What the factor was last made for by a solve: its request and diagonal shift; null once it is another. */
  solved: { readonly request: SolveRequest; readonly shift: Float64Array } | null;
  /** Ascending, once they were asked for. */
  eigenvalues: Float64Array | null;
}

/** What a linearisation works in; `kept` is for the dual route, `transposed` for the primal, `triangle` for the orthogonal. */
export interface Reserved {
  readonly matrix: Float64Array | null;
  readonly kept: Workspace | null;
  readonly transposed: Float64Array | null;
  readonly triangle: Triangle | null;
}

/** Buffers of a linearisation without a curvature. */
export const NOTHING: Reserved = { matrix: null, kept: null, transposed: null, triangle: null };
