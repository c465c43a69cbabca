// Reads a table into a Dataset: opens, sniffs, parses record by record into one growing column of numbers each, and at the end
// lays the columns out as inputs, targets, weights and parts. Eight bytes a cell; no row objects.
import type { Readable } from "node:stream";
import { GaussflowError } from "../errors.js";
import { ColumnReader, type Fail } from "./csv-column.js";
import { MissingTexts } from "./csv-number.js";
import { type CsvOptions, type CsvPlan, checkOptions } from "./csv-options.js";
import { forEachRecord } from "./csv-records.js";
import { type ColumnUse, settleRoles, type TableRoles } from "./csv-roles.js";
import { sniffDelimiter } from "./csv-sniff.js";
import { openTable } from "./csv-source.js";
import { Dataset } from "./dataset.js";
import { encodedSize, fillValues, type InputColumn, inputNames, type TableEncoding } from "./encoding.js";
import { PART_NAMES } from "./split.js";

export type { CsvOptions } from "./csv-options.js";

/** A column with more categories than this, and than half the rows, is taken for a name or an identifier and refused. */
const FEW_CATEGORIES = 10;

/**
 * Reads a delimited table.
 * @param source a path (unpacked when it ends in .gz), "-" for standard input, or a readable stream
 * @throws GAUSSFLOW_ARGUMENT for options, GAUSSFLOW_DATA for the table: with file, line, column and value
 */
export async function readCsv(source: string | Readable, options: CsvOptions = {}): Promise<Dataset> {
  const plan = checkOptions(options);
  const table = await openTable(source, plan.charset);
  const file = table.name;
  const delimiter = plan.delimiter ?? sniffDelimiter(table.head.toString(plan.charset), plan.decimal, table.complete);
  const reading = new Reading(file, plan);
  await forEachRecord(table, delimiter, plan.charset, plan.maxRecordLength, (cells, line) => reading.add(cells, line));
  return reading.finish(delimiter);
}

class Reading {
  readonly #file: string;
  readonly #plan: CsvPlan;
  #roles: TableRoles | null = null;
  #columns: readonly { readonly use: ColumnUse; readonly reader: ColumnReader }[] = [];
  #rowCount = 0;

  constructor(file: string, plan: CsvPlan) {
    this.#file = file;
    this.#plan = plan;
  }

