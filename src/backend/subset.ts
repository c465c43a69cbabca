// Checks the subset of samples of a linearization, for both engines (check-request.ts calls it). A subset replaces all samples in the
// costly part, each of its samples with weight n / |subset|:
//
//   primal, single precision   G of the subset is factored and preconditions conjugate gradients on the operator of all samples
//   matrix-free                products with G are products with that of the subset
//
// diag G, and with it scaling and gradient measure, are the subset's as well. Loss and gradient are those of all samples. Products of a
// subset are good to single precision: the native engine computes them in float32 where that has the range.
import { argumentError } from "../errors.js";
import type { Curvature, Precision } from "./curvature.js";

export function checkSubset(
  curvature: Curvature,
  precision: Precision,
  subset: Uint32Array | null,
  sampleCount: number,
): void {
  if (subset === null) return;
  if (curvature !== "matrix-free" && precision !== "single")
    throw argumentError("subset", "must be null unless the curvature is matrix-free or in single precision", subset);
  if (!(subset instanceof Uint32Array) || subset.length === 0)
    throw argumentError("subset", "must be a Uint32Array with at least one index", subset);
  const bad = subset.findIndex((index, k) => index >= sampleCount || (k > 0 && index <= subset[k - 1]!));
  if (bad >= 0)
    throw argumentError(`subset[${bad}]`, `must be below ${sampleCount} and above the index before it`, subset[bad]);
}
