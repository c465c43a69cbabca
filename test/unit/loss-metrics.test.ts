// RMSE, MAE and R^2 against values computed by hand and against the plain two-pass formulas on random data.

import { describe, expect, it } from "vitest";
import { metrics, metricsOfBlocks } from "../../src/loss/metrics.js";
import { fc } from "../helpers/property.js";

describe("metrics", () => {
  it("are the textbook figures, a target at a time", () => {
    // Two targets, row-major. First: errors 1, -1, 0 against 1, 2, 3; second: exact.
    const targets = Float64Array.of(1, 10, 2, 20, 3, 40);
    const predictions = Float64Array.of(2, 10, 1, 20, 3, 40);
    const [first, second] = metrics(predictions, targets, ["a", "b"]);
    expect(first).toEqual({ target: "a", rmse: Math.sqrt(2 / 3), mae: 2 / 3, r2: 0, unexplained: 1 });
    expect(second).toEqual({ target: "b", rmse: 0, mae: 0, r2: 1, unexplained: 0 });
  });

  it("keep the digits of 1 - R² where R² is nearly 1", () => {
    // Errors of 1e-10 against a variance of 2/3 a row: R² itself has lost all of them.
    const [entry] = metrics(Float64Array.of(1 + 1e-10, 2, 3 - 1e-10), Float64Array.of(1, 2, 3), ["y"]);
    expect(entry?.r2).toBe(1);
    expect(Math.abs((entry?.unexplained ?? Number.NaN) / 1e-20 - 1)).toBeLessThan(1e-5);
  });

  it("have no R² on a constant target or on a single row", () => {
    expect(metrics(Float64Array.of(1, 2), Float64Array.of(5, 5), ["y"])[0]!.r2).toBeNaN();
    expect(metrics(Float64Array.of(1), Float64Array.of(5), ["y"])[0]).toMatchObject({
      rmse: 4,
      mae: 4,
      r2: Number.NaN,
    });
  });

  it("give a sample of integer weight k the force of k copies of it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 4 })),
          {
            minLength: 2,
            maxLength: 20,
          },
        ),
        (rows) => {
          fc.pre(new Set(rows.filter((row) => row[2] > 0).map((row) => row[1])).size > 1);
          const column = (values: readonly number[]) => Float64Array.from(values);
          const weighted = metrics(
            column(rows.map((row) => row[0])),
            column(rows.map((row) => row[1])),
            ["y"],
            column(rows.map((row) => row[2])),
          )[0]!;
          const copies = rows.flatMap((row) => Array.from({ length: row[2] }, () => row));
          const n = copies.length;
          const mean = copies.reduce((sum, row) => sum + row[1], 0) / n;
          const squares = copies.reduce((sum, row) => sum + (row[0] - row[1]) ** 2, 0);
          const spread = copies.reduce((sum, row) => sum + (row[1] - mean) ** 2, 0);
          // Sums of at most 80 terms, each exact to a few eps: 100 n eps covers the different orders of summation.
          const tolerance = 100 * n * Number.EPSILON;
          expect(Math.abs(weighted.rmse - Math.sqrt(squares / n))).toBeLessThanOrEqual(tolerance * (1 + weighted.rmse));
          expect(Math.abs(weighted.r2 - (1 - squares / spread))).toBeLessThanOrEqual(
            tolerance * (1 + squares / spread),
          );
        },
      ),
    );
  });

  it("keep R² of a target with a huge mean", () => {
    // Spread 2 about 1e8: a one-pass sum of squares would lose it (1e16 eps = 2).
    const targets = Float64Array.of(1e8 - 1, 1e8, 1e8 + 1);
    expect(metrics(Float64Array.of(1e8, 1e8, 1e8), targets, ["y"])[0]!.r2).toBe(0);
  });

  it("stay finite where squares would leave the range of doubles", () => {
    for (const size of [1e200, 1e-200]) {
      const [first] = metrics(Float64Array.of(2 * size, size), Float64Array.of(size, 3 * size), ["y"]);
      // Errors size and -2 size about a mean of 2 size: rmse = sqrt(5/2) size, mae = 3/2 size, R^2 = 1 - 5/2.
      expect(Math.abs(first!.rmse / size - Math.sqrt(2.5))).toBeLessThan(8 * Number.EPSILON);
      expect(Math.abs(first!.mae / size - 1.5)).toBeLessThan(8 * Number.EPSILON);
      expect(Math.abs(first!.r2 + 1.5)).toBeLessThan(16 * Number.EPSILON);
    }
  });

  it("are the same to the bit where rows come in blocks, in units of their own too", () => {
    for (const size of [1, 1e200, 1e-200]) {
      const values = (rate: number) => Float64Array.from({ length: 40 }, (_, k) => size * Math.sin(rate * (k + 1)));
      const [targets, predictions] = [values(1), values(1.1)];
      const weights = Float64Array.from({ length: 20 }, (_, i) => i % 4);
      const cuts = [0, 1, 1, 13, 20];
      const blocks = () =>
        cuts.slice(1).map((to, b) => ({
          predictions: predictions.subarray(2 * cuts[b]!, 2 * to),
          targets: targets.subarray(2 * cuts[b]!, 2 * to),
          weights: weights.subarray(cuts[b]!, to),
        }));
      expect(metricsOfBlocks(blocks, ["a", "b"])).toEqual(metrics(predictions, targets, ["a", "b"], weights));
    }
  });

  it("refuse lengths that disagree", () => {
    expect(() => metrics(new Float64Array(3), new Float64Array(4), ["y"])).toThrow(/predictions must have the length/);
    expect(() => metrics(new Float64Array(3), new Float64Array(3), ["a", "b"])).toThrow(/targetNames/);
    expect(() => metrics(new Float64Array(3), new Float64Array(3), ["y"], new Float64Array(2))).toThrow(/weights/);
  });
});
