// Metrics of a network on a data set in raw units, a block of rows at a time so that large tables need no copy of themselves.
import type { Dataset } from "../data/dataset.js";
import { metrics, type SetMetrics } from "../loss/metrics.js";
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
export function assess(network: Network, set: string, data: Dataset): SetMetrics {
  const predictions = predictAll(network, data.inputs);
  return {
    set,
    rows: data.sampleCount,
    targets: metrics(predictions, data.targets, data.targetNames, data.weights),
  };
}
