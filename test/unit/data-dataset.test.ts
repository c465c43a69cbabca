// Data given in code, and what is learned from it: checks, degenerate shapes, weighted standardization, ranges, encodings.
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset-input.js";
import type { TableEncoding } from "../../src/data/encoding.js";
import { encodingFromJson } from "../../src/data/encoding-json.js";
import { toMatrix } from "../../src/data/matrix.js";
import { outOfRange } from "../../src/data/range.js";
import { readCsv } from "../../src/data/read-csv.js";
import { constantInputs, scaleColumns, standardize, unscaleColumns } from "../../src/data/scaling.js";
import { fileError } from "../../src/errors.js";
import { network } from "../../src/network/network.js";
import { train } from "../../src/train/train.js";

describe("dataset", () => {
  it("takes rows or flat arrays, copied", () => {
    const inputs = Float64Array.of(1, 2, 3, 4);
    const flat = dataset({ inputs, targets: [5, 6] });
    const rows = dataset({
      inputs: [
        [1, 2],
        [3, 4],
      ],
      targets: [[5], [6]],
    });
    inputs[0] = 99;
    expect([...flat.inputs]).toEqual([...rows.inputs]);
    expect([flat.sampleCount, flat.inputSize, flat.outputSize]).toEqual([2, 2, 1]);
    expect(dataset({ inputs: [[1], [2]], targets: Float64Array.of(1, 2, 3, 4) }).outputSize).toBe(2);
  });
  it.each([
    [{ inputs: [[1, 2], [3]], targets: [1, 2] }, /inputs, row 2.*2 numbers/],
    [{ inputs: [[1], [Number.NaN]], targets: [1, 2] }, /inputs, row 2, column 1.*NaN/],
    [{ inputs: [[1], [2]], targets: [1, Number.POSITIVE_INFINITY] }, /targets, row 2, column 1.*Infinity/],
    [{ inputs: [[1], [2]], targets: [1, 2, 3] }, /targets.*2 rows/],
    [{ inputs: [], targets: [] }, /at least one row/],
    [{ inputs: [[1]], targets: [1], weights: [-1] }, /weights\[0\].*negative/],
    [{ inputs: [[1], [2]], targets: [1, 2], weights: [0, 0] }, /weights.*all be zero/],
    [{ inputs: [[1], [2]], targets: [1, 2], weights: [1] }, /weights must be 2 numbers/],
    [{ inputs: [[1, 2]], targets: [1], featureNames: ["a", "a"] }, /featureNames.*twice/],
  ])("%#: refused with the place", (given, message) => {
    expect(() => dataset(given)).toThrow(message);
  });
  it("a flat array is cut into rows, whole ones only", () => {
    expect(toMatrix([1, 2, 3, 4], 2, "inputs")).toEqual(Float64Array.of(1, 2, 3, 4));
    expect(toMatrix(Float32Array.of(1, 0.5), 2, "inputs")).toEqual(Float64Array.of(1, 0.5));
    expect(() => toMatrix([1, 2, 3], 2, "inputs")).toThrow(
      "inputs must hold one or more whole rows of 2 numbers; received an array of length 3",
    );
  });
});

