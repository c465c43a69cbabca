// Runs the calls of an addon object one at a time, for the engines of this folder: an AbortSignal becomes the addon's cancellation flag, and
// small calls, which are done on return, let the event loop have its turn.
import { GaussflowError } from "../../errors.js";
import { Pace } from "../../event-loop-yield.js";
import { stoppedDuring } from "./answers.js";
import { isFailure, type NativeAnswer } from "./binding.js";
import { withCode } from "./coded-error.js";

const settled = Promise.resolve();

/** What stops a call of an addon object. */
interface Stoppable {
  cancel(): void;
}

export class NativeCalls<Native extends Stoppable> {
  readonly #object: Native;
  /** A call that was done at once has an answer that its caller cannot have seen yet. */
  #settling = false;
  #diagnosing = false;
  readonly #settle = () => {
    this.#settling = false;
  };
  readonly #pace = new Pace(undefined, () => {});

  constructor(object: Native) {
    this.#object = object;
  }

  /**
   * Runs one addon call. A small one is done on return and answered by its value; yet the engine is at work until the microtasks
   * that stand before the caller's have run, so that a forgotten `await` shows at every size.
   */
  run<T>(start: (native: Native) => NativeAnswer<T>, signal: AbortSignal | undefined): T | Promise<T> {
    signal?.throwIfAborted();
    this.refuseBusy();
    const answer = withCode(() => start(this.#object));
    if (answer instanceof Promise) return this.#wait(answer, signal);
    this.#settling = true;
    if (this.#pace.due()) return this.#turn(answer, signal);
    settled.then(this.#settle);
    return answer;
  }

  /** Runs work of the caller's own that other calls must not disturb: the search for a number that is not finite. */
  async diagnose<T>(work: () => Promise<T>): Promise<T> {
    this.#diagnosing = true;
    try {
      return await work();
    } finally {
      this.#diagnosing = false;
    }
  }

  /** @throws GAUSSFLOW_BUSY */
  refuseBusy(): void {
    if (this.#settling || this.#diagnosing)
      throw new GaussflowError("GAUSSFLOW_BUSY", "the engine is at work: await the call before");
  }

  /** Small calls in a row would starve the event loop: now and then it gets its turn, and an abort its chance. */
  async #turn<T>(answer: T, signal: AbortSignal | undefined): Promise<T> {
    await this.#pace.turn();
    this.#settling = false;
    signal?.throwIfAborted();
    return answer;
  }

  /** An aborted signal raises the call's flag, and rejects with the signal's reason once the call has ended. */
  async #wait<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const abort = () => this.#object.cancel();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await running;
      if (isFailure(answer) && answer.failure === "canceled") {
        signal?.throwIfAborted();
        throw stoppedDuring(answer.rank);
      }
      return answer;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}
