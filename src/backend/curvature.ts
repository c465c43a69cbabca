// Defines the types of what an engine can hold at a point: kind of curvature, precision, rows of a sampled curvature, a
// moving average, and a low-rank correction. Both engines, the steps
// and the planner import them.

/** The curvature that an engine holds: the route that formed it, or "none". */
export type Curvature = "none" | "primal" | "dual" | "orthogonal" | "matrix-free" | "sampled";

/** What a curvature is formed and factored in. */
export type Precision = "double" | "single";

/** sum_k left_k right_k^T + right_k left_k^T: rows of p entries each, as many on both sides. */
export interface LowRank {
  /** Rows of p entries, row-major. */
  readonly left: Float64Array;
  /** Rows of p entries, row-major, as many as on the left. */
  readonly right: Float64Array;
}

/** What the rows of a sampled curvature are made from: n*c numbers each, sample-major. */
export type SampledRows =
  | {
      /** 1 or -1, drawn anew for each linearization: row i is sqrt(s_i) (R_i v_i)^T J_i, v_i the signs of sample i. The gradient is the loss's. */
      readonly signs: Float64Array;
    }
  | {
      /** Row i is seed_i^T J_i. */
      readonly rows: Float64Array;
      /** What stands for the derivative of the loss by the predictions: the linearization's gradient is J^T of it, and decay*w. Its loss stays the engine's. */
      readonly gradient: Float64Array;
    };

/** M = keep * M_before + add * J~^T J~; M_before is 0 at first, and stays through loads, other linearizations and failures. */
export interface Accumulation {
  /** At least 0. */
  readonly keep: number;
  /** At least 0. */
  readonly add: number;
}

/** Eigenvalues of the curvature, ascending; for the orthogonal route squared singular values of R, the tiny ones accurate. */
export interface Eigen {
  /** As many as the order of the matrix. */
  readonly values: Float64Array;
  /** order x order, row k the unit eigenvector of value k (dual: sample-major); null if not requested. */
  readonly vectors: Float64Array | null;
}