  add(cells: readonly string[], line: number): void {
    if (this.#roles === null) {
      this.#roles = settleRoles(cells, this.#plan, this.#file);
      this.#columns = this.#roles.uses.map((use) => ({ use, reader: this.#reader(use) }));
      if (this.#roles.header) return;
    }
    const { names } = this.#roles;
    if (cells.length !== names.length)
      throw this.#error(`, line ${line}: has ${cells.length} values where ${names.length} are expected`, { line });
    for (const { use, reader } of this.#columns) {
      const cell = cells[use.index]!;
      const fail: Fail = (message, value) => {
        const shown = value.length > 40 ? `${value.slice(0, 37)}...` : value;
        throw this.#error(
          `, line ${line}, column ${JSON.stringify(use.name)}: ${message}; received ${JSON.stringify(shown)}`,
          { line, row: this.#rowCount + 1, column: use.name, value: shown },
        );
      };
      reader.read(use.use === "split" ? cell.toLowerCase() : cell, fail);
      if (use.use === "weight" && reader.values.get(this.#rowCount) < 0)
        fail("a sample weight must not be negative", cell);
    }
    this.#rowCount++;
  }

  finish(delimiter: string): Dataset {
    const roles = this.#roles;
    if (roles === null) throw this.#error(": is empty");
    if (this.#rowCount === 0) throw this.#error(": has a header and no rows");
    for (const { reader } of this.#columns) reader.decide();
    const noTargets = this.#forgetLooseTargets();
    const kept = this.#keptRows();
    if (kept.length === 0) throw this.#error(`: none of its ${this.#rowCount} rows is left without missing values`);
    const notes = [...roles.notes, ...noTargets, ...this.#notes(kept)];

    const inputs = this.#columns.filter(({ use }) => use.use === "input");
    const encoding = this.#plan.encoding ?? this.#encoding(inputs, kept, delimiter, roles.header);
    const { matrix, missing } = this.#inputMatrix(inputs, encoding, kept);
    const targets = this.#columns.filter(({ use }) => use.use === "target");
    const y = new Float64Array(kept.length * targets.length);
    kept.forEach((row, i) => {
      for (let a = 0; a < targets.length; a++) y[i * targets.length + a] = targets[a]!.reader.values.get(row);
    });
    const data = new Dataset({
      inputs: matrix,
      targets: y,
      weights: this.#weights(kept),
      featureNames: inputNames(encoding.columns),
      targetNames: targets.map(({ use }) => use.name),
      encoding,
      rows: kept.map((row) => row + 1),
      parts: this.#parts(kept),
      missing,
      notes,
    });
    return this.#plan.encoding === null ? data.fitted() : data;
  }

  #reader(use: ColumnUse): ColumnReader {
    const { decimal, missing, missingValues, maxCategories, unseen } = this.#plan;
    const filled = missing !== "error" && (use.use === "input" || use.use === "target");
    const stored = use.stored?.kind === "categorical" ? use.stored.categories : null;
    return new ColumnReader(use.name, use.kind, {
      decimal,
      missing: new MissingTexts(missingValues, decimal),
      allowMissing: filled || (use.use === "target" && this.#targetsAreLoose),
      maxCategories: use.use === "split" ? PART_NAMES.length : maxCategories,
      categories: use.use === "split" ? PART_NAMES : stored,
      unseenAsZeros: unseen === "zeros" && use.use === "input",
      refusal: (categories) =>
        use.use === "split"
          ? `is not a part of the table (${categories})`
          : `is not among the categories seen in training (${categories}); unseen: "zeros" accepts it`,
    });
  }

  /** A table read for prediction may have targets; they must not cost it a row. */
  get #targetsAreLoose(): boolean {
    return this.#plan.encoding !== null && this.#plan.targets === "auto";
  }

  /** Does without the targets of a table for prediction when one of them is missing. */
  #forgetLooseTargets(): string[] {
    const isGap = ({ use, reader }: { use: ColumnUse; reader: ColumnReader }) =>
      use.use === "target" && reader.hasMissing();
    if (!this.#targetsAreLoose || !this.#columns.some(isGap)) return [];
    this.#columns = this.#columns.filter(({ use }) => use.use !== "target" && use.use !== "weight");
    return ["some rows have no target, so none is read"];
  }

  /** Rows that stay: all, or those without a missing value (rule `drop`), or those with their targets (rule `mean`). */
  #keptRows(): Uint32Array {
    const needed = this.#columns.filter(({ use }) => this.#plan.missing !== "mean" || use.use === "target");
    const rows = Uint32Array.from({ length: this.#rowCount }, (_, i) => i);
    return rows.filter((row) => needed.every(({ reader }) => !Number.isNaN(reader.values.get(row))));
  }

  #notes(kept: Uint32Array): string[] {
    const notes: string[] = [];
    const dropped = this.#rowCount - kept.length;
    if (dropped > 0) notes.push(`${dropped} of ${this.#rowCount} rows were left out because a value is missing`);
    for (const { use, reader } of this.#columns) {
      if (use.use === "input" && reader.kind === "categorical" && use.stored === null)
        notes.push(
          `column ${JSON.stringify(use.name)} is categorical with ${usedTexts(reader, kept).length} categories`,
        );
      if (reader.unseenCount > 0)
        notes.push(
          `column ${JSON.stringify(use.name)}: ${reader.unseenCount} values are categories not seen in training`,
        );
    }
    return notes;
  }

  #encoding(
    inputs: readonly { readonly use: ColumnUse; readonly reader: ColumnReader }[],
    kept: Uint32Array,
    delimiter: string,
    header: boolean,
  ): TableEncoding {
    const { decimal, missing, missingValues } = this.#plan;
    const names = (part: ColumnUse["use"]) =>
      this.#columns.filter(({ use }) => use.use === part).map(({ use }) => use.name);
    const columns = inputs.map(({ use: { name, kind }, reader }): InputColumn => {
      const complain = (message: string) =>
        this.#error(`, column ${JSON.stringify(name)}: ${message}`, { column: name });
      if (kept.every((row) => Number.isNaN(reader.values.get(row)))) throw complain("has no value at all; ignore it");
      if (reader.kind !== "categorical") return { kind: "numeric", name, mean: 0, min: 0, max: 0 };
      // Sorted by code units: the order of the inputs must not depend on the order of the rows.
      const categories = usedTexts(reader, kept).sort();
      if (kind === "undecided" && categories.length > Math.max(FEW_CATEGORIES, kept.length / 2))
        throw complain(
          `has ${categories.length} categories in ${kept.length} rows, like a name or an identifier; ignore it, or declare it categorical`,
        );
      return { kind: "categorical", name, categories, shares: categories.map(() => 0) };
    });
    return {
      columns,
      targets: names("target"),
      weights: names("weight")[0] ?? null,
      header,
      delimiter,
      decimal,
      missing,
      missingValues,
    };
  }

  #inputMatrix(
    inputs: readonly { readonly reader: ColumnReader }[],
    encoding: TableEncoding,
    kept: Uint32Array,
  ): { matrix: Float64Array; missing: Uint32Array | null } {
    const d = encodedSize(encoding);
    const matrix = new Float64Array(kept.length * d);
    const fill = fillValues(encoding);
    const missing: number[] = [];
    // Where the code of each text of a categorical column stands among the inputs.
    const places = encoding.columns.map((column, k) =>
      column.kind === "numeric" ? null : inputs[k]!.reader.texts.map((text) => column.categories.indexOf(text)),
    );
    for (let i = 0; i < kept.length; i++) {
      let at = i * d;
      for (let k = 0; k < inputs.length; k++) {
        const value = inputs[k]!.reader.values.get(kept[i]!);
        const place = places[k]!;
        const width = place === null ? 1 : (encoding.columns[k] as { categories: readonly string[] }).categories.length;
        if (Number.isNaN(value)) {
          for (let j = 0; j < width; j++) {
            matrix[at + j] = fill[(at + j) % d]!;
            missing.push(at + j);
          }
        } else if (place === null) matrix[at] = value;
        else if (value >= 0) matrix[at + place[value]!] = 1;
        at += width;
      }
    }
    return { matrix, missing: missing.length > 0 ? Uint32Array.from(missing) : null };
  }

  #weights(kept: Uint32Array): Float64Array | null {
    const column = this.#columns.find(({ use }) => use.use === "weight");
    if (column === undefined) return null;
    const weights = Float64Array.from(kept, (row) => column.reader.values.get(row));
    const name = JSON.stringify(column.use.name);
    if (weights.every((weight) => weight === 0)) throw this.#error(`, column ${name}: the sample weights are all zero`);
    return weights;
  }

  #parts(kept: Uint32Array): Uint8Array | null {
    const column = this.#columns.find(({ use }) => use.use === "split");
    return column === undefined ? null : Uint8Array.from(kept, (row) => column.reader.values.get(row));
  }

  #error(message: string, details: Record<string, unknown> = {}): GaussflowError {
    return new GaussflowError("GAUSSFLOW_DATA", `${this.#file}${message}`, { file: this.#file, ...details });
  }
}

/** The categories that occur in the rows that stay: one that went with the rows left out is no input. */
function usedTexts(reader: ColumnReader, kept: Uint32Array): string[] {
  const used = new Set<number>();
  for (const row of kept) {
    const code = reader.values.get(row);
    if (!Number.isNaN(code)) used.add(code);
  }
  return [...used].map((code) => reader.texts[code]!);
}
