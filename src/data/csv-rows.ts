// Turns the records of a table into rows of numbers: the first records determine header and columns, then each record becomes one row with
// one number per used column. read-csv.ts and convert-csv.ts call it once for each table; it calls csv-source.ts, csv-sniff.ts,
// csv-records.ts, csv-roles.ts and csv-column.ts.
import type { Readable } from "node:stream";
import { GaussflowError } from "../errors.js";
import type { CsvPlan } from "./check-csv-options.js";
import { type Cells, TextCells } from "./csv-cells.js";
import { ColumnReader, type ColumnRules, type Complain } from "./csv-column.js";
import { MissingTexts } from "./csv-number.js";
import { forEachRecord } from "./csv-records.js";
import { type ColumnUse, settleRoles, type TableRoles } from "./csv-roles.js";
import { sniffDelimiter } from "./csv-sniff.js";
import { openTable } from "./csv-source.js";
import { commentHint, skipHint } from "./csv-wording.js";
import type { TableEncoding } from "./encoding.js";
import { PART_NAMES } from "./split.js";

export interface UsedColumn {
  readonly use: ColumnUse;
  readonly reader: ColumnReader;
}

/** What is done with the rows. */
export interface RowSink {
  /** Called once, before the first row. */
  begin(columns: readonly UsedColumn[], roles: TableRoles): void;
  /** One number a used column, NaN where it is missing; the array is reused. */
  row(values: Float64Array, line: number): void;
}

export interface ReadTable {
  readonly file: string;
  readonly delimiter: string;
  readonly roles: TableRoles;
  readonly columns: readonly UsedColumn[];
  readonly notes: readonly string[];
  /** Rows given to the sink. */
  readonly rowCount: number;
  /** Those of them without any value: all NaN. */
  readonly emptyRows: number;
}

/**
 * Reads a table row by row.
 * @param rowByRow no column may need all rows: none is categorical, and missing values are not filled in
 * @throws GAUSSFLOW_DATA with file, line, column and value; what the sink throws
 */
export async function readRows(
  source: string | Readable,
  plan: CsvPlan,
  sink: RowSink,
  rowByRow = false,
): Promise<ReadTable> {
  const { charset, comment, decimal, maxRecordLength, wording } = plan;
  const table = await openTable(source, plan);
  const head = table.head.toString(charset);
  const delimiter =
    plan.delimiter ?? table.separator ?? sniffDelimiter({ head, complete: table.complete, decimal, comment });
  const reading = new Reading(table.name, plan, sink, rowByRow);
  const layout = { delimiter, decimal, charset, maxRecordLength, comment, wording };
  await forEachRecord(table, layout, (cells, line) => reading.add(cells, line));
  return { ...reading.finish(), file: table.name, delimiter };
}

/** A GAUSSFLOW_DATA error that begins with the table's name. */
export function tableError(file: string, message: string, details: Record<string, unknown> = {}): GaussflowError {
  return new GaussflowError("GAUSSFLOW_DATA", `${file}${message}`, { file, ...details });
}

interface Held {
  readonly texts: readonly string[];
  readonly line: number;
}

class Reading {
  readonly #file: string;
  readonly #plan: CsvPlan;
  readonly #sink: RowSink;
  readonly #rowByRow: boolean;
  /** The first records, until there are enough of them to settle the roles. */
  #held: Held[] = [];
  #roles: TableRoles | null = null;
  #columns: readonly UsedColumn[] = [];
  #readers: readonly ColumnReader[] = [];
  #row = new Float64Array(0);
  /** Place of the sample weight in a row, or -1. */
  #weight = -1;
  /** Place of the exposure in a row, or -1, and those of the numbers that it divides. */
  #exposure = -1;
  #counts: readonly number[] = [];
  #rowCount = 0;
  /** The first row of data has a text and no number: it may hold units. */
  #wordsInLine = 0;
  #unitsNote: string | null = null;
  #emptyRows = 0;

  constructor(file: string, plan: CsvPlan, sink: RowSink, rowByRow: boolean) {
    this.#file = file;
    this.#plan = plan;
    this.#sink = sink;
    this.#rowByRow = rowByRow;
  }

