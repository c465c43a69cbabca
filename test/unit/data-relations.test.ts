// Groups stay together and later rows are held out, in splits, folds and the validation part that a training draws.
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { drawFoldSteps } from "../../src/data/folds.js";
import { finish } from "../../src/event-loop-yield.js";
import { crossValidate, dataset, foldsOf, network, plan, readCsv, train } from "../../src/index.js";
import { fc } from "../helpers/property.js";

const line = (n: number) => ({
  inputs: Array.from({ length: n }, (_, i) => [i]),
  targets: Array.from({ length: n }, (_, i) => i),
});
const rowsOf = (part: { inputs: Float64Array } | null) => [...(part?.inputs ?? [])];

describe("groups", () => {
  it("land whole in one part and one fold, whatever their sizes; parts are near their fractions", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 7 }), { minLength: 12, maxLength: 80 }), fc.nat(), (groups, seed) => {
        const distinct = new Set(groups).size;
        fc.pre(distinct >= 3);
        const data = dataset({ ...line(groups.length), groups });
        const { train: fit, validation, test } = data.split({ validation: 0.2, test: 0.2, seed });
        const parts = [fit, validation, test].map((part) => new Set(rowsOf(part).map((row) => groups[row])));
        expect(parts.every((part) => part.size > 0)).toBe(true);
        expect(parts.reduce((sum, part) => sum + part.size, 0)).toBe(distinct);
        expect([fit, validation, test].flatMap(rowsOf).sort((a, b) => a - b)).toEqual(rowsOf(data));
        const folds = foldsOf(data, 3, seed);
        expect(folds.flatMap(({ held }) => rowsOf(held)).sort((a, b) => a - b)).toEqual(rowsOf(data));
        for (const { train: rest, held } of folds) {
          const inside = new Set(rowsOf(held).map((row) => groups[row]));
          expect(rowsOf(rest).some((row) => inside.has(groups[row]))).toBe(false);
        }
      }),
    );
  });
  it("come from a column of a table, numbers or texts, which is no input", async () => {
    const text = `id,x,y\n${Array.from({ length: 12 }, (_, i) => `p${i % 4},${i},${i}`).join("\n")}\n`;
    const data = await readCsv(Readable.from([text]), { group: "id" });
    expect(data.featureNames).toEqual(["x"]);
    const { validation } = data.split({ validation: 0.25, seed: 3 });
    expect(new Set(rowsOf(validation).map((x) => x % 4)).size).toBe(1);
    expect(rowsOf(validation)).toHaveLength(3);
  });
  it("are respected by the validation part of a training, and counted by its plan", async () => {
    const groups = Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : i));
    const data = dataset({ ...line(60), groups });
    const net = network({ layers: [1, 2, 1], seed: 1 });
    for (const seed of [1, 2, 3, 4]) {
      const { sampleCount } = plan(net, data, { seed });
      const result = await train(net, data, { seed, stop: { iterations: 1 }, backend: "typescript" });
      expect(result.plan.sampleCount).toBe(sampleCount);
    }
  });
  it("may be as large as memory allows", () => {
    const groups = Uint32Array.from({ length: 600_000 }, (_, i) => i % 2);
    const folds = finish(drawFoldSteps(groups.length, 2, 1, { groups, order: null }));
    expect(folds.map(({ train, held }) => [train.length, held.length])).toEqual([
      [300_000, 300_000],
      [300_000, 300_000],
    ]);
  });
  it("too few of them, or beside an order, are refused", () => {
    const data = dataset({ ...line(4), groups: ["a", "a", "a", "b"] });
    expect(() => data.split({ validation: 0.2, test: 0.2 })).toThrow(/2 groups of rows cannot be split into 3 parts/);
    expect(() => foldsOf(data, 3)).toThrow(/2 groups cannot be cut into 3 folds/);
    expect(() => dataset({ ...line(2), groups: [1, 2], order: true })).toThrow(/order must not be given together/);
    expect(() => dataset({ ...line(2), groups: [1] })).toThrow(/groups must be 2/);
    expect(() => dataset({ ...line(2), order: [1, Number.NaN] })).toThrow(/order\[1\] must be a finite number/);
  });
});

describe("order", () => {
  const shuffled = [3, 1, 4, 0, 2, 9, 5, 8, 7, 6];
  const data = dataset({ inputs: shuffled.map((t) => [t]), targets: shuffled, order: shuffled });
  it("holds out the last rows: train, then validation, then test", () => {
    for (const seed of [1, 2]) {
      const { train: fit, validation, test } = data.split({ validation: 0.2, test: 0.3, seed });
      expect([fit, validation, test].map((part) => rowsOf(part).sort((a, b) => a - b))).toEqual([
        [0, 1, 2, 3, 4],
        [5, 6],
        [7, 8, 9],
      ]);
    }
  });
  it("true is the order of the rows; a column of dates orders a table", async () => {
    const rows = dataset({ ...line(5), order: true }).split({ test: 0.4 });
    expect(rowsOf(rows.test)).toEqual([3, 4]);
    const text = "day,x,y\n2024-03-01,3,1\n2024-01-01,1,1\n2024-02-01,2,1\n";
    const table = await readCsv(Readable.from([text]), { order: "day" });
    expect([table.featureNames, rowsOf(table.split({ test: 0.3 }).test)]).toEqual([["x"], [3]]);
    const inOrder = await readCsv(Readable.from([text]), { order: true, ignore: "day" });
    expect(rowsOf(inOrder.split({ test: 0.3 }).test)).toEqual([2]);
  });
  it("folds train on what was before", async () => {
    const folds = foldsOf(data, 4);
    expect(folds.map(({ held }) => rowsOf(held).sort((a, b) => a - b))).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ]);
    for (const { train: before, held } of folds)
      expect(Math.max(...rowsOf(before))).toBeLessThan(Math.min(...rowsOf(held)));
    expect(() => foldsOf(dataset({ ...line(4), order: true }), 4)).toThrow(
      /4 ordered rows cannot be cut into 4 folds; ask for 3/,
    );
    const job = { network: network({ layers: [1, 1], seed: 1 }), data, options: { validation: false as const } };
    const { predictions, metrics } = await crossValidate(job, { folds: 4, threads: 1 });
    expect([...predictions].filter(Number.isNaN)).toHaveLength(2);
    expect(metrics?.[0].rmse).toBeLessThan(1e-6);
  });
});

describe("sample weights", () => {
  it("a drawn part whose weights are all zero is named", async () => {
    const weights = Array.from({ length: 60 }, (_, i) => (i === 0 ? 1 : 0));
    const data = dataset({ ...line(60), weights });
    expect(() => data.split({ validation: 0.15, seed: 1 })).toThrow(
      /the (9 rows drawn for validation|51 rows to train on) have sample weights that are all zero \(1 of 60 rows has a weight above 0\): take another seed/,
    );
    expect(() => foldsOf(data, 4)).toThrow(
      /the (45|15) rows that fold \d (trains on|holds out) have sample weights that are all zero/,
    );
    await expect(train(network({ layers: [1, 1], seed: 1 }), data)).rejects.toThrow(/drawn for validation|to train on/);
  });
});
