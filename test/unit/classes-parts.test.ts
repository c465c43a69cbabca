// Data sets of classes made in code, and their stratified parts and folds, against counts by class.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readParts } from "../../src/cli/read-parts.js";
import { crossValidation, type Dataset, dataset, foldsOf, network } from "../../src/index.js";
import { fc } from "../helpers/property.js";

const labeled = (labels: readonly string[], more: object = {}) =>
  dataset({ inputs: labels.map((_, i) => [i]), targets: labels, ...more });
const rowsOf = (part: Dataset | null) => [...(part?.inputs ?? [])];
/** Rows of each class. */
function counts(part: Dataset | null, c: number): number[] {
  const found = new Array<number>(c).fill(0);
  for (let i = 0; i < (part?.sampleCount ?? 0); i++) for (let k = 0; k < c; k++) found[k]! += part!.targets[i * c + k]!;
  return found;
}

describe("dataset with classes", () => {
  const inputs = [[1], [2], [3]];
  it("makes one column a class of texts, booleans, and numbers where asked", () => {
    const texts = dataset({ inputs, targets: ["b", "a", "b"], targetNames: ["kind"] });
    expect([texts.classes, texts.targetNames, [...texts.targets]]).toEqual([
      ["a", "b"],
      ["kind=a", "kind=b"],
      [0, 1, 1, 0, 0, 1],
    ]);
    expect(dataset({ inputs, targets: [true, false, true] }).classes).toEqual(["false", "true"]);
    expect(dataset({ inputs, targets: [10, 9, 10], task: "classification" }).classes).toEqual(["9", "10"]);
    const numbers = dataset({ inputs, targets: [true, false, true], task: "regression" });
    expect([numbers.classes, [...numbers.targets]]).toEqual([null, [1, 0, 1]]);
  });
  it("takes probabilities of named classes", () => {
    const soft = dataset({
      inputs,
      targets: [
        [0.5, 0.5],
        [1, 0],
        [0, 1],
      ],
      classes: ["no", "yes"],
    });
    expect([soft.classes, soft.outputSize]).toEqual([["no", "yes"], 2]);
  });
  it.each<[string, object, RegExp]>([
    ["one class", { targets: ["a", "a", "a"] }, /targets must have at least two classes.*received "a"/],
    [
      "an unknown class",
      { targets: ["a", "b", "c"], classes: ["a", "b"] },
      /targets, row 3: must be one of the classes a, b; received "c"/,
    ],
    ["an empty class", { targets: ["a", "", "c"] }, /targets, row 2: must be the name of a class/],
    [
      "mixed kinds",
      { targets: ["a", true, "c"] },
      /targets, row 2: must be the name of a class: a text, as in row 1; received true/,
    ],
    [
      "texts of a regression",
      { targets: ["a", "b", "c"], task: "regression" },
      /targets, row 1: must be a number with task "regression"/,
    ],
    [
      "columns without names",
      {
        targets: [
          [1, 0],
          [0, 1],
          [1, 0],
        ],
        task: "classification",
      },
      /classes must name the classes/,
    ],
    [
      "another number of columns",
      {
        targets: [
          [1, 0],
          [0, 1],
          [1, 0],
        ],
        classes: ["a", "b", "c"],
      },
      /classes|columns|numbers/,
    ],
    ["two names", { targets: ["a", "b", "a"], targetNames: ["a", "b"] }, /targetNames must be 1 names/],
    [
      "a NaN",
      { targets: [1, Number.NaN, 2], task: "classification" },
      /targets, row 2: must be the name of a class: a finite number/,
    ],
  ])("refuses %s", (_, given, message) => {
    expect(() => dataset({ inputs, ...given } as never)).toThrow(message);
  });
});

