// Defines the function that a fit minimizes (`ResidualFunction`): residuals of raw parameters, with or without derivatives. least-squares.ts makes one
// of the caller's functions, curve-fit.ts of a model and data; residual-engine.ts evaluates it.

/** Residuals r(b) as the engine of a fit calls them. Arrays belong to the engine, and are written in place. */
export interface ResidualFunction {
  /** Number of residuals, n. */
  readonly count: number;
  /** Number of parameters, p, fixed ones included. */
  readonly parameterCount: number;
  /** Writes the n residuals at b (p entries) to `out`. */
  residuals(b: Float64Array, out: Float64Array): void | Promise<void>;
  /**
   * Writes dr/db_j for each j of `which` to `out`, n entries a parameter, one after the other. null: the engine takes differences of residuals.
   */
  readonly columns: ((b: Float64Array, which: readonly number[], out: Float64Array) => void | Promise<void>) | null;
  /** Writes the second derivative of the residuals along `direction` (p entries) at b to `out`. Absent: by differences. */
  readonly secondAlong?: ((b: Float64Array, direction: Float64Array, out: Float64Array) => void) | undefined;
}

/** Limits of each parameter, -Infinity and Infinity where there are none. */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}
