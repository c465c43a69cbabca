// The public `crossValidate`: trains a job on each set of k-1 folds by trainMany and measures the errors on the fold that was held out.
// Every row is predicted once, by the network of the fold that held it out. The errors are in the units of the data; of classifiers there
// are the figures of class-metrics.ts too. gaussflow train
// --cross-validate trains the folds itself and calls scoreFolds.
import { type Dataset, selectedSteps } from "../data/dataset.js";
import { asDataset } from "../data/dataset-input.js";
import type { Fold, FoldOptions } from "../data/folds.js";
import { pickRowSteps } from "../data/rows.js";
import { finishInTurns, Pace, STEP } from "../event-loop-yield.js";
import type { ClassCosts } from "../loss/class-decision.js";
import { classMetricsInTurns, classTargets } from "../loss/class-metrics.js";
import type { TargetClassMetrics } from "../loss/class-sums.js";
import { defaultLoss } from "../loss/default-loss.js";
import { LossFigureMeans } from "../loss/loss-figures.js";
import { metricsInTurns, type PredictedBlock, type TargetMetrics } from "../loss/metrics.js";
import type { ClassBlock } from "../loss/ranking-area.js";
import { isLossKind } from "../loss/rules.js";
import type { LossFigures } from "../loss/set-metrics.js";
import { ensemble } from "../network/ensemble.js";
import type { Link } from "../network/link.js";
import type { Network } from "../network/network.js";
import { checkCount, checkOptionNames } from "../options.js";
import { checkLossTargets } from "../run/loss-targets.js";
import { sampleSizes } from "../run/prepare.js";
import { checkJob, foldJobSteps, type JobResult, restarts, type TrainJob } from "./job.js";
import { trainMany } from "./train-many.js";
import { TRAIN_MANY_OPTION_NAMES, type TrainManyOptions, type TrainManyResult } from "./train-many-options.js";

/** Options of `crossValidate`: those of `trainMany`, and the folds. */
export interface CrossValidateOptions extends TrainManyOptions, FoldOptions {
  /** Default 5. */
  readonly folds?: number | undefined;
  /** Number of starts of each fold; the one with the best score represents the fold. The held-out rows take no part in the choice. Default 1. */
  readonly restarts?: number | undefined;
  /** Seed of the folds. Default: the network's seed. */
  readonly seed?: number | undefined;
}

/** One fold and its result. */
export interface FoldResult {
  /** The fold: its number, its rows and its data. */
  readonly fold: Fold;
  /** The best job of the fold; null where none was trained. */
  readonly best: JobResult | null;
  /**
   * On the held-out rows, one entry a target; null where no job was trained. Of probabilities where the loss is one for those. With `poisson`,
   * `quantile` and `gaussianNll` the figures of that loss are beside the errors.
   */
  readonly metrics: readonly (TargetMetrics & LossFigures)[] | null;
  /** The figures of a classifier on the held-out rows, one entry a target; null for a regression, and where no job was trained. */
  readonly classification: readonly TargetClassMetrics[] | null;
}

/** What `crossValidate` resolves with. */
export interface CrossValidationResult {
  /** One entry a fold, in order. */
  readonly folds: readonly FoldResult[];
  /** Predictions of held-out rows: n x c, row-major; NaN for the rows of a fold without a network. */
  readonly predictions: Float64Array;
  /** Predicted standard deviations of held-out rows with `gaussianNll`, as `predictions`; null with other losses. */
  readonly deviations: Float64Array | null;
  /** Over all rows that were predicted, one entry a target, as for a fold; null where there are none. */
  readonly metrics: readonly (TargetMetrics & LossFigures)[] | null;
  /** The figures of a classifier over all rows that were predicted, one entry a target; null for a regression. */
  readonly classification: readonly TargetClassMetrics[] | null;
  /** Standard deviation over the folds of each target's RMSE, or where `classification` is there its log-loss; NaN for less than two folds. */
  readonly spread: readonly number[];
  /**
   * All jobs. Scores of different folds are in different units: compare within a fold. The score is the loss, which of classifiers is the
   * log-loss: accuracy moves by whole rows, and says little between networks that are nearly equal.
   */
  readonly many: TrainManyResult;
}

