// Opens the bytes of a table: a file (unpacked if its name ends in .gz), standard input, or any readable stream. Data that are clearly not
// a table (a zero byte, text that is not UTF-8, an archive) are refused here, with the line, before the parser reads them. csv-rows.ts
// calls it first for each table.

import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { argumentError, GaussflowError } from "../errors.js";
import type { Charset } from "./csv-options.js";
import type { Wording } from "./csv-wording.js";
import { DATA_FILE_MAGIC } from "./data-file.js";

/** Size of all blocks, independent of how the bytes arrive, so that results do not depend on that. */
const BLOCK_BYTES = 65536;

/** Lines that the head holds, beside at least one block: enough to see a header, a row of units and a row of data. */
const HEAD_LINES = 4;

export interface TableSource {
  /** Name of the table in errors. */
  readonly name: string;
  /** The first lines, without byte-order mark, the lines that are skipped, and a line "sep=". */
  readonly head: Buffer;
  /** `head` is everything. */
  readonly complete: boolean;
  /** Number of the line that the head begins with, from 1. */
  readonly firstLine: number;
  /** The delimiter that a first line such as "sep=;" names, or null. */
  readonly separator: string | null;
  /** All bytes, head included; to be read once. */
  readonly chunks: AsyncIterable<Buffer>;
}

function dataError(name: string, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
  return new GaussflowError("GAUSSFLOW_DATA", `${name}${message}`, { file: name, ...details }, { cause });
}

function open(source: string | Readable): { name: string; stream: AsyncIterable<unknown> } {
  if (source === "-") return { name: "standard input", stream: process.stdin };
  if (typeof source === "string") {
    if (source === "" || source.includes("\0"))
      throw argumentError("source", 'must be a path, "-" or a readable stream', source);
    const file = createReadStream(source, { highWaterMark: BLOCK_BYTES });
    // pipeline, not pipe: an error of the file must reach the reader of the unpacked bytes.
    return { name: source, stream: /\.gz$/i.test(source) ? pipeline(file, createGunzip(), () => {}) : file };
  }
  if (source !== null && typeof source === "object" && Symbol.asyncIterator in source)
    return { name: "the stream", stream: source };
  throw argumentError("source", 'must be a path, "-" or a readable stream', source);
}

/** The message for an error while reading. */
function readError(name: string, error: unknown): unknown {
  if (error instanceof GaussflowError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return error;
  if (code === "ENOENT") return dataError(name, ": there is no such file", { code }, error);
  if (code === "EISDIR") return dataError(name, ": is a directory, not a table", { code }, error);
  if (code === "EACCES" || code === "EPERM") return dataError(name, ": may not be read", { code }, error);
  if (code === "Z_BUF_ERROR") return dataError(name, ": the packed file ends too early", { code }, error);
  if (code.startsWith("Z_")) return dataError(name, ": is not a sound gzip file", { code }, error);
  return dataError(name, `: cannot be read (${code})`, { code }, error);
}

function newlines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}

