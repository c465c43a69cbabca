// Laws of cutting and scaling: parts are a partition drawn by the seed alone, nothing leaks from held-out rows, and
// standardized columns have mean 0 and deviation 1 and go back to where they came from.
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset-input.js";
import { readCsv } from "../../src/data/read-csv.js";
import { scaleColumns, standardize, unscaleColumns } from "../../src/data/scaling.js";
import { fc } from "../helpers/property.js";

describe("split", () => {
  const shapes = [fc.integer({ min: 4, max: 200 }), fc.double({ min: 0, max: 0.4, noNaN: true }), fc.nat()] as const;
  it("every row is in exactly one part, in order, and the seed decides", () => {
    fc.assert(
      fc.property(...shapes, (n, fraction, seed) => {
        const data = dataset({ inputs: Array.from({ length: n }, (_, i) => [i]), targets: Array(n).fill(0) });
        const cut = () => {
          const { train, validation, test } = data.split({ validation: fraction, test: fraction / 2, seed });
          return [train, validation, test].map((part) => [...(part?.inputs ?? [])]);
        };
        const parts = cut();
        expect(parts.flat().sort((a, b) => a - b)).toEqual([...data.inputs]);
        for (const part of parts) expect(part).toEqual([...part].sort((a, b) => a - b));
        expect(parts[1].length).toBe(fraction === 0 ? 0 : Math.max(1, Math.round(fraction * n)));
        expect(cut()).toEqual(parts);
      }),
    );
  });

  it("what fills a missing value does not depend on the rows held out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 3, maxLength: 12 }),
        async (values) => {
          const table = (held: number) => {
            const rows = ["", ...values, held].map((x, i) => `${x},k${i % 2},${i}`);
            return Readable.from([`a,k,y\n${rows.join("\n")}\n`]);
          };
          const train = values.map((_, i) => i);
          const cut = async (held: number) => {
            const data = await readCsv(table(held), { missing: "mean", numeric: "a" });
            return data.partition({ train, test: [values.length + 1] });
          };
          const one = await cut(0);
          const two = await cut(1e6);
          expect([...one.train.inputs]).toEqual([...two.train.inputs]);
          expect(one.train.encoding).toEqual(two.train.encoding);
          expect(one.test?.encoding).toEqual(one.train.encoding);
        },
      ),
      { numRuns: 50 },
    );
  });
});

it("standardize: mean 0, deviation 1, and back", () => {
  // Subnormal numbers have no relative precision to test; a spread of that size counts as constant (its own test).
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => (Math.abs(x) < 1e-290 ? 0 : x));
  const column = fc.array(value, { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(column, (values) => {
      const data = dataset({ inputs: values.map((x) => [x]), targets: values });
      const { inputs } = standardize(data);
      const z = scaleColumns(data.inputs, inputs);
      const largest = Math.max(...values.map(Math.abs));
      const n = values.length;
      // The mean is off by at most n roundings of the largest value; in units of the deviation that is:
      const slack = (4 * n * Number.EPSILON * largest) / inputs.scale[0] + 4 * n * Number.EPSILON;
      expect(Math.abs(z.reduce((a, b) => a + b, 0)) / n).toBeLessThanOrEqual(slack);
      const spread = Math.max(...values) - Math.min(...values);
      const constant = spread <= n * Number.EPSILON * largest; // rounding alone: scale 1 by rule
      const square = z.reduce((a, b) => a + b * b, 0) / n;
      if (!constant) expect(Math.abs(square - 1)).toBeLessThanOrEqual(4 * slack + slack * slack);
      const back = unscaleColumns(z, inputs);
      for (let i = 0; i < n; i++)
        expect(Math.abs(back[i] - values[i])).toBeLessThanOrEqual(8 * Number.EPSILON * (largest + inputs.scale[0]));
    }),
  );
});