/**
 * Cross-validates a job.
 * @throws as `trainMany`; GAUSSFLOW_ARGUMENT for targets that the loss cannot have; GAUSSFLOW_DATA where there are fewer rows than folds
 * @example (await crossValidate({ network, data }, { folds: 10, restarts: 4 })).metrics
 */
export async function crossValidate(job: TrainJob, options: CrossValidateOptions = {}): Promise<CrossValidationResult> {
  checkOptionNames("options", options, [...TRAIN_MANY_OPTION_NAMES, "folds", "restarts", "seed", "stratify"]);
  const { folds: count = 5, restarts: starts = 1, seed, stratify, ...rest } = options;
  checkCount("options.restarts", starts, 1);
  checkJob(job, "job");
  const data = asDataset(job.data, "job.data", sampleSizes(job.network, job.options));
  const { loss = defaultLoss(data.classes !== null) } = job.options ?? {};
  // Before the folds are cut, because their trainings number the rows of a fold.
  if (isLossKind(loss?.kind)) await checkLossTargets(data, loss, "job.data", undefined);
  const jobs = await finishInTurns(foldJobSteps({ ...job, data }, count, seed, { stratify }), new Pace(undefined));
  return scoreFolds(data, await trainMany(starts === 1 ? jobs : jobs.flatMap((one) => restarts(one, starts)), rest));
}

/**
 * The score of every fold among the jobs of a run, and of all folds together, in turns with the event loop.
 * @param data the whole set that the folds were cut from
 * @param members number of a fold's best networks whose mean predicts its held-out rows
 * @param costs of errors, by which classes are decided on
 */
export async function scoreFolds(
  data: Dataset,
  many: TrainManyResult,
  members = 1,
  costs: ClassCosts | null = null,
): Promise<CrossValidationResult> {
  const held = [...new Set(many.results.flatMap(({ job }) => job.fold ?? []))];
  const { outputSize: c, targetNames, sampleCount } = data;
  const pace = new Pace(undefined);
  const predictions = new Float64Array(sampleCount * c).fill(Number.NaN);
  let deviations: Float64Array | null = null;
  const predicted = new Uint8Array(sampleCount);
  const folds: FoldResult[] = [];
  for (const fold of held) {
    const trained = many.ranked.filter((entry) => entry.job.fold === fold && entry.state === "trained");
    const networks = trained.flatMap(({ result }) => result?.network ?? []).slice(0, members);
    const [best] = trained;
    if (best === undefined || networks.length === 0) {
      folds.push({ fold, best: null, metrics: null, classification: null });
      continue;
    }
    const found = await predictionsOf(networks, fold.held, pace);
    if (found.deviations !== null) deviations ??= new Float64Array(sampleCount * c).fill(Number.NaN);
    for (let k = 0; k < fold.rows.length; k++) {
      const row = fold.rows[k]!;
      predicted[row] = 1;
      for (let j = 0; j < c; j++) {
        predictions[row * c + j] = found.predictions[k * c + j]!;
        if (deviations !== null) deviations[row * c + j] = found.deviations?.[k * c + j] ?? Number.NaN;
      }
      if (k % STEP === STEP - 1) await pace.turn();
    }
    const [network] = networks;
    folds.push({
      fold,
      best,
      metrics: await errors(network!, found, fold.held, pace),
      classification: await classified(network!.link, found.predictions, fold.held, costs, pace),
    });
  }
  const scored = folds.filter((entry) => entry.metrics !== null);
  const rows = new Uint32Array(scored.reduce((sum, { fold }) => sum + fold.rows.length, 0));
  for (let row = 0, k = 0; row < sampleCount; row++) if (predicted[row] === 1) rows[k++] = row;
  const whole = rows.length === 0 ? null : await finishInTurns(selectedSteps(data, rows), pace);
  const found = {
    predictions: await finishInTurns(pickRowSteps(predictions, rows, c), pace),
    deviations: deviations && (await finishInTurns(pickRowSteps(deviations, rows, c), pace)),
  };
  const network = scored[0]?.best?.result?.network ?? null;
  const classification = whole && network && (await classified(network.link, found.predictions, whole, costs, pace));
  const figure = ({ metrics, classification }: FoldResult, k: number) =>
    (classification === null ? metrics?.[k]?.rmse : classification[k]?.logLoss) ?? Number.NaN;
  return {
    folds,
    predictions,
    deviations,
    metrics: whole && network && (await errors(network, found, whole, pace)),
    classification,
    spread: (classification ?? targetNames).map((_, k) => deviation(scored.map((entry) => figure(entry, k)))),
    many,
  };
}

