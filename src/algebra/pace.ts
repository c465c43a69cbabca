// How a long computation on the main thread stays polite: about every 20 ms the event loop gets its turn, and then the signal is
// looked at. Work asks at every tile; only a turn that is due costs more than reading a clock.

/** Milliseconds of work after which a turn is due. */
const TURN = 20;

export class Pace {
  #since = performance.now();
  readonly #signal: AbortSignal | undefined;
  readonly #stop: () => void;

  /** @param stop throws where the computation must end for another reason than the signal */
  constructor(signal: AbortSignal | undefined, stop: () => void) {
    this.#signal = signal;
    this.#stop = stop;
  }

  /** True when it is time for `turn`. */
  due(): boolean {
    return performance.now() - this.#since >= TURN;
  }

  /** Lets the event loop turn where that is due; throws the signal's reason once it has been aborted. */
  async turn(): Promise<void> {
    if (!this.due()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#stop();
    this.#since = performance.now();
  }
}
