// Data files: written row by row, converted from tables, refused when damaged, and trained on with the bits of data in memory.
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { constantInputs } from "../../src/data/scaling.js";
import { DataFileWriter } from "../../src/data/write-data-file.js";
import {
  convertCsv,
  crossValidate,
  crossValidation,
  flow,
  network,
  openDataFile,
  plan,
  readCsv,
  train,
  trainMany,
  writeDataFile,
} from "../../src/index.js";
import { wave } from "../helpers/many-jobs.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-data-"));
const columns = { featureNames: ["a", "b"], targetNames: ["y"] };
const at = (name: string) => join(folder, name);

function table(n: number, weighted = false): string {
  const rows = Array.from({ length: n }, (_, i) => {
    const [a, b] = [Math.sin(i), Math.cos(3 * i) * 10];
    return `${a},${b},${Math.tanh(a) + 0.01 * b}${weighted ? `,${1 + (i % 3)}` : ""}`;
  });
  return `a,b,y${weighted ? ",w" : ""}\n${rows.join("\n")}\n`;
}

describe("convertCsv and openDataFile", () => {
  it("hold the numbers, names and encoding that readCsv reads", async () => {
    const text = table(500, true);
    const path = at("same.gfd");
    const options = { target: "y", weights: "w" };
    expect(await convertCsv(Readable.from([text]), path, options)).toMatchObject({ rows: 500, dropped: 0 });
    const file = openDataFile(path);
    const held = await readCsv(Readable.from([text]), options);
    expect(file).toMatchObject({ sampleCount: 500, featureNames: ["a", "b"], targetNames: ["y"] });
    expect(file.encoding).toEqual(held.encoding);
    expect(file.weights).toEqual(held.weights);
    const rows = Array.from(file.blocks(), (block) => Array.from(block)).flat();
    expect(rows.filter((_, k) => k % 4 < 2)).toEqual(Array.from(held.inputs));
    expect(rows.filter((_, k) => k % 4 === 2)).toEqual(Array.from(held.targets));
  });

  it("refuse text, gaps and options that need the whole table, and leave no file behind", async () => {
    const path = at("none.gfd");
    const from = (text: string, options = {}) => convertCsv(Readable.from([text]), path, options);
    await expect(from("a,y\n1,2\nred,3\n")).rejects.toThrow(
      /line 3, column "a": is not a number; .*ignore: \["a"\] leaves it out; received "red"/,
    );
    await expect(from("a,y\n1,2\n,3\n")).rejects.toThrow(/line 3, column "a": the value is missing/);
    await expect(from("a,y\n1,2\n", { missing: "mean" })).rejects.toThrow(/options.missing must be "error" or "drop"/);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes("none.gfd"))).toEqual([]);
    expect(await from("a,y\n1,2\n,3\n4,5\n", { missing: "drop" })).toMatchObject({ rows: 2, dropped: 1 });
  });

  it("end with the reason of an abort, and leave no file behind", async () => {
    const path = at("aborted.gfd");
    const stop = new AbortController();
    async function* endless() {
      yield "a,y\n";
      for (let i = 0; ; i++) {
        if (i === 100_000) stop.abort(new Error("enough"));
        yield `${i},${i % 7}\n`;
      }
    }
    await expect(convertCsv(Readable.from(endless()), path, { signal: stop.signal })).rejects.toThrow("enough");
    expect(readdirSync(folder).filter((name) => name.includes("aborted"))).toEqual([]);
    await expect(convertCsv(Readable.from(["a,y\n1,2\n"]), path, { signal: 3 as never })).rejects.toThrow(
      "options.signal must be an AbortSignal",
    );
  });

  it("find the inputs that are constant over all blocks", async () => {
    const path = at("constant.gfd");
    const names = { featureNames: ["a", "k", "late"], targetNames: ["y"], weighted: true };
    // 26,214 rows of 5 numbers are a block; "late" is constant but for a row of the second.
    const rows = Array.from({ length: 30_000 }, (_, i) => [i, 0.1, i === 29_000 ? 2 : 1, i % 5, 1]);
    await writeDataFile(path, names, rows);
    expect(await constantInputs(openDataFile(path))).toEqual(["k"]);
    await writeDataFile(path, names, rows.slice(0, 28_000));
    expect(await constantInputs(openDataFile(path))).toEqual(["k", "late"]);
  });

  it("close the file they write once: its descriptor may be that of another file afterwards", () => {
    const writer = new DataFileWriter(at("twice.gfd"), columns);
    writer.abandon();
    const other = openSync(at("other"), "w");
    try {
      writer.abandon();
      expect(writeSync(other, "still open")).toBe(10);
    } finally {
      closeSync(other);
    }
  });

  it("refuse damaged files with what is wrong", async () => {
    const fresh = async (name: string) => {
      await writeDataFile(at(name), columns, [
        [1, 2, 3],
        [4, 5, 6],
      ]);
      return at(name);
    };
    const short = await fresh("short.gfd");
    truncateSync(short, readFileSync(short).length - 8);
    expect(() => openDataFile(short)).toThrow(
      /must be \d+ bytes long for 2 rows of 3 numbers, and is \d+: it is cut off/,
    );
    const long = await fresh("long.gfd");
    appendFileSync(long, "x");
    expect(() => openDataFile(long)).toThrow(/something follows the rows/);
    const bad = await fresh("nan.gfd");
    const bytes = readFileSync(bad);
    bytes.writeDoubleLE(Number.NaN, bytes.length - 8);
    writeFileSync(bad, bytes);
    expect(() => openDataFile(bad)).toThrow(/row 2, column 3: must be a finite number; holds NaN/);
    writeFileSync(at("other.gfd"), "a,b\n1,2\n3,4\n5,6\n7,8\n");
    expect(() => openDataFile(at("other.gfd"))).toThrow(/is not a data file/);
    expect(() => openDataFile(at("missing.gfd"))).toThrow(/cannot be opened \(ENOENT\)/);
    await expect(writeDataFile(at("row.gfd"), columns, [[1, 2]])).rejects.toThrow("row 1 must have 3 numbers");
    await expect(writeDataFile(at("row.gfd"), columns, [[1, Number.POSITIVE_INFINITY, 2]])).rejects.toThrow(
      "row 1, column 2 must be a finite number",
    );
  });
});

