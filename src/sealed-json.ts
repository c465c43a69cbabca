// Writes and reads the envelope of model files and checkpoints (network/model-file.ts, train/checkpoint.ts, flow/flow-checkpoint.ts,
// game/game-checkpoint.ts): JSON with a format name, a version and a checksum over the body. Float arrays are base64 of their little-endian
// bytes, so that every bit is restored. A torn or edited file is refused with the reason.
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "./atomic-file.js";
import { describe, fileError, GaussflowError } from "./errors.js";
import { Pace } from "./event-loop-yield.js";

const { MAX_STRING_LENGTH } = constants;

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/**
 * The text of a file of `format`.
 * @param body Float arrays in it become their base64.
 * @throws GAUSSFLOW_MEMORY where it would be longer than a text can be
 */
export function seal(format: string, version: number, body: unknown): string {
  try {
    const text = [...jsonPieces(body)].join("");
    return `${headOf(format, version, checksum(text))}${text}${END}`;
  } catch (cause) {
    throw cause instanceof RangeError ? lengthError(format, cause) : cause;
  }
}

/**
 * Writes the same text to a file, completely or not at all, in turns with the event loop. Two passes make the text piece by piece, the first
 * for the checksum at its head: of arrays of floats no more than a piece is in memory. The arrays must not change before the promise resolves.
 * @throws GAUSSFLOW_FILE naming the path and what the system said; GAUSSFLOW_MEMORY where the text would be longer than can be read again
 */
export async function writeSealed(path: string, format: string, version: number, body: unknown): Promise<void> {
  const pace = new Pace(undefined);
  const hash = createHash("sha256");
  let length = 0;
  for (const piece of jsonPieces(body)) {
    hash.update(piece);
    length += piece.length;
    await pace.turn();
  }
  const head = headOf(format, version, hash.digest("hex"));
  if (head.length + length + END.length > MAX_STRING_LENGTH) throw lengthError(format);
  function* pieces(): Generator<string, void> {
    yield head;
    yield* jsonPieces(body);
    yield END;
  }
  await writeFileAtomic(path, pieces());
}

/** What a file begins with, up to its body, and ends with. */
function headOf(format: string, version: number, sum: string): string {
  return `${JSON.stringify({ format, version, checksum: sum }).slice(0, -1)},"body":`;
}
const END = "}\n";

function lengthError(format: string, cause?: RangeError): GaussflowError {
  return new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `the ${format} file would have more than ${MAX_STRING_LENGTH} characters, the most that Node.js holds as one text`,
    { most: MAX_STRING_LENGTH },
    { cause },
  );
}

/** JSON.stringify(value) in pieces, with the base64 of float arrays in their place. */
function* jsonPieces(value: unknown): Generator<string, void> {
  if (value instanceof Float64Array) {
    yield '"';
    yield* base64Pieces(value);
    yield '"';
  } else if (!holdsFloats(value)) yield JSON.stringify(value) ?? "null";
  else if (Array.isArray(value)) {
    for (const [k, entry] of value.entries()) {
      yield k === 0 ? "[" : ",";
      yield* jsonPieces(entry);
    }
    yield "]";
  } else {
    let before = "{";
    for (const [key, entry] of Object.entries(value as object)) {
      if (entry === undefined) continue;
      yield `${before}${JSON.stringify(key)}:`;
      yield* jsonPieces(entry);
      before = ",";
    }
    yield "}";
  }
}

function holdsFloats(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Float64Array || Object.values(value).some(holdsFloats);
}

/**
 * The body of a sealed text.
 * @param where how errors call the text, usually its path
 * @throws GAUSSFLOW_FILE: not JSON (torn), another format, a newer version, a checksum that does not fit
 */
export function unseal(text: string, format: string, version: number, where: string): unknown {
  return unsealAny(text, [format], version, where).body;
}

/** The same for a text of one of several formats, with the one it has and its version. */
export function unsealAny<Format extends string>(
  text: string,
  formats: readonly Format[],
  version: number,
  where: string,
): { readonly format: Format; readonly version: number; readonly body: unknown } {
  let value: unknown;
  checkDepth(text, where);
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!text.trimStart().startsWith("{"))
      throw fileError(where, `is not a ${formats.join(" or ")} file: it is not JSON`, {}, cause);
    const end = text.trimEnd().endsWith("}") ? "" : " (it ends too early: was it cut off?)";
    throw fileError(where, `is not JSON${end}`, {}, cause);
  }
  const head = fields(value, where, "the file");
  const format = formats.find((one) => one === head.format);
  if (format === undefined)
    throw fileError(where, `is not a ${formats.join(" or ")} file; its format is ${describe(head.format)}`);
  if (!Number.isInteger(head.version) || (head.version as number) < 1)
    throw fileError(where, `version must be a positive integer; received ${describe(head.version)}`);
  if ((head.version as number) > version)
    throw fileError(where, `has version ${head.version}; this gaussflow reads up to ${version}: update it`);
  if (!("body" in head)) throw fileError(where, "has no body");
  if (head.checksum !== checksum(JSON.stringify(head.body)))
    throw fileError(where, "the checksum does not fit the body: the file was damaged or edited");
  return { format, version: head.version as number, body: head.body };
}

