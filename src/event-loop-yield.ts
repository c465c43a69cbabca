// Lets the event loop run during long computations in TypeScript, because timers, sockets and signals wait for it. Between short pieces of
// work a computation calls `Pace`, which yields to the event loop about every 8 ms and then checks the abort signal. Computations written
// as generators (Steps) run with yields by finishInTurns or without by finish. The reference engine, data sets, predictions and the loops
// of runs call it.

/** Milliseconds of work after which a turn is due: a few computations in a row, each with a pace of its own, stay well below 50 ms. */
const TURN = 8;

export class Pace {
  #since = performance.now();
  readonly #signal: AbortSignal | undefined;
  readonly #stop: () => void;

  /** @param stop throws where the computation must end for another reason than the signal */
  constructor(signal: AbortSignal | undefined, stop: () => void = () => {}) {
    this.#signal = signal;
    this.#stop = stop;
  }

  /** True when it is time for `turn`. */
  due(): boolean {
    return performance.now() - this.#since >= TURN;
  }

  /** Lets the event loop turn where that is due; throws the signal's reason once it has been aborted. */
  async turn(): Promise<void> {
    if (this.due()) await this.rest();
  }

  /** Lets the event loop turn now. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#stop();
    this.#since = performance.now();
  }
}

/** A computation in pieces of at most about a millisecond, with a `yield` after each: one body for callers that wait and that do not. */
export type Steps<T> = Generator<void, T, void>;

/** Numbers that one piece of such a computation handles: well below a millisecond of simple arithmetic. */
export const STEP = 1 << 16;

/** All pieces in a row. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}

/**
 * All pieces, with turns of the event loop between them; rejects with the signal's reason once it has been aborted. The computation hears
 * of that too, and can give back what it holds.
 */
export async function finishInTurns<T>(steps: Steps<T>, pace: Pace): Promise<T> {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    try {
      await pace.turn();
    } catch (reason) {
      steps.throw(reason);
      throw reason;
    }
  }
}

/** A copy of `values`. */
export function* copySteps(values: Float64Array): Steps<Float64Array> {
  const copy = new Float64Array(values.length);
  for (let k = 0; k < values.length; k += STEP) {
    copy.set(values.subarray(k, k + STEP), k);
    yield;
  }
  return copy;
}
