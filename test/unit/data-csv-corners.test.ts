// Corners of real tables: mixed line ends, old character sets, identifiers, empty columns, places in errors, packed files.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCsv } from "../../src/data/read-csv.js";
import { RowStore } from "../../src/data/row-store.js";

const stream = (text: string | Buffer) => Readable.from([Buffer.from(text)]);

describe("lines", () => {
  it.each(["a,b\r\n1,2\n3,4\r\n", "a,b\n1,2\r\n3,4", "a,b\r1,2\n   \n3,4\n\n"])(
    "%j: ends may be mixed",
    async (text) => {
      const data = await readCsv(stream(text));
      expect([...data.inputs, ...data.targets]).toEqual([1, 3, 2, 4]);
    },
  );
  it("are counted from the start of a record, through quoted line ends and blank lines", async () => {
    await expect(readCsv(stream('x,y\r\n"1\r\n",2\r\n\r\n"\nNA",3\r\n'))).rejects.toThrow(/line 5, column "x"/);
    await expect(readCsv(stream('a,b\n1,2\n"3,4\n5,6\n'))).rejects.toThrow(/line 3: a quote is opened/);
  });
  it("a record that never ends is given up", async () => {
    const text = `a,b\n1,2\n"${"3,4\n".repeat(2000)}`;
    await expect(readCsv(stream(text), { maxRecordLength: 1000 })).rejects.toThrow(/line 3: .*(too long|never closed)/);
  });
  it.each([
    ["1,", /line 3: the record is too long/],
    [" ", /line 3: the record is too long/],
    ["\n", /line 100003: more than 100000 blank lines follow each other/],
    ['"', /line 3: /],
  ])("of %j without end are given up", async (unit, message) => {
    const endless = (function* () {
      yield "a,b\n1,2\n";
      for (;;) yield unit.repeat(10_000);
    })();
    await expect(readCsv(Readable.from(endless), { maxRecordLength: 100_000 })).rejects.toThrow(message);
  });
  it("of many columns and few rows take memory in proportion", () => {
    const store = new RowStore(25_000);
    for (let i = 0; i < 3; i++) store.add(new Float64Array(25_000).fill(i));
    expect(store.bytes).toBeLessThanOrEqual(4 * 25_000 * 8);
    expect([store.get(0, 7), store.get(2, 24_999)]).toEqual([0, 2]);
  });
  it("arrive in any pieces: a character or CR LF cut in two is put together", async () => {
    const bytes = Buffer.from('\ufeffgröße;"y"\r\n1;2\r\n3;4\r\n');
    const data = await readCsv(Readable.from(Array.from(bytes, (byte) => Buffer.of(byte))));
    expect([data.featureNames, [...data.inputs], [...data.targets]]).toEqual([["größe"], [1, 3], [2, 4]]);
  });
});

describe("characters", () => {
  const bytes = Buffer.from("gr\xf6\xdfe,y\n1,2\n3,4\n", "latin1");
  it("latin1 is read when told", async () => {
    expect((await readCsv(stream(bytes), { charset: "latin1" })).featureNames).toEqual(["größe"]);
  });
  it("and named when not; UTF-16, zip and gzip too", async () => {
    await expect(readCsv(stream(bytes))).rejects.toThrow(/line 1: is not UTF-8.*latin1/);
    await expect(readCsv(stream(Buffer.from("\ufeffa,b\n1,2", "utf16le")))).rejects.toThrow(/UTF-16/);
    await expect(readCsv(stream(gzipSync("a,b\n1,2\n")))).rejects.toThrow(/gzip/);
    await expect(readCsv(stream(Buffer.from("PK\x03\x04rest of it")))).rejects.toThrow(/zip/);
  });
});

