// Tables in any dialect read back as they were written; malformed ones give a clean data set or an error that names the place.
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type Dataset, GaussflowError, readCsv } from "../../src/index.js";
import { malformedCsv } from "../helpers/malformed-csv.js";
import { fc } from "../helpers/property.js";

const stream = (text: string | Buffer) => Readable.from([Buffer.from(text)]);

describe("a table in any dialect", () => {
  it("reads back the numbers, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.constantFrom(",", ";", "\t", "|"),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        async (rows, delimiter, end, quoted, mark) => {
          const cell = (value: number) => (quoted ? `"${value}"` : String(value));
          const lines = [["a", "b", "y"].join(delimiter), ...rows.map((row) => row.map(cell).join(delimiter))];
          const data = await readCsv(stream((mark ? "\ufeff" : "") + lines.join(end) + end), { numeric: ["a", "b"] });
          // A text does not tell -0 from 0.
          const plain = (x: number) => (x === 0 ? 0 : x);
          expect([...data.inputs]).toEqual(rows.flatMap(([x0, x1]) => [plain(x0), plain(x1)]));
          expect([...data.targets]).toEqual(rows.map((row) => plain(row[2])));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("takes the decimal comma when told, and says so when not", async () => {
    const text = "a;y\n1,5;2\n2,5;3,25\n";
    const data = await readCsv(stream(text), { decimal: ",", numeric: "a" });
    expect([...data.inputs, ...data.targets]).toEqual([1.5, 2.5, 2, 3.25]);
    await expect(readCsv(stream(text), { numeric: "a" })).rejects.toThrow(/line 2, column "a".*decimal/);
  });

  it("one-hot columns have a fixed order, whatever the order of the rows", async () => {
    const one = await readCsv(stream("k,y\nred,1\nblue,2\nred,3\n"));
    const two = await readCsv(stream("k,y\nblue,2\nred,1\nred,3\n"));
    expect(one.featureNames).toEqual(["k=blue", "k=red"]);
    expect(two.featureNames).toEqual(one.featureNames);
    expect([...one.inputs]).toEqual([0, 1, 1, 0, 0, 1]);
  });
});

describe("missing values", () => {
  const text = "a,k,y\n1,u,1\n,v,2\n3,,3\n5,u,\n";
  it("are refused by default, with line and column", async () => {
    await expect(readCsv(stream(text))).rejects.toThrow(/line 3, column "a".*missing/);
  });
  it("drop leaves the rows out", async () => {
    const data = await readCsv(stream(text), { missing: "drop" });
    expect([data.sampleCount, [...data.targets]]).toEqual([1, [1]]);
  });
  it("mean fills inputs, from the training part alone", async () => {
    const data = await readCsv(stream(text), { missing: "mean", numeric: "a" });
    expect(data.sampleCount).toBe(3);
    expect(data.inputs[3]).toBe(2); // (1 + 3) / 2: the row without a target takes no part
    const parts = data.partition({ train: [0, 1], test: [2] });
    expect(parts.train.inputs[3]).toBe(1);
  });
});

describe("a stored encoding", () => {
  it("finds columns by name, refuses unseen categories, fills by the stored means", async () => {
    const data = await readCsv(stream("a,k,y\n1,u,1\n3,v,2\n"), { missing: "mean", numeric: "a" });
    const encoding = data.encoding ?? undefined;
    const again = await readCsv(stream("extra,k,a\n9,v,7\n9,u,\n"), { encoding });
    expect([...again.inputs]).toEqual([7, 0, 1, 2, 1, 0]);
    await expect(readCsv(stream("k,a\nw,7\n"), { encoding })).rejects.toThrow(/line 2, column "k".*"w"/);
    await expect(readCsv(stream("k\nu\n"), { encoding })).rejects.toThrow(/no column "a"/);
  });
});

describe("malformed tables", () => {
  it("1,000 of them: a clean data set, or a GaussflowError that names the table; never a crash, a hang or a silent NaN", async () => {
    let refused = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const bytes = malformedCsv(seed);
      let data: Dataset;
      try {
        data = await readCsv(stream(bytes));
      } catch (error) {
        expect(error, `seed ${seed}: ${JSON.stringify(bytes.toString())}`).toBeInstanceOf(GaussflowError);
        expect((error as Error).message, `seed ${seed}`).toMatch(/the stream|options/);
        refused++;
        continue;
      }
      expect(data.inputs.every(Number.isFinite) && data.targets.every(Number.isFinite), `seed ${seed}`).toBe(true);
      expect(data.sampleCount).toBeGreaterThan(0);
    }
    expect(refused).toBeGreaterThan(300);
  });

  it.each([
    ["a,b\n1,2\n3\n", /line 3: has 1 values where 2 are expected/],
    ['a,b\n1,"2\n3,4\n', /quote/],
    ["a,a\n1,2\n", /same name/],
    ["", /is empty/],
    ["a,b\n", /header and no rows/],
    ["a,b\n1,2\n2,blue\n", /line 3, column "b": is not a number.*missingValues.*task: "classification"/],
    ["a,b\n1,x\n", /column "b": has the one class "x" in its only row.*target: "COLUMN"/],
    ["a,b\n1,Infinity\n", /line 2, column "b".*infinite/],
    ["a,b\n1,2\0\n", /line 2.*zero byte/],
  ])("%j", async (text, message) => {
    await expect(readCsv(stream(text))).rejects.toThrow(message);
  });

  it("a file that is not there, and one that is a directory", async () => {
    await expect(readCsv("no-such-file.csv")).rejects.toThrow(/no-such-file\.csv: there is no such file/);
    await expect(readCsv("test")).rejects.toThrow(/directory/);
  });
});
