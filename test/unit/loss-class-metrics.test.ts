// Figures of classifiers against values computed by hand, against plain sums over pairs and rows, and against what must not change them:
// the order of rows and classes, copies in place of weights, classes drawn by weight in place of probabilities as targets.

import { describe, expect, it } from "vitest";
import { finish, STEP } from "../../src/event-loop-yield.js";
import { classDecisions, costTable, decisionThreshold } from "../../src/loss/class-decision.js";
import {
  binaryMetrics,
  type ClassMetricsOptions,
  classMetrics,
  classMetricsInTurns,
  classMetricsOf,
  classTargets,
} from "../../src/loss/class-metrics.js";
import type { ClassMetrics } from "../../src/loss/class-sums.js";
import { OwnProbabilities } from "../../src/loss/ranking-area.js";
import { Random } from "../../src/random.js";
import { fc } from "../helpers/property.js";

const NAMES = ["a", "b", "c"];

/** Rows of a made classifier: three classes, probabilities on a coarse grid so that ties occur, integer weights. */
const row = fc.record({
  parts: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 4 })),
  class: fc.integer({ min: 0, max: 2 }),
  weight: fc.integer({ min: 0, max: 3 }),
});
type Row = typeof row extends fc.Arbitrary<infer One> ? One : never;
const rows = fc.array(row, { minLength: 1, maxLength: 25 });

const probabilitiesOf = ({ parts }: Row) => {
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
};
const indicator = (of: number) => NAMES.map((_, a) => Number(a === of));

function figures(list: readonly Row[], options: ClassMetricsOptions = {}): ClassMetrics {
  return classMetrics(
    list.flatMap(probabilitiesOf),
    list.map((one) => one.class),
    NAMES,
    options,
  );
}

/** Sums of a few hundred terms of at most 3, each exact to a few eps, in another order. */
const NEAR = 1e-12;
const near = (a: number, b: number) => (Number.isNaN(a) ? Number.isNaN(b) : a === b || Math.abs(a - b) <= NEAR);

function sameFigures(a: ClassMetrics, b: ClassMetrics): void {
  for (const name of ["accuracy", "balancedAccuracy", "logLoss", "brier", "auc", "f1", "calibrationError"] as const)
    expect(near(a[name], b[name]), `${name}: ${a[name]} and ${b[name]}`).toBe(true);
  for (const [k, one] of a.classes.entries())
    for (const name of ["weight", "precision", "recall", "f1", "auc"] as const)
      expect(near(one[name], b.classes[k]![name]), `${one.name} ${name}`).toBe(true);
  for (const [k, line] of a.confusion.entries())
    for (const [l, one] of line.entries()) expect(near(one, b.confusion[k]![l]!)).toBe(true);
}