/** No file of this library nests more than a dozen. */
const MOST_NESTED = 100;

/** Refuses what is nested so deep that working on it would exhaust the stack. */
function checkDepth(text: string, where: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      // To the end of the text: arrays of numbers are long ones, without escapes.
      do {
        at = text.indexOf('"', at + 1);
        if (at < 0) return;
      } while (isEscaped(text, at));
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > MOST_NESTED) throw fileError(where, `is nested more than ${MOST_NESTED} deep`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

/** True if an odd number of backslashes precedes a character. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === 0x5c) before--;
  return (at - before) % 2 === 0;
}

/** Reads a file as text. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such file" : `cannot be read (${code})`;
    throw fileError(path, why, {}, cause);
  }
}

/** A value that must be an object. */
export function fields(value: unknown, where: string, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw fileError(where, `${what} must be an object; received ${describe(value)}`);
  return value as Record<string, unknown>;
}

/** Base64 of the little-endian bytes. */
export function encodeFloats(values: Float64Array): string {
  return [...base64Pieces(values)].join("");
}

/** Numbers of a piece: below a millisecond of work. Their bytes are a multiple of 3, so that the base64 of the pieces is that of the whole. */
const PIECE = 3 << 12;

function* base64Pieces(values: Float64Array): Generator<string, void> {
  const bytes = Buffer.alloc(8 * Math.min(values.length, PIECE));
  for (let first = 0; first < values.length; first += PIECE) {
    const count = Math.min(PIECE, values.length - first);
    for (let i = 0; i < count; i++) bytes.writeDoubleLE(values[first + i], 8 * i);
    yield bytes.toString("base64", 0, 8 * count);
  }
}

/** Refuses NaN, and infinities where they are not `allowed`. */
export function checkNumbers(values: Float64Array, where: string, what: string, allowed = false): Float64Array {
  const bad = values.findIndex((value) => (allowed ? Number.isNaN(value) : !Number.isFinite(value)));
  if (bad >= 0)
    throw fileError(where, `${what}[${bad}] must be a ${allowed ? "" : "finite "}number; it is ${values[bad]}`);
  return values;
}

/** A count: 0, 1, 2, ... */
export function countOf(value: unknown, where: string, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw fileError(where, `${what} must be a count; received ${describe(value)}`);
  return value as number;
}

/** What a field of a record has to be; a list is the names it may have. */
export type Kind =
  | "number"
  | "number or null"
  | "count"
  | "count or null"
  | "boolean"
  | "text"
  | "text or null"
  | readonly string[]
  | Fields;

/** An object's fields. Others may be there: a later version has more. */
export interface Fields {
  readonly required: Readonly<Record<string, Kind>>;
  readonly optional?: Readonly<Record<string, Kind>>;
}

/** The rule that a value breaks, or null. Only "number" must be finite: JSON has null for what is not. */
function broken(value: unknown, kind: Exclude<Kind, Fields>): string | null {
  if (Array.isArray(kind)) return kind.includes(value) ? null : `must be one of ${kind.join(", ")}`;
  if (value === null && (kind as string).endsWith(" or null")) return null;
  switch (kind) {
    case "number":
      return Number.isFinite(value) ? null : "must be a finite number";
    case "number or null":
      return typeof value === "number" && !Number.isNaN(value) ? null : "must be a number or null";
    case "boolean":
      return typeof value === "boolean" ? null : "must be true or false";
    case "text":
    case "text or null":
      return typeof value === "string" ? null : `must be a ${kind as string}`;
    default:
      return Number.isSafeInteger(value) && (value as number) >= 0 ? null : `must be a ${kind as string}`;
  }
}

/** An object with these fields, frozen. */
export function checkFields(value: unknown, { required, optional = {} }: Fields, where: string, what: string): object {
  const found = fields(value, where, what);
  for (const [name, kind] of [...Object.entries(required), ...Object.entries(optional)]) {
    const entry = found[name];
    if (entry === undefined && Object.hasOwn(optional, name)) continue;
    if (typeof kind === "object" && "required" in kind) {
      checkFields(entry, kind, where, `${what}.${name}`);
      continue;
    }
    const rule = broken(entry, kind as Exclude<Kind, Fields>);
    if (rule !== null) throw fileError(where, `${what}.${name} ${rule}; received ${describe(entry)}`);
  }
  return Object.freeze(found);
}

/** @param length how many numbers there must be, or null for any */
export function decodeFloats(value: unknown, length: number | null, where: string, what: string): Float64Array {
  if (typeof value !== "string") throw fileError(where, `${what} must be base64 text; received ${describe(value)}`);
  const bytes = Buffer.from(value, "base64");
  if (bytes.toString("base64") !== value || bytes.length % 8 !== 0)
    throw fileError(where, `${what} is not base64 of whole numbers`);
  const count = bytes.length / 8;
  if (length !== null && count !== length) throw fileError(where, `${what} must hold ${length} numbers, not ${count}`);
  return Float64Array.from({ length: count }, (_, i) => bytes.readDoubleLE(8 * i));
}
