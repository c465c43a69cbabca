// The parts of a search for sizes and weight decay that train nothing: the list, the folds, the rule of the choice.

import { describe, expect, it } from "vitest";
import { dataset, network, Random } from "../../src/index.js";
import { parameterCountOf, sizeCandidates } from "../../src/search/candidates.js";
import { bestOf, type Compared, choose, compare } from "../../src/search/choose.js";
import { comparedRows, comparisonFolds } from "../../src/search/rows.js";
import { fc } from "../helpers/property.js";

/** A candidate whose losses are the common ones plus its own. */
function candidate(parameterCount: number, decay: number, losses: readonly number[]): Compared {
  return { hidden: [parameterCount], decay, parameterCount, losses: Float64Array.from(losses) };
}

function table(
  rows: number,
  fields: { readonly weights?: number[]; readonly groups?: number[]; readonly order?: true } = {},
) {
  const random = new Random(3);
  const inputs = Array.from({ length: rows }, () => [random.normal(), random.normal()]);
  return dataset({ inputs, targets: inputs.map(([a, b]) => a! * b!), ...fields });
}

describe("the list of sizes", () => {
  it("counts parameters as networks do", () => {
    for (const hidden of [[], [3], [4, 5]])
      expect(parameterCountOf({ rows: 1, inputSize: 6, outputSize: 2 }, hidden)).toBe(
        network({ layers: [6, ...hidden, 2] }).parameterCount,
      );
  });

  it("goes from a handful of parameters for 15 rows to 16-16 and beyond for thousands", () => {
    const sizes = (rows: number, inputSize: number) => sizeCandidates({ rows, inputSize, outputSize: 1 });
    expect(sizes(15, 1)).toEqual([[], [1], [2]]);
    expect(sizes(15, 5)).toEqual([[]]);
    expect(sizes(280, 6).at(-1)).toEqual([16, 16]);
    expect(sizes(1500, 8).at(-1)).toEqual([16, 16]);
    expect(sizes(5000, 8).at(-1)).toEqual([32, 32]);
  });

  it("has never more parameters than the share of the equations that the rows allow, but for a linear model", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        (rows, d, c) => {
          const list = sizeCandidates({ rows, inputSize: d, outputSize: c });
          expect(list.length).toBeGreaterThan(0);
          const share = Math.min(2, Math.max(0.5, rows / 120));
          for (const hidden of list.length === 1 && list[0]!.length === 0 ? [] : list)
            expect(parameterCountOf({ rows, inputSize: d, outputSize: c }, hidden)).toBeLessThanOrEqual(
              share * rows * c,
            );
          const counts = list.map((hidden) => parameterCountOf({ rows, inputSize: d, outputSize: c }, hidden));
          expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});

describe("the one standard error rule", () => {
  it("takes the simplest network that is not significantly worse", () => {
    // The differences of the first to the best are +-0.1 about 0.01: a mean of 0.01 with a standard error of 0.05.
    const best = candidate(20, 1, [1, 1, 1, 1]);
    const near = candidate(5, 1, [1.11, 0.91, 1.11, 0.91]);
    expect(choose([best, near], null)).toBe(1);
    // Those of this one are 0.01 throughout, with a standard error of 0.
    expect(choose([best, candidate(5, 1, [1.01, 1.01, 1.01, 1.01])], null)).toBe(0);
  });

  it("prefers more decay among equal networks, and early stopping least", () => {
    const losses = [1, 2, 3];
    const list = [candidate(5, 0, losses), candidate(5, 0.1, losses), candidate(5, 3, losses)];
    expect(choose(list, null)).toBe(2);
  });

  it("gives up little accuracy on many rows, however large the standard error, and more on few", () => {
    // The differences of two rows, 20 and -10, have a mean of 10 / n and a standard error of about 22 / n. The best has a sum of 410.
    const [best, other] = [
      [400, 10],
      [420, 0],
    ] as const;
    const list = (rows: number) =>
      [best, other].map((two, k) => candidate(20 - k, 1, [...two, ...new Array<number>(rows - 2).fill(0)]));
    // 10 is 2.4% of 410: more than 10 / 800, less than 10 / 40.
    expect(choose(list(800), null)).toBe(0);
    expect(choose(list(40), null)).toBe(1);
  });

  it("does not choose a network with a loss that is not finite, and says where there is no other", () => {
    const broken = candidate(1, 1, [Number.NaN, 0]);
    const endless = candidate(1, 1, [Number.POSITIVE_INFINITY, 0]);
    expect(choose([broken, endless, candidate(9, 1, [5, 5])], null)).toBe(2);
    expect(choose([broken, endless], null)).toBe(-1);
    expect(choose([], null)).toBe(-1);
  });

  it("weighs rows, and a weight of two is the row twice", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ min: 0, max: 9, noNaN: true }), fc.float({ min: 0, max: 9, noNaN: true })), {
          minLength: 2,
          maxLength: 9,
        }),
        (rows) => {
          const list = (picked: typeof rows) =>
            [0, 1].map((k) =>
              candidate(
                k + 1,
                1,
                picked.map((row) => row[k]!),
              ),
            );
          const weights = Float64Array.from(rows, (_, i) => (i === 0 ? 2 : 1));
          const [once, twice] = [list(rows), list([rows[0]!, ...rows])];
          const scores = [compare(once, 0, weights), compare(twice, 0, null)];
          // A sum of at most ten numbers up to 9, in two orders.
          for (const k of [0, 1])
            expect(Math.abs(scores[0]![k]!.score - scores[1]![k]!.score)).toBeLessThanOrEqual(10 * 9 * Number.EPSILON);
          const none = Float64Array.from(rows, (_, i) => (i === 0 ? 0 : 1));
          expect(bestOf(once, none)).toBe(bestOf(list(rows.slice(1)), null));
        },
      ),
    );
  });
});

