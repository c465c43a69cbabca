// Standardizes columns, z = (x - offset) / scale, with the (weighted) mean as offset and the (weighted) population standard deviation as
// scale. Users call `standardize`; runs choose their units by it (run/prepare.ts). The scaling is stored with the model, and predictions
// apply it to raw inputs and undo it on outputs. A constant column has scale 1. A column is constant if its spread is at most n eps max|x|,
// the rounding of a single value that was computed in several ways, or too small to divide by (below 6e-309).
import { argumentError } from "../errors.js";
import { finish, Pace, STEP, type Steps } from "../event-loop-yield.js";
import { type BlockReader, type ColumnScaling, ColumnSummary, columnScaling } from "./column-moments.js";
import { FileDataset } from "./data-file.js";
import { Dataset } from "./dataset.js";

export type { ColumnScaling } from "./column-moments.js";

/** Scaling of inputs and targets, z = (x - offset) / scale. */
export interface Scaling {
  /** One entry an input, d. */
  readonly inputs: ColumnScaling;
  /** One entry a target, c. */
  readonly targets: ColumnScaling;
}

/** Means and standard deviations of inputs and targets. */
export function standardize(data: Dataset | FileDataset): Scaling {
  if (!(data instanceof Dataset || data instanceof FileDataset))
    throw argumentError(
      "data",
      "must be a Dataset or a FileDataset, as dataset(), readCsv() and openDataFile() make them",
      data,
    );
  const { inputSize: d, outputSize: c, weights } = data;
  if (data instanceof FileDataset) {
    const whole = run(columnScaling(data.layout.width, weights, data.summary), (read) => {
      let row = 0;
      for (const block of data.blocks()) {
        read(block, row);
        row += block.length / data.layout.width;
      }
    });
    return ofColumns(whole, d, c);
  }
  return {
    inputs: run(columnScaling(d, weights, null), (read) => read(data.inputs, 0)),
    targets: run(columnScaling(c, weights, null), (read) => read(data.targets, 0)),
  };
}

/**
 * The same, to the bit, in turns with the event loop.
 * @throws GAUSSFLOW_FILE where a data file has changed, and the signal's reason once it has been aborted
 */
export async function standardizeInTurns(
  data: Dataset | FileDataset,
  signal: AbortSignal | undefined,
): Promise<Scaling> {
  const { inputSize: d, outputSize: c, weights } = data;
  if (data instanceof FileDataset) {
    const whole = await runInTurns(columnScaling(data.layout.width, weights, data.summary), async (read) => {
      for await (const { block, row } of data.blocksInTurns(signal)) read(block, row);
    });
    return ofColumns(whole, d, c);
  }
  const pace = new Pace(signal);
  const shown = (values: Float64Array, columns: number) => async (read: BlockReader) => {
    const rows = Math.max(1, Math.floor(STEP / columns));
    for (let row = 0; row * columns < values.length; row += rows) {
      read(values.subarray(row * columns, (row + rows) * columns), row);
      await pace.turn();
    }
  };
  return {
    inputs: await runInTurns(columnScaling(d, weights, null), shown(data.inputs, d)),
    targets: await runInTurns(columnScaling(c, weights, null), shown(data.targets, c)),
  };
}

type Passes = Generator<BlockReader, ColumnScaling, void>;

function run(passes: Passes, show: (read: BlockReader) => void): ColumnScaling {
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    show(next.value);
  }
}

async function runInTurns(passes: Passes, show: (read: BlockReader) => Promise<void>): Promise<ColumnScaling> {
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    await show(next.value);
  }
}

/** Scaling of the columns of a file. The column of weights, if any, is computed along and left out. */
function ofColumns({ offset, scale }: ColumnScaling, d: number, c: number): Scaling {
  const part = (from: number, to: number) => ({ offset: offset.slice(from, to), scale: scale.slice(from, to) });
  return { inputs: part(0, d), targets: part(d, d + c) };
}

/** Offset 0 and scale 1: the run uses raw units. */
export function identityScaling(inputSize: number, outputSize: number): Scaling {
  const plain = (columns: number) => ({
    offset: new Float64Array(columns),
    scale: new Float64Array(columns).fill(1),
  });
  return { inputs: plain(inputSize), targets: plain(outputSize) };
}

/** Whether targets have units other than raw ones. */
export function scalesTargets(scaling: Scaling | null): boolean {
  if (scaling === null) return false;
  const { offset, scale } = scaling.targets;
  return offset.some((value) => value !== 0) || scale.some((value) => value !== 1);
}

/** z = (x - offset) / scale, a fresh array; `matrix` is [n x columns], row-major. */
export function scaleColumns(matrix: Float64Array, scaling: ColumnScaling): Float64Array {
  return finish(scaleSteps(matrix, scaling));
}

/** The same in pieces. */
export function* scaleSteps(matrix: Float64Array, { offset, scale }: ColumnScaling): Steps<Float64Array> {
  const columns = offset.length;
  const scaled = new Float64Array(matrix.length);
  for (let k = 0, j = 0; k < matrix.length; ) {
    for (const end = Math.min(matrix.length, k + STEP); k < end; k++) {
      scaled[k] = (matrix[k]! - offset[j]!) / scale[j]!;
      j = j + 1 === columns ? 0 : j + 1;
    }
    yield;
  }
  return scaled;
}

/** x = offset + scale z, a fresh array; the inverse of `scaleColumns`. */
export function unscaleColumns(matrix: Float64Array, scaling: ColumnScaling): Float64Array {
  const { offset, scale } = scaling;
  const columns = offset.length;
  const raw = new Float64Array(matrix.length);
  for (let k = 0, j = 0; k < matrix.length; k++) {
    raw[k] = offset[j]! + matrix[k]! * scale[j]!;
    j = j + 1 === columns ? 0 : j + 1;
  }
  return raw;
}

/** Rows between two looks at which columns are constant still. */
const LOOK = 1024;

/**
 * Names of the inputs that are constant over the rows of non-zero weight, by the rule of `standardize`: they carry no information. Reads as
 * far as it must, in turns with the event loop.
 */
export async function constantInputs(data: Dataset | FileDataset, signal?: AbortSignal): Promise<string[]> {
  const { inputSize: d, weights, featureNames, sampleCount } = data;
  if (data instanceof FileDataset) return featureNames.filter((_, j) => data.summary.isConstant(j));
  const rows = weights === null ? sampleCount : weights.reduce((count, weight) => count + (weight === 0 ? 0 : 1), 0);
  const summary = new ColumnSummary(d);
  const pace = new Pace(signal);
  let constant = Array.from(featureNames.keys());
  for (let row = 0; row < sampleCount && constant.length > 0; row += LOOK) {
    summary.add(data.inputs.subarray(row * d, (row + LOOK) * d), row, weights);
    // A spread beyond the bound stays beyond it: another row widens the spread at least as much as the largest magnitude.
    constant = constant.filter((j) => summary.isConstant(j, rows));
    await pace.turn();
  }
  return constant.map((j) => featureNames[j]!);
}

/** The warning about constant inputs: no sentence or one. */
export async function constantWarnings(data: Dataset | FileDataset, signal?: AbortSignal): Promise<string[]> {
  const names = await constantInputs(data, signal);
  return names.length === 0 ? [] : [`constant in the training rows, so of no use: ${names.join(", ")}`];
}