describe("stratified parts", () => {
  it("have the shares of each class to within one row, and exactly the rows of unstratified ones", () => {
    const cases = fc.tuple(
      fc.array(fc.nat({ max: 3 }), { minLength: 30, maxLength: 200 }),
      fc.nat(),
      fc.nat({ max: 30 }),
    );
    fc.assert(
      fc.property(cases, ([codes, seed, percent]) => {
        fc.pre(new Set(codes).size >= 2);
        const data = labeled(codes.map((code) => `c${code}`));
        const c = data.classes!.length;
        const n = data.sampleCount;
        const options = { validation: 0.2, test: percent / 100, seed };
        const parts = data.split(options);
        const plain = data.split({ ...options, stratify: false });
        const all = counts(data, c);
        const lists = [parts.train, parts.validation, parts.test];
        expect(lists.flatMap(rowsOf).sort((a, b) => a - b)).toEqual(rowsOf(data));
        for (const name of ["train", "validation", "test"] as const)
          expect(parts[name]?.sampleCount).toBe(plain[name]?.sampleCount);
        for (const part of lists.slice(1)) {
          const size = part?.sampleCount ?? 0;
          counts(part, c).forEach((count, k) => {
            // The nearest integers below and above the share, unless the class would lose its last row to train on.
            const share = (size * all[k]!) / n;
            if (all[k]! > 3 * c) expect(Math.abs(count - share)).toBeLessThan(2);
          });
        }
        expect(counts(parts.train, c).every((count) => count > 0)).toBe(true);
      }),
    );
  });
  it("keep a rare class, 1 of 1000, where chance would lose it: every seed has it to train on and to judge", () => {
    const labels = Array.from({ length: 3000 }, (_, i) => (i % 1000 === 0 ? "rare" : "common"));
    for (let seed = 0; seed < 20; seed++) {
      const { train: fit, validation, test } = labeled(labels).split({ validation: 0.3, test: 0.3, seed });
      expect([fit, validation, test].map((part) => counts(part, 2)[1])).toEqual([1, 1, 1]);
    }
  });
  it("are a draw: other seeds give other rows, the same seed the same", () => {
    const data = labeled(Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? "a" : "b")));
    const drawn = (seed: number) => rowsOf(data.split({ test: 0.2, seed }).test);
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
  it("leave groups and orders to themselves, and refuse to be asked beside them or without classes", () => {
    const labels = ["a", "b", "a", "b", "a", "b"];
    const ordered = labeled(labels, { order: true });
    expect(rowsOf(ordered.split({ test: 0.34 }).test)).toEqual([4, 5]);
    const refused = /options\.stratify must be left out or false/;
    expect(() => ordered.split({ test: 0.2, stratify: true })).toThrow(refused);
    expect(() => labeled(labels, { groups: [1, 1, 2, 2, 3, 3] }).split({ test: 0.2, stratify: true })).toThrow(refused);
    expect(() => dataset({ inputs: [[1], [2]], targets: [1, 2] }).split({ test: 0.5, stratify: true })).toThrow(
      refused,
    );
    expect(() => labeled(labels).split({ test: 0.2, stratify: 1 as never })).toThrow(
      /options\.stratify must be true or false/,
    );
  });
});

describe("stratified folds", () => {
  it("are disjoint, cover all rows, and differ by one row at most, those of each class too", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 4 }), { minLength: 6, maxLength: 90 }),
        fc.nat(),
        fc.integer({ min: 2, max: 6 }),
        (codes, seed, k) => {
          fc.pre(new Set(codes).size >= 2);
          const data = labeled(codes.map((code) => `c${code}`));
          const folds = foldsOf(data, k, seed);
          expect(folds.flatMap(({ held }) => rowsOf(held)).sort((a, b) => a - b)).toEqual(rowsOf(data));
          const apart = (sizes: number[]) => Math.max(...sizes) - Math.min(...sizes);
          expect(apart(folds.map(({ held }) => held.sampleCount))).toBeLessThanOrEqual(1);
          data.classes!.forEach((_, a) => {
            expect(apart(folds.map(({ held }) => counts(held, data.classes!.length)[a]!))).toBeLessThanOrEqual(1);
          });
          for (const { train: rest, held, rows } of folds) {
            expect([...rows]).toEqual(rowsOf(held));
            expect(rest.classes).toEqual(data.classes);
          }
        },
      ),
    );
  });
  it("can be drawn without classes, and a crossValidation passes that on", () => {
    const data = labeled(Array.from({ length: 40 }, (_, i) => (i < 4 ? "rare" : "common")));
    const held = (stratify: boolean | undefined) => foldsOf(data, 4, 3, { stratify }).map((fold) => rowsOf(fold.held));
    expect(held(undefined)).toEqual(held(true));
    expect(held(false)).not.toEqual(held(true));
    const jobs = crossValidation({ network: network({ layers: [1, 2] }), data }, 4, 3, { stratify: false });
    expect(jobs.map(({ fold }) => rowsOf(fold.held))).toEqual(held(false));
  });
  it("of the command line are those of a split without classes where --no-stratify is given", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "gaussflow-parts-")), "table.csv");
    const labels = Array.from({ length: 80 }, (_, i) => (i % 8 === 0 ? "rare" : "common"));
    writeFileSync(file, `x,kind,y\n${labels.map((label, i) => `${i},${label},${i / 2}`).join("\n")}\n`);
    const flags = { target: ["kind"], ignore: ["y"], test: 0.25, validation: 0.25, seed: 4 } as const;
    const silent = () => {};
    for (const stratify of [true, false]) {
      const { test, validation } = await readParts(file, { ...flags, stratify }, silent);
      const expected = labeled(labels).split({ test: 0.25, validation: 0.25, seed: 4, stratify });
      expect([rowsOf(test), rowsOf(validation)]).toEqual([rowsOf(expected.test), rowsOf(expected.validation)]);
    }
    const numbers = { ...flags, target: ["y"], ignore: ["kind"], stratify: false };
    await expect(readParts(file, numbers, silent)).rejects.toThrow(/--no-stratify is about classes/);
  });
});
