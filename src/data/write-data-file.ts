// Writes a data file (format in data-file.ts) row after row, so that the size of memory does not matter. Users call `writeDataFile`, and
// convert-csv.ts writes with DataFileWriter. The file appears completely or not at all.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { type Replacement, replaceFile, writeError } from "../atomic-file.js";
import { argumentError } from "../errors.js";
import { targetOf } from "../file-target.js";
import { checkBoolean, checkOptionNames, checkPath, isObject, isTypedNumbers } from "../options.js";
import { checkClasses } from "./classes.js";
import { DATA_FILE_MAGIC, DATA_FILE_PAGE } from "./data-file.js";
import type { TableEncoding } from "./encoding.js";

/** The columns of a data file. */
export interface DataFileColumns {
  /** Names of the input columns, at least one. */
  readonly featureNames: readonly string[];
  /** Names of the target columns, at least one. */
  readonly targetNames: readonly string[];
  /** Every row ends with a sample weight. Default false. */
  readonly weighted?: boolean | undefined;
  /** Names of the classes that the target columns stand for, one a column, with a 1 at the row's class or probabilities. Default: none. */
  readonly classes?: readonly string[] | undefined;
}

/** Bytes of rows that are written at a time. */
const CHUNK = 1 << 20;

/** The temporary file of a data file, open. @throws GAUSSFLOW_FILE */
function begin(path: string): { replacement: Replacement; file: number } {
  try {
    const target = targetOf(path);
    if (target.kind === "stream")
      // The header has the number of rows, which is known at the end.
      throw new Error("a data file is not written from front to back: it needs a regular file");
    const replacement = replaceFile(target);
    try {
      return { replacement, file: openSync(replacement.temporary, "wx") };
    } catch (cause) {
      replacement.abandon();
      throw cause;
    }
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** A data file in the making; `add` rows, then `finish`, or `abandon`. */
export class DataFileWriter {
  readonly #path: string;
  readonly #replacement: Replacement;
  readonly #columns: DataFileColumns;
  readonly #file: number;
  readonly #offset: number;
  readonly #width: number;
  readonly #chunk: Float64Array;
  #filled = 0;
  #rows = 0;
  #open = true;

  constructor(path: string, columns: DataFileColumns) {
    checkPath("path", path);
    checkOptionNames("columns", columns, ["featureNames", "targetNames", "weighted", "classes"]);
    const { featureNames, targetNames, weighted = false, classes } = columns;
    checkBoolean("columns.weighted", weighted);
    for (const [name, list] of [
      ["featureNames", featureNames],
      ["targetNames", targetNames],
    ] as const)
      if (!Array.isArray(list) || list.length === 0 || list.some((one) => typeof one !== "string" || one === ""))
        throw argumentError(`columns.${name}`, "must be one or more names", list);
    if (classes !== undefined && checkClasses("columns.classes", classes).length !== targetNames.length)
      throw argumentError("columns.classes", `must name ${targetNames.length} classes, one a target column`, classes);
    this.#path = path;
    this.#columns = columns;
    this.#width = featureNames.length + targetNames.length + (weighted ? 1 : 0);
    // Room for the names and, a column, for the figures of its encoding.
    const lists = [featureNames, targetNames, featureNames, targetNames, classes ?? [], classes ?? []];
    const names = Buffer.byteLength(JSON.stringify(lists));
    this.#offset = Math.ceil((1024 + names + 200 * this.#width) / DATA_FILE_PAGE) * DATA_FILE_PAGE;
    this.#chunk = new Float64Array(Math.max(1, Math.floor(CHUNK / 8 / this.#width)) * this.#width);
    const { replacement, file } = begin(path);
    this.#replacement = replacement;
    this.#file = file;
  }

  get rows(): number {
    return this.#rows;
  }

  /** One row: inputs, targets, weight. @throws GAUSSFLOW_ARGUMENT with row and column, GAUSSFLOW_FILE */
  add(row: ArrayLike<number>): void {
    const width = this.#width;
    if (!Array.isArray(row) && !isTypedNumbers(row))
      throw argumentError(`row ${this.#rows + 1}`, "must be an array of numbers", row);
    if (row.length !== width)
      throw argumentError(`row ${this.#rows + 1}`, `must have ${width} numbers`, `${row.length} of them`);
    for (let k = 0; k < width; k++) {
      const value = row[k];
      if (typeof value !== "number" || !Number.isFinite(value))
        throw argumentError(`row ${this.#rows + 1}, column ${k + 1}`, "must be a finite number", value);
      this.#chunk[this.#filled + k] = value;
    }
    if (this.#columns.weighted && row[width - 1]! <= 0)
      throw argumentError(`row ${this.#rows + 1}`, "must have a weight above 0 (leave the row out)", row[width - 1]);
    this.#filled += width;
    this.#rows++;
    if (this.#filled === this.#chunk.length) this.#flush();
  }

  /** Writes the header and puts the file in its place. @throws GAUSSFLOW_FILE */
  finish(encoding: TableEncoding | null = null): void {
    if (this.#rows === 0) {
      this.abandon();
      throw argumentError("rows", "must be at least one", 0);
    }
    this.#flush();
    const { featureNames: features, targetNames: targets, weighted = false, classes } = this.#columns;
    // Left out where targets are numbers, which is what a file without classes means.
    const text = JSON.stringify({ rows: this.#rows, features, targets, classes, weighted, encoding });
    const room = this.#offset - 16;
    const blanks = room - Buffer.byteLength(text);
    this.#guard(() => {
      if (blanks < 0) throw new Error("the header does not fit its room");
      const head = `${DATA_FILE_MAGIC}${String(room).padEnd(8)}${text}${" ".repeat(blanks)}`;
      this.#write(Buffer.from(head), 0);
      this.#replacement.dress(this.#file);
      fsyncSync(this.#file);
      this.#close();
      this.#replacement.commit();
    });
  }

  /** Forgets what was written. Safe to call twice. */
  abandon(): void {
    this.#close();
    this.#replacement.abandon();
  }

  /** Closes the descriptor once: its number may belong to another file afterwards. */
  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#chunk.buffer, 0, this.#filled * 8);
    const before = this.#rows * this.#width - this.#filled;
    this.#guard(() => this.#write(bytes, this.#offset + before * 8));
    this.#filled = 0;
  }

  #write(bytes: Buffer, at: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file, bytes, done, bytes.length - done, at + done);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      this.abandon();
      throw writeError(this.#path, cause);
    }
  }
}

const ROWS_RULE = "must be an array or another (async) iterable of rows of numbers";

/**
 * Writes a data file from rows of numbers (inputs, targets, then the weight where `weighted`), one at a time.
 * @returns the number of rows
 * @throws GAUSSFLOW_ARGUMENT with row and column, GAUSSFLOW_FILE; no file is left then
 * @example await writeDataFile("rig.gfd", { featureNames: ["a", "b"], targetNames: ["y"] }, rows());
 */
export async function writeDataFile(
  path: string,
  columns: DataFileColumns,
  rows: Iterable<ArrayLike<number>> | AsyncIterable<ArrayLike<number>>,
): Promise<number> {
  if (!isObject(rows) && !Array.isArray(rows)) throw argumentError("rows", ROWS_RULE, rows);
  if (!(Symbol.iterator in rows || Symbol.asyncIterator in rows)) throw argumentError("rows", ROWS_RULE, rows);
  const writer = new DataFileWriter(path, columns);
  try {
    for await (const row of rows) writer.add(row);
  } catch (error) {
    writer.abandon();
    throw error;
  }
  writer.finish();
  return writer.rows;
}
