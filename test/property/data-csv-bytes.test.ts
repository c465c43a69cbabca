// Reading from bytes: a number is exactly what Number() gives, a table does not depend on whether its lines hold quotes, and neither
// records nor errors depend on how the bytes arrived.
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ByteCells } from "../../src/data/csv-cells.js";
import { type CsvOptions, readCsv } from "../../src/index.js";
import { malformedCsv } from "../helpers/malformed-csv.js";
import { fc } from "../helpers/property.js";

function numberOf(text: string, decimal: "." | "," = "."): number {
  const cells = new ByteCells(9, decimal, "utf8");
  cells.take(Buffer.from(text), 0);
  return cells.number(0);
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));

describe("a number read from bytes", () => {
  it("is Number() of its text, bit for bit, for doubles in every form", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat({ max: 20 }), (value, places) => {
        for (const text of [String(value), value.toExponential(places), value.toPrecision(places + 1)])
          if (Number.isFinite(Number(text)) && (Number.isSafeInteger(value) || /[.e]/.test(text)))
            expect(numberOf(text)).toBe(Number(text));
      }),
      { numRuns: 1000 },
    );
  });
  it("is so for any digits, point and exponent, with either decimal sign", () => {
    const parts = fc.tuple(
      fc.constantFrom("", "-", "+"),
      fc.option(digits(24), { nil: "" }),
      fc.option(digits(24), { nil: null }),
      fc.option(fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "-", "+"), digits(3)), { nil: null }),
    );
    fc.assert(
      fc.property(parts, ([sign, whole, fraction, exponent]) => {
        const text = `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent?.join("") ?? ""}`;
        const expected = Number(text);
        const read = numberOf(text);
        // Beyond the range, and integers that may lose digits, are left to the text.
        if (Number.isNaN(read)) {
          const integer = fraction === null && exponent === null && Math.abs(expected) > Number.MAX_SAFE_INTEGER;
          expect(!Number.isFinite(expected) || text === "" || sign === text || integer || whole === "").toBe(true);
        } else expect(read).toBe(expected);
        expect(numberOf(text.replace(".", ","), ",")).toBe(read);
      }),
      { numRuns: 2000 },
    );
  });
  it.each([
    "",
    " ",
    "-",
    "+",
    ".",
    "e5",
    "1e",
    "1e+",
    "1.2.3",
    "1,5",
    "0x1f",
    "1 2",
    "Infinity",
    "1n",
    "١٢",
    "1e9999999",
  ])("%j is left to its text", (text) => {
    expect(numberOf(text)).toBeNaN();
  });
});

async function outcome(bytes: Buffer, size: number, options: CsvOptions) {
  const pieces = (function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();
  try {
    const { inputs, targets, rows, notes } = await readCsv(Readable.from(pieces), options);
    return { inputs, targets, rows, notes };
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the pieces a table arrives in", () => {
  it("change neither the data nor the error, of 150 malformed tables", async () => {
    for (let seed = 0; seed < 150; seed++) {
      const bytes = malformedCsv(seed);
      const whole = await outcome(bytes, 1 << 20, {});
      for (const size of [1, 7]) expect(await outcome(bytes, size, {}), `seed ${seed}`).toEqual(whole);
    }
  });
  it("change no error of a header above 64 KB", async () => {
    const header = Array.from({ length: 12_000 }, (_, i) => `name-${i}`).join(";");
    const row = "1;".repeat(11_999);
    for (const tail of [`${row}x\n`, `${row}1;2\n`, `${row}"1\n`, `${row}\0\n`, `${row}\xff\n`, `${row}1\n`]) {
      const bytes = Buffer.from(`${header}\n${row}2\n${tail}`, "latin1");
      const whole = await outcome(bytes, 1 << 24, {});
      for (const size of [9_999, 70_001]) expect(await outcome(bytes, size, {})).toEqual(whole);
    }
  });
  it("a quote in one line changes no value of the others", async () => {
    const lines = Array.from({ length: 9000 }, (_, i) => `${i / 7},${-i},${i % 13}`);
    const plain = Buffer.from(`a,b,y\n${lines.join("\n")}\n`);
    const quoted = Buffer.from(
      `"a",b,y\n${lines.map((line, i) => (i % 4000 === 7 ? `"${i / 7}",${-i},${i % 13}` : line)).join("\r\n")}\n`,
    );
    expect(await outcome(quoted, 5000, {})).toEqual(await outcome(plain, 5000, {}));
  });
});
