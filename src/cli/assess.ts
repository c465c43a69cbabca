// Computes the error metrics of a model on a data set in raw units, or the figures of a classifier, in turns with the event loop; data files are read block by block.
// gaussflow evaluate calls it, and gaussflow train does at its end for each part of the data.
import { type PredictOptions, predictAsync, predictDistributionAsync } from "../backend/predict.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { Pace } from "../event-loop-yield.js";
import type { ClassCosts } from "../loss/class-decision.js";
import { classMetricsInTurns, classTargets } from "../loss/class-metrics.js";
import { LossFigureMeans } from "../loss/loss-figures.js";
import { metricsInTurns, type PredictedBlock } from "../loss/metrics.js";
import type { ClassBlock } from "../loss/ranking-area.js";
import type { SetMetrics } from "../loss/set-metrics.js";
import { Ensemble } from "../network/ensemble.js";
import type { Link } from "../network/link.js";
import type { Network } from "../network/network.js";

/** Numbers of a data set in memory that are summed up at a time: a millisecond or two. */
const NUMBERS = 1 << 16;

/** Options of `assess`: those of predictions, and the costs of errors in classes. */
export interface AssessOptions extends PredictOptions {
  readonly costs?: ClassCosts | undefined;
}

/** Predictions of a network, or the mean of an ensemble's, and their deviations where the model has them. */
async function predicted(
  model: Network | Ensemble,
  inputs: Float64Array,
  options: PredictOptions,
): Promise<Required<Pick<PredictedBlock, "predictions" | "deviations">>> {
  if (linkOf(model) === "gaussian") {
    const { mean, deviation } = await predictDistributionAsync(model, inputs, options);
    return { predictions: mean, deviations: deviation };
  }
  const found = model instanceof Ensemble ? (await predictAsync(model, inputs, options)).mean : null;
  return { predictions: found ?? (await predictAsync(model as Network, inputs, options)), deviations: null };
}

/**
 * The metrics of one named set; those of an ensemble are the errors of its mean.
 * @throws GAUSSFLOW_FILE where a data file has changed, and the signal's reason once it has been aborted
 */
export async function assess(
  model: Network | Ensemble,
  set: string,
  data: Dataset | FileDataset,
  { costs, ...options }: AssessOptions = {},
): Promise<SetMetrics> {
  const blocks = data instanceof FileDataset ? fileBlocks(model, data, options) : memoryBlocks(model, data, options);
  const { sampleCount: rows, targetNames, classes } = data;
  const targets = classTargets(linkOf(model), targetNames, classes);
  if (targets.length === 0) return { set, rows, targets: await errors(model, blocks, targetNames) };
  const probabilities = async function* (): AsyncGenerator<ClassBlock, void> {
    for await (const { predictions: probabilities, targets: y, weights } of blocks())
      yield { probabilities, targets: y, weights };
  };
  const classification = await classMetricsInTurns(probabilities, targets, costs ?? null, options.signal);
  return { set, rows, targets: [], classification };
}

/** The errors of each target, and the figures of the loss beside them, which the first pass sums up. */
async function errors(
  model: Network | Ensemble,
  blocks: () => AsyncIterable<PredictedBlock>,
  targetNames: readonly string[],
): Promise<SetMetrics["targets"]> {
  const means = LossFigureMeans.of(firstOf(model), targetNames);
  let passes = 0;
  const watched = async function* (): AsyncGenerator<PredictedBlock, void> {
    const first = passes++ === 0;
    for await (const block of blocks()) {
      if (first) means?.add(block);
      yield block;
    }
  };
  const list = await metricsInTurns(watched, targetNames);
  return means === null ? list : list.map((one, k) => ({ ...one, ...means.figures(k) }));
}

/** A network, or the first of an ensemble: all of them were trained with the same loss. */
function firstOf(model: Network | Ensemble): Network {
  return model instanceof Ensemble ? model.networks[0]! : model;
}

/** The link of a network, which all networks of an ensemble share. */
export function linkOf(model: Network | Ensemble): Link {
  return firstOf(model).link;
}

/** Passes over the predictions, which are made once. */
function memoryBlocks(
  model: Network | Ensemble,
  { inputs, targets, weights, sampleCount: n, outputSize: c }: Dataset,
  options: PredictOptions,
) {
  let whole: Awaited<ReturnType<typeof predicted>> | null = null;
  return async function* (): AsyncGenerator<PredictedBlock, void> {
    whole ??= await predicted(model, inputs, options);
    const pace = new Pace(options.signal);
    const rows = Math.max(1, Math.floor(NUMBERS / c));
    for (let first = 0; first < n; first += rows) {
      const last = Math.min(n, first + rows);
      yield {
        predictions: whole.predictions.subarray(first * c, last * c),
        deviations: whole.deviations?.subarray(first * c, last * c) ?? null,
        targets: targets.subarray(first * c, last * c),
        weights: weights?.subarray(first, last) ?? null,
      };
      await pace.turn();
    }
  };
}

/** Passes over the file. */
function fileBlocks(model: Network | Ensemble, data: FileDataset, options: PredictOptions) {
  const { inputSize: d, outputSize: c, weights } = data;
  const { width } = data.layout;
  return async function* (): AsyncGenerator<PredictedBlock, void> {
    for await (const { block, row } of data.blocksInTurns(options.signal)) {
      const rows = block.length / width;
      const inputs = new Float64Array(rows * d);
      const targets = new Float64Array(rows * c);
      for (let i = 0; i < rows; i++) {
        inputs.set(block.subarray(i * width, i * width + d), i * d);
        targets.set(block.subarray(i * width + d, i * width + d + c), i * c);
      }
      yield {
        ...(await predicted(model, inputs, options)),
        targets,
        weights: weights?.subarray(row, row + rows) ?? null,
      };
    }
  };
}
