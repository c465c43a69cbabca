// Handles Ctrl-C and SIGTERM. While a command runs that can end in good order (train, convert, experiment, which hold a SignalWatch), the
// first signal requests that end, and the second ends the process at once. At any other time the first signal ends it. main.ts loads this
// file first, so it imports nothing that takes time.
import { launchOf } from "../cluster/launch.js";
import { EXIT, type ExitCode } from "./exit-codes.js";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
type SignalName = keyof typeof CODES;
const NAMES = ["SIGINT", "SIGTERM"] as const;
const SPOKEN = { SIGINT: "Ctrl-C", SIGTERM: "SIGTERM" } as const;

/** Handler of the next signal; null = the process ends. */
let current: ((name: SignalName) => void) | null = null;

function onSignal(name: NodeJS.Signals): void {
  if (name !== "SIGINT" && name !== "SIGTERM") return;
  if (current === null) quit(name);
  else current(name);
}

/** Ends the process with a word. Temporary files of writes that were not finished go with it (atomic-file.ts). */
function quit(name: SignalName): void {
  // Of several ranks one says so.
  if ((launchOf(process.env)?.rank ?? 0) === 0) process.stderr.write(`gaussflow: interrupted by ${SPOKEN[name]}\n`);
  // A read that waits for ever (of a FIFO) can hold the end of a process: another signal then ends it without us.
  for (const signal of NAMES) process.off(signal, onSignal);
  process.exit(CODES[name]);
}

/** From now on signals are heard. */
export function listenForSignals(): void {
  for (const signal of NAMES) if (!process.listeners(signal).includes(onSignal)) process.on(signal, onSignal);
}

/** Turns signals into an AbortSignal between its making and `dispose`. */
export class SignalWatch {
  readonly #controller = new AbortController();
  #received: SignalName | null = null;

  /** @param tell called at the first signal, with what happens now, for the user */
  constructor(tell: () => void) {
    listenForSignals();
    current = (name) => {
      if (this.#received !== null) quit(name);
      this.#received = name;
      tell();
      this.#controller.abort(new Error(SPOKEN[name]));
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came, or null. */
  get received(): SignalName | null {
    return this.#received;
  }

  /** The exit code of an interrupted run, or null when no signal came. */
  get exitCode(): ExitCode | null {
    return this.#received === null ? null : CODES[this.#received];
  }

  /** The work is over: from now on a signal ends the process. */
  dispose(): void {
    current = null;
  }
}
