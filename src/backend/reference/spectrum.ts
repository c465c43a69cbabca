// Computes what a caller asks about a curvature that the reference engine holds, for the methods of engine.ts: the whole matrix, its
// eigenvalues, products and inverse products.

import { symmetricEigen } from "../../algebra/symmetric-eigen.js";
import type { Pace } from "../../event-loop-yield.js";
import type { Failure } from "../engine.js";
import { indefinite } from "../indefinite.js";
import { factorDamped, multiplySymmetric, solveDamped } from "./cholesky.js";
import type { Curved } from "./curved.js";

/** The lower triangle mirrored: whole and symmetric, row-major. */
export function wholeMatrix({ matrix, order }: Curved): Float64Array {
  const out = matrix.slice(0, order * order);
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) out[j * order + i] = out[i * order + j];
  return out;
}

/** Ascending; kept, because each count below a bound asks for them. */
export async function eigenvalues(curved: Curved, pace: Pace): Promise<Float64Array> {
  if (curved.eigenvalues === null) {
    const { matrix, order } = curved;
    curved.eigenvalues = (await symmetricEigen(matrix.slice(0, order * order), order, false, pace)).values;
  }
  return curved.eigenvalues.slice();
}

/** M v for the rows v of `vectors`. */
export function symmetricProduct({ matrix, order }: Curved, vectors: Float64Array): Float64Array {
  const out = new Float64Array(vectors.length);
  const shift = new Float64Array(order);
  for (let at = 0; at < vectors.length; at += order)
    out.set(multiplySymmetric(matrix, order, shift, vectors.subarray(at, at + order)), at);
  return out;
}

/** (M + shift I)^-1 v; the factor is kept for the next vector. */
export async function inverseProduct(
  curved: Curved,
  factor: Float64Array,
  vector: Float64Array,
  shift: number,
  pace: Pace,
): Promise<Float64Array | Failure> {
  const { matrix, order } = curved;
  const shifts = new Float64Array(order).fill(shift);
  if (curved.factored !== shift) {
    curved.factored = -1; // until the new one is whole
    curved.solved = null;
    const pivot = await factorDamped(matrix, factor, order, shifts, pace);
    if (pivot >= 0) return indefinite(pivot);
    curved.factored = shift;
  }
  return (await solveDamped(matrix, factor, order, shifts, vector, pace)).x;
}
