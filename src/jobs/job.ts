// Defines the jobs of `trainMany`, and the public functions that make lists of them: `restarts`, `sweep` and `crossValidation`. Each makes
// several jobs of one and keeps what it does not vary, so they combine: crossValidation(job, 5).flatMap((fold) => restarts(fold, 16)).
// Users, `crossValidate` and gaussflow train call them; train-many.ts checks each job.
import type { Dataset } from "../data/dataset.js";
import { asDataset, type DatasetInput } from "../data/dataset-input.js";
import { type Fold, type FoldOptions, foldSteps } from "../data/folds.js";
import { argumentError } from "../errors.js";
import { finish, type Steps } from "../event-loop-yield.js";
import { checkNetwork, drawnNetwork, type Network, network, seedOf } from "../network/network.js";
import { type DrawnOptions, drawnOptions, type NetworkOptions } from "../network/network-options.js";
import { checkCount, checkObject, checkOptionNames, checkText, definedOptions } from "../options.js";
import { sampleSizes } from "../run/prepare.js";
import { TRAIN_OPTION_NAMES, type TrainOptions } from "../train/train-options.js";
import type { TrainResult } from "../train/train-result.js";

/** One network to train on one data set. */
export interface TrainJob {
  /** The network to train. */
  readonly network: Network;
  /** What it is trained on. */
  readonly data: Dataset | DatasetInput;
  /** Options of `train`. */
  readonly options?: TrainOptions | undefined;
  /** Name of the job in progress and reports. Default "job 1", "job 2", ... */
  readonly label?: string | undefined;
  /** Set by `crossValidation`: the fold whose training rows are `data`. */
  readonly fold?: Fold | undefined;
}

/** A job whose data are a data set. */
export type PreparedJob = TrainJob & { readonly data: Dataset };

/** One job of `trainMany` and its result. */
export interface JobResult {
  /** Position of the job, from 0. */
  readonly index: number;
  /** Name of the job for people. */
  readonly label: string;
  /** The job as it was given. */
  readonly job: TrainJob;
  /** `idle`: the run was aborted before the job began. */
  readonly state: "trained" | "failed" | "idle";
  /** What `train` resolved with; null unless trained. */
  readonly result: TrainResult | null;
  /** What `train` threw; null unless failed. */
  readonly error: unknown;
  /**
   * The number by which jobs are ranked, by the validation part or without one by the rows that were fitted: the mean loss, or where
   * jobs have different losses the mean absolute error, or minus the log evidence (`TrainManyResult.scoredBy`); NaN unless trained.
   */
  readonly score: number;
}

/** What one job of a sweep varies. */
export interface Variant {
  /** Options of the network; the others are those of the job's network. */
  readonly network?: Partial<NetworkOptions> | undefined;
  /** Train options; the others are those of the job. */
  readonly options?: TrainOptions | undefined;
  /** Default: the number of the variant and its layers. */
  readonly label?: string | undefined;
}

/** Each start is a network in memory. */
const MOST_STARTS = 100_000;

/**
 * The same job from `count` freshly drawn starts, of seeds `seed`, `seed` + 1, ...; default: from the network's own seed on. All
 * hold out the same validation part, drawn by the job's `options.seed` (default: the network's seed), so that their losses compare.
 * @example await trainMany(restarts({ network, data }, 16))
 */
export function restarts(job: TrainJob, count: number, seed?: number): TrainJob[] {
  checkJob(job, "job");
  checkCount("count", count, 1);
  if (count > MOST_STARTS) throw argumentError("count", `must be at most ${MOST_STARTS}`, count);
  const options = optionsOfDraw(job.network);
  const first = seed ?? options.seed;
  checkCount("seed", first, 0);
  checkCount("seed + count", first + count, 1);
  return Array.from({ length: count }, (_, k) => ({
    ...job,
    network: network({ ...options, seed: first + k }),
    options: { ...job.options, seed: job.options?.seed ?? options.seed },
    label: joined(job.label, `seed ${first + k}`),
  }));
}

/**
 * The same job with every variant's network or train options. Networks are freshly drawn; all hold out the same validation part.
 * @example sweep(job, [{ network: { layers: [6, 8, 1] } }, { network: { layers: [6, 16, 16, 1], activation: "silu" } }])
 */
