// The bytes of a table: a file (unpacked when its name ends in .gz), standard input, or any readable stream. What is plainly
// not a table (a zero byte, text that is not UTF-8, an archive) is refused here, with the line, before the parser sees it.
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { argumentError, GaussflowError } from "../errors.js";
import { DATA_FILE_MAGIC } from "./data-file.js";

export type Charset = "utf8" | "latin1";

/** How much of the table is looked at before reading begins. */
const HEAD_BYTES = 65536;

export interface TableSource {
  /** What errors call the table. */
  readonly name: string;
  /** The first bytes, without byte-order mark. */
  readonly head: Buffer;
  /** `head` is everything. */
  readonly complete: boolean;
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
    const file = createReadStream(source, { highWaterMark: HEAD_BYTES });
    // pipeline, not pipe: an error of the file must reach whoever reads the unpacked bytes.
    return { name: source, stream: /\.gz$/i.test(source) ? pipeline(file, createGunzip(), () => {}) : file };
  }
  if (source !== null && typeof source === "object" && Symbol.asyncIterator in source)
    return { name: "the stream", stream: source };
  throw argumentError("source", 'must be a path, "-" or a readable stream', source);
}

/** What went wrong while reading, in words. */
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

/** The chunks as buffers, checked to be text, byte-order mark removed. */
async function* checked(name: string, stream: AsyncIterable<unknown>, charset: Charset): AsyncGenerator<Buffer> {
  let line = 1;
  let carried: Buffer = Buffer.alloc(0);
  let atStart = true;
  const check = (chunk: Buffer) => {
    const zero = chunk.indexOf(0);
    if (zero >= 0) {
      const at = line + newlines(chunk.subarray(0, zero));
      throw dataError(name, `, line ${at}: holds a zero byte; this is a binary file (or UTF-16 text), not a table`, {
        line: at,
      });
    }
    if (charset === "utf8" && !isUtf8(chunk)) {
      // Whole lines of a bad chunk are looked at one by one: this path ends in an error, so it may be slow.
      let from = 0;
      for (let to = chunk.indexOf(10); to >= 0 && isUtf8(chunk.subarray(from, to)); to = chunk.indexOf(10, from)) {
        from = to + 1;
        line++;
      }
      throw dataError(name, `, line ${line}: is not UTF-8 text; for an older Western file set charset: "latin1"`, {
        line,
      });
    }
    line += newlines(chunk);
    return chunk;
  };
  try {
    for await (const piece of stream) {
      if (typeof piece !== "string" && !(piece instanceof Uint8Array))
        throw argumentError("source", "must be a stream of text or bytes", piece);
      let chunk: Buffer =
        typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (carried.length > 0) chunk = Buffer.concat([carried, chunk]);
      if (atStart) {
        if (chunk.length < 4) {
          carried = chunk;
          continue;
        }
        atStart = false;
        chunk = afterMark(name, chunk);
      }
      const tail = charset === "utf8" ? unfinished(chunk) : 0;
      carried = chunk.subarray(chunk.length - tail);
      if (chunk.length > tail) yield check(chunk.subarray(0, chunk.length - tail));
    }
    if (atStart) carried = afterMark(name, carried);
    if (carried.length > 0) yield check(carried);
  } catch (error) {
    throw readError(name, error);
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

/** Opens a table and looks at its beginning. */
export async function openTable(source: string | Readable, charset: Charset): Promise<TableSource> {
  const { name, stream } = open(source);
  const iterator = checked(name, stream, charset);
  const first: Buffer[] = [];
  let bytes = 0;
  let complete = false;
  while (bytes < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done) {
      complete = true;
      break;
    }
    first.push(next.value);
    bytes += next.value.length;
  }
  const head = Buffer.concat(first);
  async function* all() {
    try {
      if (head.length > 0) yield head;
      if (!complete) yield* iterator;
    } finally {
      // Closes the file also when the parser stops half-way.
      await iterator.return(undefined);
    }
  }
  return { name, head, complete, chunks: all() };
}
