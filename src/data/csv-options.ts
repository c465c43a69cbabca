// The options of readCsv, checked: misspelt names, wrong types and combinations that contradict each other are refused by
// name before the file is opened.
import { argumentError, GaussflowError } from "../errors.js";
import { suggestion } from "../suggest.js";
import { DEFAULT_MISSING_VALUES } from "./csv-number.js";
import type { Charset } from "./csv-source.js";
import type { MissingRule, TableEncoding } from "./encoding.js";
import { encodingFromJson } from "./encoding-json.js";

/** A column by its name, or by its place from 0 (from the end when negative). */
export type ColumnReference = string | number;

export interface CsvOptions {
  /** What to predict: one column or several, numeric. Default: the last column that has no other part to play. */
  readonly target?: ColumnReference | readonly ColumnReference[] | undefined;
  readonly ignore?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Columns to be read as categories although their values are numbers. */
  readonly categorical?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Columns in which any text that is not a number is an error. */
  readonly numeric?: ColumnReference | readonly ColumnReference[] | undefined;
  /** Column of sample weights (>= 0, not all zero). */
  readonly weights?: ColumnReference | undefined;
  /** Column that says train, validation or test for each row; see `Dataset.split`. */
  readonly split?: ColumnReference | undefined;
  /** Default: the first row is a header when it names a column used here, or holds no number. */
  readonly header?: boolean | undefined;
  /** One character. Default: found among comma, semicolon, tab and bar. */
  readonly delimiter?: string | undefined;
  /** Default "." */
  readonly decimal?: "." | "," | undefined;
  /**
   * Rows with missing values: `error` (default) refuses the table, `drop` leaves them out, `mean` fills inputs with the mean
   * of the training part (of a categorical column: with the shares of its categories) and leaves out rows without a target.
   */
  readonly missing?: MissingRule | undefined;
  /** Texts that stand for a missing value, any case; the empty text always does. Default: NA, N/A, NaN, null, ? */
  readonly missingValues?: readonly string[] | undefined;
  /** A column with more categories is refused. Default 50. */
  readonly maxCategories?: number | undefined;
  /** Default "utf8". */
  readonly charset?: Charset | undefined;
  /** Longest record in characters: a guard against a quote that is never closed. Default 4,000,000. */
  readonly maxRecordLength?: number | undefined;
  /** Reads the table as this model's training table was read: columns by name, extra ones ignored. For prediction. */
  readonly encoding?: TableEncoding | undefined;
  /** With `encoding`: `auto` (default) reads the targets when the table has them, `require` insists, `ignore` does not look. */
  readonly targets?: "auto" | "require" | "ignore" | undefined;
  /** With `encoding`: a category not seen in training is an `error` (default), or becomes all `zeros`. */
  readonly unseen?: "error" | "zeros" | undefined;
}

/** CsvOptions with defaults in place; null = not given. */
export interface CsvPlan {
  readonly target: readonly ColumnReference[] | null;
  readonly ignore: readonly ColumnReference[];
  readonly categorical: readonly ColumnReference[];
  readonly numeric: readonly ColumnReference[];
  readonly weights: ColumnReference | null;
  readonly split: ColumnReference | null;
  readonly header: boolean | null;
  readonly delimiter: string | null;
  readonly decimal: "." | ",";
  readonly missing: MissingRule;
  readonly missingValues: readonly string[];
  readonly maxCategories: number;
  readonly charset: Charset;
  readonly maxRecordLength: number;
  readonly encoding: TableEncoding | null;
  readonly targets: "auto" | "require" | "ignore";
  readonly unseen: "error" | "zeros";
}

const NAMES = [
  "target",
  "ignore",
  "categorical",
  "numeric",
  "weights",
  "split",
  "header",
  "delimiter",
  "decimal",
  "missing",
  "missingValues",
  "maxCategories",
  "charset",
  "maxRecordLength",
  "encoding",
  "targets",
  "unseen",
] as const satisfies readonly (keyof CsvOptions)[];

