// Defines the data set of the library (`Dataset`): n samples of d inputs and c targets in raw units, with optional sample weights, and its
// division into parts. `dataset` (dataset-input.ts) and `readCsv` make data sets; `train`, `flow`, `trainMany`, `crossValidate` and the
// command line take them. A division recomputes the values learned from the table (means that fill missing values, ranges) on the training part
// alone, so that no information about held-out rows enters the training.
import { argumentError, GaussflowError } from "../errors.js";
import { copySteps, finish, STEP, type Steps } from "../event-loop-yield.js";
import { checkOptionNames, isTypedNumbers } from "../options.js";
import { checkFields, type DatasetFields } from "./dataset-fields.js";
import { encodedSize, fillValues, fitEncoding, type TableEncoding } from "./encoding.js";
import { selectSteps } from "./select.js";
import { checkPartition, drawSteps, PART_NAMES, type Partition, partitionSteps, type SplitOptions } from "./split.js";

export type { DatasetFields } from "./dataset-fields.js";
export type { Partition, SplitOptions } from "./split.js";

/** The parts of a data set; null for a part that was not requested. */
export interface DatasetParts {
  /** The rows to train on. */
  readonly train: Dataset;
  /** The rows that decide when to stop; null if there are none. */
  readonly validation: Dataset | null;
  /** The rows that are held out to the end; null if there are none. */
  readonly test: Dataset | null;
}

/** A data set, made by `dataset` or `readCsv`. Its arrays must not be changed. */
export class Dataset {
  /** [n x d], row-major, raw units, all finite. */
  readonly inputs: Float64Array;
  /** [n x c], row-major, raw units, all finite; empty (c = 0) for a table read for prediction. Classes are one-hot, one column a class. */
  readonly targets: Float64Array;
  /** n sample weights >= 0, not all zero; null = all 1. */
  readonly weights: Float64Array | null;
  /** Derivatives of the targets by the inputs [n x c x d], raw units, all finite; null for none. `derivativeData` trains on them. */
  readonly gradients: Float64Array | null;
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** Inputs of a sample, d. */
  readonly inputSize: number;
  /** Targets of a sample, c. */
  readonly outputSize: number;
  /** Names of the d inputs. */
  readonly featureNames: readonly string[];
  /** Names of the c targets; of classes "column=class". */
  readonly targetNames: readonly string[];
  /** Names of the c classes, in the order of the target columns, where the data set is a classification; else null. */
  readonly classes: readonly string[] | null;
  /** How the columns of a table became inputs; null for data given in code. */
  readonly encoding: TableEncoding | null;
  /** Row of the file (from 1, header not counted) of each sample; null for data given in code. */
  readonly rows: Uint32Array | null;
  /** Part of each sample by the split column: 0 train, 1 validation, 2 test; null without such a column. */
  readonly parts: Uint8Array | null;
  /** Group of each sample, a number from 0; splits and folds keep the rows of a group together. Null without groups. */
  readonly groups: Uint32Array | null;
  /** The order for splits and folds, such as a time, one number a sample; null without an order. */
  readonly order: Float64Array | null;
  /** The decisions of the reader, in sentences (dropped rows, filled values, categories). */
  readonly notes: readonly string[];
  /** Positions in `inputs` whose values were missing and are filled in, ascending. */
  readonly #missing: Uint32Array | null;

  /** Takes the arrays without a copy; `dataset` and `readCsv` have checked their contents. */
  constructor(fields: DatasetFields) {
    checkFields(fields);
    this.inputs = fields.inputs;
    this.targets = fields.targets;
    this.weights = fields.weights;
    this.gradients = fields.gradients ?? null;
    this.featureNames = fields.featureNames;
    this.targetNames = fields.targetNames;
    this.classes = fields.classes ?? null;
    this.inputSize = fields.featureNames.length;
    this.outputSize = fields.targetNames.length;
    this.sampleCount = fields.inputs.length / this.inputSize;
    this.encoding = fields.encoding ?? null;
    this.rows = fields.rows ?? null;
    this.parts = fields.parts ?? null;
    this.groups = fields.groups ?? null;
    this.order = fields.order ?? null;
    this.notes = fields.notes ?? [];
    this.#missing = fields.missing ?? null;
  }

  /** Number of input values that were missing and are filled in. */
  get missingCount(): number {
    return this.#missing?.length ?? 0;
  }

  /**
   * A copy of the given rows (from 0), in the given order; a row may come twice. Filled-in values and encoding stay as they
   * are: for the folds of a cross-validation use `partition`, which recomputes them on the training part.
   */
  select(indices: ArrayLike<number>): Dataset {
    checkRows("indices", indices, this.sampleCount);
    return finish(selectedSteps(this, indices));
  }

  /**
   * Cuts the data into disjoint parts. With a split column its values decide and fractions are refused; else `validation` and
   * `test` are fractions of the rows, drawn by `seed`. All rows of a group land in the same part; where the data have an order nothing
   * is drawn, and the last rows are held out. The parts of classes have the same shares of each class (`stratify`).
   * @throws GAUSSFLOW_ARGUMENT (fractions), GAUSSFLOW_DATA (a part would be empty, or its weights are all zero)
   */
  split(options: SplitOptions = {}): DatasetParts {
    return finish(splitSteps(this, options));
  }

