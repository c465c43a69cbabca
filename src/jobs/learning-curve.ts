// The public `learningCurve`: errors on held-out rows against the number of rows that were trained on, and whether more rows would help. It cuts
// the rows into folds, trains the job on growing parts of the other folds' rows by trainMany, and fits a power law with a floor
// (learning-law.ts). gaussflow train --learning-curve prints it.
import { Dataset, splitSteps } from "../data/dataset.js";
import { asDataset } from "../data/dataset-input.js";
import type { FoldOptions } from "../data/folds.js";
import { argumentError, GaussflowError } from "../errors.js";
import { finishInTurns, Pace, type Steps } from "../event-loop-yield.js";
import { seedOf } from "../network/network.js";
import { checkCount, checkOptionNames } from "../options.js";
import { sampleSizes } from "../run/prepare.js";
import { scoreFolds } from "./cross-validate.js";
import { checkJob, foldJobSteps, type TrainJob } from "./job.js";
import { fitLaw, type LearningLaw, lawAt } from "./learning-law.js";
import { trainMany } from "./train-many.js";
import { TRAIN_MANY_OPTION_NAMES, type TrainManyOptions, type TrainManyResult } from "./train-many-options.js";

/** Options of `learningCurve`: those of `trainMany`, sizes and folds. */
export interface LearningCurveOptions extends TrainManyOptions, FoldOptions {
  /** Numbers of rows to train on, a validation part among them. Default: six, from a sixteenth of those of a fold up to all of them. */
  readonly sizes?: readonly number[] | undefined;
  /** Folds, each of which is held out once: every size is trained as many times. Default 5. */
  readonly folds?: number | undefined;
  /** Seed of folds and parts. Default: the network's seed. */
  readonly seed?: number | undefined;
}

/** The error at one number of rows. */
export interface LearningPoint {
  /** Rows that were trained on; with groups, which stay whole, their mean over the folds. */
  readonly rows: number;
  /** Root of the mean squared error over the folds in raw units, or their mean log-loss. */
  readonly error: number;
  /** Standard error of it, from the spread over the folds; NaN where a single fold was trained. */
  readonly standardError: number;
  /** Of each fold that was trained. */
  readonly folds: readonly number[];
}

/** The curve of one target. */
export interface LearningTarget {
  /** Name of the target. */
  readonly target: string;
  /** What the errors are. */
  readonly measure: "rmse" | "log-loss";
  /** In rising order of rows. */
  readonly points: readonly LearningPoint[];
  /** The law of the squared error or the log-loss; null where there are too few points for it. */
  readonly law: LearningLaw | null;
  /** The error that no number of rows passes with this network, by the law; null without one. */
  readonly floor: number | null;
  /** What the law says of twice the rows of the data set. */
  readonly twice: {
    /** Rows that these are. */
    readonly rows: number;
    /** Error to expect. */
    readonly error: number;
    /** Share by which it is below that of the rows there are. */
    readonly reduction: number;
    /** Standard error of that share, leaving out one fold at a time. */
    readonly standardError: number;
  } | null;
  /** Whether more rows would help: twice as many lower the error by at least a twentieth; "unclear" where the folds differ too much to say. */
  readonly more: "yes" | "no" | "unclear";
  /** The same as a sentence with the numbers. */
  readonly message: string;
}

/** What `learningCurve` resolves with. */
export interface LearningCurve {
  /** One a target. */
  readonly targets: readonly LearningTarget[];
  /** All jobs. */
  readonly many: TrainManyResult;
}

const SIZES = 6;
/** The smallest default size is this share of the largest. */
const SMALLEST_SHARE = 1 / 16;
const LEAST_ROWS = 8;
/** Share of the error that twice the rows must save to be worth it. */
const WORTH = 0.05;
/** Stream of the seeds of the parts beside that of the folds. */
const PART_SEED = 1;

/**
 * Measures how the error on rows that were not seen falls with the number of rows to train on.
 * @throws as `crossValidate`; GAUSSFLOW_ARGUMENT for sizes that are above the rows of a fold or fewer than three
 * @example (await learningCurve({ network, data })).targets[0].message
 */