describe("classMetrics", () => {
  it("are the textbook figures", () => {
    // Classes 0, 0, 1, 2; decided: 0, 1, 1, 1.
    const p = [0.7, 0.2, 0.1, 0.3, 0.6, 0.1, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3];
    const found = classMetrics(p, [0, 0, 1, 2], NAMES);
    expect(found.confusion).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect(found.accuracy).toBe(0.5);
    expect(found.balancedAccuracy).toBe((0.5 + 1 + 0) / 3);
    expect(found.classes.map(({ precision }) => precision)).toEqual([1, 1 / 3, Number.NaN]);
    expect(found.classes.map(({ recall }) => recall)).toEqual([0.5, 1, 0]);
    expect(found.classes.map(({ f1 }) => f1)).toEqual([2 / 3, 0.5, 0]);
    expect(near(found.f1, (2 / 3 + 0.5) / 3)).toBe(true);
    expect(near(found.logLoss, -(Math.log(0.7) + Math.log(0.3) + Math.log(0.8) + Math.log(0.3)) / 4)).toBe(true);
    // (0.09 + 0.04 + 0.01) + (0.49 + 0.36 + 0.01) + (0.01 + 0.04 + 0.01) + (0.04 + 0.25 + 0.49) over 4.
    expect(near(found.brier, 1.84 / 4)).toBe(true);
    // Class 0: 0.7 and 0.3 against 0.1 and 0.2, all right; class 1: 0.8 above all; class 2: 0.3 above all.
    expect(found.classes.map(({ auc }) => auc)).toEqual([1, 1, 1]);
    // Confidences 0.7, 0.6, 0.8, 0.5 in bins of their own: |1 - 0.7| + |0 - 0.6| + |1 - 0.8| + |0 - 0.5| over 4.
    expect(near(found.calibrationError, 1.6 / 4)).toBe(true);
    expect(found).toMatchObject({ cost: null, threshold: null, undecided: 0 });
  });

  it("are those of pairs and rows, summed plainly", () => {
    fc.assert(
      fc.property(rows, (list) => {
        const used = list.flatMap((one) => Array.from({ length: one.weight }, () => one));
        fc.pre(used.length > 0);
        const found = figures(list, { weights: list.map(({ weight }) => weight) });
        const p = used.map(probabilitiesOf);
        const decided = p.map((one) => one.indexOf(Math.max(...one)));
        const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
        const known = (values: readonly number[]) => mean(values.filter((value) => !Number.isNaN(value)));
        const areas = NAMES.map((_, a) => {
          const pairs = used.flatMap((one, i) =>
            one.class !== a
              ? []
              : used.flatMap((other, j) =>
                  other.class === a ? [] : [p[i]![a]! > p[j]![a]! ? 1 : p[i]![a] === p[j]![a] ? 0.5 : 0],
                ),
          );
          return mean(pairs);
        });
        const of = (a: number, b: number) => used.filter((one, i) => one.class === a && decided[i] === b).length;
        const recalls = NAMES.map((_, a) => of(a, a) / used.filter((one) => one.class === a).length);
        const f1s = NAMES.map(
          (_, a) =>
            (2 * of(a, a)) / (used.filter((one) => one.class === a).length + decided.filter((b) => b === a).length),
        );
        const bins = Array.from({ length: 15 }, (_, k) => {
          const inside = used.flatMap((one, i) => {
            const top = p[i]![decided[i]!]!;
            return top > k / 15 && top <= (k + 1) / 15 ? [Number(one.class === decided[i]) - top] : [];
          });
          return Math.abs(inside.reduce((sum, one) => sum + one, 0));
        });
        const plain = {
          accuracy: mean(used.map((one, i) => Number(one.class === decided[i]))),
          balancedAccuracy: known(recalls),
          logLoss: mean(used.map((one, i) => -Math.log(p[i]![one.class]!))),
          brier: mean(used.map((one, i) => indicator(one.class).reduce((sum, y, a) => sum + (p[i]![a]! - y) ** 2, 0))),
          auc: known(areas),
          f1: known(f1s),
          calibrationError: bins.reduce((sum, one) => sum + one, 0) / used.length,
        };
        for (const [name, value] of Object.entries(plain))
          expect(near(found[name as keyof typeof plain], value), `${name}: ${value}`).toBe(true);
        expect(found.classes.map(({ auc }) => auc).every((auc, a) => near(auc, areas[a]!))).toBe(true);
      }),
    );
  });

  it("do not depend on the order of rows, and follow the order of classes", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 5 }), (list, turn) => {
        fc.pre(list.some(({ weight }) => weight > 0));
        // Ties between classes are decided by their order.
        fc.pre(list.every((one) => new Set(probabilitiesOf(one)).size === 3));
        const weights = list.map(({ weight }) => weight);
        const found = figures(list, { weights });
        sameFigures(figures(list.toReversed(), { weights: weights.toReversed() }), found);
        const places = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][turn]!; // biome-ignore format: a list
        const moved = classMetrics(
          list.flatMap((one) => places.map((a) => probabilitiesOf(one)[a]!)),
          list.map((one) => places.indexOf(one.class)),
          places.map((a) => NAMES[a]!),
          { weights },
        );
        sameFigures(moved, {
          ...found,
          classes: places.map((a) => found.classes[a]!),
          confusion: places.map((a) => places.map((b) => found.confusion[a]![b]!)),
        });
      }),
    );
  });

  it("count a row with probabilities as targets as one row of each class with that weight", () => {
    const soft = [0.5, 0.25, 0.25, 0, 0.75, 0.25];
    const p = [0.2, 0.5, 0.3, 0.1, 0.6, 0.3];
    const spread = [0, 1].flatMap((i) => [0, 1, 2].map((a) => ({ i, a, weight: soft[3 * i + a]! })));
    const hard = classMetrics(
      spread.flatMap(({ i }) => p.slice(3 * i, 3 * i + 3)),
      spread.map(({ a }) => a),
      NAMES,
      { weights: spread.map(({ weight }) => weight) },
    );
    sameFigures(classMetrics(p, soft, NAMES), hard);
  });

  it("are told for a class without rows: no recall and no AUC, and the means leave it out", () => {
    const found = classMetrics([0.6, 0.3, 0.1, 0.2, 0.7, 0.1], [0, 1], NAMES);
    expect(found.classes[2]).toEqual({
      name: "c",
      weight: 0,
      precision: Number.NaN,
      recall: Number.NaN,
      f1: Number.NaN,
      auc: Number.NaN,
    });
    expect(found).toMatchObject({ accuracy: 1, balancedAccuracy: 1, auc: 1, f1: 1 });
    // Nothing to rank against: one class alone.
    expect(classMetrics([0.6, 0.3, 0.1], [0], NAMES)).toMatchObject({ accuracy: 1, auc: Number.NaN, f1: 1 });
    // Without rows, but decided on: its F1 is 0 and counts.
    expect(classMetrics([0.6, 0.3, 0.1, 0.2, 0.1, 0.7], [0, 1], NAMES).classes[2]).toMatchObject({ f1: 0 });
  });

  it("have an infinite log-loss where the row's class was ruled out, and no figure where a prediction is not a number", () => {
    expect(classMetrics([1, 0, 0], [1], NAMES).logLoss).toBe(Number.POSITIVE_INFINITY);
    const found = classMetrics(Float64Array.of(Number.NaN, 0.5, 0.5, 1, 0, 0), [0, 0], NAMES, { weights: [2, 3] });
    expect(found.undecided).toBe(2);
    expect(found.confusion[0]).toEqual([3, 0, 0]);
    const { accuracy, balancedAccuracy, logLoss, brier, auc, f1, calibrationError } = found;
    for (const figure of [accuracy, balancedAccuracy, logLoss, brier, auc, f1, calibrationError])
      expect(figure).toBeNaN();
    // A row without weight has no say.
    expect(
      classMetrics(Float64Array.of(Number.NaN, 0.5, 0.5, 1, 0, 0), [0, 0], NAMES, { weights: [0, 3] }).accuracy,
    ).toBe(1);
  });

  it("have a calibration error that falls with the number of rows where the probabilities are right, and is the bias where they are not", () => {
    const random = new Random(5);
    const n = 20_000;
    const p = Array.from({ length: n }, () => random.uniform());
    const y = p.map((one) => Number(random.uniform() < one));
    // Each of 8 bins of confidences from 0.5 has some n/8 rows and a mean error of sqrt(pq/m) sqrt(2/pi): below 1/sqrt(n) per bin, 8 of them.
    expect(binaryMetrics(p, y).calibrationError).toBeLessThan(Math.sqrt(8 / n));
    const sure = p.map((one) => Number(one > 0.5));
    // Confidence 1, right in 3 of 4 rows on average.
    expect(Math.abs(binaryMetrics(sure, y).calibrationError - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / n));
  });

  it("are the same where rows come in blocks and in turns", async () => {
    const random = new Random(2);
    const n = 300;
    const p = new Float64Array(3 * n);
    const y = new Float64Array(3 * n);
    for (let i = 0; i < n; i++) {
      const parts = [1, 2, 3].map(() => 1 + random.below(9));
      const sum = parts.reduce((total, one) => total + one, 0);
      parts.forEach((one, a) => {
        p[3 * i + a] = one / sum;
      });
      y[3 * i + random.below(3)] = 1;
    }
    const weights = Float64Array.from({ length: n }, (_, i) => i % 4);
    const blocks = async function* () {
      for (const [from, to] of [[0, 1], [1, 1], [1, 120], [120, n]] as const) // biome-ignore format: a list
        yield {
          probabilities: p.subarray(3 * from, 3 * to),
          targets: y.subarray(3 * from, 3 * to),
          weights: weights.subarray(from, to),
        };
    };
    const costs = [[0, 1, 2], [3, 0, 1], [1, 1, 0]]; // biome-ignore format: a table
    const target = { target: "kind", classes: NAMES, column: null };
    expect(await classMetricsInTurns(blocks, [target], costs, undefined)).toEqual([
      { target: "kind", ...classMetrics(p, y, NAMES, { weights, costs }) },
    ]);
  });

  it("refuse what is no probability, no class and no cost", () => {
    const p = [0.5, 0.25, 0.25];
    expect(() => classMetrics([1, 2, 3], [0], NAMES)).toThrow(/probabilities\[1\] must be a probability.*received 2/);
    expect(() => classMetrics([0.5, 0.5, 0.5], [0], NAMES)).toThrow(/probabilities must sum to 1.*1\.5 in row 1/);
    expect(() => classMetrics(p, [3], NAMES)).toThrow(/targets\[0\] must be the number of a class.*received 3/);
    expect(() => classMetrics(p, [0.5], NAMES)).toThrow(/targets\[0\] must be the number of a class/);
    expect(() => classMetrics(p, [0, 1], NAMES)).toThrow(/targets must be 1 rows/);
    expect(() => classMetrics(p, [0.5, 0.5, 0.5], NAMES)).toThrow(/targets must sum to 1/);
    expect(() => classMetrics([1], [0], ["a"])).toThrow(/classes must be an array of at least 2 names/);
    expect(() => classMetrics(p, [0], NAMES, { weights: [-1] })).toThrow(/options\.weights\[0\] must not be negative/);
    expect(() => classMetrics(p, [0], NAMES, { weights: [1, 1] })).toThrow(
      /options\.weights must have one entry a row/,
    );
    expect(() => classMetrics(p, [0], NAMES, { costs: 2 })).toThrow(/options\.costs must be a table of 3 x 3/);
    expect(() => classMetrics(p, [0], NAMES, { costs: [[0, 1, 1]] })).toThrow(
      /options\.costs must be a table of 3 rows/,
    );
    expect(() => binaryMetrics([0.5], [0], ["a"])).toThrow(/classes must be an array of 2 names/);
    expect(() => binaryMetrics([0.5], [2])).toThrow(/targets\[0\] must be a probability/);
    expect(() => binaryMetrics([0.5, 0.5], [1])).toThrow(/targets must have the length of probabilities, 2/);
    expect(() => binaryMetrics([0.5], [1], undefined, { costs: -1 })).toThrow(/options\.costs must be a positive/);
  });
});

