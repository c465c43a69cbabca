// What the reference engine tells of a curvature it holds: the whole matrix, products and inverse products.
import type { Failure } from "../engine.js";
import { solveDamped } from "./cholesky.js";
import type { Curved } from "./curved.js";
import type { Pace } from "./pace.js";

/** The lower triangle mirrored: whole and symmetric, row-major. */
export function wholeMatrix({ matrix, order }: Curved): Float64Array {
  const out = matrix.slice(0, order * order);
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) out[j * order + i] = out[i * order + j];
  return out;
}

export function symmetricProduct({ matrix, order }: Curved, vector: Float64Array): Float64Array {
  const out = new Float64Array(order);
  for (let i = 0; i < order; i++)
    for (let j = 0; j <= i; j++) {
      out[i] += matrix[i * order + j] * vector[j];
      if (j < i) out[j] += matrix[i * order + j] * vector[i];
    }
  return out;
}

/** (M + shift I)^-1 v. */
export async function inverseProduct(
  { matrix, order }: Curved,
  factor: Float64Array,
  vector: Float64Array,
  shift: number,
  pace: Pace,
): Promise<Float64Array | Failure> {
  const answer = await solveDamped(matrix, factor, order, new Float64Array(order).fill(shift), vector, pace);
  return "pivot" in answer ? indefinite(answer.pivot) : answer.x;
}

export function indefinite(pivot: number): Failure {
  return {
    code: "indefinite",
    pivot,
    message: `the damped matrix is not positive definite: pivot ${pivot} of its Cholesky factorisation is not positive`,
  };
}
