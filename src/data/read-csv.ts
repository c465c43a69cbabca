// The public `readCsv`: reads a table into a Dataset. csv-rows.ts reads rows of numbers; this file stores their columns as inputs, targets,
// weights and parts. It takes eight bytes a cell and creates no row objects. The command line reads its tables by readTable, and the
// experiments on real data by readCsv.
import type { Readable } from "node:stream";
import { showBytes } from "../bytes.js";
import { argumentError, GaussflowError } from "../errors.js";
import { type ChooseColumns, type CsvPlan, checkOptions } from "./check-csv-options.js";
import { classTargetNames, sortedClasses } from "./classes.js";
import { areManyTexts, checkFoundClasses, classNote, twoValuesNote } from "./csv-classes.js";
import type { ColumnReader } from "./csv-column.js";
import type { CsvOptions } from "./csv-options.js";
import type { ColumnUse } from "./csv-roles.js";
import {
  type ReadTable,
  type RowSink,
  readingOf,
  readRows,
  tableError,
  targetsAreLoose,
  type UsedColumn,
} from "./csv-rows.js";
import { IN_CODE, type Wording } from "./csv-wording.js";
import { Dataset } from "./dataset.js";
import { encodedSize, fillValues, type InputColumn, inputNames, type TableEncoding, width } from "./encoding.js";
import { RowStore } from "./row-store.js";

export type { CsvOptions } from "./csv-options.js";

/**
 * Reads a delimited table.
 * @param source a path (unpacked when it ends in .gz), "-" for standard input, or a readable stream
 * @throws GAUSSFLOW_ARGUMENT for options, GAUSSFLOW_DATA for the table (file, line, column and value), GAUSSFLOW_MEMORY beyond `memoryLimit`
 */
export async function readCsv(source: string | Readable, options: CsvOptions = {}): Promise<Dataset> {
  return readTable(source, options, IN_CODE);
}

/** The same, with messages that name options as `wording` says, and with columns that are chosen once their names are known. */
export async function readTable(
  source: string | Readable,
  options: CsvOptions,
  wording: Wording,
  choose: ChooseColumns | null = null,
): Promise<Dataset> {
  const plan = { ...checkOptions(options, wording), choose };
  const rows = new StoredRows(plan);
  const table = await readRows(source, plan, rows);
  return new Assembly(table, plan, rows.store).dataset();
}

/** A table below this size, in bytes, is never refused: the process itself takes more, and the planner judges the training. */
const UNQUESTIONED = 2 ** 24;

/** Stores the rows, and refuses more of them than the memory limit allows. */
class StoredRows implements RowSink {
  store = new RowStore(1);
  readonly #plan: CsvPlan;
  readonly #before = process.memoryUsage.rss();
  /** Bytes of the data set, for each row. */
  #laidOut = 0;
  #checked = 0;

  constructor(plan: CsvPlan) {
    this.#plan = plan;
  }

  begin(columns: readonly UsedColumn[]): void {
    this.store = new RowStore(columns.length);
    this.#laidOut = columns.length * Float64Array.BYTES_PER_ELEMENT + 2 * Uint32Array.BYTES_PER_ELEMENT;
  }

  row(values: Float64Array): void {
    this.store.add(values);
    if (this.store.bytes === this.#checked) return;
    this.#checked = this.store.bytes;
    // The data set is laid out beside the rows as they were read.
    const own = this.store.bytes + this.store.length * this.#laidOut;
    const bytes = this.#before + own;
    const { memoryLimit, wording } = this.#plan;
    if (own <= UNQUESTIONED || bytes <= memoryLimit) return;
    throw new GaussflowError(
      "GAUSSFLOW_MEMORY",
      `the table needs more than the memory limit of ${showBytes(memoryLimit)}: ${this.store.length} rows of ${this.store.width} numbers were read, and there are more; ${wording.convert} turns it into a data file, which is trained on block by block, or raise the limit (${wording.name("memoryLimit")})`,
      { bytes, memoryLimit, rows: this.store.length },
    );
  }
}

/** Lays the rows out as a data set. */
class Assembly {
  readonly #table: ReadTable;
  readonly #plan: CsvPlan;
  readonly #store: RowStore;
  /** Without targets that are only partly there. */
  readonly #columns: readonly UsedColumn[];
  /** Where the values of each column are in a stored row. */
  readonly #places: ReadonlyMap<UsedColumn, number>;
  readonly #noTargets: readonly string[];

