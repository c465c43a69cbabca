// The public `trainMany`: trains many jobs at the same time, one a core, and ranks their results. Users, `crossValidate` and gaussflow
// train with several runs (cli/train-many.ts) call it.
//
//   jobs, in order -> lanes: the first in this thread, the others each with a worker thread -> results, ranked
//
// A small problem spends as much time in JavaScript as in the engine, and a V8 isolate runs JavaScript on one thread, so two cores need two
// isolates. Each job uses its share of the threads, so that lanes and pool together use the requested number. The result of a job depends
// on the job alone, not on the number of lanes.
import { chooseThreads } from "../backend/create.js";
import type { Dataset } from "../data/dataset.js";
import { asDataset, type DatasetInput, type SampleSizes } from "../data/dataset-input.js";
import { argumentError } from "../errors.js";
import { checkDistinct } from "../file-target.js";
import { defaultMemoryLimit } from "../memory-limit.js";
import { checkCount, checkMemoryLimit, checkOptionNames, checkSignal } from "../options.js";
import { sampleSizes } from "../run/prepare.js";
import type { TrainRecord } from "../run/record.js";
import { train } from "../train/train.js";
import type { TrainResult } from "../train/train-result.js";
import { checkJob, type JobResult, type PreparedJob, type TrainJob } from "./job.js";
import { jobBytes, MemoryBudget } from "./memory-budget.js";
import { packJob } from "./message.js";
import { type IterationProgress, unpackProgress } from "./progress.js";
import { checkComparable, ranked, type ScoreKind, scored } from "./rank.js";
import { JobThread, ThreadStartError, threadsAvailable } from "./thread.js";

/** Options of `trainMany`. */
export interface TrainManyOptions {
  /** Jobs that run at the same time. Default: the number of threads, or of jobs where that is smaller. Results do not depend on it. */
  readonly concurrency?: number | undefined;
  /** Threads of all jobs together; each job gets its share, at least one. Default: GAUSSFLOW_THREADS, else all processors. */
  readonly threads?: number | undefined;
  /** Bytes that the running jobs may use together; a job waits until it fits. Default: half of the physical or control group's memory. */
  readonly memoryLimit?: number | undefined;
  /** Stops the running jobs, which keep their best so far (reason "aborted"), and starts no more. */
  readonly signal?: AbortSignal | undefined;
  /** Called for every accepted iteration and at the end of every job; in worker threads' jobs up to 50 ms late. An exception ends the run. */
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
}

/** One iteration of one job, or its end. */
export interface JobProgress extends IterationProgress {
  /** Position of the job, from 0. */
  readonly job: number;
  /** Name of the job for people. */
  readonly label: string;
  /** Whether the job runs or how it ended. */
  readonly state: "running" | "trained" | "failed";
  /** Jobs that have ended, this one included, of how many. */
  readonly ended: number;
  /** Number of all jobs. */
  readonly jobs: number;
}

/** What `trainMany` resolves with. */
export interface TrainManyResult {
  /** In the order of the jobs. */
  readonly results: readonly JobResult[];
  /** Best score first; scores that are not finite, failed and idle jobs last; equal ones in the order of the jobs. */
  readonly ranked: readonly JobResult[];
  /**
   * What the scores are, in the units a job trains in: "loss" where all jobs minimized the same one, "absolute-error" where they differ,
   * for example in the delta that `huber()` has found for each, and "pinball" where quantile losses differ in their smoothing.
   */
  readonly scoredBy: ScoreKind;
  /** The first of `ranked`, with its result; null where no job was trained. */
  readonly best:
    | (JobResult & {
        /** What `train` resolved with. */
        readonly result: TrainResult;
      })
    | null;
  /** Whether the signal stopped the run. */
  readonly aborted: boolean;
  /** Jobs that ran at the same time. */
  readonly concurrency: number;
  /** Seconds of the whole run. */
  readonly seconds: number;
}

const STEPS_OPTION_NAMES = ["concurrency", "threads", "memoryLimit", "signal"];
export const TRAIN_MANY_OPTION_NAMES = [...STEPS_OPTION_NAMES, "onProgress"];