/** What is known of rows: predictions, n x c, row-major, and with `gaussianNll` their standard deviations. */
type Found = Required<Pick<PredictedBlock, "predictions" | "deviations">>;

/** The mean of the networks' predictions, and the deviations of the mixture of their distributions. */
async function predictionsOf(
  networks: readonly Network[],
  { inputs, inputSize: d, outputSize: c, sampleCount: n }: Dataset,
  pace: Pace,
): Promise<Found> {
  const model = ensemble(networks);
  const predictions = new Float64Array(n * c);
  const deviations = networks[0]!.link === "gaussian" ? new Float64Array(n * c) : null;
  // Products of a piece: a few milliseconds.
  const products = networks.reduce((sum, { parameterCount }) => sum + parameterCount, 0);
  const rows = Math.max(1, Math.floor((16 * STEP) / products));
  for (let first = 0; first < n; first += rows) {
    const some = inputs.subarray(first * d, (first + rows) * d);
    if (deviations === null) predictions.set(model.predict(some).mean, first * c);
    else {
      const { mean, deviation } = model.predictDistribution(some);
      predictions.set(mean, first * c);
      deviations.set(deviation, first * c);
    }
    await pace.turn();
  }
  return { predictions, deviations };
}

/** Passes over predictions and their targets, with turns of the event loop. */
function blocksOf(
  { predictions, deviations }: Found,
  { targets, weights, outputSize: c, sampleCount: n }: Dataset,
  pace: Pace,
) {
  const rows = Math.max(1, Math.floor(STEP / c));
  return async function* (): AsyncGenerator<PredictedBlock, void> {
    for (let first = 0; first < n; first += rows) {
      yield {
        predictions: predictions.subarray(first * c, (first + rows) * c),
        deviations: deviations?.subarray(first * c, (first + rows) * c) ?? null,
        targets: targets.subarray(first * c, (first + rows) * c),
        weights: weights?.subarray(first, first + rows) ?? null,
      };
      await pace.turn();
    }
  };
}

/** The errors of predictions, and the figures of the loss that the network was trained with. */
async function errors(
  network: Network,
  found: Found,
  data: Dataset,
  pace: Pace,
): Promise<readonly (TargetMetrics & LossFigures)[]> {
  const blocks = blocksOf(found, data, pace);
  const means = LossFigureMeans.of(network, data.targetNames);
  if (means !== null) for await (const block of blocks()) means.add(block);
  return (await metricsInTurns(blocks, data.targetNames)).map((one, k) => ({ ...one, ...means?.figures(k) }));
}

/** The figures of predicted probabilities; null where predictions are none. */
async function classified(
  link: Link,
  predictions: Float64Array,
  data: Dataset,
  costs: ClassCosts | null,
  pace: Pace,
): Promise<readonly TargetClassMetrics[] | null> {
  const kinds = classTargets(link, data.targetNames, data.classes);
  if (kinds.length === 0) return null;
  const blocks = blocksOf({ predictions, deviations: null }, data, pace);
  const probabilities = async function* (): AsyncGenerator<ClassBlock, void> {
    for await (const { predictions: found, targets, weights } of blocks())
      yield { probabilities: found, targets, weights };
  };
  return classMetricsInTurns(probabilities, kinds, costs, undefined);
}

/** Sample standard deviation; NaN for less than two values. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
