// Computes the absolute errors |psi - y| of a network on its training data, block by block, in the units of training, for the scale of a
// loss (first-fit.ts). Memory stays at one block, whatever the number of rows, also for data files.
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { EngineData, FileSamples } from "../backend/engine.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { blockRows } from "../data/row-reader.js";
import type { ColumnScaling } from "../data/scaling.js";
import { Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";

/** Some rows. */
export interface ErrorBlock {
  /** |psi - y|, rows x c. Valid until the next block, as all of it. */
  readonly errors: Float64Array;
  /** y, rows x c. */
  readonly targets: Float64Array;
  /** Number of the first row. */
  readonly row: number;
}

interface Rows {
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
  readonly row: number;
}

/**
 * Takes turns with the event loop.
 * @throws GAUSSFLOW_FILE where a data file has changed, and the signal's reason once it has been aborted
 */
export async function* absoluteErrors(
  architecture: Architecture,
  parameters: Float64Array,
  fit: Dataset | FileDataset,
  data: EngineData,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<ErrorBlock, void> {
  const blocks =
    fit instanceof FileDataset ? fileRows(fit, data.file as FileSamples, signal) : memoryRows(fit, data, signal);
  for await (const { inputs, targets, row } of blocks) {
    const sampleCount = targets.length / fit.outputSize;
    const engine = createEngine(architecture, { sampleCount, inputs, targets }, backend);
    try {
      const errors = await engine.forward(parameters, signal);
      for (let k = 0; k < errors.length; k++) errors[k] = Math.abs(errors[k]! - targets[k]!);
      yield { errors, targets, row };
    } finally {
      engine.dispose();
    }
  }
}

/** Blocks of the same rows as those of a data file, so that their predictions have the same bits. */
async function* memoryRows(
  { sampleCount, inputSize: d, outputSize: c, weights }: Dataset,
  { inputs, targets }: EngineData,
  signal: AbortSignal | undefined,
): AsyncGenerator<Rows, void> {
  const pace = new Pace(signal);
  const rows = blockRows({ width: d + c + (weights === null ? 0 : 1) });
  for (let row = 0; row < sampleCount; row += rows) {
    const end = Math.min(sampleCount, row + rows);
    yield { inputs: inputs.subarray(row * d, end * d), targets: targets.subarray(row * c, end * c), row };
    await pace.turn();
  }
}

/** In the same two arrays for every block: fresh ones would wait for the garbage collector. */
async function* fileRows(
  fit: FileDataset,
  file: FileSamples,
  signal: AbortSignal | undefined,
): AsyncGenerator<Rows, void> {
  const { width } = fit.layout;
  const [d, c] = [fit.inputSize, fit.outputSize];
  const rows = Math.min(fit.sampleCount, blockRows(fit.layout));
  const [inputs, targets] = [new Float64Array(rows * d), new Float64Array(rows * c)];
  for await (const { block, row } of fit.blocksInTurns(signal)) {
    const count = block.length / width;
    scalePart(block, width, 0, file.inputs, inputs);
    scalePart(block, width, d, file.targets, targets);
    yield { inputs: inputs.subarray(0, count * d), targets: targets.subarray(0, count * c), row };
  }
}

/** z = (x - offset) / scale of the columns from `first` on, as `scaleColumns` computes it. */
function scalePart(
  block: Float64Array,
  width: number,
  first: number,
  { offset, scale }: ColumnScaling,
  out: Float64Array,
): void {
  const columns = offset.length;
  for (let at = first, k = 0; at < block.length; at += width)
    for (let j = 0; j < columns; j++, k++) out[k] = (block[at + j]! - offset[j]!) / scale[j]!;
}
