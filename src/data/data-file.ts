// Opens data files: data sets larger than memory, which every engine reads block by block. Users call `openDataFile` and
// `openDataFileAsync`, and the command line does for files that isDataFile recognizes; trainings, flows and planning take the FileDataset
// in place of a Dataset.
//
//   bytes 0-7      "GFDATA1\n"
//   bytes 8-15     length of the header in bytes, decimal ASCII, padded with blanks
//   from 16 on     the header, JSON: rows, names, classes, weighted, encoding; padded with blanks, so that the rows begin at a multiple of 4096
//   then           rows of float64, little-endian: inputs, targets, then the weight if the data are weighted
//
// Values are in raw units. The scaling is computed by reading the file and applied to each block as it is read, with the arithmetic of data
// in memory, so that a training gives the same bits either way.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { argumentError, fileError } from "../errors.js";
import { checkOptionNames, checkPath, checkSignal } from "../options.js";
import { fields } from "../sealed-json.js";
import { sameClasses } from "./classes.js";
import { ColumnSummary } from "./column-moments.js";
import type { TableEncoding } from "./encoding.js";
import { encodingFromJson } from "./encoding-json.js";
import { blockRows, openError, type RowBlock, type RowLayout, RowReader, rowBlocks } from "./row-reader.js";

export const DATA_FILE_MAGIC = "GFDATA1\n";
/** The rows begin at a multiple of this. */
export const DATA_FILE_PAGE = 4096;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** A data set in a file. Made by `openDataFile`. */
export class FileDataset {
  /** @internal */
  readonly layout: RowLayout;
  /** Number of rows, n. */
  readonly sampleCount: number;
  /** Input columns, d. */
  readonly inputSize: number;
  /** Target columns, c. */
  readonly outputSize: number;
  /** Names of the d input columns. */
  readonly featureNames: readonly string[];
  /** Names of the c target columns. */
  readonly targetNames: readonly string[];
  /** Names of the c classes that the target columns stand for; null where targets are numbers. */
  readonly classes: readonly string[] | null;
  /** How table columns became inputs, where the file was converted from a table; else null. */
  readonly encoding: TableEncoding | null;
  /** n sample weights > 0, in memory; null = all 1. */
  readonly weights: Float64Array | null;
  /** Always null: a data file is trained on whole. */
  readonly parts = null;

  /**
   * Extremes and sums of all columns, found when the file was opened: they save `standardize` a pass.
   * @internal
   */
  readonly summary: ColumnSummary;

  /** @internal Made by `openDataFile` and `openDataFileAsync`. */
  constructor(layout: RowLayout, header: Header, check: RowCheck) {
    if (!(check instanceof RowCheck))
      throw argumentError("FileDataset", "must be made by openDataFile() or openDataFileAsync()", layout);
    const { weights, summary } = check;
    this.layout = layout;
    this.sampleCount = header.rows;
    this.featureNames = header.features;
    this.targetNames = header.targets;
    this.classes = header.classes;
    this.inputSize = header.features.length;
    this.outputSize = header.targets.length;
    this.encoding = header.encoding;
    this.weights = weights;
    this.summary = summary;
  }

  /**
   * Blocks of whole rows, raw units: `width` numbers each. Every block is the same memory: it is valid until the next one.
   * @throws GAUSSFLOW_FILE where the file has changed
   */
  *blocks(): Generator<Float64Array, void> {
    for (const { block } of blocksOf(this.layout, this.sampleCount)) yield block;
  }

  /**
   * The same in turns with the event loop: a turn for each block.
   * @throws GAUSSFLOW_FILE where the file has changed, and the signal's reason once it has been aborted
   * @internal
   */
  blocksInTurns(signal?: AbortSignal): AsyncGenerator<RowBlock, void> {
    checkSignal("signal", signal);
    return rowBlocks(this.layout, this.sampleCount, signal);
  }
}

function* blocksOf(layout: RowLayout, rowCount: number): Generator<RowBlock, void> {
  const reader = new RowReader(layout);
  const rows = blockRows(layout);
  try {
    for (let row = 0; row < rowCount; row += rows)
      yield { block: reader.read(row, Math.min(rows, rowCount - row)), row };
  } finally {
    reader.close();
  }
}

/** The pass over all rows at opening: checks that every number is finite and every weight above 0, and takes the weights into memory. */
class RowCheck {
  readonly weights: Float64Array | null;
  readonly summary: ColumnSummary;
  readonly #path: string;
  readonly #width: number;

  constructor({ path, width }: RowLayout, { weighted, rows }: Header) {
    this.#path = path;
    this.#width = width;
    this.weights = weighted ? new Float64Array(rows) : null;
    this.summary = new ColumnSummary(width);
  }