export async function learningCurve(job: TrainJob, options: LearningCurveOptions = {}): Promise<LearningCurve> {
  checkOptionNames("options", options, [...TRAIN_MANY_OPTION_NAMES, "sizes", "folds", "seed", "stratify"]);
  const { sizes, folds = 5, seed, stratify, ...rest } = options;
  checkJob(job, "job");
  const data = asDataset(job.data, "job.data", sampleSizes(job.network, job.options));
  const pace = new Pace(undefined);
  const jobs = await finishInTurns(foldJobSteps({ ...job, data }, folds, seed, { stratify }), pace);
  const most = Math.min(...jobs.map(({ data: set }) => (set as Dataset).sampleCount));
  const wanted = completeSizes(sizes, most);
  const drawn = seed ?? seedOf(job.network);
  const parts: TrainJob[] = [];
  for (const size of wanted)
    for (const one of jobs) {
      const set = await finishInTurns(partOf(one.data as Dataset, size, drawn + PART_SEED, stratify), pace);
      parts.push({ ...one, data: set, label: `${size} rows, ${one.label}` });
    }
  const many = await trainMany(parts, rest);
  const found: Scores[] = [];
  for (const [k] of wanted.entries()) found.push(await scoresOf(data, many, k * jobs.length, jobs.length));
  const names = found[0]?.targets ?? [];
  return { targets: names.map((target, t) => curveOf(target, t, found, data.sampleCount)), many };
}

/** @throws GAUSSFLOW_ARGUMENT */
function completeSizes(sizes: readonly number[] | undefined, most: number): readonly number[] {
  if (sizes === undefined) {
    const least = Math.min(most, Math.max(LEAST_ROWS, Math.round(SMALLEST_SHARE * most)));
    const list = Array.from({ length: SIZES }, (_, k) => Math.round(least * (most / least) ** (k / (SIZES - 1))));
    return [...new Set(list)];
  }
  if (!Array.isArray(sizes) || new Set(sizes).size < 3)
    throw argumentError("options.sizes", "must be at least three different numbers of rows", sizes);
  sizes.forEach((size, k) => {
    checkCount(`options.sizes[${k}]`, size, 2);
    if (size > most)
      throw argumentError(
        `options.sizes[${k}]`,
        `must be at most the ${most} rows that a fold leaves to train on`,
        size,
      );
  });
  return [...new Set(sizes)].sort((a, b) => a - b);
}

/** So many rows of a fold's training rows, drawn whatever their order is; smaller parts are parts of larger ones. */
function* partOf(set: Dataset, size: number, seed: number, stratify: boolean | undefined): Steps<Dataset> {
  const n = set.sampleCount;
  if (size >= n) return set;
  const drawn = new Dataset({ ...set.fields(), order: null });
  return (yield* splitSteps(drawn, { test: (n - size) / n, seed, stratify })).train;
}

/** Errors of one size: of each target one a fold, as the law takes them. */
interface Scores {
  readonly rows: number;
  readonly targets: readonly string[];
  readonly measure: LearningTarget["measure"];
  /** By target and fold: the squared error or the log-loss; NaN where the fold was not trained. */
  readonly values: readonly (readonly number[])[];
}