  /** Cuts by given row numbers (from 0); rows named in no part are left out. Fills and encoding are those of `train`. */
  partition(rows: {
    /** Rows to train on, from 0. */
    train: ArrayLike<number>;
    /** Rows to decide by when to stop, from 0. */
    validation?: ArrayLike<number> | null;
    /** Rows to hold out to the end, from 0. */
    test?: ArrayLike<number> | null;
  }) {
    checkOptionNames("rows", rows, PART_NAMES);
    const list = (part: (typeof PART_NAMES)[number]) => {
      const given = rows[part];
      if (given === undefined || given === null) return null;
      checkRows(`rows.${part}`, given, this.sampleCount);
      return new Uint32Array(given);
    };
    const train = list("train");
    if (train === null) throw argumentError("rows.train", "must name the rows that are trained on", rows.train);
    const sets: Partition = { train, validation: list("validation"), test: list("test") };
    checkPartition(sets, this.sampleCount);
    return finish(partSteps(this, sets));
  }

  /** This data set with fills, means and ranges computed from all its rows, for training on the whole set. */
  fitted(): Dataset {
    return finish(fittedSteps(this));
  }

  /** All fields of this data set, as `new Dataset` takes them, also in another thread. */
  fields(): DatasetFields {
    return { ...this, missing: this.#missing };
  }
}

/**
 * Throws GAUSSFLOW_DATA when none of the rows has a weight above 0.
 * @param which the rows, in the words of the error
 */
export function checkWeighted({ weights, sampleCount }: Dataset, rows: Uint32Array, which: string): void {
  if (weights === null || rows.some((row) => weights[row] !== 0)) return;
  const weighted = weights.reduce((count, weight) => count + Number(weight !== 0), 0);
  throw new GaussflowError(
    "GAUSSFLOW_DATA",
    `the ${rows.length} rows ${which} have sample weights that are all zero (${weighted} of ${sampleCount} rows ${weighted === 1 ? "has" : "have"} a weight above 0): take another seed or other fractions, or hold out no rows`,
    { rows: rows.length, weighted },
  );
}

/** `set.select(indices)` in pieces; the indices are those of rows. */
export function* selectedSteps(set: Dataset, indices: ArrayLike<number>): Steps<Dataset> {
  const fields = yield* selectSteps(set.fields(), indices);
  if (fields.weights?.every((weight) => weight === 0))
    throw new GaussflowError("GAUSSFLOW_DATA", "the sample weights of the selected rows are all zero", {
      rows: indices.length,
    });
  return new Dataset(fields);
}

/** `set.split(options)` in pieces. */
export function* splitSteps(set: Dataset, options: SplitOptions = {}): Steps<DatasetParts> {
  if (set.parts === null) return yield* partSteps(set, yield* drawSteps(set.sampleCount, options, set));
  if ((options.validation ?? 0) !== 0 || (options.test ?? 0) !== 0)
    throw argumentError(
      "options",
      "must not give fractions: the table's split column already names the parts",
      options,
    );
  return yield* partSteps(set, yield* partitionSteps(set.parts));
}

/** The parts of given rows in pieces; fills and encoding are those of the rows to train on. */
export function* partSteps(set: Dataset, rows: Partition): Steps<DatasetParts> {
  const parts = { train: null, validation: null, test: null } as Record<(typeof PART_NAMES)[number], Dataset | null>;
  for (const name of PART_NAMES) {
    const those = rows[name];
    if (those === null) continue;
    checkWeighted(set, those, name === "train" ? "to train on" : `drawn for ${name}`);
    parts[name] = yield* selectedSteps(set, those);
  }
  const { train: fit, validation, test } = parts;
  const encoding = yield* fittedEncoding(fit!);
  return {
    train: yield* withEncoding(fit!, encoding),
    validation: validation && (yield* withEncoding(validation, encoding)),
    test: test && (yield* withEncoding(test, encoding)),
  };
}

/** `set.fitted()` in pieces. */
export function* fittedSteps(set: Dataset): Steps<Dataset> {
  return yield* withEncoding(set, yield* fittedEncoding(set));
}

function* fittedEncoding(set: Dataset): Steps<TableEncoding | null> {
  const { encoding, inputs, weights } = set;
  return encoding && (yield* fitEncoding(encoding, inputs, set.fields().missing ?? null, weights));
}

function* withEncoding(set: Dataset, encoding: TableEncoding | null): Steps<Dataset> {
  if (encoding === null) return set;
  const { missing = null, ...fields } = set.fields();
  let { inputs } = set;
  if (missing !== null && missing.length > 0) {
    const fill = fillValues(encoding);
    const d = encodedSize(encoding);
    inputs = yield* copySteps(inputs);
    for (let k = 0; k < missing.length; k++) {
      const place = missing[k]!;
      inputs[place] = fill[place % d]!;
      if (k % STEP === STEP - 1) yield;
    }
  }
  return new Dataset({ ...fields, missing, inputs, encoding });
}

/** Row numbers, at least one. */
function checkRows(name: string, rows: ArrayLike<number>, n: number): void {
  if (!Array.isArray(rows) && !isTypedNumbers(rows)) throw argumentError(name, "must be an array of row numbers", rows);
  if (rows.length === 0) throw argumentError(name, "must name at least one row", rows);
  for (let i = 0; i < rows.length; i++) {
    const row: unknown = rows[i];
    if (!Number.isInteger(row) || (row as number) < 0 || (row as number) >= n)
      throw argumentError(name, `must hold integers from 0 to ${n - 1}`, row);
  }
}
