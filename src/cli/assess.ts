// Metrics of a network on a data set in raw units, a block of rows at a time so that large tables need no copy of themselves.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { metricsOfBlocks, type PredictedBlock, type SetMetrics } from "../loss/metrics.js";
import type { Network } from "../network/network.js";

const ROWS = 8192;

/** Raw predictions for all rows: n x c. */
export function predictAll(network: Network, inputs: Float64Array): Float64Array {
  const d = network.inputSize;
  const n = inputs.length / d;
  const out = new Float64Array(n * network.outputSize);
  for (let first = 0; first < n; first += ROWS) {
    const part = inputs.subarray(first * d, Math.min(n, first + ROWS) * d);
    out.set(network.predict(part), first * network.outputSize);
  }
  return out;
}

/** The metrics of one named set. */
export function assess(network: Network, set: string, data: Dataset | FileDataset): SetMetrics {
  const blocks = () => (data instanceof FileDataset ? predictedBlocks(network, data) : [predicted(network, data)]);
  return { set, rows: data.sampleCount, targets: metricsOfBlocks(blocks, data.targetNames) };
}

function predicted(network: Network, { inputs, targets, weights }: Dataset): PredictedBlock {
  return { predictions: predictAll(network, inputs), targets, weights };
}

function* predictedBlocks(network: Network, data: FileDataset): Generator<PredictedBlock, void> {
  const { inputSize: d, outputSize: c, weights } = data;
  const { width } = data.layout;
  let first = 0;
  for (const block of data.blocks()) {
    const rows = block.length / width;
    const inputs = new Float64Array(rows * d);
    const targets = new Float64Array(rows * c);
    for (let i = 0; i < rows; i++) {
      inputs.set(block.subarray(i * width, i * width + d), i * d);
      targets.set(block.subarray(i * width + d, i * width + d + c), i * c);
    }
    const part = weights?.subarray(first, first + rows) ?? null;
    yield { predictions: predictAll(network, inputs), targets, weights: part };
    first += rows;
  }
}
