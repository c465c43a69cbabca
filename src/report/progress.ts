// Shows the progress of one training on standard error, for gaussflow train and the demo. On a terminal: one line, rewritten at most ten
// times a second. Elsewhere (a file, a pipe, CI): whole lines at iterations (of methods on batches: epochs) 0, 1, 2, 5, 10, 20, 50, ... and whenever a second has passed
// since the last.
import type { TrainRecord } from "../run/record.js";
import { formatLoss, formatSeconds } from "./numbers.js";
import { type Painter, painterFor } from "./paint.js";

/** The part of a writable stream that progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Monotonic milliseconds; for tests. */
  readonly now?: () => number;
  readonly paint?: Painter;
}

const REWRITE_MILLISECONDS = 100;
const LINE_MILLISECONDS = 1000;

/** Shows records as they arise; call `done` once at the end, whatever the end was. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #live: boolean;
  readonly #now: () => number;
  readonly #paint: Painter;
  #last = Number.NEGATIVE_INFINITY;
  /** Its line is made only where it is shown. */
  #pending: TrainRecord | null = null;
  #shown = false;

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#stream = stream;
    this.#live = stream.isTTY === true;
    this.#now = options.now ?? (() => performance.now());
    this.#paint = options.paint ?? painterFor(stream);
  }

  /** One record of the run. */
  record(record: TrainRecord): void {
    const now = this.#now();
    const due = now - this.#last >= (this.#live ? REWRITE_MILLISECONDS : LINE_MILLISECONDS);
    if (due || (!this.#live && record.accepted && isRound(record.epoch ?? record.iteration))) this.#show(record, now);
    // In a log a rejected trial is news only while nothing else comes.
    else if (this.#live || record.accepted) this.#pending = record;
  }

  /** Writes what rate limiting held back and leaves the cursor at the start of a fresh line. */
  done(): void {
    if (this.#pending !== null) this.#show(this.#pending, this.#now());
    if (this.#shown) this.#stream.write("\n");
    this.#shown = false;
  }

  #show(record: TrainRecord, now: number): void {
    const line = progressLine(record);
    if (this.#live) {
      // A line that wraps cannot be rewritten: cut it to the terminal.
      const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
      this.#stream.write(`\r\x1b[2K${this.#paint("first", line.slice(0, width))}`);
      this.#shown = true;
    } else this.#stream.write(`${line}\n`);
    this.#pending = null;
    this.#last = now;
  }
}

function isRound(iteration: number): boolean {
  if (iteration === 0) return true;
  const lead = iteration / 10 ** Math.floor(Math.log10(iteration) + 1e-12);
  return lead === 1 || lead === 2 || lead === 5;
}

/** One record on one line. */
function progressLine(record: TrainRecord): string {
  const { epoch, batchLoss, rate } = record;
  const place =
    epoch === undefined
      ? `iteration ${String(record.iteration).padStart(4)}`
      : `epoch ${(Number.isInteger(epoch) ? String(epoch) : epoch.toFixed(2)).padStart(4)}`;
  const parts = [`  ${place}`, `loss ${formatLoss(record.loss)}`];
  if (batchLoss !== undefined && batchLoss !== null) parts.push(`batches ${formatLoss(batchLoss)}`);
  if (record.validationLoss !== null) parts.push(`validation ${formatLoss(record.validationLoss)}`);
  if (record.smallParameters !== undefined) parts.push(`small ${record.smallParameters}`);
  if (record.iteration > 0)
    parts.push(
      rate === undefined
        ? `damping ${record.damping === 0 ? "0" : record.damping.toExponential(0)}`
        : `rate ${rate.toPrecision(2)}`,
    );
  parts.push(formatSeconds(record.elapsed));
  if (!record.accepted) parts.push(`trial ${record.trial} rejected`);
  return parts.join("  ");
}
