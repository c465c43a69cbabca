// The envelope of our files: JSON with a format name, a version and a checksum over the body, and float arrays as base64 of their
// little-endian bytes, so that every bit comes back and a torn or edited file is refused with the reason.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, fileError } from "./errors.js";

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** The text of a file of `format`. */
export function seal(format: string, version: number, body: unknown): string {
  const text = JSON.stringify(body);
  return `${JSON.stringify({ format, version, checksum: checksum(text) }).slice(0, -1)},"body":${text}}\n`;
}

/**
 * The body of a sealed text.
 * @param where how errors call the text, usually its path
 * @throws GAUSSFLOW_FILE: not JSON (torn), another format, a newer version, a checksum that does not fit
 */
export function unseal(text: string, format: string, version: number, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const end = text.trimEnd().endsWith("}") ? "" : " (it ends too early: was it cut off?)";
    throw fileError(where, `is not JSON${end}`, {}, cause);
  }
  const head = fields(value, where, "the file");
  if (head.format !== format) throw fileError(where, `is not a ${format} file; its format is ${describe(head.format)}`);
  if (!Number.isInteger(head.version) || (head.version as number) < 1)
    throw fileError(where, `version must be a positive integer; received ${describe(head.version)}`);
  if ((head.version as number) > version)
    throw fileError(where, `has version ${head.version}; this gaussflow reads up to ${version}: update it`);
  if (!("body" in head)) throw fileError(where, "has no body");
  if (head.checksum !== checksum(JSON.stringify(head.body)))
    throw fileError(where, "the checksum does not fit the body: the file was damaged or edited");
  return head.body;
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
  const bytes = Buffer.alloc(8 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i], 8 * i);
  return bytes.toString("base64");
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

/** Records of a run, at least the one of the start: objects that have these finite numbers. Frozen, as records are. */
export function checkRecords(value: unknown, numbers: readonly string[], where: string): readonly object[] {
  if (!Array.isArray(value) || value.length === 0) throw fileError(where, "records must be a list of at least one");
  return value.map((entry, k) => {
    const record = fields(entry, where, `records[${k}]`);
    for (const name of numbers)
      if (!Number.isFinite(record[name]))
        throw fileError(where, `records[${k}].${name} must be a finite number; received ${describe(record[name])}`);
    if (typeof record.route !== "string") throw fileError(where, `records[${k}].route must be a name`);
    return Object.freeze(record);
  });
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
