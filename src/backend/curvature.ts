// Defines the types of what an engine can hold at a point: kind of curvature, precision, and a low-rank correction. Both engines, the steps
// and the planner import them.

/** The curvature that an engine holds: the route that formed it, or "none". */
export type Curvature = "none" | "primal" | "dual" | "orthogonal" | "matrix-free";

/** What a curvature is formed and factored in. */
export type Precision = "double" | "single";

/** sum_k left_k right_k^T + right_k left_k^T: rows of p entries each, as many on both sides. */
export interface LowRank {
  /** Rows of p entries, row-major. */
  readonly left: Float64Array;
  /** Rows of p entries, row-major, as many as on the left. */
  readonly right: Float64Array;
}