describe("columns", () => {
  const cars = Array.from({ length: 20 }, (_, i) => `car${i},${i},${i}`).join("\n");
  it("an identifier is refused by name, unless it is declared categorical", async () => {
    await expect(readCsv(stream(`name,a,y\n${cars}`))).rejects.toThrow(
      /column "name": has 20 categories in 20 rows.*ignore/,
    );
    expect((await readCsv(stream(`name,a,y\n${cars}`), { categorical: "name" })).inputSize).toBe(21);
    expect((await readCsv(stream(`name,a,y\n${cars}`), { ignore: "name" })).inputSize).toBe(1);
  });
  it("a column without any value has no mean to be filled with", async () => {
    await expect(readCsv(stream("a,b,y\n,1,2\n,3,4\n"), { missing: "mean" })).rejects.toThrow(
      /column "a": has no value/,
    );
  });
  it("a category that left with its rows is no input", async () => {
    const data = await readCsv(stream("a,o,y\n1,x,2\n,z,3\n4,y,5\n"), { missing: "drop" });
    expect(data.featureNames).toEqual(["a", "o=x", "o=y"]);
    expect([...data.inputs]).toEqual([1, 1, 0, 4, 0, 1]);
    expect([...(data.rows ?? [])]).toEqual([1, 3]);
  });
  it("weights and parts are checked with line and column", async () => {
    const weighted = { weights: "w", target: "y" };
    await expect(readCsv(stream("a,y,w\n1,2,1\n3,4,-1\n"), weighted)).rejects.toThrow(
      /line 3, column "w".*negative.*"-1"/,
    );
    await expect(readCsv(stream("a,y,w\n1,2,0\n3,4,0\n"), weighted)).rejects.toThrow(/column "w".*all zero/);
    await expect(readCsv(stream("a,y,s\n1,2,train\n3,4,rest\n"), { split: "s", target: "y" })).rejects.toThrow(
      /line 3, column "s": is not a part of the table \(train, validation, test\)/,
    );
  });
  it("a split column decides the parts, and fractions are then refused", async () => {
    const table = "a,y,s\n1,2,train\n3,4,Test\n5,6,validation\n7,8,train\n";
    const data = await readCsv(stream(table), { split: "s", target: "y" });
    const { train, validation, test } = data.split();
    expect([train, validation, test].map((part) => [...(part?.inputs ?? [])])).toEqual([[1, 7], [5], [3]]);
    expect(() => data.split({ test: 0.5 })).toThrow(/split column/);
    // The stored range is that of the training part alone.
    expect(test?.encoding?.columns[0]).toEqual({ kind: "numeric", name: "a", mean: 4, min: 1, max: 7 });
  });
  it("a misspelled column or option gets a suggestion", async () => {
    await expect(readCsv(stream("a,resistance\n1,2\n"), { target: "resistence" })).rejects.toThrow(
      /did you mean "resistance"/,
    );
    await expect(readCsv(stream("a,b\n1,2\n"), { targt: "b" } as object)).rejects.toThrow(/did you mean "target"/);
  });
});

describe("prediction", () => {
  it("targets that are only partly there cost no row", async () => {
    const encoding = (await readCsv(stream("a,y\n1,2\n2,3\n"), { missing: "mean" })).encoding!;
    const data = await readCsv(stream("y,a\n9,1\n,2\n"), { encoding });
    expect([data.sampleCount, data.outputSize, [...data.inputs]]).toEqual([2, 0, [1, 2]]);
    const required = readCsv(stream("y,a\n9,1\n,2\n"), { encoding, targets: "require", missing: "error" });
    await expect(required).rejects.toThrow(/line 3, column "y".*missing/);
  });
});

describe("files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gaussflow-csv-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  it("a name in .gz is unpacked; a damaged or cut one is refused", async () => {
    const packed = gzipSync(`a,b\n${"1,2\n".repeat(5000)}`);
    const write = async (name: string, bytes: Buffer) => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    expect((await readCsv(await write("good.csv.gz", packed))).sampleCount).toBe(5000);
    await expect(readCsv(await write("cut.csv.gz", packed.subarray(0, 60)))).rejects.toThrow(
      /cut\.csv\.gz: .*too early/,
    );
    await expect(readCsv(await write("no.csv.gz", Buffer.from("a,b\n1,2\n")))).rejects.toThrow(/not a sound gzip/);
  });
});