  constructor(table: ReadTable, plan: CsvPlan, store: RowStore) {
    this.#table = table;
    this.#plan = plan;
    this.#store = store;
    this.#places = new Map(table.columns.map((column, place) => [column, place]));
    const isGap = ({ use, reader }: UsedColumn) => use.use === "target" && reader.missingCount > 0;
    const forget = targetsAreLoose(plan) && table.columns.some(isGap);
    this.#noTargets = forget ? ["some rows have no target, so none is read"] : [];
    const isTarget = ({ use }: UsedColumn) => use.use === "target" || use.use === "weight";
    this.#columns = forget ? table.columns.filter((column) => !isTarget(column)) : table.columns;
  }

  dataset(): Dataset {
    const { notes, rowCount } = this.#table;
    const kept = this.#keptRows();
    if (kept.length === 0) throw this.#error(`: none of its ${rowCount} rows is left without missing values`);
    const inputs = this.#of("input");
    const targets = this.#of("target");
    const classes = this.#classes(targets, kept);
    const encoding = this.#plan.encoding ?? this.#encoding(inputs, kept, classes);
    const weights = this.#weights(kept);
    const parts = this.#single("split", kept, (count) => new Uint8Array(count));
    const groups = this.#single("group", kept, (count) => new Uint32Array(count));
    const order = this.#plan.rowsInOrder
      ? Float64Array.from(kept)
      : this.#single("order", kept, (count) => new Float64Array(count));
    const gradients = this.#gradients(inputs, targets.length, kept);
    const columnNotes = this.#notes(kept, classes);
    const y = this.#newTargets(kept.length, classes?.length ?? targets.length);
    const { matrix, missing } = this.#layOut(inputs, encoding, kept, targets, classes, y);
    if (classes === null && targets.length === 1)
      columnNotes.push(...twoValuesNote(targets[0]!.use, y, this.#plan.wording));
    const data = new Dataset({
      inputs: matrix,
      targets: y,
      weights,
      gradients,
      featureNames: inputNames(encoding.columns),
      targetNames:
        classes === null ? targets.map(({ use }) => use.name) : classTargetNames(targets[0]!.use.name, classes),
      classes,
      encoding,
      rows: kept.map((row) => row + 1),
      parts,
      groups,
      order,
      missing,
      notes: [...notes, ...this.#noTargets, ...columnNotes],
    });
    return this.#plan.encoding === null ? data.fitted() : data;
  }

  /** Row-major, as their columns stand: those of the first target in the order of the inputs, then those of the next. */
  #gradients(inputs: readonly UsedColumn[], targets: number, kept: Uint32Array): Float64Array | null {
    const columns = this.#of("gradient");
    if (columns.length === 0) return null;
    const { wording } = this.#plan;
    const text = inputs.find(({ reader }) => reader.kind === "categorical");
    if (text !== undefined)
      throw argumentError(wording.name("gradient"), "needs inputs that are all numbers", text.use.name);
    const count = inputs.length * targets;
    if (columns.length !== count) {
      const names = inputs.map(({ use }) => use.name).join(", ");
      throw argumentError(
        wording.name("gradient"),
        `must name ${count} columns, the derivatives of each target by ${names}`,
        `${columns.length} columns`,
      );
    }
    const values = new Float64Array(kept.length * count);
    for (const [g, column] of columns.entries())
      for (let i = 0; i < kept.length; i++) values[i * count + g] = this.#value(column, kept[i]!);
    return values;
  }

  #of(use: ColumnUse["use"]): UsedColumn[] {
    return this.#columns.filter((column) => column.use.use === use);
  }

  #placeOf(column: UsedColumn): number {
    return this.#places.get(column)!;
  }