describe("binaryMetrics", () => {
  it("are those of two classes", () => {
    const p = [0.9, 0.4, 0.6, 0.2];
    const y = [1, 1, 0, 0];
    const two = classMetrics(
      p.flatMap((one) => [1 - one, one]),
      y,
      ["no", "yes"],
    );
    expect(binaryMetrics(p, y, ["no", "yes"])).toEqual(two);
    expect(two).toMatchObject({ accuracy: 0.5, auc: 0.75, threshold: 0.5 });
    expect(two.classes[0]!.auc).toBe(two.classes[1]!.auc);
  });
});

describe("classMetricsOf", () => {
  it("has an entry for each of several answers yes or no", () => {
    const probabilities = Float64Array.of(0.9, 0.1, 0.4, 0.3, 0.6, 0.8);
    const targets = Float64Array.of(1, 0, 1, 1, 0, 1);
    const weights = Float64Array.of(1, 2, 1);
    const column = (values: Float64Array, k: number) => [0, 1, 2].map((i) => values[2 * i + k]!);
    const found = classMetricsOf({ probabilities, targets, weights }, classTargets("logistic", ["a", "b"]));
    expect(found).toEqual(
      ["a", "b"].map((target, k) => ({
        target,
        ...binaryMetrics(column(probabilities, k), column(targets, k), undefined, { weights }),
      })),
    );
    expect(classTargets("identity", ["a"])).toEqual([]);
  });
});

