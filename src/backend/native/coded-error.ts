// Turns exceptions of the addon, and its answers to calls out of order, into GaussflowErrors: engine.ts, vectors.ts and estimate.ts call the
// addon inside of withCode.
import { fileError, GaussflowError } from "../../errors.js";
import { refusedMemory } from "../memory.js";
import { isFailure, type NativeFailure } from "./binding.js";

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

/** The answer; a call out of order throws GAUSSFLOW_STATE with this message. */
export function unlessMisused<T>(answer: T | NativeFailure, message: string): T | NativeFailure {
  if (isFailure(answer) && answer.failure === "misuse") throw new GaussflowError("GAUSSFLOW_STATE", message);
  return answer;
}
