// The counting search for a weighted quantile against a sort, for numbers of every size, ties, weights and cuts into blocks.

import { describe, expect, it } from "vitest";
import { QuantileSearch, SEARCH_PASSES } from "../../src/algebra/quantile-search.js";
import { fc } from "../helpers/property.js";

/** The search over blocks of `size` numbers. */
function search(values: readonly number[], weights: readonly number[] | null, size: number, share = 0.5): number {
  const found = new QuantileSearch(share);
  for (let pass = 0; pass < SEARCH_PASSES; pass++) {
    for (let first = 0; first < values.length; first += size)
      found.add(
        Float64Array.from(values.slice(first, first + size)),
        weights === null ? null : (k) => weights[first + k] as number,
      );
    found.endPass();
  }
  return found.value;
}

/** The least number with which the numbers up to it have at least this share of the weight, by sorting. */
function sorted(values: readonly number[], weights: readonly number[], share = 0.5): number {
  const order = values.map((value, k) => [value, weights[k] as number] as const).sort((a, b) => a[0] - b[0]);
  const wanted = weights.reduce((sum, weight) => sum + weight, 0) * share;
  let sum = 0;
  for (const [value, weight] of order) {
    sum += weight;
    if (sum >= wanted) return value;
  }
  throw new Error("no numbers");
}

const size = fc.oneof(
  fc.double({ min: 0, noNaN: true }),
  fc.double({ min: 0.5, max: 2, noNaN: true }),
  fc.constantFrom(0, 1, 1 + Number.EPSILON, 5e-324, Number.MAX_VALUE, Number.POSITIVE_INFINITY),
);

describe("QuantileSearch", () => {
  it("finds the lower median, whatever the blocks", () => {
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (values, block) => {
        const ones = values.map(() => 1);
        expect(search(values, null, block)).toBe(sorted(values, ones));
      }),
    );
  });

  it("finds every quantile", () => {
    const shares = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 60 }), shares, (values, share) => {
        const ones = values.map(() => 1);
        expect(search(values, null, 9, share)).toBe(sorted(values, ones, share));
      }),
    );
  });

  it("finds the weighted one: whole weights are repeated numbers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(size, fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 40 }),
        (entries, block) => {
          const [values, weights] = [entries.map(([value]) => value), entries.map(([, weight]) => weight)];
          const repeated = entries.flatMap(([value, weight]) => Array.from({ length: weight }, () => value));
          expect(search(values, weights, block)).toBe(search(repeated, null, 7));
          expect(search(values, weights, block)).toBe(sorted(values, weights));
        },
      ),
    );
  });

  it("finds one of the numbers for weights of any size", () => {
    const weight = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(size, weight), { minLength: 1, maxLength: 40 }), (entries) => {
        const [values, weights] = [entries.map(([value]) => value), entries.map(([, one]) => one)];
        expect(values).toContain(search(values, weights, 3));
      }),
    );
  });

  it("counts NaN as larger than every number", () => {
    expect(search([Number.NaN, 1, 2], null, 2)).toBe(2);
    expect(search([Number.NaN, Number.NaN, 2], null, 2)).toBeNaN();
  });
});
