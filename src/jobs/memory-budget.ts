// Divides one memory limit among the jobs that `trainMany` runs at the same time: train-many.ts waits before each job until the rest of the
// limit can hold it. A single job always runs; the planner decides whether it fits at all.

import { plan } from "../train/plan.js";
import type { TrainJob } from "./job.js";

/** Bytes that a job may take in addition to the process that all jobs share. */
export function jobBytes({ network, data, options }: TrainJob): number {
  const { most, process } = plan(network, data, options).chosen.bytes;
  return most - process;
}

export class MemoryBudget {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves once `bytes` are free; in the order of the calls. */
  async take(bytes: number): Promise<void> {
    await new Promise<void>((go) => {
      this.#waiting.push({ bytes, go });
      this.#admit();
    });
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + next.bytes > this.#limit) return;
      this.#waiting.shift();
      this.#used += next.bytes;
      next.go();
    }
  }
}
