// Checks and completes the options that `train` (train-options.ts) and `flow` (flow-options.ts) share: loss, units, engine, observers,
// interruption, checkpoints.
import type { BackendOptions } from "../backend/create.js";
import { checkSlots } from "../backend/slots.js";
import type { Agreement } from "../cluster/agreement.js";
import { type Cluster, completeCluster } from "../cluster/cluster.js";
import { slotsFor } from "../cluster/rank-tree.js";
import { argumentError } from "../errors.js";
import { checkClassLoss, defaultLoss } from "../loss/default-loss.js";
import { checkLoss, type Loss } from "../loss/rules.js";
import { defaultMemoryLimit } from "../memory-limit.js";
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkMemoryLimit,
  checkOptionNames,
  checkPath,
  checkSignal,
} from "../options.js";
import type { Observer } from "./observer.js";

/** Where a run writes its checkpoints, and how often. */
export interface CheckpointFile {
  /** File that is written. */
  readonly path: string;
  /** Iterations, or steps of a flow or on batches, between two writes. Default 10; on batches and in games 500. */
  readonly every?: number | undefined;
}

export interface RunOptions<Entry, Report = unknown> extends BackendOptions {
  /**
   * What is minimized: `squaredError`, `huber`, `pseudoHuber`, `logCosh`, `quantile` or `gaussianNll` for real targets, `poisson` for counts, `logistic` or
   * `softmaxCrossEntropy` for probabilities. Default `squaredError()`, and for targets that are classes `softmaxCrossEntropy({ decay: 2 })`,
   * the only loss for them.
   */
  readonly loss?: Loss | undefined;
  /** Run in standardized units (stored with the network, which predicts in raw units). Default true. */
  readonly standardize?: boolean | undefined;
  /** Stops the run at the next tile; it then resolves with reason "aborted" and the best network so far. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Bytes that the process may use. A run that is predicted to need more is refused before it allocates anything. A training with route
   * "auto" takes the matrix-free route instead if that fits, and `plan.because` says so. Default: half of the physical memory or of the control group's limit;
   * of ranks on one machine each has its share of it.
   */
  readonly memoryLimit?: number | undefined;
  /**
   * Contiguous parts that every sum over the training samples is cut into and joined from by a fixed binary tree: a power of two, at most 1024
   * and at most the samples that are fitted. It is part of the problem: results depend on it in their last bits, as they do not on threads.
   * Above 1 curvatures are formed from all samples, whatever the method. Default 1, with a `cluster` of several ranks the smallest power of two with a slot for each, or with `resume` what the checkpoint has.
   */
  readonly slots?: number | undefined;
  /**
   * The processes of an MPI run (`mpi()`), each of which calls this function with the same arguments: every one sums its part of the rows, and all
   * have the same result, which depends on `slots` and not on their number. Checkpoints are written by rank 0. Needs the native engine; methods on
   * batches, `batchStart`, the monitor and the dual route are refused. What a callback throws on one rank alone must end all (`cluster.abort`).
   * Default: this process alone.
   */
  readonly cluster?: Cluster | undefined;
  /** Called with every record as it arises. An exception ends the run. */
  readonly onRecord?: ((record: Entry) => void | Promise<void>) | undefined;
  /** Made by `monitor()`; its report is `monitor` of the result. */
  readonly monitor?: Observer<Report> | undefined;
  /**
   * Writes the state of the run every `every` accepted steps, and at the end of any run that has accepted a step. A training on batches that ends
   * with "non-finite" leaves the file as it is.
   */
  readonly checkpoint?: CheckpointFile | undefined;
  /**
   * Path of a checkpoint of the same run, from which this run continues: bit for bit with the kind of engine that wrote it, to rounding with
   * the other kind. Stop rules and the number of threads may differ; of a flow also `until`, outputs and events, and its schedules that are
   * functions cannot be compared.
   */
  readonly resume?: string | undefined;
}

export interface CompletedRunOptions {
  readonly loss: Loss;
  readonly standardize: boolean;
  readonly memoryLimit: number;
  readonly slots: number;
  /** Number of processes, 1 where this one is alone. */
  readonly ranks: number;
  /** How they decide alike, once they have joined (ranks.ts); null where this process is alone, and in plans. */
  readonly agreement: Agreement | null;
  readonly checkpoint: {
    /** File that is written. */
    readonly path: string;
    /** Iterations or steps between two writes. Default 10. */
    readonly every: number;
  } | null;
  readonly resume: string | null;
}

export const RUN_OPTION_NAMES = [
  "loss",
  "standardize",
  "signal",
  "onRecord",
  "monitor",
  "backend",
  "threads",
  "memoryLimit",
  "slots",
  "cluster",
  "checkpoint",
  "resume",
] as const;

const OBSERVER_METHODS = ["onStart", "onRecord", "onFlowRecord", "onPoint", "onEnd"] as const;
const checkpointEvery = 10;

/**
 * @param classes of the data, or null
 * @param ranks processes of the run
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function completeRunOptions<Entry>(
  options: RunOptions<Entry>,
  classes: readonly string[] | null,
  ranks = completeCluster(options.cluster)?.size ?? 1,
): CompletedRunOptions {
  const {
    loss: given = defaultLoss(classes !== null),
    standardize = true,
    signal,
    onRecord,
    monitor,
    checkpoint,
    resume,
  } = options;
  const { memoryLimit = defaultMemoryLimit(), slots = slotsFor(ranks) } = options;
  const loss = checkLoss("options.loss", given);
  checkClassLoss("options.loss", loss, classes);
  checkBoolean("options.standardize", standardize);
  checkSignal("options.signal", signal);
  checkMemoryLimit("options.memoryLimit", memoryLimit);
  checkSlots("options.slots", slots);
  if (onRecord !== undefined) checkFunction("options.onRecord", onRecord);
  if (monitor !== undefined && (typeof monitor !== "object" || monitor === null))
    throw argumentError("options.monitor", "must be made by monitor()", monitor);
  for (const name of OBSERVER_METHODS)
    if (monitor?.[name] !== undefined && typeof monitor[name] !== "function")
      throw argumentError(`options.monitor.${name}`, "must be a function", monitor[name]);
  if (resume !== undefined) checkPath("options.resume", resume);
  const completed = { loss, standardize, memoryLimit, slots, ranks, agreement: null, resume: resume ?? null };
  return { ...completed, checkpoint: completeCheckpoint(checkpoint, checkpointEvery) };
}

/**
 * The option `checkpoint` of runs and games.
 * @param often default of `every`
 * @throws GAUSSFLOW_ARGUMENT
 */
export function completeCheckpoint(
  checkpoint: RunOptions<unknown>["checkpoint"],
  often: number,
): CompletedRunOptions["checkpoint"] {
  if (checkpoint === undefined) return null;
  checkOptionNames("options.checkpoint", checkpoint, ["path", "every"]);
  const { path, every = often } = checkpoint;
  checkPath("options.checkpoint.path", path);
  checkCount("options.checkpoint.every", every, 1);
  return { path, every };
}