describe("the rows that are compared on", () => {
  it("are those with a weight", async () => {
    const weights = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const data = table(30, { weights });
    const rows = await comparedRows(data, 0);
    expect(rows.targets).toEqual(data.targets.filter((_, i) => i % 3 !== 0));
    expect(await comparedRows(table(30), 0)).toEqual(table(30));
  });

  it("are four thousand of more, drawn by the seed, in the order of the table", async () => {
    const data = table(5000);
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => comparedRows(data, seed)));
    expect(one!.sampleCount).toBe(4000);
    expect(one!.targets).toEqual(same!.targets);
    expect(one!.targets).not.toEqual(other!.targets);
    const places = Array.from(one!.targets, (y) => data.targets.indexOf(y));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it("are cut into more folds where they are few, in several draws, and keep groups and order", () => {
    expect(comparisonFolds(table(7), null, 0)).toEqual([]);
    expect(comparisonFolds(table(15), null, 0).length).toBe(3 * 10);
    expect(comparisonFolds(table(100), null, 0).length).toBe(3 * 5);
    expect(comparisonFolds(table(500), null, 0).length).toBe(5);
    expect(comparisonFolds(table(1200), null, 0).length).toBe(5);
    expect(comparisonFolds(table(2200), null, 0).length).toBe(3);
    expect(comparisonFolds(table(1200), 4, 0).length).toBe(4);
    const groups = Array.from({ length: 60 }, (_, i) => i % 3);
    const folds = comparisonFolds(table(60, { groups }), null, 0);
    expect(folds.length).toBe(3 * 3);
    for (const { held } of folds) expect(new Set(held.groups).size).toBe(1);
    expect(comparisonFolds(table(60, { groups: groups.map(() => 0) }), null, 0)).toEqual([]);
    expect(comparisonFolds(table(60, { order: true }), null, 0).length).toBe(5);
  });
});
