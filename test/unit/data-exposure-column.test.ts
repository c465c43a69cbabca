// A column of exposures in a table: rates and weights as `withExposure` makes them, in data files, for a model that reads a table, and what
// is refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  convertCsv,
  crossValidate,
  dataset,
  fitTable,
  modelFromJson,
  modelToJson,
  network,
  openDataFile,
  poisson,
  readCsv,
  train,
  withExposure,
} from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-exposure-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = Array.from({ length: 30 }, (_, i) => ({ x: Math.sin(i), years: 0.5 + (i % 4), claims: (i * 7) % 5 }));
const table = (name: string, lines: readonly string[]) => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};
const path = table("claims.csv", ["x,years,claims", ...rows.map(({ x, years, claims }) => `${x},${years},${claims}`)]);
const options = { target: "claims", exposure: "years" } as const;
const made = withExposure(
  dataset({ inputs: rows.map(({ x }) => [x]), targets: rows.map(({ claims }) => claims) }),
  rows.map(({ years }) => years),
);

describe("a column of exposures", () => {
  it("makes the rates and weights of withExposure", async () => {
    const read = await readCsv(path, options);
    expect([...read.targets]).toEqual([...made.targets]);
    expect([...(read.weights ?? [])]).toEqual([...(made.weights ?? [])]);
    expect(read.featureNames).toEqual(["x"]);
    expect(read.encoding).toMatchObject({ weights: null, exposure: "years" });
  });

  it("makes the same training from a data file", async () => {
    const file = join(folder, "claims.gfd");
    await convertCsv(path, file, options);
    expect(openDataFile(file).encoding).toMatchObject({ weights: null, exposure: "years" });
    const net = network({ layers: [1, 3, 1], seed: 1 });
    const settings = { backend: "typescript", loss: poisson(), validation: false, stop: { iterations: 4 } } as const;
    const one = await train(net, openDataFile(file), settings);
    const other = await train(net, await readCsv(path, options), settings);
    expect([...one.network.parameters]).toEqual([...other.network.parameters]);
  });

  it("is read again for a model, and needed wherever targets are read", async () => {
    const read = await readCsv(path, options);
    const net = modelFromJson(modelToJson(network({ layers: [1, 1] }).withEncoding(read.encoding)));
    const again = await readCsv(path, { encoding: net.encoding!, targets: "require" });
    expect([...again.targets]).toEqual([...made.targets]);
    expect([...(again.weights ?? [])]).toEqual([...(made.weights ?? [])]);
    const counts = table("counts.csv", ["x,claims", ...rows.map(({ x, claims }) => `${x},${claims}`)]);
    await expect(readCsv(counts, { encoding: net.encoding!, targets: "require" })).rejects.toThrow(
      /has no column "years" \(the model's exposure\)/,
    );
    const inputs = table("inputs.csv", ["x", ...rows.map(({ x }) => `${x}`)]);
    expect((await readCsv(inputs, { encoding: net.encoding! })).sampleCount).toBe(30);
  });

  it("that is missing costs its row, like a missing weight", async () => {
    const gaps = table("gaps.csv", ["x,years,claims", "1,2,3", "2,,1", "3,4,2"]);
    const read = await readCsv(gaps, { ...options, missing: "drop" });
    expect([...read.targets]).toEqual([1.5, 0.5]);
    expect([...(read.weights ?? [])]).toEqual([2, 4]);
  });

  it.each([
    ["0", /line 3.*"years".*an exposure must be above 0.*0/],
    ["-1", /line 3.*"years".*an exposure must be above 0.*-1/],
    ["1e-320", /line 3.*"years".*an exposure must leave the rates finite/],
  ])("of %s is refused by its line", async (value, message) => {
    const bad = table("bad.csv", ["x,years,claims", "1,2,3", `2,${value},1`, "3,4,2"]);
    await expect(readCsv(bad, options)).rejects.toThrow(message);
  });

  it("multiplies a column of weights, also in a data file", async () => {
    const weighted = table("weighted.csv", [
      "x,years,w,claims",
      ...rows.map(({ x, years, claims }, i) => `${x},${years},${i % 3},${claims}`),
    ]);
    const both = { ...options, weights: "w" };
    const read = await readCsv(weighted, both);
    const products = rows.map(({ years }, i) => years * (i % 3));
    expect([...(read.weights ?? [])]).toEqual(products);
    expect([...read.targets]).toEqual([...made.targets]);
    expect(read.encoding).toMatchObject({ weights: "w", exposure: "years" });
    const file = join(folder, "weighted.gfd");
    await convertCsv(weighted, file, both);
    // Rows of weight 0 are not written.
    expect([...(openDataFile(file).weights ?? [])]).toEqual(products.filter((weight) => weight > 0));
  });

  it("is the weight of a table without targets, in which it may be missing", async () => {
    const { encoding } = await readCsv(path, options);
    const inputs = table("exposed.csv", ["x,years", ...rows.map(({ x, years }) => `${x},${years}`)]);
    const read = await readCsv(inputs, { encoding: encoding! });
    expect(read.outputSize).toBe(0);
    expect([...(read.weights ?? [])]).toEqual([...(made.weights ?? [])]);
    const bare = table("bare.csv", ["x", ...rows.map(({ x }) => `${x}`)]);
    expect((await readCsv(bare, { encoding: encoding! })).weights).toBeNull();
  });

  it("costs a table its targets where it is missing", async () => {
    const { encoding } = await readCsv(path, options);
    const counts = table("counts-only.csv", ["x,claims", ...rows.map(({ x, claims }) => `${x},${claims}`)]);
    const read = await readCsv(counts, { encoding: encoding! });
    expect(read.outputSize).toBe(0);
    expect(read.notes.join()).toMatch(/no exposures \(column "years"\)/);
  });

  it("is for the loss of counts alone, in memory and in a file", async () => {
    const net = network({ layers: [1, 1], seed: 1 });
    const refusal = /^options\.loss must be poisson\(\) .*"years".*received "squared-error"/;
    await expect(train(net, await readCsv(path, options), { backend: "typescript" })).rejects.toThrow(refusal);
    const file = join(folder, "refused.gfd");
    await convertCsv(path, file, options);
    await expect(train(net, openDataFile(file), { backend: "typescript" })).rejects.toThrow(refusal);
    const data = await readCsv(path, options);
    await expect(crossValidate({ network: net, data }, { folds: 2 })).rejects.toThrow(refusal);
    await expect(fitTable(data)).rejects.toThrow(refusal);
  });

  it("is refused where it leaves a weight without end, also in withExposure", async () => {
    const heavy = table("heavy.csv", ["x,years,w,claims", "1,2,1,3", "2,1e200,1e200,1"]);
    const both = { ...options, weights: "w" };
    const rule = /line 3.*"years".*an exposure must leave the weights finite.*1e200/;
    await expect(readCsv(heavy, both)).rejects.toThrow(rule);
    await expect(convertCsv(heavy, join(folder, "heavy.gfd"), both)).rejects.toThrow(rule);
    expect(() => withExposure({ inputs: [[1]], targets: [1], weights: [1e200] }, [1e200])).toThrow(
      /^exposure\[0\] must leave the weight 1e\+200 x exposure finite; received 1e\+200/,
    );
  });

  it("is not applied a second time by withExposure", async () => {
    const read = await readCsv(path, options);
    expect(() => withExposure(read, read.weights ?? [])).toThrow(/^data must have counts as targets: .*"years"/);
  });

  it("leaves no way to read texts in the target as classes, and none is offered", async () => {
    const texts = table("texts.csv", ["x,years,claims", "1,2,few", "2,1,many"]);
    const error: Error = await readCsv(texts, options).then(
      () => expect.fail("texts were read as counts"),
      (thrown) => thrown,
    );
    expect(error.message).toMatch(/line 2, column "claims": is not a number/);
    expect(error.message).not.toMatch(/classification/);
  });

  it("is refused for classes, and for a column with another use", async () => {
    await expect(readCsv(path, { ...options, task: "classification" })).rejects.toThrow(
      /^options\.exposure must not be given for a target of classes/,
    );
    await expect(readCsv(path, { ...options, weights: "years" })).rejects.toThrow(
      /^options\.exposure must not name a column that is already used \(weights\)/,
    );
  });
});
