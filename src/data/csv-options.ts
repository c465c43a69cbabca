// Defines the options of `readCsv` (CsvOptions) with their documentation. Users and the command line (table-options.ts) fill them;
// check-csv-options.ts checks them.
import type { Task } from "./classes.js";
import type { MissingRule, TableEncoding } from "./encoding.js";

/** Encoding of the text of a table. */
export type Charset = "utf8" | "latin1";

/** A column by its name, or by its place from 0 (from the end when negative). */
export type ColumnReference = string | number;

/** Options of `readCsv`. */
export interface CsvOptions {
  /** Target columns, one or several of numbers, or one of classes. Default: the last column without another role. */
  readonly target?: ColumnReference | readonly ColumnReference[] | undefined;
  /**
   * What the target is. `auto` (default): a single target column of texts or booleans is a classification, noted; any other is a regression,
   * also numbers of few different values. `classification`: each different value of the target column is a class, numbers too.
   * `regression`: targets are numbers, and true and false are 1 and 0.
   */
  readonly task?: Task | undefined;
  /**
   * The classes of the target column, in the order of the outputs; any other value is an error. It makes the task a classification. Default:
   * the classes in the table, by value where all are numbers, else by code units; true and false in any spelling are "false" and "true".
   */
  readonly classes?: readonly string[] | undefined;
  /** Columns to leave out. */
  readonly ignore?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Columns that are read as categories although their values are numbers. */
  readonly categorical?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Columns in which any text that is not a number is an error. */
  readonly numeric?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Column of sample weights (>= 0, not all zero). */
  readonly weights?: ColumnReference | undefined;
  /**
   * Column of exposures (> 0): the time, area or population over which the counts in the target columns were taken. As with `withExposure`,
   * targets become rates (counts by exposure), and weights are multiplied by the exposure; a training needs the loss `poisson`. With
   * `encoding`, a table without targets has its exposures as weights.
   */
  readonly exposure?: ColumnReference | undefined;
  /**
   * Columns of the derivatives of the targets by the inputs: all of the first target in the order of the inputs, then those of the next. All
   * inputs must be numbers. `derivativeData` trains on them.
   */
  readonly gradient?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Column that says train, validation or test for each row; see `Dataset.split`. */
  readonly split?: ColumnReference | undefined;
  /**
   * Column of groups (a patient, a batch, a device): all rows with the same value are in the same part of a split and in the same fold. It is
   * no input.
   */
  readonly group?: ColumnReference | undefined;
  /**
   * Column of numbers or dates by which splits and folds are ordered: later rows are held out, and none is drawn at random. It is no input.
   * `true`: the order of the rows in the table.
   */
  readonly order?: ColumnReference | true | undefined;
  /** Columns of dates (ISO 8601, such as 2024-05-17 or 2024-05-17T08:30Z), read as days since 1970-01-01 UTC. */
  readonly dates?: ColumnReference | readonly ColumnReference[] | undefined;
  /**
   * Default: the first row is a header when it names a column used here, when it has a text where the next row has a number, or when it is
   * a run of years over numbers. What was guessed is among the notes.
   */
  readonly header?: boolean | undefined;
  /** The row below the header holds units, and is left out. Default false. */
  readonly unitsRow?: boolean | undefined;
  /** Lines to leave out at the beginning of the table. Default 0. */
  readonly skip?: number | undefined;
  /** Lines that begin with this text, such as "#", are left out. Default: none are. */
  readonly comment?: string | undefined;
  /**
   * One character; a space stands for any run of spaces and tabs. Default: that of a first line such as "sep=;", else found among tab,
   * semicolon, bar, comma and runs of blanks.
   */
  readonly delimiter?: string | undefined;
  /** Default "." */
  readonly decimal?: "." | "," | undefined;
  /** Sign between groups of three digits: "," "." "'" or " ". Default: none, and such numbers are refused. */
  readonly thousands?: string | undefined;
  /**
   * Rows with missing values: `error` (default) refuses the table, `drop` leaves them out, `mean` fills inputs with the mean
   * of the training part (of a categorical column: with the shares of its categories) and leaves out rows without a target.
   */
  readonly missing?: MissingRule | undefined;
  /**
   * Texts that stand for a missing value, any case, in place of the default ones; the empty text always does. Default: NA, N/A, NaN, -NaN,
   * null, None, <NA>, ?, -, . and the error values of spreadsheets and C (#N/A, #DIV/0!, 1.#QNAN, ...).
   */
  readonly missingValues?: readonly string[] | undefined;
  /** A column with more categories is refused. Default 50; classes of the target may be 1000 in any case. */
  readonly maxCategories?: number | undefined;
  /** Default "utf8". */
  readonly charset?: Charset | undefined;
  /** Longest record in characters: a guard against a quote that is never closed. Default 4,000,000. */
  readonly maxRecordLength?: number | undefined;
  /**
   * What the process may use, in bytes; a table that needs more is refused with the number of rows read so far. Default: half of the
   * memory of the machine or of the control group. No bound for `convertCsv`, which holds no rows.
   */
  readonly memoryLimit?: number | undefined;
  /** Reads the table as this model's training table was read: columns by name, extra ones ignored. For prediction. */
  readonly encoding?: TableEncoding | undefined;
  /** With `encoding`: `auto` (default) reads the targets when the table has them, `require` insists, `ignore` does not look. */
  readonly targets?: "auto" | "require" | "ignore" | undefined;
  /** With `encoding`: a category not seen in training is an `error` (default), or becomes all `zeros`. */
  readonly unseen?: "error" | "zeros" | undefined;
}