/**
 * Trains every job, several at a time, and resolves with all results, ranked. A job that fails does not touch the others: its error
 * is in its result.
 *
 * Jobs with an `onRecord`, a `monitor` or a method of your own run in this thread, all others in any. Scores are in the units a job
 * trains in: they compare where the jobs have the same data and validation part, as those of `restarts` and `sweep` have. Jobs may mix
 * squared error, Huber, pseudo-Huber and log-cosh losses, which are then scored by the mean absolute error; losses for probabilities,
 * counts and quantiles stand alone.
 * @throws GAUSSFLOW_ARGUMENT for jobs or options of the wrong form, or losses that do not compare, and what onProgress throws
 * @example const { best, ranked } = await trainMany(restarts({ network, data }, 16));
 */
export async function trainMany(jobs: readonly TrainJob[], options: TrainManyOptions = {}): Promise<TrainManyResult> {
  return new Batch(jobs, options).run();
}

/** The same as an async generator: yields the progress of all jobs, returns the result. Leaving the loop early stops the jobs. */
export async function* trainManySteps(
  jobs: readonly TrainJob[],
  options: Omit<TrainManyOptions, "onProgress"> = {},
): AsyncGenerator<JobProgress, TrainManyResult> {
  checkOptionNames("options", options, STEPS_OPTION_NAMES);
  checkSignal("options.signal", options.signal);
  const queue: JobProgress[] = [];
  let wake = () => {};
  const left = new AbortController();
  const signals = [left.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const batch = new Batch(jobs, {
    ...options,
    signal: AbortSignal.any(signals),
    onProgress: (progress) => {
      queue.push(progress);
      wake();
    },
  });
  let running = true;
  const run = batch.run().finally(() => {
    running = false;
    wake();
  });
  try {
    while (running || queue.length > 0) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    return await run;
  } finally {
    left.abort();
    await run.catch(() => {});
  }
}

class Batch {
  readonly #jobs: readonly TrainJob[];
  readonly #labels: readonly string[];
  readonly #concurrency: number;
  readonly #threads: number;
  readonly #budget: MemoryBudget;
  readonly #signal: AbortSignal;
  readonly #onProgress: ((progress: JobProgress) => void) | null;
  /** Aborted when onProgress throws. */
  readonly #failed = new AbortController();
  readonly #results: JobResult[] = [];
  readonly #sets = new Map<Dataset | DatasetInput, Dataset>();
  #next = 0;
  #ended = 0;

  constructor(jobs: readonly TrainJob[], options: TrainManyOptions) {
    if (!Array.isArray(jobs) || jobs.length === 0)
      throw argumentError("jobs", "must be an array of at least one job", jobs);
    jobs.forEach((job, k) => {
      checkJob(job, `jobs[${k}]`);
    });
    checkComparable(jobs);
    checkDistinct(
      jobs.map(({ options: { checkpoint } = {} }, k) => ({
        name: `jobs[${k}].options.checkpoint.path`,
        path: checkpoint?.path,
        written: true,
      })),
    );
    checkOptionNames("options", options, TRAIN_MANY_OPTION_NAMES);
    const threads = chooseThreads(options.threads);
    const { concurrency = Math.min(threads, jobs.length), memoryLimit = defaultMemoryLimit() } = options;
    checkCount("options.concurrency", concurrency, 1);
    checkMemoryLimit("options.memoryLimit", memoryLimit);
    checkSignal("options.signal", options.signal);
    if (options.onProgress !== undefined && typeof options.onProgress !== "function")
      throw argumentError("options.onProgress", "must be a function", options.onProgress);
    this.#jobs = jobs;
    this.#labels = jobs.map(({ label }, k) => label ?? `job ${k + 1}`);
    this.#concurrency = Math.min(concurrency, jobs.length);
    this.#threads = Math.max(1, Math.floor(threads / this.#concurrency));
    this.#budget = new MemoryBudget(memoryLimit);
    this.#signal = AbortSignal.any([this.#failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.#onProgress = options.onProgress ?? null;
  }

  async run(): Promise<TrainManyResult> {
    const start = performance.now();
    const lanes = Array.from({ length: this.#concurrency }, (_, lane) =>
      this.#lane(lane > 0 && threadsAvailable(lane)),
    );
    await Promise.all(lanes);
    if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
    const ended = this.#jobs.map((job, index) => this.#results[index] ?? this.#result(index, job, "idle"));
    const { results, scoredBy } = await scored(ended, (job) => this.#converted(job), this.#threads);
    const best = ranked(results);
    const [first] = best;
    return {
      results,
      ranked: best,
      scoredBy,
      best: first !== undefined && first.result !== null ? { ...first, result: first.result } : null,
      aborted: this.#signal.aborted,
      concurrency: this.#concurrency,
      seconds: (performance.now() - start) / 1000,
    };
  }

  /** Takes jobs until none is left. */
  async #lane(threaded: boolean): Promise<void> {
    const lane = new Lane(threaded);
    while (this.#next < this.#jobs.length && !this.#signal.aborted) {
      const index = this.#next++;
      const job = this.#jobs[index] as TrainJob;
      let bytes = 0;
      try {
        const prepared = this.#converted(job);
        const needed = jobBytes(prepared);
        await this.#budget.take(needed);
        bytes = needed;
        if (this.#signal.aborted) break;
        const result = await this.#train(index, prepared, lane);
        this.#end(this.#result(index, job, "trained", result));
      } catch (error) {
        this.#end(this.#result(index, job, "failed", null, error));
      } finally {
        this.#budget.give(bytes);
      }
    }
    lane.release();
  }

  /** Trains the job in the lane's thread if there is one and the job can be sent to it, else in this thread. */
  async #train(index: number, job: TrainJob, lane: Lane): Promise<TrainResult> {
    const own = job.options?.signal;
    checkSignal("options.signal", own);
    const signal = own === undefined ? this.#signal : AbortSignal.any([this.#signal, own]);
    const threads = job.options?.threads ?? this.#threads;
    const watched = this.#onProgress !== null;
    const show = (values: Float64Array) => {
      for (const progress of unpackProgress(values)) this.#tell(index, "running", progress);
    };
    const message = lane.threaded ? packJob(job, threads) : null;
    if (message !== null) {
      try {
        return await lane.thread().run(message, signal, watched ? show : null);
      } catch (error) {
        // A thread that did not start, or options that cannot be cloned, are not the job's error: it runs here.
        if (error instanceof ThreadStartError) lane.threaded = false;
        else if (!(error instanceof DOMException && error.name === "DataCloneError")) throw error;
      }
    }
    const onRecord = async (record: TrainRecord) => {
      if (record.accepted) this.#tell(index, "running", record);
      await job.options?.onRecord?.(record);
    };
    return train(job.network, job.data, {
      ...job.options,
      threads,
      signal,
      onRecord: watched ? onRecord : job.options?.onRecord,
    });
  }

  /** The job with its training and validation data as data sets; jobs with the same data share one. */
  #converted(job: TrainJob): PreparedJob {
    const { network, data, options } = job;
    const sizes = sampleSizes(network, options);
    const validation = options?.validation;
    if (typeof validation !== "object" || validation === null) return { ...job, data: this.#set(data, "data", sizes) };
    const set = this.#set(validation, "options.validation", sizes);
    return { ...job, data: this.#set(data, "data", sizes), options: { ...options, validation: set } };
  }

  #set(given: Dataset | DatasetInput, name: string, sizes: SampleSizes): Dataset {
    const known = this.#sets.get(given);
    // Flat arrays are cut into rows by the sizes of the job's network.
    if (known?.inputSize === sizes.inputSize && known.outputSize === sizes.outputSize) return known;
    const set = asDataset(given, name, sizes);
    this.#sets.set(given, set);
    return set;
  }

  #result(
    index: number,
    job: TrainJob,
    state: JobResult["state"],
    result: TrainResult | null = null,
    error: unknown = null,
  ): JobResult {
    const score = result === null ? Number.NaN : (result.validationLoss ?? result.loss);
    return { index, label: this.#labels[index] as string, job, state, result, error, score };
  }

  #end(entry: JobResult): void {
    this.#results[entry.index] = entry;
    this.#ended++;
    const { result } = entry;
    const at =
      result === null
        ? { iteration: 0, loss: Number.NaN, validationLoss: null, elapsed: 0 }
        : {
            iteration: result.iterations,
            loss: result.loss,
            validationLoss: result.validationLoss,
            elapsed: result.seconds,
          };
    this.#tell(entry.index, entry.state === "trained" ? "trained" : "failed", at);
  }

  #tell(index: number, state: JobProgress["state"], at: IterationProgress): void {
    if (this.#failed.signal.aborted) return;
    const { iteration, loss, validationLoss, elapsed } = at;
    const place = { job: index, label: this.#labels[index] as string, state };
    const count = { ended: this.#ended, jobs: this.#jobs.length };
    try {
      this.#onProgress?.({ ...place, iteration, loss, validationLoss, elapsed, ...count });
    } catch (error) {
      this.#failed.abort(error);
    }
  }
}

/** A place that trains one job at a time. */
class Lane {
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
