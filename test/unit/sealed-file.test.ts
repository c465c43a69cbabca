// Sealed files with float arrays: the text is that of JSON.stringify with the base64 of each whole array, whether it is made at once or written
// in pieces, between which the event loop turns.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodeFloats, encodeFloats, seal, unseal, writeSealed } from "../../src/sealed-json.js";
import { ticksDuring } from "../helpers/ticks.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-sealed-"));
/** Numbers of a piece of a file. */
const PIECE = 3 * 2 ** 12;

/** Bits of every kind: signs, subnormals, infinities. */
const floats = (length: number) =>
  Float64Array.from({ length }, (_, k) => [Math.sin(k), -0, 5e-324, Number.POSITIVE_INFINITY][k % 4]! * (k % 3 || 1));

/** Base64 of the little-endian bytes of the whole array. */
function whole(values: Float64Array): string {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, k) => {
    bytes.writeDoubleLE(value, 8 * k);
  });
  return bytes.toString("base64");
}

/** The same value with texts in place of float arrays. */
function plain(value: unknown): unknown {
  if (value instanceof Float64Array) return whole(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

const bodies: readonly unknown[] = [
  {},
  { a: 1, b: [true, null, 'ü\n"'], c: undefined, d: {} },
  {
    w: floats(0),
    left: undefined,
    state: [
      ["m", floats(1), "array"],
      ["none", null],
    ],
    7: { deep: [[floats(2)]] },
  },
  ...[PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5].map((length) => ({ before: [1], w: floats(length), after: "x" })),
];

it.each(bodies.map((body, k) => [k, body]))("body %i: the text is that of the whole arrays", async (k, body) => {
  const text = JSON.stringify(plain(body));
  const checksum = createHash("sha256").update(text).digest("hex");
  const expected = `{"format":"f","version":3,"checksum":"${checksum}","body":${text}}\n`;
  expect(seal("f", 3, body) === expected).toBe(true);
  const path = join(folder, `${k}.json`);
  await writeSealed(path, "f", 3, body);
  expect(readFileSync(path, "utf8") === expected).toBe(true);
  expect(unseal(expected, "f", 3, path)).toEqual(JSON.parse(text));
});

it("an array in pieces has the base64 of the whole, and is read again to the bit", () => {
  for (const length of [0, 1, 2, 3, PIECE - 1, PIECE + 1]) {
    const values = floats(length);
    const text = encodeFloats(values);
    expect(text === whole(values), String(length)).toBe(true);
    const bytes = (one: Float64Array) => Buffer.from(one.buffer);
    expect(bytes(decodeFloats(text, length, "here", "w")).equals(bytes(values)), String(length)).toBe(true);
  }
});

it("the event loop turns at every piece that is written", async () => {
  const pieces = 20;
  const body = { w: new Float64Array(pieces * PIECE) };
  const { ticks } = await ticksDuring(() => writeSealed(join(folder, "long.json"), "f", 1, body));
  expect(ticks).toBeGreaterThanOrEqual(pieces);
});
