// Refuses sizes that exceed the memory before they are allocated, for both engines and the experiments: Linux grants allocations that it
// cannot honor and kills the process later. It also turns refused allocations into the failure or error `memory`, which `train` and `flow`
// make the reason of the run.

import { showBytes } from "../bytes.js";
import { GaussflowError } from "../errors.js";
import { memoryCeiling } from "../memory-limit.js";
import type { Curvature } from "./curvature.js";
import type { Failure } from "./engine.js";

/** Node itself takes more: asking the system for its limit (it reads files) would cost more than a small problem's work. */
const UNQUESTIONED = 2 ** 24;

/** The failure for a curvature matrix of this order that cannot fit, or null. */
export function refuseOrder(order: number, copies: number, what: string): Failure | null {
  const bytes = copies * order * (order + 1) * Float64Array.BYTES_PER_ELEMENT;
  if (bytes <= UNQUESTIONED) return null;
  const ceiling = memoryCeiling();
  if (bytes <= ceiling) return null;
  return memoryFailure(bytes, `${what} of order ${order}`, ceiling);
}

/** What the order of a curvature's matrix depends on. */
interface MatrixSizes {
  readonly parameterCount: number;
  readonly sampleCount: number;
  readonly outputSize: number;
  /** Under ranks nothing is refused: the memory of another may be another, and what is refused here alone would be waited for there. */
  readonly ranked: boolean;
}

/** The failure for the matrix of a curvature of the native engine that cannot fit, or null. */
export function refuseMatrix(
  curvature: Curvature,
  { parameterCount, sampleCount, outputSize, ranked }: MatrixSizes,
): Failure | null {
  if (ranked) return null;
  switch (curvature) {
    case "none":
    case "matrix-free":
      return null;
    case "primal":
      return refuseOrder(parameterCount, 1, "the Gram matrix");
    case "dual":
      return refuseOrder(sampleCount * outputSize, 1, "the tangent kernel");
    case "sampled":
      return refuseOrder(sampleCount, 1, "the kernel of the sampled rows");
    case "orthogonal":
      return refuseOrder(parameterCount + 1, 2, "the triangle of the QR factorization");
    default:
      return curvature satisfies never;
  }
}

/** The failure for memory that the system refused; `bytes` 0 = their number is not known. `rank`: the other rank of an MPI run that asked. */
export function refusedMemory(bytes: number, rank?: number): Failure {
  const what = bytes > 0 ? `${showBytes(bytes)} of memory` : "memory";
  const where = rank === undefined ? "" : ` on rank ${rank}`;
  return { code: "memory", bytes, message: `the engine asked for ${what}${where}, and the system refused` };
}

/** The error for a scratch array that JavaScript cannot have. */
export function scratchError(cause: RangeError): GaussflowError {
  return new GaussflowError("GAUSSFLOW_MEMORY", `the engine cannot have its scratch: ${cause.message}`, {}, { cause });
}

/** What the error says of memory that was refused, or null where it is another error. */
export function memoryRefusal(error: unknown): string | null {
  // GaussflowErrors, and those of the addon's own functions.
  if (error instanceof Error && "code" in error) return error.code === "GAUSSFLOW_MEMORY" ? error.message : null;
  // What JavaScript itself says of an array that cannot be had.
  const refused = error instanceof RangeError && /allocation failed|Invalid typed array length/.test(error.message);
  return refused ? `JavaScript asked for an array, and the system refused: ${error.message}` : null;
}

/** Returns the answer; throws GAUSSFLOW_MEMORY if the answer is the failure `memory`. */
export function unlessMemory<T>(answer: T | Failure): T | Exclude<Failure, { readonly code: "memory" }> {
  const failure = answer as Failure | null;
  if (failure?.code !== "memory") return answer as T | Exclude<Failure, { readonly code: "memory" }>;
  throw new GaussflowError("GAUSSFLOW_MEMORY", failure.message, { bytes: failure.bytes });
}

/** The failure for a size that is more than there is. */
export function memoryFailure(bytes: number, what: string, ceiling = memoryCeiling()): Failure {
  return {
    code: "memory",
    bytes,
    message: `${what} needs ${showBytes(bytes)}, and this machine has ${showBytes(ceiling)}`,
  };
}
