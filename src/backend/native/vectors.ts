// Runs operations on large vectors by the addon's threads, as the vector operations of the native engine. Small vectors are computed in
// TypeScript, because the call would cost more than the work.
import { LARGE_VECTOR, normOfSquares, plainVectors, type VectorOperations } from "../../algebra/vectors.js";
import type { BindingModule } from "./binding.js";
import { withCode } from "./coded-error.js";

/** The operations of `algebra/vectors.ts`, to the same bits, on so many threads. */
export function nativeVectors(binding: BindingModule, threads: number): VectorOperations {
  const dot = (a: Float64Array, b: Float64Array) =>
    a.length < LARGE_VECTOR ? plainVectors.dot(a, b) : withCode(() => binding.dot(a, b, threads));
  return {
    dot,
    norm: (vector) =>
      vector.length < LARGE_VECTOR ? plainVectors.norm(vector) : normOfSquares(vector, dot(vector, vector)),
    addScaled: (a, factor, b, out) =>
      a.length < LARGE_VECTOR
        ? plainVectors.addScaled(a, factor, b, out)
        : withCode(() => binding.addScaled(a, factor, b, out ?? null, threads)),
  };
}