describe("decisions by cost", () => {
  it("have the smallest expected cost among all of the same rows", () => {
    const costs = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(rows, costs, (list, table) => {
        const decided = classDecisions(list.flatMap(probabilitiesOf), 3, table);
        list.forEach((one, i) => {
          const expected = [0, 1, 2].map((b) => probabilitiesOf(one).reduce((sum, p, a) => sum + p * table[a]![b]!, 0));
          expect(expected[decided[i]!]! - Math.min(...expected)).toBeLessThanOrEqual(NEAR);
        });
      }),
    );
  });

  it("of two classes have a threshold at 1 / (1 + ratio), and cost what errors cost", () => {
    expect(decisionThreshold(costTable("costs", 4, 2), 2)).toBe(0.2);
    const p = [0.19, 0.21, 0.6, 0.1];
    const y = [0, 0, 1, 1];
    const found = binaryMetrics(p, y, undefined, { costs: 4 });
    // A false alarm (0.21) and a missed positive (0.1).
    expect(found.confusion).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(found).toMatchObject({ threshold: 0.2, cost: (1 + 4) / 4 });
    // The AUC and the scores of probabilities do not depend on decisions.
    const plain = binaryMetrics(p, y);
    for (const name of ["auc", "logLoss", "brier", "calibrationError"] as const) expect(found[name]).toBe(plain[name]);
    // No threshold where one decision is cheaper whatever the row.
    expect(
      decisionThreshold(
        costTable(
          "costs",
          [
            [0, 1],
            [0, 1],
          ],
          2,
        ),
        2,
      ),
    ).toBeNull();
  });

  it("without costs take the likeliest class, the first of equals, and none where a probability is not a number", () => {
    expect([...classDecisions(Float64Array.of(0.2, 0.4, 0.4, Number.NaN, 1, 0), 3)]).toEqual([1, -1]);
  });
});

describe("sorting of own probabilities", () => {
  it("merges runs into one ascending list without repetitions", () => {
    const random = new Random(9);
    const own = new OwnProbabilities(2);
    const values = Array.from({ length: 2 * STEP + 77 }, () => random.below(100_000) / 100_000);
    for (const value of values) own.add(1, value);
    const [empty, sorted] = finish(own.distinct());
    expect(empty).toHaveLength(0);
    expect([...sorted!]).toEqual([...new Set(values)].toSorted((a, b) => a - b));
  });
});