async function scoresOf(data: Dataset, many: TrainManyResult, first: number, count: number): Promise<Scores> {
  const own = many.results.slice(first, first + count);
  const ranked = many.ranked.filter(({ index }) => index >= first && index < first + count);
  const { folds } = await scoreFolds(data, { ...many, results: own, ranked });
  const trained = folds.find(({ best }) => best !== null);
  if (trained === undefined) {
    const error = own.find((entry) => entry.error !== null)?.error;
    throw error ?? new GaussflowError("GAUSSFLOW_DATA", "no job of the learning curve was trained");
  }
  const classified = trained.classification !== null;
  const targets = (trained.classification ?? trained.metrics ?? []).map(({ target }) => target);
  const value = (fold: (typeof folds)[number], t: number) =>
    (classified ? fold.classification?.[t]?.logLoss : (fold.metrics?.[t]?.rmse ?? Number.NaN) ** 2) ?? Number.NaN;
  const rows = own.reduce((sum, { job }) => sum + (job.data as Dataset).sampleCount, 0) / own.length;
  const values = targets.map((_, t) => folds.map((fold) => value(fold, t)));
  return { rows, targets, measure: classified ? "log-loss" : "rmse", values };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation over the root of the number; NaN for less than two values. */
function errorOfMean(values: readonly number[]): number {
  const center = mean(values);
  const square = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(square / (values.length - 1) / values.length);
}

function curveOf(target: string, t: number, found: readonly Scores[], rows: number): LearningTarget {
  const { measure } = found[0] as Scores;
  const shown = measure === "rmse" ? Math.sqrt : (value: number) => value;
  // By fold: one that was not trained at one size is still the same fold at the others.
  const list = found.map((one) => ({ rows: one.rows, values: one.values[t] ?? [] }));
  const points = list.map((one) => {
    const values = one.values.filter(Number.isFinite);
    const error = shown(mean(values));
    const spread = errorOfMean(values);
    const standardError = measure === "rmse" ? spread / (2 * error) : spread;
    return { rows: one.rows, error, standardError, folds: values.map(shown) };
  });
  const lawOf = (left: number | null) =>
    fitLaw(
      list.map((one) => one.rows),
      list.map(({ values }) => mean(values.filter((value, k) => k !== left && Number.isFinite(value)))),
    );
  const reductionOf = (law: LearningLaw) => 1 - shown(lawAt(law, 2 * rows)) / shown(lawAt(law, rows));
  const law = lawOf(null);
  const folds = (list[0]?.values ?? []).flatMap((_, k) =>
    list.some(({ values }) => Number.isFinite(values[k])) ? k : [],
  );
  const others = folds.flatMap((left) => lawOf(left) ?? []);
  if (law === null || others.length < 2) {
    const message = `whether more rows would help is not known: a law of ${measureName(measure)} needs three sizes with errors above 0 and two folds`;
    return { target, measure, points, law: null, floor: null, twice: null, more: "unclear", message };
  }
  // The jackknife over the folds.
  const standardError = errorOfMean(others.map(reductionOf)) * (others.length - 1);
  const twice = { rows: 2 * rows, error: shown(lawAt(law, 2 * rows)), reduction: reductionOf(law), standardError };
  const more = verdict(twice);
  const floor = shown(law.floor);
  const now = shown(lawAt(law, rows));
  return {
    target,
    measure,
    points,
    law,
    floor,
    twice,
    more,
    message: sentence({ measure, rows, now, floor, twice, more }),
  };
}

function verdict({ reduction, standardError }: NonNullable<LearningTarget["twice"]>): LearningTarget["more"] {
  if (reduction >= WORTH && reduction > 2 * standardError) return "yes";
  return reduction + standardError < WORTH ? "no" : "unclear";
}

const measureName = (measure: LearningTarget["measure"]) => (measure === "rmse" ? "the RMSE" : "the log-loss");

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

const BEGINNINGS: Readonly<Record<LearningTarget["more"], string>> = {
  yes: "more rows would help",
  no: "more rows would hardly help",
  unclear: "whether more rows would help is unclear",
};

/** The answer to "would more rows help?". */
function sentence({
  measure,
  rows,
  now,
  floor,
  twice,
  more,
}: {
  readonly measure: LearningTarget["measure"];
  readonly rows: number;
  readonly now: number;
  readonly floor: number;
  readonly twice: NonNullable<LearningTarget["twice"]>;
  readonly more: LearningTarget["more"];
}): string {
  const { error, reduction, standardError } = twice;
  const change = `${measureName(measure)} from ${now.toPrecision(3)} at ${rows} rows to about ${error.toPrecision(3)} at ${twice.rows}, by ${percent(reduction)} with a standard error of ${percent(standardError)}`;
  const least =
    floor > 0
      ? `; with this network no number of rows is seen to go below ${floor.toPrecision(3)}`
      : "; no floor is seen yet";
  return `${BEGINNINGS[more]}: twice as many would lower ${change}${least}`;
}