describe("train on a data file", () => {
  for (const backend of ["native", "typescript"] as const)
    it(`${backend}: the parameters of a training on the same table in memory, bit for bit`, async () => {
      const text = table(600, true);
      const path = at(`train-${backend}.gfd`);
      const options = { target: "y", weights: "w" };
      await convertCsv(Readable.from([text]), path, options);
      const held = await readCsv(Readable.from([text]), options);
      const net = network({ layers: [2, 8, 1], seed: 2 });
      const settings = { backend, validation: false, stop: { iterations: 6 } } as const;
      const memory = await train(net, held, settings);
      const file = await train(net, openDataFile(path), settings);
      expect(file.network.parameters).toEqual(memory.network.parameters);
      expect(file.records.map(({ loss }) => loss)).toEqual(memory.records.map(({ loss }) => loss));
      expect(file.network.predict([[0.3, 2]])).toEqual(memory.network.predict([[0.3, 2]]));
    });

  it("says what does not go with a file, and plans without copies", async () => {
    const path = at("options.gfd");
    await convertCsv(Readable.from([table(200)]), path, { target: "y" });
    const file = openDataFile(path);
    const net = network({ layers: [2, 3, 1] });
    await expect(train(net, file, { validation: 0.2 })).rejects.toThrow(
      "options.validation must be a data set or false for data from a file",
    );
    await expect(train(network({ layers: [2, 3, 1], centered: true }), file)).rejects.toThrow(
      /network must not be centered/,
    );
    await expect(train(network({ layers: [3, 3, 1] }), file)).rejects.toThrow("data must have 3 inputs and 1 targets");
    const memory = "must be in memory here: train() and plan() read data files";
    await expect(flow(net, file as never)).rejects.toThrow(`data ${memory}`);
    await expect(train(net, wave(50), { validation: file as never })).rejects.toThrow(`options.validation ${memory}`);
    const job = { network: net, data: file as never };
    const { results } = await trainMany([job]);
    expect(results[0]!.error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringContaining(memory) });
    expect(() => crossValidation(job, 5)).toThrow(`data ${memory}`);
    await expect(crossValidate(job)).rejects.toThrow(`data ${memory}`);
    expect(plan(net, file).chosen.bytes.copies).toBe(0);
  });
});