  add(cells: Cells, line: number): void {
    if (this.#roles !== null) {
      this.#read(cells, line);
      return;
    }
    this.#held.push({ texts: Array.from({ length: cells.length }, (_, i) => cells.text(i)), line });
    if (this.#held.length === (this.#plan.unitsRow ? 3 : 2)) this.#settle();
  }

  #settle(): void {
    const [first, ...others] = this.#held;
    if (first === undefined) throw tableError(this.#file, ": is empty");
    const units = this.#plan.unitsRow ? others.shift() : undefined;
    if (units !== undefined) this.#unitsNote = `the row of units was left out: ${units.texts.slice(0, 12).join(", ")}`;
    const next = others[0]?.texts ?? null;
    const roles = settleRoles({ first: first.texts, next, line: first.line, file: this.#file }, this.#plan);
    this.#roles = roles;
    this.#columns = this.#makeColumns(roles);
    this.#readers = this.#columns.map(({ reader }) => reader);
    this.#row = new Float64Array(this.#columns.length);
    const placesOf = (part: ColumnUse["use"]) =>
      this.#columns.flatMap(({ use }, place) => (use.use === part ? [place] : []));
    this.#weight = placesOf("weight")[0] ?? -1;
    this.#exposure = placesOf("exposure")[0] ?? -1;
    this.#counts = placesOf("target");
    this.#held = [];
    this.#sink.begin(this.#columns, roles);
    if (roles.header && next !== null) {
      const numeric = this.#columns.map(({ use }) => next[use.index] ?? "").filter((text) => text !== "");
      if (numeric.length > 0 && numeric.every((text) => !/\d/.test(text))) this.#wordsInLine = others[0]!.line;
    }
    for (const { texts, line } of roles.header ? others : [first, ...others]) this.#read(new TextCells(texts), line);
  }

  #makeColumns(roles: TableRoles): UsedColumn[] {
    const rules = new Map<string, ColumnRules>();
    const complain: Complain = (column, line, message, value) => this.#complain(column, line, message, value);
    return roles.uses.map((use) => {
      const kind = this.#rowByRow && use.kind === "undecided" && use.use !== "target" ? "numeric" : use.kind;
      const key = `${use.use} ${use.kind} ${use.dates}`;
      const shared = rules.get(key) ?? this.#rules(use);
      rules.set(key, shared);
      const stored = use.stored?.kind === "categorical" ? use.stored.categories : use.classes;
      return {
        use,
        reader: new ColumnReader({ ...use, kind }, use.use === "split" ? PART_NAMES : stored, shared, complain),
      };
    });
  }

  #rules({ use, kind, dates }: ColumnUse): ColumnRules {
    const { decimal, thousands, missing, missingValues, givenMissing, maxCategories, wording } = this.#plan;
    const format = { decimal, thousands };
    const drop = `${wording.hint("missing", "drop")} leaves such rows out`;
    const unseen = wording.hint("unseen", "zeros");
    const texts = this.#textHint(use);
    return {
      format,
      missing: new MissingTexts(missingValues, format),
      givenMissing,
      allowMissing: missing !== "error" || (use === "target" && targetsAreLoose(this.#plan)),
      maxCategories: use === "split" || use === "group" ? Number.POSITIVE_INFINITY : maxCategories,
      classes: use === "target" && kind !== "numeric",
      lowerCase: use === "split",
      unseenAsZeros: this.#plan.unseen === "zeros" && (use === "input" || (use === "target" && this.#rowByRow)),
      refusal: (categories) =>
        use === "split"
          ? `is not a part of the table (${categories})`
          : use === "target"
            ? `is none of the classes${this.#plan.encoding === null ? "" : " that the model knows"} (${categories})`
            : `is not among the categories seen in training (${categories}); ${unseen} accepts it`,
      missingHint: this.#rowByRow ? drop : `${drop}, ${wording.hint("missing", "mean")} fills inputs in`,
      textHint: use === "target" || kind === "undecided" ? texts : null,
      dates,
      wording,
    };
  }

  /** How a column of texts can be had, as ColumnRules has it. */
  #textHint(use: ColumnUse["use"]): string | null {
    const { wording, target, encoding, exposure } = this.#plan;
    if (use === "target" && (encoding !== null || exposure !== null)) return null;
    if (use === "target")
      return (target?.length ?? 1) > 1
        ? `they may be classes, which must be the only target (${wording.hint("target", "NAME")})`
        : `${wording.hint("task", "classification")} makes a class of each value`;
    if (use !== "input") return null;
    return this.#rowByRow
      ? `${wording.hint("ignore", ["NAME"])} leaves it out`
      : `${wording.hint("categorical", ["NAME"])} reads them as categories`;
  }

  #read(cells: Cells, line: number): void {
    const { names, blank } = this.#roles!;
    if (cells.length !== names.length) this.#refuseLength(cells, line);
    const readers = this.#readers;
    const row = this.#row;
    if (Number.isNaN(cells.number(0)) && isEmptyRow(cells)) {
      // Spreadsheets write such rows below the data. It keeps its number, which predictions are given by.
      this.#emptyRows++;
      this.#rowCount++;
      this.#sink.row(row.fill(Number.NaN), line);
      return;
    }
    for (let k = 0; k < readers.length; k++) row[k] = readers[k]!.read(cells, line);
    if (this.#weight >= 0 && row[this.#weight]! < 0) {
      const { name, index } = readers[this.#weight]!;
      this.#complain(name, line, "a sample weight must not be negative", cells.text(index));
    }
    if (this.#exposure >= 0) this.#applyExposure(cells, line);
    for (const place of blank) if (cells.text(place) !== "") this.#refuseNameless(place, cells.text(place), line);
    this.#rowCount++;
    this.#sink.row(row, line);
  }

  /** Counts become rates, and the weight is multiplied by the exposure. A missing exposure stays missing, as a missing weight does. */
  #applyExposure(cells: Cells, line: number): void {
    const row = this.#row;
    const exposure = row[this.#exposure]!;
    const { name, index } = this.#readers[this.#exposure]!;
    if (exposure <= 0) this.#complain(name, line, "an exposure must be above 0", cells.text(index));
    for (const place of this.#counts) {
      row[place]! /= exposure;
      if (Math.abs(row[place]!) === Number.POSITIVE_INFINITY)
        this.#complain(name, line, "an exposure must leave the rates finite", cells.text(index));
    }
    if (this.#weight < 0) return;
    row[this.#weight]! *= exposure;
    if (row[this.#weight] === Number.POSITIVE_INFINITY)
      this.#complain(name, line, "an exposure must leave the weights finite", cells.text(index));
  }

  #refuseLength(cells: Cells, line: number): never {
    const { names } = this.#roles!;
    const { wording } = this.#plan;
    const skip = this.#rowCount === 0 ? skipHint(wording) : "";
    const hint = commentHint(names[0]!, wording) || commentHint(cells.text(0), wording) || skip;
    throw tableError(
      this.#file,
      `, line ${line}: has ${cells.length} values where ${names.length} are expected${hint}`,
      { line },
    );
  }

  #refuseNameless(place: number, text: string, line: number): never {
    const name = this.#roles!.names[place]!;
    const ignore = this.#plan.wording.hint("ignore", [name]);
    return this.#complain(
      name,
      line,
      `the column has no name in the header and no value in the first row, and has one here: name it, or leave it out (${ignore})`,
      text,
    );
  }

  #complain(column: string, line: number, message: string, value: string): never {
    const shown = value.length > 40 ? `${value.slice(0, 37)}...` : value;
    const units =
      line === this.#wordsInLine
        ? `; no value of this row is a number: if it holds units, set ${this.#plan.wording.hint("unitsRow", true)}`
        : "";
    throw tableError(
      this.#file,
      `, line ${line}, column ${JSON.stringify(column.slice(0, 60))}: ${message}; received ${JSON.stringify(shown)}${units}`,
      { line, row: this.#rowCount + 1, column, value: shown },
    );
  }

  finish(): Omit<ReadTable, "file" | "delimiter"> {
    if (this.#roles === null) this.#settle();
    const roles = this.#roles!;
    if (this.#rowCount === 0) throw tableError(this.#file, ": has a header and no rows");
    for (const reader of this.#readers) reader.decide();
    const notes = [...roles.notes, ...(this.#unitsNote === null ? [] : [this.#unitsNote])];
    if (this.#emptyRows > 0) notes.push(`rows without any value were left out: ${this.#emptyRows}`);
    return { roles, columns: this.#columns, notes, rowCount: this.#rowCount, emptyRows: this.#emptyRows };
  }
}

function isEmptyRow(cells: Cells): boolean {
  for (let i = 0; i < cells.length; i++) if (cells.text(i) !== "") return false;
  return true;
}

/** Names of the columns of one use, in order. */
export function namesOf(columns: readonly UsedColumn[], part: ColumnUse["use"]): string[] {
  return columns.filter(({ use }) => use.use === part).map(({ use }) => use.name);
}

/** The part of an encoding that says how the table was read, and the classes of its target, or null. */
export function readingOf(
  table: ReadTable,
  plan: CsvPlan,
  classes: readonly string[] | null,
): Omit<TableEncoding, "columns"> {
  const { columns, roles, delimiter } = table;
  const { decimal, thousands, missing, missingValues } = plan;
  const [exposure] = namesOf(columns, "exposure");
  const dates = columns.filter(({ use }) => use.dates && use.use !== "order").map(({ use }) => use.name);
  return {
    targets: namesOf(columns, "target"),
    weights: namesOf(columns, "weight")[0] ?? null,
    ...(exposure === undefined ? {} : { exposure }),
    header: roles.header,
    delimiter,
    decimal,
    ...(thousands === null ? {} : { thousands }),
    ...(dates.length === 0 ? {} : { dates }),
    ...(classes === null ? {} : { classes }),
    missing,
    missingValues,
  };
}

/** A table read for prediction may have targets; they must not cost it a row. */
export function targetsAreLoose({ encoding, targets }: CsvPlan): boolean {
  return encoding !== null && targets === "auto";
}
