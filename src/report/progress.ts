// What a person sees while a network trains. On a terminal: one line, rewritten at most ten times a second. Elsewhere (a file,
// a pipe, CI): whole lines at iterations 0, 1, 2, 5, 10, 20, 50, ... and whenever a second has passed since the last.
import type { TrainRecord } from "../linearise/record.js";
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
  #pending: string | null = null;
  #shown = false;

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#stream = stream;
    this.#live = stream.isTTY === true;
    this.#now = options.now ?? (() => performance.now());
    this.#paint = options.paint ?? painterFor(stream);
  }

  /** One record of the run. */
  record(record: TrainRecord): void {
    const line = progressLine(record);
    const now = this.#now();
    if (this.#live) {
      this.#pending = line;
      if (now - this.#last >= REWRITE_MILLISECONDS) this.#rewrite(now);
    } else if (!record.accepted) {
      if (now - this.#last >= LINE_MILLISECONDS) this.#line(line, now);
    } else if (isRound(record.iteration) || now - this.#last >= LINE_MILLISECONDS) this.#line(line, now);
    else this.#pending = line;
  }

  /** Writes what rate limiting held back and leaves the cursor at the start of a fresh line. */
  done(): void {
    if (this.#live) {
      if (this.#pending !== null) this.#rewrite(this.#now());
      if (this.#shown) this.#stream.write("\n");
    } else if (this.#pending !== null) this.#line(this.#pending, this.#now());
    this.#shown = false;
    this.#pending = null;
  }

  #rewrite(now: number): void {
    // A line that wraps cannot be rewritten: cut it to the terminal.
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    this.#stream.write(`\r\x1b[2K${this.#paint("first", (this.#pending ?? "").slice(0, width))}`);
    this.#pending = null;
    this.#shown = true;
    this.#last = now;
  }

  #line(line: string, now: number): void {
    this.#stream.write(`${line}\n`);
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
export function progressLine(record: TrainRecord): string {
  const parts = [`  iteration ${String(record.iteration).padStart(4)}`, `loss ${formatLoss(record.loss)}`];
  if (record.validationLoss !== null) parts.push(`validation ${formatLoss(record.validationLoss)}`);
  if (record.iteration > 0) parts.push(`damping ${record.damping === 0 ? "0" : record.damping.toExponential(0)}`);
  parts.push(formatSeconds(record.elapsed));
  if (!record.accepted) parts.push(`trial ${record.trial} rejected`);
  return parts.join("  ");
}
