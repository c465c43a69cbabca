// A symmetric matrix of low rank that a damped system adds to its curvature, and the rule of where it may.
import { argumentError } from "../errors.js";
import type { Curvature } from "./engine.js";
import type { Precision } from "./single.js";

/** sum_k left_k right_k^T + right_k left_k^T: rows of p entries each, as many on both sides. */
export interface LowRank {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** @throws GAUSSFLOW_ARGUMENT */
export function checkCorrection(
  correction: LowRank | null,
  held: Curvature,
  precision: Precision,
  condition: boolean,
  p: number,
): void {
  if (correction === null) return;
  if (held !== "primal" || precision !== "double" || condition)
    throw argumentError(
      "correction",
      "wants the primal curvature in double precision and no condition estimate",
      `${held} in ${precision} precision${condition ? " with a condition estimate" : ""}`,
    );
  for (const side of ["left", "right"] as const) {
    const rows = correction[side];
    if (!(rows instanceof Float64Array) || rows.length === 0 || rows.length % p !== 0)
      throw argumentError(`correction.${side}`, `must be a Float64Array of one or more rows of ${p} elements`, rows);
  }
  if (correction.left.length !== correction.right.length)
    throw argumentError(
      "correction",
      "must have as many rows left as right",
      `${correction.left.length / p} and ${correction.right.length / p}`,
    );
}
