// Turns what a caller's function threw during an integration into the error that the caller of the integration receives: an event
// (events.ts) or a damping schedule (flow/damping-schedule.ts).
import { GaussflowError } from "../errors.js";

/** The cause itself if it is a GaussflowError or the reason of the abort, which ends the run in its own way; else GAUSSFLOW_ARGUMENT. */
export function asThrown(
  what: string,
  argument: string,
  time: number,
  cause: unknown,
  signal: AbortSignal | undefined,
): unknown {
  if (cause instanceof GaussflowError || (signal?.aborted && cause === signal.reason)) return cause;
  const message = `${what} threw at time ${time}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new GaussflowError("GAUSSFLOW_ARGUMENT", message, { argument, time }, { cause });
}
