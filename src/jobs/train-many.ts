// The public `trainMany`: trains many jobs at the same time, one a core, and ranks their results. Users, `crossValidate` and gaussflow
// train with several runs (cli/train-many.ts) call it.
//
//   jobs, in order -> lanes: the first in this thread, the others each with a worker thread -> results, ranked
//
// A small problem spends as much time in JavaScript as in the engine, and a V8 isolate runs JavaScript on one thread, so two cores need two
// isolates. Each job uses its share of the threads, so that lanes and pool together use the requested number. The result of a job depends
// on the job alone, not on the number of lanes.
import { chooseBackend, chooseThreads, runCallsInPlace } from "../backend/create.js";
import { type Cluster, completeCluster } from "../cluster/cluster.js";
import { ranksHere } from "../cluster/launch.js";
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
import { encodeOutcome, JobRanks, type Outcome } from "./job-ranks.js";
import { Lane } from "./lane.js";
import { jobBytes, MemoryBudget } from "./memory-budget.js";
import { decode, packError, packJob, packResult, unpackError, unpackResult } from "./message.js";
import { type IterationProgress, ProgressBatch, unpackProgress } from "./progress.js";
import { checkComparable, ranked, scored } from "./rank.js";
import { ThreadStartError, threadsAvailable } from "./thread.js";
import {
  type JobProgress,
  STEPS_OPTION_NAMES,
  TRAIN_MANY_OPTION_NAMES,
  type TrainManyOptions,
  type TrainManyResult,
} from "./train-many-options.js";

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
  /** Aborted when onProgress throws, on any rank. */
  readonly #failed = new AbortController();
  /** Aborted when another rank is. */
  readonly #elsewhere = new AbortController();
  readonly #cluster: Cluster | null;
  /** Null where this process is alone, and before the ranks have met. */
  #ranks: JobRanks | null = null;
  readonly #results: JobResult[] = [];
  /** Rank 0: the results as the other ranks receive them. */
  readonly #outcomes: (Uint8Array | undefined)[] = [];
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
    this.#cluster = completeCluster(options.cluster);
    const share = Math.ceil(jobs.length / (this.#cluster?.size ?? 1));
    const { concurrency = Math.min(threads, share), memoryLimit = defaultMemoryLimit() / ranksHere(process.env) } =
      options;
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
    const own = options.signal === undefined ? [] : [options.signal];
    this.#signal = AbortSignal.any([this.#failed.signal, this.#elsewhere.signal, ...own]);
    this.#onProgress = options.onProgress ?? null;
  }

  async run(): Promise<TrainManyResult> {
    const start = performance.now();
    await this.#join();
    const lanes = Array.from({ length: this.#concurrency }, (_, lane) =>
      this.#lane(lane > 0 && threadsAvailable(lane)),
    );
    await Promise.all(lanes);
    const aborted = await this.#leave();
    const ended = this.#jobs.map((job, index) => this.#results[index] ?? this.#result(index, job, "idle"));
    const { results, scoredBy } = await scored(ended, (job) => this.#converted(job), this.#threads);
    const best = ranked(results);
    const [first] = best;
    return {
      results,
      ranked: best,
      scoredBy,
      best: first !== undefined && first.result !== null ? { ...first, result: first.result } : null,
      aborted,
      concurrency: this.#ranks?.concurrency ?? this.#concurrency,
      ranks: this.#cluster?.size ?? 1,
      seconds: (performance.now() - start) / 1000,
    };
  }

  /** Meets the other ranks, where there are some. */
  async #join(): Promise<void> {
    if (this.#cluster === null) return;
    const watched = this.#onProgress !== null;
    this.#ranks = await JobRanks.join(this.#cluster, this.#jobs.length, this.#concurrency, watched, {
      onProgress: (index, values) => this.#show(index, values),
      onEnded: (index, outcome) => {
        this.#outcomes[index] = outcome;
        this.#end(this.#unpacked(index, outcome));
      },
      onAbort: (reason) => this.#elsewhere.abort(reason),
    });
    const abort = () => this.#ranks?.abort(this.#signal.reason);
    this.#signal.addEventListener("abort", abort, { once: true });
    if (this.#signal.aborted) abort();
  }

  /**
   * The end: all ranks have the results of rank 0, which has those of all.
   * @returns whether the run was aborted
   * @throws what onProgress threw
   */
  async #leave(): Promise<boolean> {
    const ranks = this.#ranks;
    await ranks?.leave();
    if (ranks === null) {
      if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
      return this.#signal.aborted;
    }
    const { aborted, reason } = this.#failed.signal;
    const failed = aborted ? String(reason) : null;
    const outcomes = failed === null ? this.#jobs.map((_, k) => this.#outcomes[k] ?? null) : [];
    const shared = await ranks.share({ failed, aborted: this.#signal.aborted, outcomes });
    if (aborted) throw reason;
    if (shared.failed !== null) throw new Error(`onProgress of rank 0 failed: ${shared.failed}`);
    if (ranks.cluster.rank > 0)
      for (const [index, outcome] of shared.outcomes.entries())
        if (outcome !== null) this.#results[index] ??= this.#unpacked(index, outcome);
    return shared.aborted;
  }

  #unpacked(index: number, encoded: Uint8Array): JobResult {
    const outcome = decode(encoded) as Outcome;
    const job = this.#jobs[index] as TrainJob;
    return outcome.state === "trained"
      ? this.#result(index, job, "trained", unpackResult(outcome.result))
      : this.#result(index, job, "failed", null, unpackError(outcome.error));
  }

  /** The next job of this process; null where none is left. */
  async #take(): Promise<number | null> {
    if (this.#ranks !== null) return this.#ranks.take();
    return this.#next < this.#jobs.length ? this.#next++ : null;
  }

  /** Takes jobs until none is left. */
  async #lane(threaded: boolean): Promise<void> {
    const lane = new Lane(threaded);
    while (!this.#signal.aborted) {
      const index = await this.#take();
      if (index === null) break;
      const job = this.#jobs[index] as TrainJob;
      let bytes = 0;
      try {
        const prepared = this.#converted(job);
        const needed = jobBytes(prepared);
        await this.#budget.take(needed);
        bytes = needed;
        if (this.#signal.aborted) break;
        const result = await this.#train(index, prepared, lane);
        await this.#finish(this.#result(index, job, "trained", result));
      } catch (error) {
        await this.#finish(this.#result(index, job, "failed", null, error));
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
    const watched = this.#ranks?.watched ?? this.#onProgress !== null;
    const show = (values: Float64Array) => this.#show(index, values);
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
    // A rank's event loop has letters to read, and they can wait for a call of some milliseconds, as in a worker thread.
    if (this.#ranks !== null && chooseBackend(job.options?.backend) === "native") runCallsInPlace();
    // Letters to rank 0 are as few as messages of a worker thread.
    const batch = this.#isServed() ? new ProgressBatch(show) : null;
    const onRecord = async (record: TrainRecord) => {
      if (batch !== null) batch.add(record);
      else if (record.accepted) this.#tell(index, "running", record);
      await job.options?.onRecord?.(record);
    };
    try {
      return await train(job.network, job.data, {
        ...job.options,
        threads,
        signal,
        onRecord: watched ? onRecord : job.options?.onRecord,
      });
    } finally {
      batch?.flush();
    }
  }

  /** Whether rank 0, another process, keeps the results and shows the progress. */
  #isServed(): boolean {
    return this.#ranks !== null && this.#ranks.cluster.rank > 0;
  }

  /** Progress of several iterations of a job. */
  #show(index: number, values: Float64Array): void {
    if (this.#isServed()) this.#ranks?.progress(index, values);
    else for (const progress of unpackProgress(values)) this.#tell(index, "running", progress);
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

  /** The end of a job that this process has trained. */
  async #finish(entry: JobResult): Promise<void> {
    if (this.#ranks === null) this.#end(entry);
    else {
      // Now, while other ranks are at work.
      const outcome = encodeOutcome(outcomeOf(entry));
      if (this.#isServed()) {
        this.#results[entry.index] = entry;
        await this.#ranks.ended(entry.index, outcome);
      } else {
        this.#outcomes[entry.index] = outcome;
        this.#end(entry);
      }
    }
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

function outcomeOf({ result, error }: JobResult): Outcome {
  return result === null
    ? { state: "failed", error: packError(error) }
    : { state: "trained", result: packResult(result) };
}
