// Reads the rows of a data file block by block: without interruption for engines that compute on the calling thread (backend/samples.ts),
// or in turns with the event loop for passes over a whole file (data-file.ts). The file is read and not mapped, because a file that is cut
// off under a mapping would kill the process. A file that changes during a run is refused at the next block.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { fileError, type GaussflowError } from "../errors.js";

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
/** Doubles that are read at a time: a pass over them takes about a millisecond. */
const BLOCK = 1 << 17;

/** The place of the rows of an open data file: what an engine needs to read them. */
export interface RowLayout {
  /** Path of the file. */
  readonly path: string;
  /** Byte at which the first row begins. */
  readonly offset: number;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Doubles of a row. */
  readonly width: number;
  /** Nanoseconds of the last change, as a text: a file that changes under a run is refused. */
  readonly changed: string;
  /** The file's inode, as a text: another file in its place is refused. */
  readonly inode: string;
}

/** What a data file has before its rows. @throws GAUSSFLOW_FILE */
export function headerOf({ path, offset }: RowLayout): string {
  const header = Buffer.alloc(offset);
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw openError(path, cause);
  }
  try {
    readSync(file, header, 0, offset, 0);
  } finally {
    closeSync(file);
  }
  return header.toString("latin1");
}

/** Whole rows that are read at a time. */
export function blockRows({ width }: Pick<RowLayout, "width">): number {
  return Math.max(1, Math.floor(BLOCK / width));
}

/** Reads rows of a data file; keeps the file open until it is closed. */
export class RowReader {
  readonly #layout: RowLayout;
  readonly #file: number;
  // Reused between reads, because fresh blocks would wait for the garbage collector, sometimes a hundred of them.
  #room = new Float64Array(0);

  /** @throws GAUSSFLOW_FILE */
  constructor(layout: RowLayout) {
    this.#layout = layout;
    try {
      this.#file = openSync(layout.path, "r");
    } catch (cause) {
      throw openError(layout.path, cause);
    }
  }

  /** Rows [first, first + count), valid until the next call. @throws GAUSSFLOW_FILE */
  read(first: number, count: number): Float64Array {
    const { path, offset, width } = this.#layout;
    if (this.#room.length < count * width) this.#room = new Float64Array(count * width);
    const values = this.#room.subarray(0, count * width);
    const bytes = new Uint8Array(values.buffer, 0, values.byteLength);
    let done = 0;
    while (done < bytes.length) {
      const more = readSync(this.#file, bytes, done, bytes.length - done, offset + first * width * DOUBLE + done);
      if (more === 0) break;
      done += more;
    }
    if (done < bytes.length || isChanged(fstatSync(this.#file, { bigint: true }), this.#layout))
      throw changedError(path, first);
    return values;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Some rows, and the number of the first of them. The block is valid until the next one. */
export interface RowBlock {
  readonly block: Float64Array;
  readonly row: number;
}

/**
 * All rows, block by block, with a turn of the event loop before each; the next block is read while one is in use.
 * @throws GAUSSFLOW_FILE, and the signal's reason once it has been aborted
 */
export async function* rowBlocks(
  layout: RowLayout,
  rowCount: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowBlock, void> {
  const { path, offset, width } = layout;
  signal?.throwIfAborted();
  const rows = Math.min(rowCount, blockRows(layout));
  const file = await open(path, "r").catch((cause) => {
    throw openError(path, cause);
  });
  const rooms = [new Float64Array(rows * width), new Float64Array(rows * width)] as const;
  const read = async (first: number, room: Float64Array) => {
    const block = room.subarray(0, Math.min(rows, rowCount - first) * width);
    const bytes = new Uint8Array(block.buffer, 0, block.byteLength);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + first * width * DOUBLE + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    if (done < bytes.length || isChanged(await file.stat({ bigint: true }), layout)) throw changedError(path, first);
    return { block, row: first };
  };
  let [room, other] = rooms;
  let ahead: Promise<RowBlock> = read(0, room);
  try {
    for (let first = 0; first < rowCount; first += rows) {
      const next = await ahead;
      [room, other] = [other, room];
      if (first + rows < rowCount) {
        ahead = read(first + rows, room);
        // If the caller leaves the loop early, nobody waits for this read, and its failure is ignored.
        ahead.catch(() => undefined);
      }
      signal?.throwIfAborted();
      yield next;
    }
  } finally {
    await ahead.catch(() => undefined);
    await file.close();
  }
}

function isChanged(
  now: { readonly size: bigint; readonly mtimeNs: bigint; readonly ino: bigint },
  { size, changed, inode }: RowLayout,
): boolean {
  return Number(now.size) !== size || String(now.mtimeNs) !== changed || String(now.ino) !== inode;
}

/** The error of a file that cannot be opened. */
export function openError(path: string, cause: unknown): GaussflowError {
  return fileError(path, `cannot be opened (${(cause as { code?: string }).code ?? "unknown"})`, {}, cause);
}

/** The error of both engines for a file that was cut off or changed after it was opened. */
export function changedError(path: string, sample: number): GaussflowError {
  return fileError(path, `cannot be read at row ${sample + 1}, or has changed since it was opened`, {
    row: sample + 1,
  });
}
