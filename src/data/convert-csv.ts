// The public `convertCsv`: writes a table of numbers to a data file record by record, for tables larger than memory. The target may be one of
// classes: a file is then read twice, first for its classes, and a stream needs them by the option `classes`. A table whose reading
// needs all rows at once (categories, means in place of missing values) is refused; `readCsv` reads it. Users import `convertCsv`; the
// command gaussflow convert calls convertTable.
import { ReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { argumentError } from "../errors.js";
import { checkDistinct } from "../file-target.js";
import { checkPath, checkSignal, isObject } from "../options.js";
import { type CsvPlan, checkOptions } from "./check-csv-options.js";
import { classTargetNames, sortedClasses } from "./classes.js";
import { checkFoundClasses, classNote } from "./csv-classes.js";
import type { ColumnReader } from "./csv-column.js";
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
  /** Names of the target columns, in order; of classes "column=class". */
  readonly targetNames: readonly string[];
  /** Names of the classes, in the order of the target columns; null where the targets are numbers. */
  readonly classes: readonly string[] | null;
  /** Rows left out because a value is missing (rule `drop`) or their weight is 0. */
  readonly dropped: number;
  /** The assumptions about the table, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Converts a delimited table of numbers into a data file for `openDataFile`. Options are those of `readCsv` but `split`, `categorical`,
 * `encoding` and `missing: "mean"`. A target of texts or booleans becomes one column a class, as in `readCsv`; the table is then read
 * twice, and a stream needs the option `classes`.
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
  for (const name of ["split", "group", "order", "encoding", "categorical", "gradient"] as const)
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
  const found = await scanClasses(source, plan, signal);
  // Rows that are left out may have other texts in the target.
  const settled =
    found === null ? plan : { ...plan, task: "classification" as const, classes: found, unseen: "zeros" as const };
  const rows = new WrittenRows(path, sourceName(source), plan, signal);
  try {
    return rows.finish(await readRows(source, settled, rows, true), settled);
  } catch (error) {
    rows.abandon();
    throw error;
  }
}

/** True where the table can be read a second time. */
function isFile(source: string | Readable): source is string {
  return (
    typeof source === "string" && source !== "-" && (statSync(source, { throwIfNoEntry: false })?.isFile() ?? false)
  );
}

/** The classes of a target of texts in a file; null where the target is a number, or its classes are known. */
async function scanClasses(
  source: string | Readable,
  plan: CsvPlan,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | null> {
  if (plan.classes !== null || plan.task === "regression" || (plan.target?.length ?? 1) > 1 || !isFile(source))
    return null;
  const scan = new ClassScan(signal);
  try {
    const table = await readRows(source, plan, scan, true);
    return scan.classes(table, plan);
  } catch (error) {
    if (error === NUMBERS) return null;
    throw error;
  }
}

/** Ends the scan of a table whose target is a number. */
const NUMBERS = Symbol("the target is a number");

/** Collects the classes that readCsv finds: those of all rows that have all their values. */
class ClassScan implements RowSink {
  readonly #signal: AbortSignal | undefined;
  readonly #used = new Set<number>();
  #target: UsedColumn | null = null;
  #place = -1;
  #rows = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  begin(columns: readonly UsedColumn[]): void {
    this.#place = columns.findIndex(({ use }) => use.use === "target");
    this.#target = columns[this.#place]!;
  }

  row(values: Float64Array): void {
    this.#signal?.throwIfAborted();
    if (this.#target!.reader.kind === "numeric") throw NUMBERS;
    if (values.some(Number.isNaN)) return;
    this.#rows++;
    this.#used.add(values[this.#place]!);
  }

  classes({ file }: ReadTable, plan: CsvPlan): readonly string[] | null {
    const { use, reader } = this.#target!;
    if (reader.kind !== "categorical" || this.#rows === 0) return null;
    const texts = [...this.#used].map((code) => reader.texts[code]!);
    return checkFoundClasses(use, sortedClasses(texts), this.#rows, plan.wording, (message) =>
      tableError(file, message, { column: use.name }),
    );
  }
}

/** Writes the rows that have all their values, and a weight above 0. */
class WrittenRows implements RowSink {
  readonly #path: string;
  /** The table in errors. */
  readonly #source: string;
  readonly #plan: CsvPlan;
  readonly #signal: AbortSignal | undefined;
  #writer: DataFileWriter | null = null;
  /** The target of classes, or of what may be one. */
  #target: { readonly reader: ColumnReader; readonly name: string; readonly place: number } | null = null;
  #classes: readonly string[] | null = null;
  #counts: number[] = [];
  /** A row with one number a class; empty without classes. */
  #wide = new Float64Array(0);
  #weighted = false;
  /** Numbers of a row of the table that are written. The last one is the weight, if there is one. */
  #width = 0;
  #figures: Running[] = [];
  #dropped = 0;

  constructor(path: string, source: string, plan: CsvPlan, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#source = source;
    this.#plan = plan;
    this.#signal = signal;
  }

  begin(columns: readonly UsedColumn[]): void {
    const named = (part: ColumnUse["use"]) => namesOf(columns, part);
    const [weights, exposures] = [named("weight").length, named("exposure").length];
    this.#weighted = weights + exposures > 0;
    // An exposure beside a weight comes last, and is in the weight already.
    this.#width = columns.length - weights * exposures;
    const place = columns.findIndex(({ use }) => use.use === "target");
    const { use, reader } = columns[place]!;
    this.#target = { reader, name: use.name, place };
    this.#classes = use.classes;
    this.#counts = use.classes?.map(() => 0) ?? [];
    if (use.classes !== null) this.#wide = new Float64Array(columns.length - 1 + use.classes.length);
    this.#writer = new DataFileWriter(this.#path, {
      featureNames: named("input"),
      targetNames: use.classes === null ? named("target") : classTargetNames(use.name, use.classes),
      weighted: this.#weighted,
      classes: use.classes ?? undefined,
    });
    this.#figures = named("input").map(() => new Running());
  }

  row(values: Float64Array): void {
    this.#signal?.throwIfAborted();
    if (this.#classes === null && this.#target!.reader.kind === "categorical") this.#refuseTexts();
    const weight = this.#weighted ? values[this.#width - 1]! : 1;
    if (weight === 0 || values.some(Number.isNaN)) {
      this.#dropped++;
      return;
    }
    this.#writer!.add(this.#classes === null ? values.subarray(0, this.#width) : this.#oneHot(values));
    for (let k = 0; k < this.#figures.length; k++) this.#figures[k]!.add(values[k]!, weight);
  }

  /** The row with one number a class in place of the code of its class. */
  #oneHot(values: Float64Array): Float64Array {
    const { place } = this.#target!;
    const code = values[place]!;
    if (code < 0)
      throw tableError(
        this.#source,
        `, column ${JSON.stringify(this.#target!.name)}: has a class that it had not when it was first read: the table has changed meanwhile`,
      );
    this.#counts[code]!++;
    this.#wide.fill(0);
    this.#wide.set(values.subarray(0, place));
    this.#wide[place + code] = 1;
    if (this.#weighted) this.#wide[this.#wide.length - 1] = values[values.length - 1]!;
    return this.#wide;
  }

  /** Texts in the target of a table that cannot be read twice. */
  #refuseTexts(): never {
    const { name } = this.#target!;
    const { wording } = this.#plan;
    throw tableError(
      this.#source,
      `, column ${JSON.stringify(name)}: the target holds texts, and a table that is not a file is read once: name its classes (${wording.hint("classes", ["A", "B"])}), or take a numeric target (${wording.hint("target", "COLUMN")})`,
      { column: name },
    );
  }

  finish(table: ReadTable, plan: CsvPlan): Converted {
    const { file, columns, notes } = table;
    const writer = this.#writer!;
    if (writer.rows === 0) throw tableError(file, ": has no row without a missing value");
    writer.finish({
      columns: namesOf(columns, "input").map(
        (name, k): NumericColumn => ({ kind: "numeric", name, ...this.#figures[k]!.figures() }),
      ),
      ...readingOf(table, plan, this.#classes),
    });
    const target = columns.find(({ use }) => use.use === "target")!.use;
    const classes = this.#classes;
    return {
      rows: writer.rows,
      featureNames: namesOf(columns, "input"),
      targetNames: classes === null ? namesOf(columns, "target") : classTargetNames(target.name, classes),
      classes,
      dropped: this.#dropped,
      notes: [
        ...notes,
        ...columns.flatMap(({ use, reader }) => (use.classes === null ? reader.notes() : [])),
        ...(classes === null ? [] : [classNote(target, classes, this.#counts, plan.wording)]),
      ],
    };
  }

  abandon(): void {
    this.#writer?.abandon();
  }
}

function sourceName(source: string | Readable): string {
  return typeof source !== "string" ? "the stream" : source === "-" ? "standard input" : source;
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
