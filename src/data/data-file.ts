// Data sets in a file, larger than memory: every engine reads them block by block.
//
//   bytes 0-7      "GFDATA1\n"
//   bytes 8-15     length of the header in bytes, decimal ASCII, padded with blanks
//   from 16 on     the header, JSON: rows, names, weighted, encoding; padded with blanks, so that the rows begin at a multiple of 4096
//   then           rows of float64, little-endian: inputs, targets, then the weight where the data are weighted
//
// Values stand in raw units. Scaling is found by reading the file and applied to each block as it is read, with the arithmetic of data in
// memory, so that a training gives the same bits either way.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { argumentError, fileError, type GaussflowError } from "../errors.js";
import type { TableEncoding } from "./encoding.js";
import { encodingFromJson } from "./encoding-json.js";

export const DATA_FILE_MAGIC = "GFDATA1\n";
/** The rows begin at a multiple of this. */
export const DATA_FILE_PAGE = 4096;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
/** Doubles that are read at a time. */
const BLOCK = 1 << 17;

/** Where the rows of an open data file stand: what an engine needs to read them. */
export interface RowLayout {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** Doubles of a row. */
  readonly width: number;
  /** Nanoseconds of the last change, as a text: a file that changes under a run is refused. */
  readonly changed: string;
}

/** A data set in a file. Made by `openDataFile`. */
export class FileDataset {
  readonly layout: RowLayout;
  readonly sampleCount: number;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly featureNames: readonly string[];
  readonly targetNames: readonly string[];
  readonly encoding: TableEncoding | null;
  /** n sample weights > 0, in memory; null = all 1. */
  readonly weights: Float64Array | null;
  readonly parts = null;

  constructor(layout: RowLayout, header: Header) {
    this.layout = layout;
    this.sampleCount = header.rows;
    this.featureNames = header.features;
    this.targetNames = header.targets;
    this.inputSize = header.features.length;
    this.outputSize = header.targets.length;
    this.encoding = header.encoding;
    this.weights = header.weighted ? new Float64Array(header.rows) : null;
    this.#check();
  }

  /**
   * Blocks of whole rows, raw units: `width` numbers each. Every block is the same memory: it is valid until the next one.
   * @throws GAUSSFLOW_FILE where the file has changed
   */
  *blocks(): Generator<Float64Array, void> {
    const reader = new RowReader(this.layout);
    const rows = Math.max(1, Math.floor(BLOCK / this.layout.width));
    try {
      for (let first = 0; first < this.sampleCount; first += rows)
        yield reader.read(first, Math.min(rows, this.sampleCount - first));
    } finally {
      reader.close();
    }
  }

  /** One pass over the file: every number is finite, weights are taken into memory. */
  #check(): void {
    const { width, path } = this.layout;
    const columns = this.inputSize + this.outputSize;
    let row = 0;
    for (const block of this.blocks()) {
      const bad = firstNotFinite(block);
      if (bad >= 0) {
        const at = { row: row + Math.floor(bad / width) + 1, column: (bad % width) + 1 };
        throw fileError(path, `row ${at.row}, column ${at.column}: must be a finite number; holds ${block[bad]}`, at);
      }
      for (let i = 0; i < block.length / width; i++, row++) {
        if (this.weights === null) continue;
        const weight = block[i * width + columns]!;
        if (weight <= 0)
          throw fileError(path, `row ${row + 1}: has a weight that is not above 0, ${weight}`, { row: row + 1 });
        this.weights[row] = weight;
      }
    }
  }
}

/** -1 where all are finite. A plain loop: `findIndex` boxes every number, which leaves the collector megabytes a block. */
function firstNotFinite(values: Float64Array): number {
  for (let k = 0; k < values.length; k++) if (!Number.isFinite(values[k])) return k;
  return -1;
}

/** Reads rows of a data file; keeps the file open until it is closed. */
export class RowReader {
  readonly #layout: RowLayout;
  readonly #file: number;
  // Kept between reads: fresh blocks would wait for the collector, some hundred of them at times.
  #room = new Float64Array(0);

  constructor(layout: RowLayout) {
    this.#layout = layout;
    this.#file = openSync(layout.path, "r");
  }

  /** Rows [first, first + count), valid until the next call. @throws GAUSSFLOW_FILE */
  read(first: number, count: number): Float64Array {
    const { path, offset, width, size, changed } = this.#layout;
    if (this.#room.length < count * width) this.#room = new Float64Array(count * width);
    const values = this.#room.subarray(0, count * width);
    const bytes = new Uint8Array(values.buffer, 0, values.byteLength);
    let done = 0;
    while (done < bytes.length) {
      const more = readSync(this.#file, bytes, done, bytes.length - done, offset + first * width * DOUBLE + done);
      if (more === 0) break;
      done += more;
    }
    const now = fstatSync(this.#file, { bigint: true });
    if (done < bytes.length || Number(now.size) !== size || String(now.mtimeNs) !== changed)
      throw changedError(path, first);
    return values;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What both engines say of a file that is not what it was. */
export function changedError(path: string, sample: number): GaussflowError {
  return fileError(path, `cannot be read at row ${sample + 1}, or has changed since it was opened`, {
    row: sample + 1,
  });
}

interface Header {
  readonly rows: number;
  readonly features: readonly string[];
  readonly targets: readonly string[];
  readonly weighted: boolean;
  readonly encoding: TableEncoding | null;
}

/**
 * Opens a data file (written by `writeDataFile` or `gaussflow convert`) and reads it once: every number must be finite.
 * @throws GAUSSFLOW_FILE: no such file, not a data file, cut off, too long, a number that is not finite (with row and column)
 * @example const result = await train(net, openDataFile("rig.gfd"));
 */
export function openDataFile(path: string): FileDataset {
  if (typeof path !== "string" || path === "") throw argumentError("path", "must be a path", path);
  const full = resolve(path);
  let file: number;
  try {
    file = openSync(full, "r");
  } catch (cause) {
    throw fileError(path, `cannot be opened (${(cause as { code?: string }).code ?? "unknown"})`, {}, cause);
  }
  try {
    const { size: bytes, mtimeNs } = fstatSync(file, { bigint: true });
    const size = Number(bytes);
    const head = Buffer.alloc(16);
    const found = readSync(file, head, 0, 16, 0);
    if (found < 16 || head.toString("latin1", 0, 8) !== DATA_FILE_MAGIC)
      throw fileError(path, 'is not a data file: it does not begin with "GFDATA1"');
    const length = Number(head.toString("latin1", 8, 16));
    if (!Number.isInteger(length) || length < 2 || 16 + length > size) throw fileError(path, "has a damaged header");
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
    return new FileDataset({ path: full, offset, size, width, changed: String(mtimeNs) }, header);
  } finally {
    closeSync(file);
  }
}

/** A regular file that begins as a data file does; nothing is taken from a pipe. Whoever reads it next says why it cannot be read. */
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
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw fileError(path, "has a damaged header: it is not JSON", {}, cause);
  }
  const { rows, features, targets, weighted, encoding } = json;
  const names = (value: unknown): value is string[] =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string" && name !== "");
  if (!Number.isSafeInteger(rows) || (rows as number) < 1 || !names(features) || !names(targets))
    throw fileError(path, "has a damaged header: rows, features and targets must be there");
  if (typeof weighted !== "boolean") throw fileError(path, "has a damaged header: weighted must be true or false");
  return {
    rows: rows as number,
    features,
    targets,
    weighted,
    encoding:
      encoding === null || encoding === undefined ? null : encodingFromJson(encoding, (rule) => fileError(path, rule)),
  };
}
