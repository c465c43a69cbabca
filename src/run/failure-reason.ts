// Turns a failure that ends a run into the reason of its result. train/minimize.ts calls it for failures and for errors for want of memory,
// flow/flow-run.ts for the errors.
import type { Failure } from "../backend/engine.js";
import { memoryRefusal } from "../backend/memory.js";
import type { Agreement } from "../cluster/agreement.js";
import type { Reason } from "../method/reason.js";

/**
 * The reason of a run that an error for want of memory ends; null for other errors. Under ranks it is no reason: a rank cannot know whether the
 * others met it too, and must not end well by itself.
 */
export function memoryReason(error: unknown, agreement: Agreement | null = null): Reason | null {
  if (agreement !== null) return null;
  const message = memoryRefusal(error);
  return message === null ? null : { code: "memory", message };
}

/** The reason of a run that ends because there is no linearization at its point. */
export function failureReason(failure: Failure): Reason {
  switch (failure.code) {
    case "non-finite":
      return { code: "non-finite", message: failure.message, where: failure.where };
    case "memory":
      return { code: "memory", message: failure.message };
    case "indefinite":
    case "imprecise":
      return { code: "no-progress", message: failure.message };
    default:
      failure satisfies never;
      throw new Error("unreachable");
  }
}
