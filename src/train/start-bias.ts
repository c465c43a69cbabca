// Starts the output biases of a freshly drawn network where a constant prediction is best for the targets; begin.ts calls it before a
// training. Losses whose targets are not standardized (counts, probabilities, classes) and the quantile loss name the statistic
// (`LossRule.startBias`): without it a Poisson training of counts near 1,000 would begin with means of 1, and spend its first iterations on
// the level alone.
//
// The rule: the network was drawn by `network` and not trained (it has no summary), it is not centered, its last layer is linear, and all
// its output biases are 0. With squared error and the other losses for real targets the biases stay at 0, the mean of standardized targets.
import { QuantileSearch, SEARCH_PASSES } from "../algebra/quantile-search.js";
import type { EngineData } from "../backend/engine.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { WeightedMeans } from "../data/weighted-means.js";
import { Pace, STEP } from "../event-loop-yield.js";
import type { StartBias } from "../loss/loss.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { isAsDrawn, type Network } from "../network/network.js";

/** Columns whose quantiles are searched in the same passes. */
const SEARCHES = 8;

/** The targets of a run in the units of training, in blocks. */
type Blocks = () => AsyncIterable<TargetBlock>;

interface TargetBlock {
  /** rows x c, valid until the next block. */
  readonly targets: Float64Array;
  /** Number of the first row. */
  readonly row: number;
}

/**
 * The network with the biases of its loss, or the network itself where the rule does not hold. Takes turns with the event loop.
 * @param start in the units of training
 * @param data what an engine gets of `fit`
 * @throws GAUSSFLOW_FILE where a data file has changed, and the signal's reason once it has been aborted
 */
export async function withStartBias(
  start: Network,
  fit: Dataset | FileDataset,
  data: EngineData,
  loss: Loss,
  signal: AbortSignal | undefined,
): Promise<Network> {
  const { startBias } = lossRule(loss);
  const { biasOffset, outputSize } = start.architecture.layers[start.architecture.layers.length - 1]!;
  if (startBias === null || !isFresh(start)) return start;
  const blocks: Blocks =
    fit instanceof FileDataset ? () => fileTargets(fit, start, signal) : () => targetsInMemory(data, fit, signal);
  const biases = await biasesOf(startBias, blocks, fit);
  const parameters = start.parameters.slice();
  // Predictions are the outputs times the output scale.
  for (let a = 0; a < outputSize; a++) parameters[biasOffset + a] = biases[a]! / start.architecture.outputScale;
  return start.withParameters(parameters);
}

function isFresh(network: Network): boolean {
  const { center, architecture, parameters } = network;
  const { activation, bias, biasOffset, outputSize } = architecture.layers[architecture.layers.length - 1]!;
  if (!isAsDrawn(network) || center !== null || activation !== "identity" || !bias) return false;
  return parameters.subarray(biasOffset, biasOffset + outputSize).every((value) => value === 0);
}

async function biasesOf(rule: StartBias, blocks: Blocks, fit: Dataset | FileDataset): Promise<Float64Array> {
  if (rule.statistic !== "means") return quantilesOf(rule.share, blocks, fit);
  const columns = new WeightedMeans(fit.outputSize, fit.weights);
  for await (const { targets, row } of blocks()) columns.add(targets, row);
  return rule.biases(columns.means, fit.sampleCount);
}

/**
 * Weighted quantile of each column. A search takes numbers of at least 0, and so the distances from the least one. Columns share their passes,
 * as many at a time as their searches leave small (half a MiB each).
 */
async function quantilesOf(
  share: number,
  blocks: Blocks,
  { outputSize: c, weights }: Dataset | FileDataset,
): Promise<Float64Array> {
  const least = new Float64Array(c).fill(Number.POSITIVE_INFINITY);
  for await (const { targets } of blocks())
    for (let k = 0; k < targets.length; k++) least[k % c] = Math.min(least[k % c]!, targets[k]!);
  const quantiles = new Float64Array(c);
  for (let first = 0; first < c; first += SEARCHES) {
    const searches = Array.from({ length: Math.min(SEARCHES, c - first) }, () => new QuantileSearch(share));
    for (let pass = 0; pass < SEARCH_PASSES; pass++) {
      for await (const { targets, row } of blocks()) {
        const weightOf = weights === null ? null : (i: number) => weights[row + i]!;
        const distances = new Float64Array(targets.length / c);
        for (const [j, search] of searches.entries()) {
          const column = first + j;
          for (let i = 0; i < distances.length; i++) distances[i] = targets[i * c + column]! - least[column]!;
          search.add(distances, weightOf);
        }
      }
      for (const search of searches) search.endPass();
    }
    for (const [j, search] of searches.entries()) quantiles[first + j] = least[first + j]! + search.value;
  }
  return quantiles;
}

async function* targetsInMemory(
  { targets }: EngineData,
  { outputSize: c }: Dataset,
  signal: AbortSignal | undefined,
): AsyncGenerator<TargetBlock, void> {
  const pace = new Pace(signal);
  for (let row = 0; row * c < targets.length; row += STEP) {
    yield { targets: targets.subarray(row * c, (row + STEP) * c), row };
    await pace.turn();
  }
}

async function* fileTargets(
  file: FileDataset,
  { scaling }: Network,
  signal: AbortSignal | undefined,
): AsyncGenerator<TargetBlock, void> {
  const { width } = file.layout;
  const { inputSize: d, outputSize: c } = file;
  for await (const { block, row } of file.blocksInTurns(signal)) {
    const targets = new Float64Array((block.length / width) * c);
    for (let at = d, k = 0; at < block.length; at += width)
      for (let a = 0; a < c; a++, k++) {
        const { offset, scale } = scaling?.targets ?? { offset: null, scale: null };
        targets[k] = (block[at + a]! - (offset?.[a] ?? 0)) / (scale?.[a] ?? 1);
      }
    yield { targets, row };
  }
}
