// Counts the training targets whose predicted deviation has reached its floor after a training with `gaussianNll`, for the advice of the run
// (advice.ts); train.ts calls it. Where a network passes through training points, or where there is no noise, the likelihood has no bound
// without the floor, and the deviation there says nothing about new rows.
import { type PredictOptions, predictDistributionAsync } from "../backend/predict.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { VARIANCE_FLOOR } from "../network/link.js";
import type { Network } from "../network/network.js";

/** Rows that are predicted at a time. */
const ROWS = 8192;

/** How many deviations are at the floor. */
export interface FloorCount {
  readonly atFloor: number;
  /** Targets of the rows with a weight. */
  readonly targets: number;
  /** The floor, in the units of training. */
  readonly least: number;
}

/**
 * Null for a network without predicted deviations, and once the run is aborted.
 * @throws GAUSSFLOW_FILE where a data file has changed
 */
export async function countAtFloor(
  start: Network,
  parameters: Float64Array,
  fit: Dataset | FileDataset,
  { backend, threads, signal }: PredictOptions,
): Promise<FloorCount | null> {
  const { targetSize: k, scaling, link } = start;
  if (link !== "gaussian") return null;
  const network = start.withParameters(parameters);
  // A variance of twice the floor is that of v at its logarithm.
  const least = Array.from({ length: k }, (_, j) => (scaling?.targets.scale[j] ?? 1) * Math.sqrt(2 * VARIANCE_FLOOR));
  let [low, all] = [0, 0];
  for await (const { inputs, row } of inputBlocks(fit)) {
    if (signal?.aborted) return null;
    const { deviation } = await predictDistributionAsync(network, inputs, { backend, threads });
    for (let at = 0; at < deviation.length; at++) {
      if (fit.weights?.[row + Math.floor(at / k)] === 0) continue;
      all++;
      if (deviation[at]! <= least[at % k]!) low++;
    }
  }
  return { atFloor: low, targets: all, least: Math.sqrt(VARIANCE_FLOOR) };
}

/** Inputs of some rows, in raw units, with the number of the first row. */
async function* inputBlocks(
  fit: Dataset | FileDataset,
): AsyncGenerator<{ readonly inputs: Float64Array; readonly row: number }, void> {
  const d = fit.inputSize;
  if (!(fit instanceof FileDataset)) {
    for (let row = 0; row < fit.sampleCount; row += ROWS)
      yield { inputs: fit.inputs.subarray(row * d, (row + ROWS) * d), row };
    return;
  }
  const { width } = fit.layout;
  for await (const { block, row } of fit.blocksInTurns(undefined)) {
    const rows = block.length / width;
    const inputs = new Float64Array(rows * d);
    for (let i = 0; i < rows; i++) inputs.set(block.subarray(i * width, i * width + d), i * d);
    yield { inputs, row };
  }
}