/** Bytes at the end of `chunk` that begin a character whose rest is in the next chunk. */
function unfinished(chunk: Buffer): number {
  for (let back = 1; back <= Math.min(3, chunk.length); back++) {
    const byte = chunk[chunk.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** The bytes of a stream in blocks of one size. */
async function* blocksOf(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const given of stream) {
    if (typeof given !== "string" && !(given instanceof Uint8Array))
      throw argumentError("source", "must be a stream of text or bytes", given);
    let piece =
      typeof given === "string" ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    while (bytes + piece.length >= BLOCK_BYTES) {
      const rest = BLOCK_BYTES - bytes;
      const block = bytes === 0 ? piece.subarray(0, rest) : Buffer.concat([...pieces, piece.subarray(0, rest)]);
      piece = piece.subarray(rest);
      pieces = [];
      bytes = 0;
      yield block;
    }
    if (piece.length > 0) pieces.push(piece);
    bytes += piece.length;
    // A stream of single bytes must not become a list of single bytes.
    if (pieces.length > 1024) pieces = [Buffer.concat(pieces)];
  }
  if (bytes > 0) yield Buffer.concat(pieces);
}

/** Checks that bytes are text, and counts lines for the errors. */
class TextCheck {
  readonly #name: string;
  readonly #charset: Charset;
  readonly #wording: Wording;
  #line = 1;

  constructor(name: string, charset: Charset, wording: Wording) {
    this.#name = name;
    this.#charset = charset;
    this.#wording = wording;
  }

  /** Returns the block. */
  check(block: Buffer): Buffer {
    const zero = block.indexOf(0);
    if (zero >= 0) {
      const line = this.#line + newlines(block.subarray(0, zero));
      throw dataError(
        this.#name,
        `, line ${line}: holds a zero byte; this is a binary file (or UTF-16 text), not a table`,
        { line },
      );
    }
    if (this.#charset === "utf8" && !isUtf8(block)) this.#refuse(block);
    this.#line += newlines(block);
    return block;
  }

  /** Finds the bad line of a block, line by line; it may be slow, because it ends in an error. */
  #refuse(block: Buffer): never {
    let from = 0;
    let line = this.#line;
    for (let to = block.indexOf(10); to >= 0 && isUtf8(block.subarray(from, to)); to = block.indexOf(10, from)) {
      from = to + 1;
      line++;
    }
    const latin = this.#wording.hint("charset", "latin1");
    throw dataError(this.#name, `, line ${line}: is not UTF-8 text; for an older Western file set ${latin}`, { line });
  }
}

/** The blocks, checked to be text, byte-order mark removed; none ends within a character. */
async function* checked(stream: AsyncIterable<unknown>, charset: Charset, name: string, wording: Wording) {
  const text = new TextCheck(name, charset, wording);
  let carried: Buffer | null = null;
  let atStart = true;
  try {
    for await (let block of blocksOf(stream)) {
      if (atStart) block = afterMark(name, block);
      atStart = false;
      if (carried !== null) block = Buffer.concat([carried, block]);
      const tail: number = charset === "utf8" ? unfinished(block) : 0;
      carried = tail > 0 ? block.subarray(block.length - tail) : null;
      if (block.length > tail) yield text.check(block.subarray(0, block.length - tail));
    }
    if (carried !== null) yield text.check(carried);
  } catch (error) {
    throw readError(name, error);
  }
}

/** Leaves the first lines out. */
async function* withoutLines(blocks: AsyncGenerator<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  let afterReturn = false; // a line feed at the start of the next block belongs to a line end before it
  for await (const block of blocks) {
    let at = 0;
    if (afterReturn && block[0] === 10) at = 1;
    afterReturn = false;
    for (; left > 0 && at < block.length; at++) {
      if (block[at] !== 10 && block[at] !== 13) continue;
      left--;
      if (block[at] === 13 && block[at + 1] === 10) at++;
      else afterReturn = block[at] === 13 && at + 1 === block.length;
    }
    if (at < block.length) yield block.subarray(at);
  }
}

/** The first chunk without a UTF-8 byte-order mark; the marks of other formats are refused by name. */
function afterMark(name: string, chunk: Buffer): Buffer {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => chunk[i] === byte);
  if (starts(0xef, 0xbb, 0xbf)) return chunk.subarray(3);
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff))
    throw dataError(name, ", line 1: is UTF-16 text; save it as UTF-8", { line: 1 });
  if (starts(0x1f, 0x8b))
    throw dataError(name, ", line 1: is gzip data; give the file a name ending in .gz, or pipe it through gunzip", {
      line: 1,
    });
  if (starts(0x50, 0x4b, 3, 4))
    throw dataError(name, ", line 1: is a zip archive or a spreadsheet; export it as CSV", { line: 1 });
  if (chunk.toString("latin1", 0, DATA_FILE_MAGIC.length) === DATA_FILE_MAGIC)
    throw dataError(name, ": is a data file, not a table; openDataFile and gaussflow train read it");
  return chunk;
}

/** How the bytes of a table are read. */
export interface SourceOptions {
  readonly charset: Charset;
  /** Lines to leave out at the beginning. */
  readonly skip: number;
  /** The head ends with a record that is longer. */
  readonly maxRecordLength: number;
  readonly wording: Wording;
}

/** Opens a table and looks at its beginning. */
export async function openTable(
  source: string | Readable,
  { charset, skip, maxRecordLength, wording }: SourceOptions,
): Promise<TableSource> {
  const { name, stream } = open(source);
  const text = checked(stream, charset, name, wording);
  const iterator = skip === 0 ? text : withoutLines(text, skip);
  const first: Buffer[] = [];
  let [bytes, lines] = [0, 0];
  let complete = false;
  while (bytes < BLOCK_BYTES || (lines < HEAD_LINES && bytes <= maxRecordLength)) {
    const next = await iterator.next();
    if (next.done) {
      complete = true;
      break;
    }
    first.push(next.value);
    bytes += next.value.length;
    lines += newlines(next.value);
  }
  const bytesRead = Buffer.concat(first);
  const separation = /^"?sep=(.)"?[ \t]*(?:\r\n|\n|\r|$)/iu.exec(bytesRead.toString(charset, 0, 16));
  const head = separation === null ? bytesRead : bytesRead.subarray(Buffer.byteLength(separation[0], charset));
  async function* all() {
    try {
      if (head.length > 0) yield head;
      if (!complete) yield* iterator;
    } finally {
      // Closes the file also when the parser stops half-way.
      await iterator.return(undefined);
    }
  }
  const firstLine = 1 + skip + (separation === null ? 0 : 1);
  return { name, head, complete, firstLine, separator: separation?.[1] ?? null, chunks: all() };
}
