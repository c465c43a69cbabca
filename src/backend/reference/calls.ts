// Guards the calls of a reference engine: one at a time, none after dispose, with the abort signal and turns of the event loop. engine.ts and
// jets/engine.ts run each of their calls by it.
import { GaussflowError } from "../../errors.js";
import { Pace } from "../../event-loop-yield.js";
import { scratchError } from "../memory.js";

export class Calls {
  #busy = false;
  #disposed = false;

  /** @throws GAUSSFLOW_STATE after dispose, GAUSSFLOW_BUSY during a call */
  idle(): void {
    if (this.#disposed) throw new GaussflowError("GAUSSFLOW_STATE", "the engine was disposed of");
    if (this.#busy) throw new GaussflowError("GAUSSFLOW_BUSY", "the engine is at work: await the call before");
  }

  /** Runs one call. @throws the signal's reason once it has been aborted, GAUSSFLOW_MEMORY for scratch that cannot be had, and as `idle` */
  async run<T>(signal: AbortSignal | undefined, action: (pace: Pace) => Promise<T>): Promise<T> {
    this.idle();
    signal?.throwIfAborted();
    this.#busy = true;
    try {
      return await action(new Pace(signal, () => this.#stop()));
    } catch (cause) {
      // A scratch array that cannot be had; those of a curvature are a Failure.
      if (!(cause instanceof RangeError) || cause === signal?.reason) throw cause;
      throw scratchError(cause);
    } finally {
      this.#busy = false;
    }
  }

  /** A call that runs ends at its next turn. */
  dispose(): void {
    this.#disposed = true;
  }

  #stop(): void {
    if (this.#disposed) throw new GaussflowError("GAUSSFLOW_STATE", "the engine was disposed of during the call");
  }
}
