// Defines the rows that replace those of an engine in memory (`Engine.load`) and checks them, for both engines: a batch method loads the next
// batch into the engine that it made for batches of this size.
import { argumentError } from "../errors.js";
import { checkDoubles, checkOptionNames, isObject } from "../options.js";

/** As many rows as the engine has. The engine copies them; the caller may use the arrays again. */
export interface EngineRows {
  /** n x d, row-major, in the units of training. */
  readonly inputs: Float64Array;
  /** n x k, row-major, in the units of training: what the engine's loss needs, which is not checked anew. */
  readonly targets: Float64Array;
  /** One non-negative weight a row: there if and only if the engine was created with weights. */
  readonly weights?: Float64Array | undefined;
}

/** What the rows of an engine must be. */
export interface RowSizes {
  readonly sampleCount: number;
  readonly inputSize: number;
  /** Targets of a row, k. */
  readonly targetSize: number;
  readonly weighted: boolean;
}

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkEngineRows(rows: EngineRows, { sampleCount: n, inputSize, targetSize, weighted }: RowSizes): void {
  if (!isObject(rows)) throw argumentError("rows", "must be an object with inputs and targets", rows);
  checkOptionNames("rows", rows, ["inputs", "targets", "weights"]);
  const { inputs, targets, weights } = rows;
  checkDoubles("rows.inputs", inputs, n * inputSize);
  checkDoubles("rows.targets", targets, n * targetSize);
  if (!weighted && weights === undefined) return;
  if (!weighted) throw argumentError("rows.weights", "must be absent: the engine was created without weights", weights);
  if (weights === undefined)
    throw argumentError("rows.weights", "must be given: the engine was created with weights", weights);
  checkWeights("rows.weights", weights, n);
}

/** One finite weight of at least 0 a row. @throws GAUSSFLOW_ARGUMENT naming the first that is not */
export function checkWeights(name: string, weights: Float64Array, count: number): void {
  checkDoubles(name, weights, count);
  for (let i = 0; i < count; i++)
    if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY))
      throw argumentError(`${name}[${i}]`, "must be a finite number of at least 0", weights[i]);
}

/** What `load` says of an engine whose rows are in a file. */
export const ROWS_OF_A_FILE = "the engine reads its rows from a file: create one on rows in memory to load others";
