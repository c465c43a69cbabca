// Turns exceptions of the addon into GaussflowErrors: engine.ts, vectors.ts and estimate.ts call the addon inside of withCode.
import { fileError, GaussflowError } from "../../errors.js";
import { refusedMemory } from "../memory.js";

const CODES = ["GAUSSFLOW_ARGUMENT", "GAUSSFLOW_BUSY", "GAUSSFLOW_STATE", "GAUSSFLOW_MEMORY"] as const;

/** Errors of the addon carry a code and become GaussflowErrors. `file` is where the samples are. */
export function withCode<T>(action: () => T, file = "data file"): T {
  try {
    return action();
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message: string };
    if (code === "GAUSSFLOW_FILE") throw fileError(file, message, {}, cause);
    const known = CODES.find((one) => one === code);
    if (known !== undefined) throw new GaussflowError(known, message, {}, { cause });
    // What node-addon-api allocates before a method of the addon begins.
    if (message === "std::bad_alloc")
      throw new GaussflowError("GAUSSFLOW_MEMORY", refusedMemory(0).message, { bytes: 0 }, { cause });
    throw cause;
  }
}
