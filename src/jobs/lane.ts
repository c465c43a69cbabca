// A lane of `trainMany` (train-many.ts): a place that trains one job at a time, in this thread or in a worker thread.
import { JobThread } from "./thread.js";

/** Takes a worker thread at the first job that can be sent to it. */
export class Lane {
  threaded: boolean;
  #thread: JobThread | null = null;

  constructor(threaded: boolean) {
    this.threaded = threaded;
  }

  /** The lane's thread: taken at the first job that needs it, and replaced if it has ended. */
  thread(): JobThread {
    if (this.#thread === null || this.#thread.ended) this.#thread = JobThread.take();
    return this.#thread;
  }

  release(): void {
    this.#thread?.release();
  }
}
