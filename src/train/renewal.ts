// Defines DataRenewal, by which the loop (minimize.ts) lets the data of a run be replaced between two iterations. equations-points.ts implements it
// for the points of equations.

/** Replaces the data of the engine at some boundaries of iterations. */
export interface DataRenewal {
  /** Whether data are replaced behind this many accepted iterations. */
  due(iteration: number): boolean;
  /** Replaces them. `parameters`: where the run stands. */
  renew(iteration: number, parameters: Float64Array, signal: AbortSignal): Promise<void>;
  /** What the present data follow from besides the iteration: checkpoints hold it. Not changed in place. */
  readonly held: Float64Array;
}