  /** @throws GAUSSFLOW_FILE with row and column */
  take({ block, row }: RowBlock): void {
    const width = this.#width;
    const bad = firstNotFinite(block);
    if (bad >= 0) {
      const at = { row: row + Math.floor(bad / width) + 1, column: (bad % width) + 1 };
      throw fileError(
        this.#path,
        `row ${at.row}, column ${at.column}: must be a finite number; holds ${block[bad]}`,
        at,
      );
    }
    // All weights are above 0: every row takes part.
    this.summary.add(block, row, null);
    if (this.weights === null) return;
    for (let k = width - 1, i = row; k < block.length; k += width, i++) {
      const weight = block[k]!;
      if (weight <= 0)
        throw fileError(this.#path, `row ${i + 1}: has a weight that is not above 0, ${weight}`, { row: i + 1 });
      this.weights[i] = weight;
    }
  }
}

/** -1 where all are finite. A plain loop: `findIndex` boxes every number, which leaves the collector megabytes a block. */
function firstNotFinite(values: Float64Array): number {
  for (let k = 0; k < values.length; k++) if (!Number.isFinite(values[k])) return k;
  return -1;
}

interface Header {
  readonly rows: number;
  readonly features: readonly string[];
  readonly targets: readonly string[];
  readonly classes: readonly string[] | null;
  readonly weighted: boolean;
  readonly encoding: TableEncoding | null;
}

/**
 * Opens a data file (written by `writeDataFile` or `gaussflow convert`) and reads it once: every number must be finite. It blocks the
 * event loop meanwhile; `openDataFileAsync` does the same in turns with it.
 * @throws GAUSSFLOW_FILE: no such file, not a data file, cut off, too long, a number that is not finite (with row and column)
 * @example const result = await train(net, openDataFile("rig.gfd"));
 */
export function openDataFile(path: string): FileDataset {
  const { layout, header } = openRows(path);
  const check = new RowCheck(layout, header);
  for (const rows of blocksOf(layout, header.rows)) check.take(rows);
  return new FileDataset(layout, header, check);
}

/** Of `openDataFileAsync`. */
export interface OpenDataFileOptions {
  /** Stops the reading; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The same as `openDataFile` in turns with the event loop: reads in blocks of 1 MB, and never holds the event loop for more than a few
 * milliseconds.
 * @throws GAUSSFLOW_FILE as `openDataFile`, and the signal's reason once it has been aborted
 * @example const data = await openDataFileAsync("rig.gfd", { signal });
 */
export async function openDataFileAsync(path: string, options: OpenDataFileOptions = {}): Promise<FileDataset> {
  checkOptionNames("options", options, ["signal"]);
  const { signal } = options;
  checkSignal("options.signal", signal);
  const { layout, header } = openRows(path);
  const check = new RowCheck(layout, header);
  for await (const rows of rowBlocks(layout, header.rows, signal)) check.take(rows);
  return new FileDataset(layout, header, check);
}

/** Header and place of the rows of a data file. @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_FILE */
function openRows(path: string): { readonly layout: RowLayout; readonly header: Header } {
  checkPath("path", path);
  const full = resolve(path);
  let file: number;
  try {
    file = openSync(full, "r");
  } catch (cause) {
    throw openError(path, cause);
  }
  try {
    const found = fstatSync(file, { bigint: true });
    if (found.isDirectory()) throw fileError(path, "is a directory");
    const { size: bytes, mtimeNs, ino } = found;
    const size = Number(bytes);
    const head = Buffer.alloc(16);
    if (readSync(file, head, 0, 16, 0) < 16 || head.toString("latin1", 0, 8) !== DATA_FILE_MAGIC)
      throw fileError(path, 'is not a data file: it does not begin with "GFDATA1"');
    const length = Number(head.toString("latin1", 8, 16));
    if (!Number.isInteger(length) || length < 2 || 16 + length > size || (16 + length) % DATA_FILE_PAGE !== 0)
      throw fileError(path, "has a damaged header");
    const text = Buffer.alloc(length);
    readSync(file, text, 0, length, 16);
    const header = readHeader(path, text.toString("utf8"));
    const offset = 16 + length;
    const width = header.features.length + header.targets.length + (header.weighted ? 1 : 0);
    const expected = offset + header.rows * width * DOUBLE;
    if (size !== expected)
      throw fileError(
        path,
        `must be ${expected} bytes long for ${header.rows} rows of ${width} numbers, and is ${size}: ${size < expected ? "it is cut off" : "something follows the rows"}`,
        { expected, size },
      );
    return { layout: { path: full, offset, size, width, changed: String(mtimeNs), inode: String(ino) }, header };
  } finally {
    closeSync(file);
  }
}

/** True for a regular file that begins like a data file; nothing is read from a pipe. An unreadable file is reported by its reader. */
export function isDataFile(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    const file = openSync(path, "r");
    try {
      const head = Buffer.alloc(DATA_FILE_MAGIC.length);
      return readSync(file, head, 0, head.length, 0) === head.length && head.toString("latin1") === DATA_FILE_MAGIC;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function readHeader(path: string, text: string): Header {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fileError(path, "has a damaged header: it is not JSON", {}, cause);
  }
  const { rows, features, targets, weighted, encoding, classes = null } = fields(json, path, "the header");
  const names = (value: unknown): value is string[] =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string" && name !== "");
  if (!Number.isSafeInteger(rows) || (rows as number) < 1 || !names(features) || !names(targets))
    throw fileError(path, "has a damaged header: rows, features and targets must be there");
  if (typeof weighted !== "boolean") throw fileError(path, "has a damaged header: weighted must be true or false");
  if (classes !== null && !(names(classes) && classes.length > 1 && classes.length === targets.length))
    throw fileError(path, "has a damaged header: classes must be one name a target");
  const table =
    encoding === null || encoding === undefined ? null : encodingFromJson(encoding, (rule) => fileError(path, rule));
  if (table !== null && !sameClasses(table.classes ?? null, classes))
    throw fileError(path, "has a damaged header: classes and encoding.classes must be the same");
  return { rows: rows as number, features, targets, classes, weighted, encoding: table };
}
