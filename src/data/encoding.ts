// Defines the encoding of a table: how its columns become the inputs of a network. `readCsv` and `convertCsv` make it, data files and
// models store it, and `gaussflow predict` reads raw tables by it.
//   numeric column      -> one input, the number
//   categorical column  -> one input a category, 1 for the row's category and 0 for the others (one-hot), in stored order
// Means and ranges are those of the training part. The encoding is plain JSON; encoding-json.ts checks it when it is read back.

import { STEP, type Steps } from "../event-loop-yield.js";

/** Rule for rows in which a value is missing. */
export type MissingRule = "error" | "drop" | "mean";

/** A column of numbers: one input. */
export interface NumericColumn {
  /** Distinguishes the two kinds of columns. */
  readonly kind: "numeric";
  /** Name in the table. */
  readonly name: string;
  /** Mean over the training rows (by sample weight), which replaces missing values under the rule `mean`. */
  readonly mean: number;
  /** Range seen in training; see `outOfRange`. */
  readonly min: number;
  /** The largest value seen in training. */
  readonly max: number;
}

/** A column of categories: one input a category, 1 for the row's own and 0 for the others. */
export interface CategoricalColumn {
  /** Distinguishes the two kinds of columns. */
  readonly kind: "categorical";
  /** Name in the table. */
  readonly name: string;
  /** In the order of the inputs. */
  readonly categories: readonly string[];
  /** Share of each category among the training rows (by sample weight): the one-hot columns' means, used like `mean`. */
  readonly shares: readonly number[];
}

/** A column of a table that became inputs. */
export type InputColumn = NumericColumn | CategoricalColumn;

/** How the columns of a table became the inputs of a network. It is saved with the model, which then predicts raw tables. */
export interface TableEncoding {
  /** In the order of the network's inputs. */
  readonly columns: readonly InputColumn[];
  /** Names of the target columns, in the order of the outputs; the one column of classes. */
  readonly targets: readonly string[];
  /** Column of sample weights, or null. */
  readonly weights: string | null;
  /** Column of exposures by which the targets, counts, are divided, and which multiply the weights; not there where there is none. */
  readonly exposure?: string;
  /** Had the training table a header? Without, columns are called "column 1", "column 2", ... */
  readonly header: boolean;
  /** Character between the fields. */
  readonly delimiter: string;
  /** Decimal sign of its numbers. */
  readonly decimal: "." | ",";
  /** Sign between groups of three digits; none where it is not there. */
  readonly thousands?: string;
  /** Classes of the one target column, in the order of the outputs; not there where targets are numbers. */
  readonly classes?: readonly string[];
  /** Columns whose dates are read as days since 1970-01-01; none where it is not there. */
  readonly dates?: readonly string[];
  /** Rule for rows with missing values in training. */
  readonly missing: MissingRule;
  /** Texts that stand for a missing value, compared without regard to case. */
  readonly missingValues: readonly string[];
}

/** Number of network outputs that the targets of the table become. */
export function encodedTargets({ targets, classes }: TableEncoding): number {
  return classes?.length ?? targets.length;
}

/** Number of network inputs that a column becomes. */
export function width(column: InputColumn): number {
  return column.kind === "numeric" ? 1 : column.categories.length;
}

/** Number of network inputs of the whole table. */
export function encodedSize(encoding: TableEncoding): number {
  return encoding.columns.reduce((sum, column) => sum + width(column), 0);
}

/** Names of the network's inputs: the column's, or "column=category". */
export function inputNames(columns: readonly InputColumn[]): string[] {
  return columns.flatMap((column) =>
    column.kind === "numeric" ? [column.name] : column.categories.map((category) => `${column.name}=${category}`),
  );
}

/** Replacements of missing values, one number a network input. */
export function fillValues(encoding: TableEncoding): Float64Array {
  return Float64Array.from(
    encoding.columns.flatMap((column) => (column.kind === "numeric" ? [column.mean] : column.shares)),
  );
}

/**
 * The encoding with means, shares and ranges taken from the given rows (all of them training rows), in pieces.
 * @param inputs [n x d] row-major; values at missing places are not read
 * @param missing places in `inputs` without a value, ascending
 * @returns the column keeps its former figures where no row has a value
 */
export function* fitEncoding(
  encoding: TableEncoding,
  inputs: Float64Array,
  missing: Uint32Array | null,
  weights: Float64Array | null,
): Steps<TableEncoding> {
  const d = encodedSize(encoding);
  const n = inputs.length / d;
  const total = new Float64Array(d);
  const means = new Float64Array(d);
  const min = new Float64Array(d).fill(Infinity);
  const max = new Float64Array(d).fill(-Infinity);
  let next = 0;
  const piece = Math.max(1, Math.floor(STEP / d));
  for (let i = 0; i < n; i++) {
    if (i % piece === piece - 1) yield;
    const weight = weights === null ? 1 : weights[i]!;
    for (let j = 0, k = i * d; j < d; j++, k++) {
      if (missing !== null && missing[next] === k) {
        next++;
        continue;
      }
      const value = inputs[k]!;
      if (weight === 0) continue; // a row of weight zero takes no part in training
      total[j]! += weight;
      // A running mean cannot overflow where a sum would: halves first, so that the difference stays finite too.
      means[j]! += 2 * ((value / 2 - means[j]! / 2) * (weight / total[j]!));
      if (value < min[j]!) min[j] = value;
      if (value > max[j]!) max[j] = value;
    }
  }
  let first = 0;
  const columns = encoding.columns.map((column): InputColumn => {
    const j = first;
    first += width(column);
    if (total[j] === 0) return column;
    if (column.kind === "categorical") return { ...column, shares: Array.from(means.subarray(j, first)) };
    // Rounding may carry the running mean just past the range.
    const mean = Math.min(Math.max(means[j]!, min[j]!), max[j]!);
    return { ...column, mean, min: min[j]!, max: max[j]! };
  });
  return { ...encoding, columns };
}