export function sweep(job: TrainJob, variants: readonly Variant[]): TrainJob[] {
  checkJob(job, "job");
  if (!Array.isArray(variants) || variants.length === 0)
    throw argumentError("variants", "must be an array of at least one variant", variants);
  const base = optionsOfDraw(job.network);
  return variants.map((variant: Variant, k) => {
    checkVariant(`variants[${k}]`, variant);
    const varied = { ...reusable(base, variant.network?.layers), ...definedOptions(variant.network ?? {}) };
    const made = drawnNetwork(varied, `variants[${k}].network`);
    return {
      ...job,
      network: made,
      options: { ...job.options, seed: job.options?.seed ?? base.seed, ...definedOptions(variant.options ?? {}) },
      label: joined(job.label, variant.label ?? `variant ${k + 1}: ${made.options.layers.join("-")}`),
    };
  });
}

/**
 * One job a fold: trained on the other folds' rows (a validation part for stopping is drawn from them as always), with the fold
 * itself in `fold.held`, which takes no part in training, not even in its units. `crossValidate` runs and scores them.
 */
export function crossValidation(
  job: TrainJob,
  folds: number,
  seed?: number,
  options: FoldOptions = {},
): (TrainJob & {
  /** The fold that the job trains on. */
  readonly fold: Fold;
})[] {
  return finish(foldJobSteps(job, folds, seed, options));
}

/** `crossValidation` in pieces. */
export function* foldJobSteps(
  job: TrainJob,
  folds: number,
  seed: number | undefined,
  options: FoldOptions,
): Steps<(TrainJob & { readonly fold: Fold })[]> {
  checkJob(job, "job");
  const data = asDataset(job.data, "job.data", sampleSizes(job.network, job.options));
  const cut = yield* foldSteps(data, folds, seed ?? seedOf(job.network), options);
  return cut.map((fold) => ({
    ...job,
    data: fold.train,
    label: joined(job.label, `fold ${fold.index + 1}`),
    fold,
  }));
}

function checkVariant(name: string, variant: Variant): void {
  checkOptionNames(name, variant, ["network", "options", "label"]);
  const { network, options, label } = variant;
  if (network !== undefined) checkObject(`${name}.network`, network);
  if (options !== undefined) checkOptionNames(`${name}.options`, options, TRAIN_OPTION_NAMES);
  if (label !== undefined) checkText(`${name}.label`, label);
}

/** Checks the shape of a job; wrong values of data and options are errors of the job itself. @throws GAUSSFLOW_ARGUMENT */
export function checkJob(job: TrainJob, name: string): void {
  checkOptionNames(name, job, ["network", "data", "options", "label", "fold"]);
  checkNetwork(`${name}.network`, job.network);
  if (typeof job.data !== "object" || job.data === null)
    throw argumentError(`${name}.data`, "must be a data set", job.data);
  if (job.options !== undefined) checkOptionNames(`${name}.options`, job.options, TRAIN_OPTION_NAMES);
  if (job.options?.cluster !== undefined)
    throw argumentError(
      `${name}.options.cluster`,
      "must be left out, because each job is trained by one process",
      job.options.cluster,
    );
  if (job.label !== undefined) checkText(`${name}.label`, job.label);
}

/** What draws the network again. @throws GAUSSFLOW_ARGUMENT where its parameters were given */
function optionsOfDraw({ options }: Network): DrawnOptions {
  const drawn = drawnOptions(options);
  if (drawn !== null) return drawn;
  throw argumentError(
    "job.network",
    "must be drawn by network(), since other starts are other draws",
    "parameters given to networkOf()",
  );
}

/** Options of a network for other layers: a list of equal entries, one a layer, becomes a single entry. */
function reusable(base: DrawnOptions, layers: readonly number[] | undefined): NetworkOptions {
  if (layers === undefined || layers.length === base.layers.length) return base;
  const one = <T>(entries: readonly T[]) => (new Set(entries).size === 1 ? entries[0] : undefined);
  return {
    ...base,
    activation: base.activation.length === 0 ? undefined : (one(base.activation) ?? base.activation),
    bias: one(base.bias) ?? base.bias,
  };
}

function joined(before: string | undefined, label: string): string {
  return before === undefined ? label : `${before}, ${label}`;
}
