// The public `convertCsv`: writes a table of numbers to a data file record by record, for tables larger than memory. A table whose reading
// needs all rows at once (categories, means in place of missing values) is refused; `readCsv` reads it. Users import `convertCsv`; the
// command gaussflow convert calls convertTable.
import { ReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { argumentError } from "../errors.js";
import { checkDistinct } from "../file-target.js";
import { checkPath, checkSignal, isObject } from "../options.js";
import { type CsvPlan, checkOptions } from "./check-csv-options.js";
import type { CsvOptions } from "./csv-options.js";
import type { ColumnUse } from "./csv-roles.js";
import { namesOf, type ReadTable, type RowSink, readingOf, readRows, tableError, type UsedColumn } from "./csv-rows.js";
import { IN_CODE, type Wording } from "./csv-wording.js";
import type { NumericColumn } from "./encoding.js";
import { DataFileWriter } from "./write-data-file.js";

/** Options of `convertCsv`: those of `readCsv` that need no more than one row at a time. */
export interface ConvertOptions extends CsvOptions {
  /** Ends the conversion at its next row: no file is left, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The result of a conversion. */
export interface Converted {
  /** Rows in the file. */
  readonly rows: number;
  /** Names of the input columns, in order. */
  readonly featureNames: readonly string[];
  /** Names of the target columns, in order. */
  readonly targetNames: readonly string[];
  /** Rows left out because a value is missing (rule `drop`) or their weight is 0. */
  readonly dropped: number;
  /** The assumptions about the table, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Converts a delimited table of numbers into a data file for `openDataFile`. Options are those of `readCsv` but `split`, `categorical`,
 * `encoding` and `missing: "mean"`.
 * @param source a path (unpacked when it ends in .gz), "-" for standard input, or a readable stream
 * @throws GAUSSFLOW_ARGUMENT for options, GAUSSFLOW_DATA for the table (file, line, column, value), GAUSSFLOW_FILE for the output
 */
export async function convertCsv(
  source: string | Readable,
  path: string,
  given: ConvertOptions = {},
): Promise<Converted> {
  return convertTable(source, path, given, IN_CODE);
}

/** The same, with messages that name options as `wording` says. */
export async function convertTable(
  source: string | Readable,
  path: string,
  given: ConvertOptions,
  wording: Wording,
): Promise<Converted> {
  checkPath("path", path);
  if (!isObject(given)) throw argumentError("options", "must be an object of options", given);
  const { signal, ...options } = given;
  checkSignal("options.signal", signal);
  const plan = checkOptions(options, wording);
  for (const name of ["split", "group", "order", "encoding", "categorical"] as const)
    if (options[name] !== undefined)
      throw argumentError(
        wording.name(name),
        "is not possible for a table that is converted row by row",
        options[name],
      );
  if (plan.missing === "mean")
    throw argumentError(
      wording.name("missing"),
      'must be "error" or "drop" for a table that is converted row by row',
      "mean",
    );
  checkDistinct([
    { name: "source", path: sourcePath(source), written: false },
    { name: "path", path, written: true },
  ]);
  const rows = new WrittenRows(path, signal);
  try {
    return rows.finish(await readRows(source, plan, rows, true), plan);
  } catch (error) {
    rows.abandon();
    throw error;
  }
}

/** Writes the rows that have all their values, and a weight above 0. */
class WrittenRows implements RowSink {
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  #writer: DataFileWriter | null = null;
  #weighted = false;
  #figures: Running[] = [];
  #dropped = 0;

  constructor(path: string, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#signal = signal;
  }

  begin(columns: readonly UsedColumn[]): void {
    const named = (part: ColumnUse["use"]) => namesOf(columns, part);
    this.#weighted = named("weight").length > 0;
    this.#writer = new DataFileWriter(this.#path, {
      featureNames: named("input"),
      targetNames: named("target"),
      weighted: this.#weighted,
    });
    this.#figures = named("input").map(() => new Running());
  }

  row(values: Float64Array): void {
    this.#signal?.throwIfAborted();
    const weight = this.#weighted ? values[values.length - 1]! : 1;
    if (weight === 0 || values.some(Number.isNaN)) {
      this.#dropped++;
      return;
    }
    this.#writer!.add(values);
    for (let k = 0; k < this.#figures.length; k++) this.#figures[k]!.add(values[k]!, weight);
  }

  finish(table: ReadTable, plan: CsvPlan): Converted {
    const { file, columns, notes } = table;
    const writer = this.#writer!;
    if (writer.rows === 0) throw tableError(file, ": has no row without a missing value");
    writer.finish({
      columns: namesOf(columns, "input").map(
        (name, k): NumericColumn => ({ kind: "numeric", name, ...this.#figures[k]!.figures() }),
      ),
      ...readingOf(table, plan),
    });
    return {
      rows: writer.rows,
      featureNames: namesOf(columns, "input"),
      targetNames: namesOf(columns, "target"),
      dropped: this.#dropped,
      notes: [...notes, ...columns.flatMap(({ reader }) => reader.notes())],
    };
  }

  abandon(): void {
    this.#writer?.abandon();
  }
}

/** The path of a source that is a file. */
function sourcePath(source: string | Readable): string | undefined {
  if (source === "-") return "/dev/stdin";
  if (typeof source === "string") return source;
  return source instanceof ReadStream ? String(source.path) : undefined;
}

/** Mean and range of a column, as `fitEncoding` finds them. */
class Running {
  #total = 0;
  #mean = 0;
  #min = Infinity;
  #max = -Infinity;

  add(value: number, weight: number): void {
    if (weight === 0) return;
    this.#total += weight;
    this.#mean += 2 * ((value / 2 - this.#mean / 2) * (weight / this.#total));
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  figures(): { mean: number; min: number; max: number } {
    if (this.#total === 0) return { mean: 0, min: 0, max: 0 };
    return { mean: Math.min(Math.max(this.#mean, this.#min), this.#max), min: this.#min, max: this.#max };
  }
}