  /** The rows that are kept: all, or those without a missing value (rule `drop`), or those in which only inputs are missing (rule `mean`). */
  #keptRows(): Uint32Array {
    const needed = this.#columns
      .filter(({ use, reader }) => reader.missingCount > 0 && (this.#plan.missing !== "mean" || use.use !== "input"))
      .map((column) => this.#placeOf(column));
    const rows = Uint32Array.from({ length: this.#table.rowCount }, (_, i) => i);
    const isGap = (row: number, place: number) => Number.isNaN(this.#store.get(row, place));
    const all = Array.from({ length: this.#store.width }, (_, place) => place);
    const isEmpty = (row: number) => this.#table.emptyRows > 0 && all.every((place) => isGap(row, place));
    if (needed.length === 0 && this.#table.emptyRows === 0) return rows;
    return rows.filter((row) => !isEmpty(row) && !needed.some((place) => isGap(row, place)));
  }

  /** The classes of the target, where it is one of classes. @throws GAUSSFLOW_DATA for a single class, or as many as a name would have */
  #classes(targets: readonly UsedColumn[], kept: Uint32Array): readonly string[] | null {
    const [target] = targets;
    if (target === undefined || target.reader.kind !== "categorical") return null;
    const { wording } = this.#plan;
    if (target.use.classes !== null) return target.use.classes;
    return checkFoundClasses(
      target.use,
      sortedClasses(this.#usedTexts(target, kept)),
      kept.length,
      wording,
      (message) => this.#error(message, { column: target.use.name }),
    );
  }

  #newTargets(rows: number, columns: number): Float64Array {
    const bytes = 8 * rows * columns;
    const { memoryLimit, wording } = this.#plan;
    if (bytes > UNQUESTIONED && process.memoryUsage.rss() + bytes > memoryLimit)
      throw new GaussflowError(
        "GAUSSFLOW_MEMORY",
        `the ${columns} target columns of ${rows} rows need ${showBytes(bytes)}, more than the memory limit of ${showBytes(memoryLimit)} leaves; raise the limit (${wording.name("memoryLimit")}), or ${wording.convert} turns the table into a data file, which is trained on block by block`,
        { bytes, memoryLimit, rows },
      );
    return new Float64Array(rows * columns);
  }

  #notes(kept: Uint32Array, classes: readonly string[] | null): string[] {
    const { rowCount, emptyRows } = this.#table;
    const notes: string[] = [];
    const dropped = rowCount - emptyRows - kept.length;
    if (dropped > 0) notes.push(`${dropped} of ${rowCount} rows were left out because a value is missing`);
    for (const column of this.#columns) {
      const { use, reader } = column;
      if (use.use === "input" && reader.kind === "categorical" && use.stored === null)
        notes.push(
          `column ${JSON.stringify(use.name)} is categorical with ${this.#usedTexts(column, kept).length} categories`,
        );
      notes.push(...reader.notes());
      if (use.use === "target" && classes !== null && this.#plan.encoding === null)
        notes.push(classNote(use, classes, this.#counts(column, kept, classes), this.#plan.wording));
    }
    return notes;
  }

  /** Rows of each class. */
  #counts(column: UsedColumn, kept: Uint32Array, classes: readonly string[]): number[] {
    const counts = classes.map(() => 0);
    const places = codePlaces(column.reader, classes);
    for (const row of kept) counts[places[this.#value(column, row)]!]!++;
    return counts;
  }

  #encoding(inputs: readonly UsedColumn[], kept: Uint32Array, classes: readonly string[] | null): TableEncoding {
    const columns = inputs.map((column): InputColumn => {
      const { name, kind } = column.use;
      const complain = (message: string) =>
        this.#error(`, column ${JSON.stringify(name)}: ${message}`, { column: name });
      const ignore = this.#plan.wording.hint("ignore", [name]);
      if (column.reader.missingCount > 0 && kept.every((row) => Number.isNaN(this.#value(column, row))))
        throw complain(`has no value at all; leave it out (${ignore})`);
      if (column.reader.kind !== "categorical") return { kind: "numeric", name, mean: 0, min: 0, max: 0 };
      // Sorted by code units, so that the order of the inputs does not depend on the order of the rows.
      const categories = this.#usedTexts(column, kept).sort();
      if (kind === "undecided" && areManyTexts(categories.length, kept.length))
        throw complain(
          `has ${categories.length} categories in ${kept.length} rows, like a name or an identifier; ignore it (${ignore}), or declare it categorical (${this.#plan.wording.hint("categorical", [name])})`,
        );
      return { kind: "categorical", name, categories, shares: categories.map(() => 0) };
    });
    return { columns, ...readingOf(this.#table, this.#plan, classes) };
  }

  #value(column: UsedColumn, row: number): number {
    return this.#store.get(row, this.#placeOf(column));
  }

  /** Inputs and targets, row by row; the rows that were read are given up as they are laid out. */
  #layOut(
    inputs: readonly UsedColumn[],
    encoding: TableEncoding,
    kept: Uint32Array,
    targets: readonly UsedColumn[],
    classes: readonly string[] | null,
    y: Float64Array,
  ): { matrix: Float64Array; missing: Uint32Array | null } {
    const d = encodedSize(encoding);
    const matrix = new Float64Array(kept.length * d);
    const fill = fillValues(encoding);
    const missing: number[] = [];
    const layouts = encoding.columns.map((column, k) => ({
      place: this.#placeOf(inputs[k]!),
      width: width(column),
      // The position of each category of a categorical column among the inputs.
      codes: column.kind === "numeric" ? null : codePlaces(inputs[k]!.reader, column.categories),
    }));
    const targetPlaces = targets.map((target) => this.#placeOf(target));
    const classPlaces = classes === null ? null : codePlaces(targets[0]!.reader, classes);
    for (let i = 0; i < kept.length; i++) {
      const row = kept[i]!;
      let at = i * d;
      for (const { place, width, codes } of layouts) {
        const value = this.#store.get(row, place);
        if (Number.isNaN(value)) {
          for (let j = 0; j < width; j++) {
            matrix[at + j] = fill[(at + j) % d]!;
            missing.push(at + j);
          }
        } else if (codes === null) matrix[at] = value;
        else if (value >= 0) matrix[at + codes[value]!] = 1;
        at += width;
      }
      if (classPlaces !== null) y[i * classes!.length + classPlaces[this.#store.get(row, targetPlaces[0]!)]!] = 1;
      else
        for (let a = 0; a < targetPlaces.length; a++)
          y[i * targetPlaces.length + a] = this.#store.get(row, targetPlaces[a]!);
      this.#store.forgetBefore(row);
    }
    return { matrix, missing: missing.length > 0 ? Uint32Array.from(missing) : null };
  }

  #weights(kept: Uint32Array): Float64Array | null {
    const [weight] = this.#of("weight");
    // Where there are both, the weight has been multiplied by the exposure.
    const weights = this.#single(
      weight === undefined ? "exposure" : "weight",
      kept,
      (count) => new Float64Array(count),
    );
    if (weights?.every((weight) => weight === 0)) {
      const name = JSON.stringify(weight?.use.name);
      throw this.#error(`, column ${name}: the sample weights are all zero`);
    }
    return weights;
  }

  /** The values of the one column of this use, or null. */
  #single<T extends Float64Array | Uint32Array | Uint8Array>(
    use: ColumnUse["use"],
    kept: Uint32Array,
    make: (count: number) => T,
  ): T | null {
    const [column] = this.#of(use);
    if (column === undefined) return null;
    const values = make(kept.length);
    for (let i = 0; i < kept.length; i++) values[i] = this.#value(column, kept[i]!);
    return values;
  }

  /** The categories that occur in the kept rows; a category that occurs only in dropped rows is no input. */
  #usedTexts(column: UsedColumn, kept: Uint32Array): string[] {
    const used = new Set<number>();
    for (const row of kept) {
      const code = this.#value(column, row);
      if (!Number.isNaN(code)) used.add(code);
    }
    return [...used].map((code) => column.reader.texts[code]!);
  }

  #error(message: string, details: Record<string, unknown> = {}): GaussflowError {
    return tableError(this.#table.file, message, details);
  }
}

function codePlaces(reader: ColumnReader, categories: readonly string[]): number[] {
  const places = new Map(categories.map((category, place) => [category, place]));
  return reader.texts.map((text) => places.get(text) ?? -1);
}
