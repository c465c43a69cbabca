// Computes the fingerprint of a run from its network, data and options. `train` and `flow` store it in checkpoints and compare it when they
// resume from one.
import { createHash } from "node:crypto";
import { Pace } from "../event-loop-yield.js";

/** Bytes that are digested at a time: about two milliseconds. */
const DIGESTED = 1 << 20;

/**
 * A digest of plain values and arrays: equal only for the same problem. Takes turns with the event loop.
 * @throws the signal's reason once it has been aborted
 */
export async function fingerprint(
  parts: readonly (string | Float64Array | null)[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash("sha256");
  const pace = new Pace(signal);
  for (const part of parts) {
    if (part === null) hash.update("null;");
    else if (typeof part === "string") hash.update(`text ${part.length};`).update(part);
    else {
      hash.update(`floats ${part.length};`);
      const bytes = new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength);
      for (let first = 0; first < bytes.length; first += DIGESTED) {
        hash.update(bytes.subarray(first, first + DIGESTED));
        await pace.turn();
      }
    }
  }
  return hash.digest("hex");
}
