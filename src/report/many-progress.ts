// Shows the progress of gaussflow train with several runs (cli/train-many.ts) on standard error: on a terminal one line that is rewritten,
// elsewhere (a file, a pipe, CI) one line a run.
import type { JobProgress } from "../jobs/train-many-options.js";
import { formatLoss, formatSeconds } from "./numbers.js";
import type { ProgressStream } from "./progress.js";
import { StatusLine } from "./status-line.js";

/** Shows the progress of `trainMany`; call `done` at the end, whatever the end was. */
export class ManyProgress {
  readonly #stream: ProgressStream;
  readonly #status: StatusLine;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
    this.#status = new StatusLine(stream);
  }

  tell(progress: JobProgress): void {
    if (this.#stream.isTTY === true) this.#status.show(() => manyProgressLine(progress));
    else if (progress.state !== "running") this.#stream.write(`  ${manyProgressLine(progress)}\n`);
  }

  done(): void {
    this.#status.clear();
  }
}

/** One iteration of one run, or its end, on one line. */
function manyProgressLine(progress: JobProgress): string {
  const { ended, jobs, label, state, iteration, loss, validationLoss, elapsed } = progress;
  const parts = [`${String(ended).padStart(String(jobs).length)}/${jobs} done`, label];
  if (state === "failed") return [...parts, "failed"].join("  ");
  parts.push(`iteration ${iteration}`, `loss ${formatLoss(loss)}`);
  if (validationLoss !== null) parts.push(`validation ${formatLoss(validationLoss)}`);
  parts.push(formatSeconds(elapsed));
  return parts.join("  ");
}