function reference(name: string, value: unknown): ColumnReference {
  if ((typeof value === "string" && value !== "") || (typeof value === "number" && Number.isInteger(value)))
    return typeof value === "string" ? value.trim() : value;
  throw argumentError(`options.${name}`, "must be a column's name or its place (an integer)", value);
}

function references(name: string, value: unknown): ColumnReference[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((one, i) => reference(`${name}[${i}]`, one)) : [reference(name, value)];
}

function choice<T>(name: string, value: unknown, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  if (!allowed.includes(value as T))
    throw argumentError(`options.${name}`, `must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}`, value);
  return value as T;
}

function count(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1)
    throw argumentError(`options.${name}`, "must be a positive integer", value);
  return value;
}

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function checkOptions(options: CsvOptions): CsvPlan {
  if (options === null || typeof options !== "object" || Array.isArray(options))
    throw argumentError("options", "must be an object", options);
  for (const name of Object.keys(options))
    if (!(NAMES as readonly string[]).includes(name))
      throw argumentError(`options.${name}`, `is no option of readCsv; ${suggestion(name, NAMES)}`, name);

  const encoding =
    options.encoding === undefined
      ? null
      : encodingFromJson(
          options.encoding,
          (rule) => new GaussflowError("GAUSSFLOW_ARGUMENT", `options.${rule}`, { argument: "options.encoding", rule }),
        );
  for (const name of ["target", "ignore", "categorical", "numeric", "maxCategories", "weights"] as const)
    if (encoding !== null && options[name] !== undefined)
      throw argumentError(
        `options.${name}`,
        "must not be given together with an encoding, which settles it",
        options[name],
      );
  for (const name of ["targets", "unseen"] as const)
    if (encoding === null && options[name] !== undefined)
      throw argumentError(`options.${name}`, "needs an encoding", options[name]);

  const target = references("target", options.target);
  if (options.target !== undefined && target.length === 0)
    throw argumentError("options.target", "must name at least one column", options.target);
  const decimal = choice("decimal", options.decimal, [".", ","] as const, encoding?.decimal ?? ".");
  const { delimiter, missingValues } = options;
  if (delimiter !== undefined && (typeof delimiter !== "string" || !/^[^"\r\n\p{L}\p{N}.+-]$/u.test(delimiter)))
    throw argumentError(
      "options.delimiter",
      "must be one character, not a quote, letter, digit or part of a number",
      delimiter,
    );
  if (delimiter !== undefined && delimiter === decimal)
    throw argumentError("options.delimiter", "must differ from the decimal sign", delimiter);
  if (
    missingValues !== undefined &&
    !(Array.isArray(missingValues) && missingValues.every((value) => typeof value === "string"))
  )
    throw argumentError("options.missingValues", "must be a list of texts", missingValues);
  const header = choice("header", options.header, [true, false], null as unknown as boolean) as boolean | null;
  return {
    target: options.target === undefined ? null : target,
    ignore: references("ignore", options.ignore),
    categorical: references("categorical", options.categorical),
    numeric: references("numeric", options.numeric),
    weights: options.weights === undefined ? null : reference("weights", options.weights),
    split: options.split === undefined ? null : reference("split", options.split),
    header: header ?? encoding?.header ?? null,
    delimiter: delimiter ?? null,
    decimal,
    missing: choice("missing", options.missing, ["error", "drop", "mean"] as const, encoding?.missing ?? "error"),
    missingValues: missingValues ?? encoding?.missingValues ?? DEFAULT_MISSING_VALUES,
    maxCategories: count("maxCategories", options.maxCategories, 50),
    charset: choice("charset", options.charset, ["utf8", "latin1"] as const, "utf8"),
    maxRecordLength: count("maxRecordLength", options.maxRecordLength, 4_000_000),
    encoding,
    targets: choice("targets", options.targets, ["auto", "require", "ignore"] as const, "auto"),
    unseen: choice("unseen", options.unseen, ["error", "zeros"] as const, "error"),
  };
}
