// The public `fitTable`: chooses hidden layers and weight decay for a table by cross-validation (search.ts), then trains that network on all
// rows. gaussflow train calls searchTable itself, because its last training has records, checkpoints and many starts of its own.
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { type JobResult, restarts, type TrainJob } from "../jobs/job.js";
import { trainMany } from "../jobs/train-many.js";
import { outputCount } from "../loss/target-rules.js";
import { drawnNetwork, type Network } from "../network/network.js";
import { train } from "../train/train.js";
import type { TrainResult } from "../train/train-result.js";
import { remainingAdvice } from "./advice.js";
import { layersText } from "./candidates.js";
import { type CompletedFitOptions, completeFitOptions, type FitTableOptions, tableOf } from "./fit-options.js";
import { type SearchedTable, searchTable, type TableSearch, trainOptions, validationOf } from "./search.js";

/** What `fitTable` resolves with. */
export interface FitTableResult {
  /** The network to use: that of `result`. */
  readonly network: Network;
  /** What the last training resolved with, of several starts the best. */
  readonly result: TrainResult;
  /** Hidden layers, weight decay, and what was tried. */
  readonly search: TableSearch;
  /** The starts of the last training, best first. */
  readonly runs: readonly JobResult[];
  /** The rows that the network was trained on. */
  readonly fit: Dataset;
  /** The rows that decided when to stop; null where there were none. */
  readonly validation: Dataset | null;
}

/**
 * Fits a network to a table: chooses its hidden layers and its weight decay from a short list by cross-validation, as many trainings at a
 * time as there are threads, and trains the choice on all rows. The same table, options, seed and budget give the same bits on any number of
 * threads. An aborted signal ends it as it ends `train`: the result has the reason "aborted".
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA for rows that cannot be cut into the folds asked for, and what `train` throws
 * @example const { network, search } = await fitTable(await readCsv("data.csv", { target: "y" }));
 */
export async function fitTable(table: Dataset | DatasetInput, options: FitTableOptions = {}): Promise<FitTableResult> {
  const given = tableOf(table);
  const completed = completeFitOptions(options, given.classes !== null);
  const searched = await searchTable(given, completed);
  const { fit, validation } = finalParts(searched, completed.seed);
  const { network: shape, seed } = completed;
  const { hidden, decay } = searched.search;
  const layers = [fit.inputSize, ...hidden, outputCount(completed.train.loss, fit.outputSize)];
  const job = {
    network: drawnNetwork({ ...shape, layers, seed }, "options.network"),
    data: fit,
    options: trainOptions(completed, decay, validation ?? false),
    label: layersText(hidden),
  };
  const { search } = searched;
  const { result, runs } = await last(job, completed);
  const advice = remainingAdvice(result.advice, search);
  return { network: result.network, result: { ...result, advice }, search, runs, fit, validation };
}

/** The rows to fit and those that decide when to stop. */
export function finalParts(
  { data, validation, search: { decay } }: SearchedTable,
  seed: number,
): { readonly fit: Dataset; readonly validation: Dataset | null } {
  const asked = validationOf(validation, decay, data.sampleCount);
  if (asked === false) return { fit: data, validation: null };
  if (typeof asked !== "number") return { fit: data, validation: asked };
  const parts = data.split({ validation: asked, seed });
  return { fit: parts.train, validation: parts.validation };
}

/** The last training, from one start or the best of several. */
async function last(
  job: TrainJob & { readonly data: Dataset },
  { restarts: starts, many }: CompletedFitOptions,
): Promise<Pick<FitTableResult, "result" | "runs">> {
  const { best, ranked } = await trainMany(starts === 1 ? [job] : restarts(job, starts), many);
  if (best !== null) return { result: best.result, runs: ranked };
  const failed = ranked.find(({ state }) => state === "failed");
  if (failed !== undefined) throw failed.error;
  // The signal came before, on this rank or on another: a training that hears of it says so.
  const { threads, memoryLimit } = many;
  const signal = many.signal?.aborted ? many.signal : AbortSignal.abort(new Error("another rank was aborted"));
  return { result: await train(job.network, job.data, { ...job.options, threads, memoryLimit, signal }), runs: ranked };
}
