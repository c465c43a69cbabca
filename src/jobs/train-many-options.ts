// Defines the options, the progress and the result of `trainMany` (train-many.ts). `crossValidate` and `fitTable` take the same options.
import type { Cluster } from "../cluster/cluster.js";
import type { TrainResult } from "../train/train-result.js";
import type { JobResult } from "./job.js";
import type { IterationProgress } from "./progress.js";
import type { ScoreKind } from "./rank.js";

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
  /**
   * The ranks that share the jobs (`mpi()`): each trains some, and all of them resolve with all results, which are those of one process. All ranks
   * make the same call, with the same jobs. `threads`, `concurrency` and `memoryLimit` are those of a rank; `onProgress` is called on rank 0, for the
   * jobs of all. Default: this process alone.
   */
  readonly cluster?: Cluster | undefined;
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
   * for example in the delta that `huber()` has found for each, "pinball" where quantile losses differ in their smoothing, and "evidence",
   * minus the log evidence, where all jobs were trained by `bayesianRegularization` without a validation part: of the same rows the most
   * probable fit is the first.
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
  /** Jobs that ran at the same time, on all ranks together. */
  readonly concurrency: number;
  /** Processes that shared the jobs (`TrainManyOptions.cluster`); 1 where this one was alone. */
  readonly ranks: number;
  /** Seconds of the whole run. */
  readonly seconds: number;
}

export const STEPS_OPTION_NAMES = ["concurrency", "threads", "memoryLimit", "signal", "cluster"];
export const TRAIN_MANY_OPTION_NAMES = [...STEPS_OPTION_NAMES, "onProgress"];
