// Operations on large vectors by the addon's threads, for the native engine. Small vectors are computed in TypeScript, where a call costs
// nothing.
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
