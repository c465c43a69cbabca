// Combines the two causes that end a run from outside, the caller's AbortSignal and the deadline, into one signal for the engine, so that a
// long kernel stops at its next tile. The loops of `train` and `flow` (minimize.ts, flow-run.ts) then take from it the reason of the end.
// Under ranks both causes are taken up only where all ranks meet (`meet`), because a rank that stopped inside a sum would leave the others waiting.

import type { Agreement, Turn } from "../cluster/agreement.js";
import { Pace } from "../event-loop-yield.js";
import type { Reason } from "../method/reason.js";

/** Longest delay of setTimeout (2^31 - 1 ms); later deadlines are only checked between trials. */
const longestTimer = 2 ** 31 - 1;

/** The reason of a run that the caller's signal has ended. */
export function abortReason(signal: AbortSignal): Reason {
  const why: unknown = signal.reason;
  const detail = why instanceof Error && why.name !== "AbortError" ? `: ${why.message}` : "";
  return { code: "aborted", message: `the caller aborted the run${detail}` };
}

/** True if `error` is the rejection of a computation that `signal` aborted. */
export function endedBy(signal: AbortSignal | undefined, error: unknown): signal is AbortSignal {
  return signal?.aborted === true && error === signal.reason;
}

export class Interrupt {
  readonly #controller = new AbortController();
  readonly #user: AbortSignal | undefined;
  readonly #seconds: number;
  readonly #start: number;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #agreement: Agreement | null;
  /** Seconds of rank 0 once they are over. */
  #over: number | null = null;
  /** Without a signal: the loop asks for the reason of the end itself. */
  readonly #pace = new Pace(undefined);
  readonly #forward = () => this.#controller.abort(this.#user?.reason);

  /**
   * @param user under ranks `agreement.signal`
   * @param seconds that the run may take
   * @param spent those that it has taken before
   * @param agreement null where there are no other ranks
   */
  constructor(user: AbortSignal | undefined, seconds: number, spent = 0, agreement: Agreement | null = null) {
    this.#user = user;
    this.#agreement = agreement;
    this.#seconds = seconds;
    this.#start = performance.now() - 1000 * spent;
    user?.addEventListener("abort", this.#forward, { once: true });
    if (user?.aborted) this.#forward();
    const left = Math.max(0, 1000 * (seconds - spent));
    if (left <= longestTimer && agreement === null) {
      this.#timer = setTimeout(() => this.#controller.abort(), left);
      this.#timer.unref();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the run must end now, or null. */
  reason(): Reason | null {
    if (this.#user?.aborted) return abortReason(this.#user);
    const elapsed = this.#agreement === null ? this.#elapsed : this.#over;
    if (elapsed === null || (elapsed < this.#seconds && !this.#controller.signal.aborted)) return null;
    return {
      code: "seconds",
      message: `${elapsed.toFixed(2)} s have passed of the ${this.#seconds} s that were allowed`,
    };
  }

  get #elapsed(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /**
   * The place where all ranks take up aborts and the deadline, once an iteration. Without other ranks nothing happens.
   * @returns why the run must end now, or null
   * @throws GAUSSFLOW_RANKS where the ranks have come apart
   */
  async meet(own: Pick<Turn, "index" | "loss" | "computed">): Promise<Reason | null> {
    if (this.#agreement === null) return null;
    const elapsed = this.#elapsed;
    this.#over = await this.#agreement.turn({ ...own, elapsed, over: elapsed >= this.#seconds });
    return this.reason();
  }

  /** Lets timers and signals run where that is due: engines in TypeScript may never yield to the event loop by themselves. */
  async breathe(): Promise<void> {
    if (this.#pace.due()) await this.#pace.rest();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#user?.removeEventListener("abort", this.#forward);
  }
}
