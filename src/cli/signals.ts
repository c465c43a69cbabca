// Ctrl-C and SIGTERM while a network trains: the first asks the run to stop at its next tile and keep the best so far, the
// second ends the process at once.
import { EXIT, type ExitCode } from "./exit.js";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** Turns signals into an AbortSignal between its making and `dispose`. */
export class SignalWatch {
  readonly #controller = new AbortController();
  readonly #onSignal: (name: "SIGINT" | "SIGTERM") => void;
  #received: "SIGINT" | "SIGTERM" | null = null;

  /** @param tell called at the first signal, to tell the user what happens now */
  constructor(tell: () => void) {
    this.#onSignal = (name) => {
      if (this.#received !== null) process.exit(CODES[name]);
      this.#received = name;
      tell();
      this.#controller.abort(new Error(name === "SIGINT" ? "Ctrl-C" : name));
    };
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came, or null. */
  get received(): "SIGINT" | "SIGTERM" | null {
    return this.#received;
  }

  /** The exit code of an interrupted run, or null when no signal came. */
  get exitCode(): ExitCode | null {
    return this.#received === null ? null : CODES[this.#received];
  }

  /** Hands the signals back to Node: from now on they end the process. */
  dispose(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }
}
