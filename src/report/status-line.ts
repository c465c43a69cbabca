// Shows on one rewritten line of a terminal what an experiment (cli/experiment.ts) or several trainings (many-progress.ts) compute; writes
// nothing to a file, a pipe or CI.
import type { ProgressStream } from "./progress.js";

const REWRITE_MILLISECONDS = 100;

export class StatusLine {
  readonly #stream: ProgressStream;
  #last = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** @param text made only where it is shown: records come far more often than lines are rewritten */
  show(text: () => string): void {
    const now = performance.now();
    if (this.#stream.isTTY !== true || now - this.#last < REWRITE_MILLISECONDS) return;
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(`\r\x1b[2K  ${text()}`.slice(0, width + 5));
    this.#last = now;
    this.#shown = true;
  }

  /** Leaves the cursor at the start of an empty line. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[2K");
    this.#shown = false;
  }
}
