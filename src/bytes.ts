// Formats byte counts for messages (showBytes, for plans, memory errors, doctor and commands), and allocates large arrays with an error
// that names the bytes if the memory is refused (reserve, for parameters, predictions, permutations and the reference engine).
import { totalmem } from "node:os";
import { GaussflowError } from "./errors.js";

/** Bytes for people: whole KiB or MiB, tenths of a GiB. */
export function showBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 2 ** 10)} KiB`;
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/**
 * What `make` makes, an array of so many bytes, where they can be had.
 * @param what names it for the message
 * @throws GAUSSFLOW_MEMORY
 */
export function reserve<T>(bytes: number, what: string, make: () => T): T {
  const refused = (cause?: unknown) =>
    new GaussflowError(
      "GAUSSFLOW_MEMORY",
      `${what} of ${showBytes(bytes)} cannot be had: the machine has ${showBytes(totalmem())}`,
      { bytes },
      { cause },
    );
  if (bytes > totalmem()) throw refused();
  try {
    return make();
  } catch (cause) {
    throw cause instanceof RangeError ? refused(cause) : cause;
  }
}