describe("degenerate data are data", () => {
  it("one sample: scale 1, and no part of it can be held out", () => {
    const one = dataset({ inputs: [[3, 4]], targets: [5] });
    expect([...standardize(one).inputs.scale, ...standardize(one).inputs.offset]).toEqual([1, 1, 3, 4]);
    expect(() => one.split({ validation: 0.5 })).toThrow(/1 row cannot be split/);
    expect(one.split().train.sampleCount).toBe(1);
  });
  it("constant columns: scale 1 exactly, and reported", async () => {
    // 0.1 summed thrice is not 0.3: a rounded deviation would be 1e-17 instead of 0, and blow up what follows.
    const data = dataset({
      inputs: [
        [0.1, 1],
        [0.1, 2],
        [0.1, 4],
      ],
      targets: [7, 7, 7],
      featureNames: ["c", "x"],
    });
    const { inputs, targets } = standardize(data);
    expect([inputs.offset[0], inputs.scale[0], targets.offset[0], targets.scale[0]]).toEqual([0.1, 1, 7, 1]);
    expect(await constantInputs(data)).toEqual(["c"]);
  });
  it("a spread too small to divide by counts as constant", () => {
    const tiny = dataset({ inputs: [[0], [Number.MIN_VALUE]], targets: [0, 1] });
    expect(standardize(tiny).inputs.scale[0]).toBe(1);
  });
  it("a set-point that differs in its last bits is constant: scale 1, and reported", async () => {
    // 14.62 as a logger computed it in three orders; a deviation of 1e-15 would turn 14.63 into 1e13 standard deviations.
    const set = [14.62, 14.620000000000001, 14.619999999999999];
    const inputs = Array.from({ length: 200 }, (_, i) => [i, set[i % 3]]);
    const data = dataset({ inputs, targets: inputs.map(([x]) => x), featureNames: ["x", "set-point"] });
    const { scale, offset } = standardize(data).inputs;
    expect(scale[1]).toBe(1);
    expect(Math.abs(offset[1] - 14.62)).toBeLessThanOrEqual(200 * Number.EPSILON * 14.62);
    expect(await constantInputs(data)).toEqual(["set-point"]);
  });
  it("a training warns of it, and names it", async () => {
    const inputs = Array.from({ length: 30 }, (_, i) => [i / 10, 5]);
    const data = { inputs, targets: inputs.map(([x]) => Math.sin(x!)), featureNames: ["x", "k"] };
    const options = { stop: { iterations: 1 } };
    const { warnings } = await train(network({ layers: [2, 2, 1] }), data, options);
    expect(warnings).toEqual(["constant in the training rows, so of no use: k"]);
  });
  it("a small spread above rounding is none: 1 part in 1e9 over 200 rows is scaled", async () => {
    const inputs = Array.from({ length: 200 }, (_, i) => [1e6 + 1e-3 * (i % 2)]);
    const data = dataset({ inputs, targets: inputs.map((_, i) => i) });
    expect(standardize(data).inputs.scale[0]).toBeCloseTo(5e-4, 8);
    expect(await constantInputs(data)).toEqual([]);
  });
  it("duplicate rows count as often as they come; a selection may repeat rows", () => {
    const data = dataset({ inputs: [[1], [1], [4]], targets: [0, 0, 3] });
    expect(standardize(data).inputs.offset[0]).toBe(2);
    expect([...data.select([2, 2, 0]).inputs]).toEqual([4, 4, 1]);
  });
  it("more features than rows", () => {
    const data = dataset({
      inputs: [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      targets: [1, 2],
    });
    expect([...standardize(data).inputs.scale]).toEqual([2, 2, 2, 2]);
  });
});

describe("standardize", () => {
  it("a weight of k counts as k copies, a weight of 0 as none", () => {
    const weighted = dataset({ inputs: [[1], [2], [9], [5]], targets: [1, 2, 9, 4], weights: [3, 1, 0, 2] });
    const copies = dataset({ inputs: [[1], [1], [1], [2], [5], [5]], targets: [1, 1, 1, 2, 4, 4] });
    const a = standardize(weighted);
    const b = standardize(copies);
    // Six terms summed in two orders: a few roundings of numbers near 3.
    for (const side of ["inputs", "targets"] as const) {
      expect(Math.abs(a[side].offset[0] - b[side].offset[0])).toBeLessThanOrEqual(6 * Number.EPSILON * 3);
      expect(Math.abs(a[side].scale[0] - b[side].scale[0])).toBeLessThanOrEqual(6 * Number.EPSILON * 3);
    }
  });
  it("neither overflows nor underflows", () => {
    const data = dataset({
      inputs: [
        [1e300, 1e-300],
        [-1e300, 3e-300],
      ],
      targets: [1, 2],
    });
    const { offset, scale } = standardize(data).inputs;
    expect([...offset, ...scale].every(Number.isFinite)).toBe(true);
    expect(Math.abs(scale[0] / 1e300 - 1)).toBeLessThanOrEqual(4 * Number.EPSILON);
    const back = unscaleColumns(scaleColumns(data.inputs, { offset, scale }), { offset, scale });
    back.forEach((x, i) => {
      expect(Math.abs(x / data.inputs[i] - 1)).toBeLessThanOrEqual(8 * Number.EPSILON);
    });
  });
});

const ENCODING: TableEncoding = {
  columns: [
    { kind: "numeric", name: "a", mean: 2, min: 1, max: 3 },
    { kind: "categorical", name: "k", categories: ["u", "v"], shares: [0.5, 0.5] },
    { kind: "numeric", name: "b", mean: 0, min: -1, max: 1 },
  ],
  targets: ["y"],
  weights: null,
  header: true,
  delimiter: ",",
  decimal: ".",
  missing: "error",
  missingValues: ["NA"],
};

const inFile = (rule: string) => fileError("m.json", rule);

describe("a stored encoding", () => {
  it("tells where a table leaves the range of training", () => {
    const found = outOfRange(Float64Array.of(1, 1, 0, 1, 4, 0, 1, 0, 0, 1, 0, 0), ENCODING);
    expect(found).toEqual([{ column: "a", count: 2, firstRow: 2, firstValue: 4, min: 1, max: 3 }]);
  });
  it("survives JSON", () => {
    expect(encodingFromJson(JSON.parse(JSON.stringify(ENCODING)), inFile)).toEqual(ENCODING);
  });
  const columns = ENCODING.columns;
  it.each([
    ["not an object", null, /m\.json.*must be an object/],
    ["a field missing", { ...ENCODING, decimal: undefined }, /\.decimal must be/],
    ["a foreign field", { ...ENCODING, extra: 1 }, /\.extra is not a field/],
    ["no columns", { ...ENCODING, columns: [] }, /\.columns must not be empty/],
    ["a mean out of range", { ...ENCODING, columns: [{ ...columns[0], mean: 9 }] }, /columns\[0\].*min <= mean <= max/],
    ["a kind nobody knows", { ...ENCODING, columns: [{ ...columns[0], kind: "text" }] }, /columns\[0\]\.kind/],
    ["too few shares", { ...ENCODING, columns: [{ ...columns[1], shares: [1] }] }, /shares must be 2 numbers/],
    ["a name twice", { ...ENCODING, targets: ["a"] }, /"a" twice/],
  ])("%s: refused, naming the field", (_, value, message) => {
    expect(() => encodingFromJson(value, inFile)).toThrow(message);
  });
  it("is an argument where a caller gives it, and named as one", async () => {
    const encoding = { ...ENCODING, columns: [] };
    await expect(readCsv("never-opened.csv", { encoding })).rejects.toMatchObject({
      code: "GAUSSFLOW_ARGUMENT",
      message: "options.encoding.columns must not be empty",
    });
  });
});
