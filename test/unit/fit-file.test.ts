// The file of a fit: what comes back is what was saved, damage is refused with the field, and predictions have the intervals of the theory.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadFit, saveFit } from "../../src/fit/fit-file.js";
import { type FittedFormula, predictFormula } from "../../src/fit/fitted-formula.js";
import { seal } from "../../src/sealed-json.js";
import { studentQuantile } from "../../src/student-quantile.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-fit-file-"));

/** The line a + b x through (0, 0.1), (1, 1.9), (2, 4.1), (3, 5.9): mean x 1.5, sum of squares about it 5. */
const VARIANCE = 0.026;
const LINE: FittedFormula = {
  formula: "a + b*x",
  target: "y",
  variables: [{ name: "x", column: "time (s)" }],
  names: ["a", "b"],
  estimates: Float64Array.of(0.06, 1.96),
  covariance: Float64Array.of(
    VARIANCE * (1 / 4 + 1.5 ** 2 / 5),
    (-VARIANCE * 1.5) / 5,
    (-VARIANCE * 1.5) / 5,
    VARIANCE / 5,
  ),
  residualDeviation: Math.sqrt(VARIANCE),
  degreesOfFreedom: 2,
  encoding: {
    columns: [{ kind: "numeric", name: "time (s)", mean: 1.5, min: 0, max: 3 }],
    targets: ["y"],
    weights: null,
    header: true,
    delimiter: ",",
    decimal: ".",
    missing: "error",
    missingValues: [],
  },
};

describe("the file of a fit", () => {
  it.each<[string, Partial<FittedFormula>]>([
    ["as it is", {}],
    [
      "with parameters that the data do not determine",
      { covariance: Float64Array.of(Infinity, -Infinity, -Infinity, Infinity) },
    ],
    ["with known sigmas", { residualDeviation: null, degreesOfFreedom: Infinity }],
  ])("comes back %s", async (_, more) => {
    const path = join(folder, "fit.json");
    await saveFit(path, { ...LINE, ...more });
    expect(await loadFit(path)).toEqual({ ...LINE, ...more });
  });

  it("is told from other files, and has readable estimates", async () => {
    const path = join(folder, "other.json");
    writeFileSync(path, seal("gaussflow-model", 2, {}));
    expect(await loadFit(path)).toBeNull();
    await saveFit(path, LINE);
    expect(readFileSync(path, "utf8")).toContain('{"name":"b","estimate":1.96}');
  });

  const body = async () => {
    const path = join(folder, "body.json");
    await saveFit(path, LINE);
    return JSON.parse(readFileSync(path, "utf8")).body;
  };
  it.each<[string, (body: Record<string, unknown>) => void, RegExp]>([
    [
      "no formula",
      (b) => {
        delete b.formula;
      },
      /formula must be a text/,
    ],
    [
      "no parameters",
      (b) => {
        b.parameters = [];
      },
      /has no parameters/,
    ],
    [
      "an estimate that is none",
      (b) => {
        b.parameters = [{ name: "a", estimate: null }];
      },
      /parameters\[0\]\.estimate must be a finite number/,
    ],
    [
      "a covariance of another size",
      (b) => {
        b.covariance = "AAAAAAAA8D8=";
      },
      /covariance must hold 4 numbers, not 1/,
    ],
    [
      "a variable without its column",
      (b) => {
        b.variables = [{ name: "x", column: "t" }];
      },
      /variable in column "t"/,
    ],
    [
      "variables that are no list",
      (b) => {
        b.variables = 3;
      },
      /variables must be a list/,
    ],
    [
      "another encoding",
      (b) => {
        b.encoding = 3;
      },
      /encoding/,
    ],
    [
      "degrees of freedom that are none",
      (b) => {
        b.degreesOfFreedom = -1;
      },
      /degreesOfFreedom must be a count or null/,
    ],
  ])("is refused with %s", async (_, spoil, message) => {
    // biome-ignore format: a table
    const spoiled = await body();
    spoil(spoiled);
    const path = join(folder, "spoiled.json");
    writeFileSync(path, seal("gaussflow-fit", 1, spoiled));
    await expect(loadFit(path)).rejects.toThrow(message);
    await expect(loadFit(path)).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
  });
});

describe("predictions of a fitted formula", () => {
  const x = Float64Array.of(0, 1.5, 10);

  it("have the intervals of a line's closed form", async () => {
    const { values, standardErrors, lower, observation } = await predictFormula(LINE, [x], 0.9);
    const t = studentQuantile(0.95, 2);
    for (const [i, at] of x.entries()) {
      const exact = Math.sqrt(VARIANCE * (1 / 4 + (at - 1.5) ** 2 / 5));
      // The variance is a sum of three terms, up to 30 times as large as it.
      expect(Math.abs(standardErrors[i]! / exact - 1)).toBeLessThan(200 * Number.EPSILON);
      expect(values[i]).toBeCloseTo(0.06 + 1.96 * at, 14);
      expect(values[i]! - lower[i]!).toBeCloseTo(t * exact, 12);
      expect(observation!.upper[i]! - values[i]!).toBeCloseTo(t * Math.hypot(exact, Math.sqrt(VARIANCE)), 12);
    }
  });

  it("use the normal quantile and no noise where the sigmas were known", async () => {
    const known = { ...LINE, residualDeviation: null, degreesOfFreedom: Infinity };
    const { values, standardErrors, upper, observation } = await predictFormula(known, [x], 0.95);
    expect(observation).toBeNull();
    expect((upper[0]! - values[0]!) / standardErrors[0]!).toBeCloseTo(1.959963984540054, 12);
  });

  it("are infinitely unsure only where a parameter that the data do not determine has a part in them", async () => {
    const vague = { ...LINE, formula: "a*x + b", covariance: Float64Array.of(Infinity, 0, 0, 0.25) };
    const { standardErrors, lower } = await predictFormula(vague, [x], 0.95);
    expect(Array.from(standardErrors)).toEqual([0.5, Infinity, Infinity]);
    expect(lower[1]).toBe(-Infinity);
  });
});
