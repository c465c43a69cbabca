// JobThread starts a worker thread and trains one job at a time on it; train-many.ts holds one for each further job that runs at the same
// time. Starting a thread takes tens of milliseconds (a V8 isolate, the modules, the addon's self-test), about as long as a small job. Idle
// threads are therefore kept for the next call, and end after a while.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SHARE_ENV, Worker } from "node:worker_threads";
import { freeAddressSpace } from "../backend/address-space.js";
import { showBytes } from "../bytes.js";
import { GaussflowError } from "../errors.js";
import { KEEP_EXTERNAL, moduleAddress, packageRoot } from "../package-root.js";
import type { TrainResult } from "../train/train-result.js";
import { type ErrorMessage, type JobMessage, type ResultMessage, unpackError, unpackResult } from "./message.js";

/** A job to train. `watched`: its progress is wanted. */
export type ThreadRequest =
  | { readonly kind: "run"; readonly job: JobMessage; readonly watched: boolean }
  | { readonly kind: "abort"; readonly name: string; readonly message: string };

export type ThreadAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly values: Float64Array }
  | { readonly kind: "trained"; readonly result: ResultMessage }
  | { readonly kind: "failed"; readonly error: ErrorMessage };

interface Task {
  readonly onProgress: ((values: Float64Array) => void) | null;
  readonly resolve: (result: TrainResult) => void;
  readonly reject: (error: unknown) => void;
}

const IDLE_MILLISECONDS = 10_000;

/** Address space that a worker thread takes, measured with Node 20 (863 MB and 603 MB), with the addon's buffers beside it. */
const FIRST_WORKER_SPACE = 1024 * 2 ** 20;
const WORKER_SPACE = 768 * 2 ** 20;
let crowded = false;

const idle: JobThread[] = [];
/** The file of the worker's program; null if it does not exist (in a bundle). */
let script: URL | null | undefined;

function warn(why: string): void {
  process.emitWarning(`jobs run one after the other in one thread, because ${why}`, {
    type: "GaussflowWarning",
    code: "GAUSSFLOW_NO_WORKER",
  });
}

/**
 * True if this many jobs can have threads of their own. In a bundle, and under a limit on address space (ulimit -v) that has no room for them, the jobs
 * run in the thread of the caller, and a warning is emitted once.
 */
export function threadsAvailable(count: number): boolean {
  if (script === undefined) {
    const beside = packageRoot() === null ? null : moduleAddress("./jobs/worker.js");
    script = beside !== null && existsSync(fileURLToPath(beside)) ? beside : null;
    if (script === null) {
      const why =
        beside === null
          ? `gaussflow is part of a bundle, which does not hold the script of its threads. To have threads: ${KEEP_EXTERNAL}`
          : `${fileURLToPath(beside)} is not there`;
      warn(why);
    }
  }
  return script !== null && haveRoom(count);
}

/** Checks the address space, because Node ends the process if it cannot map what a worker thread needs. */
function haveRoom(count: number): boolean {
  const free = freeAddressSpace();
  const need = FIRST_WORKER_SPACE + (count - 1) * WORKER_SPACE;
  if (free >= need) return true;
  if (!crowded)
    warn(`the limit on address space (ulimit -v) leaves ${showBytes(free)}, and they need ${showBytes(need)}`);
  crowded = true;
  return false;
}

/** The error of a thread that ended before it could take a job; the job did not cause it. */
export class ThreadStartError extends Error {
  override readonly name = "ThreadStartError";
}

export class JobThread {
  readonly #worker: Worker;
  #ready = false;
  #ended = false;
  #task: Task | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** An idle thread, or a new one. */
  static take(): JobThread {
    const thread = idle.pop() ?? new JobThread();
    clearTimeout(thread.#timer);
    return thread;
  }

  private constructor() {
    if (!script) throw new ThreadStartError("the script of the threads is not there");
    // SHARE_ENV: a kept thread must see variables that were set after it began.
    this.#worker = new Worker(script, { name: "gaussflow", env: SHARE_ENV });
    this.#worker.unref();
    this.#worker.on("message", (answer: ThreadAnswer) => this.#receive(answer));
    this.#worker.on("messageerror", (error) => this.#settle((task) => task.reject(error)));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", (code) => this.#end(new Error(`the thread of the job ended with code ${code}`)));
  }

  /**
   * Trains one job. Throws ThreadStartError if the thread did not start.
   * @throws what the job threw; GAUSSFLOW_MEMORY where the thread's heap was full
   */
  async run(
    job: JobMessage,
    signal: AbortSignal,
    onProgress: ((values: Float64Array) => void) | null,
  ): Promise<TrainResult> {
    const abort = () => this.#post({ kind: "abort", ...abortReason(signal.reason) });
    this.#worker.ref();
    try {
      return await new Promise<TrainResult>((resolve, reject) => {
        this.#task = { onProgress, resolve, reject };
        this.#post({ kind: "run", job, watched: onProgress !== null });
        signal.addEventListener("abort", abort, { once: true });
        if (signal.aborted) abort();
      });
    } finally {
      signal.removeEventListener("abort", abort);
      this.#task = null;
      this.#worker.unref();
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Keeps the thread for the next `take`, for a while. */
  release(): void {
    if (this.#ended) return;
    idle.push(this);
    this.#timer = setTimeout(() => {
      idle.splice(idle.indexOf(this), 1);
      void this.#worker.terminate();
    }, IDLE_MILLISECONDS).unref();
  }

  #post(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(answer: ThreadAnswer): void {
    switch (answer.kind) {
      case "ready":
        this.#ready = true;
        break;
      case "progress":
        this.#task?.onProgress?.(answer.values);
        break;
      case "trained":
        this.#settle((task) => task.resolve(unpackResult(answer.result)));
        break;
      case "failed":
        this.#settle((task) => task.reject(unpackError(answer.error)));
        break;
      default:
        answer satisfies never;
    }
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const kept = idle.indexOf(this);
    if (kept >= 0) idle.splice(kept, 1);
    const full = (error as { code?: unknown } | null)?.code === "ERR_WORKER_OUT_OF_MEMORY";
    this.#settle((task) => {
      if (!this.#ready) task.reject(new ThreadStartError("the thread did not start", { cause: error }));
      else if (full)
        task.reject(
          new GaussflowError(
            "GAUSSFLOW_MEMORY",
            "the JavaScript heap of the job's thread is full",
            {},
            { cause: error },
          ),
        );
      else task.reject(error);
    });
  }

  #settle(how: (task: Task) => void): void {
    const task = this.#task;
    this.#task = null;
    if (task !== null) how(task);
  }
}

/** The reason of an abort as plain data; a clone would lose the name of the error. */
function abortReason(reason: unknown): { readonly name: string; readonly message: string } {
  return reason instanceof Error
    ? { name: reason.name, message: reason.message }
    : { name: "AbortError", message: String(reason) };
}
