// The derivative checker: right Jacobians pass whatever their scale, and a wrong entry is named.
import { describe, expect, it } from "vitest";
import { checkDerivatives, type DerivativeProblem } from "../../src/fit/check-derivatives.js";

const X = [0.5, 1, 2, 4, 8];
const AT = [500, 1e-2];

/** Residuals of b1 (1 - exp(-b2 x)) and their Jacobian, which `spoil` changes. */
function saturation(spoil: (jacobian: Float64Array) => void = () => {}): DerivativeProblem {
  return {
    count: X.length,
    residuals: (b, out) => {
      for (const [i, x] of X.entries()) out[i] = b[0]! * (1 - Math.exp(-b[1]! * x)) - 3;
    },
    jacobian: (b, out) => {
      for (const [i, x] of X.entries()) {
        out[2 * i] = 1 - Math.exp(-b[1]! * x);
        out[2 * i + 1] = b[0]! * x * Math.exp(-b[1]! * x);
      }
      spoil(out);
    },
  };
}

describe("checkDerivatives", () => {
  it("accepts a right Jacobian", async () => {
    const check = await checkDerivatives(saturation(), AT);
    expect(check).toMatchObject({ ok: true, checked: 10, unchecked: 0, wrong: [] });
    expect(check.message).toBe("all 10 derivatives agree with central differences");
  });

  it("accepts one from asynchronous functions", async () => {
    const { count, residuals, jacobian } = saturation();
    const later = (fill: typeof residuals) => async (b: Float64Array, out: Float64Array) => {
      await Promise.resolve();
      await fill(b, out);
    };
    expect((await checkDerivatives({ count, residuals: later(residuals), jacobian: later(jacobian) }, AT)).ok).toBe(
      true,
    );
  });

  it.each([1e-12, 1, 1e12])("accepts parameters and residuals of size %f", async (size) => {
    const problem: DerivativeProblem = {
      count: 3,
      residuals: (b, out) => X.slice(0, 3).forEach((x, i) => { out[i] = size * Math.sin((x * b[0]!) / size); }), // biome-ignore format: one line
      jacobian: (b, out) => X.slice(0, 3).forEach((x, i) => { out[i] = x * Math.cos((x * b[0]!) / size); }), // biome-ignore format: one line
    };
    expect((await checkDerivatives(problem, [0.7 * size])).ok).toBe(true);
  });

  it("names a single wrong entry with both values", async () => {
    const check = await checkDerivatives(saturation((j) => { j[7]! *= 1.001; }), AT, { names: ["top", "rate"] }); // biome-ignore format: one call
    expect(check.ok).toBe(false);
    expect(check.wrong).toHaveLength(1);
    const exact = 500 * 4 * Math.exp(-0.04);
    expect(check.wrong[0]).toMatchObject({ row: 3, column: 1, parameter: "rate" });
    // Central differences of 1e-6 relative steps on values of order 10: relative error below 1e-8.
    expect(Math.abs(check.wrong[0]!.difference / exact - 1)).toBeLessThan(1e-8);
    expect(Math.abs(check.wrong[0]!.given / (1.001 * exact) - 1)).toBeLessThan(1e-15);
    expect(check.message).toMatch(
      /^1 derivative is wrong of 10\. row 3 \(counted from 0\), parameter "rate": the Jacobian has 1923\.\d+, central differences give 1921\.\d+$/,
    );
  });

  it.each<[string, (j: Float64Array) => void, string]>([
    [
      "a wrong sign",
      (j) => {
        for (let i = 1; i < 10; i += 2) j[i]! *= -1;
      },
      "the derivatives by b2 are of the wrong sign",
    ],
    [
      "a forgotten factor",
      (j) => {
        for (let i = 0; i < 10; i += 2) j[i]! *= 2;
      },
      "the derivatives by b1 are 2 times the difference",
    ],
    [
      "a forgotten column",
      (j) => {
        for (let i = 0; i < 10; i += 2) j[i] = 0;
      },
      "the derivatives by b1 are 0",
    ],
    [
      "the residuals' sign",
      (j) => {
        for (let i = 0; i < 10; i++) j[i]! *= -1;
      },
      "all wrong entries are of the wrong sign",
    ],
    [
      "the transpose",
      (j) => {
        const all = j.slice();
        for (let i = 0; i < 5; i++) for (let k = 0; k < 2; k++) j[k * 5 + i] = all[2 * i + k]!;
      },
      "the array holds the transpose",
    ],
  ])("says what is the matter with %s", async (_, spoil, words) => {
    // biome-ignore format: a table
    const check = await checkDerivatives(saturation(spoil), AT);
    expect(check.ok).toBe(false);
    expect(check.message).toContain(words);
  });

  it("does not call an entry wrong that no difference can judge, and counts it", async () => {
    const step: DerivativeProblem = {
      count: 2,
      residuals: (b, out) => { out[0] = Math.cbrt(b[0]! - 1) + 5; out[1] = 2 * b[0]!; }, // biome-ignore format: one line
      jacobian: (_, out) => { out[0] = 1e3; out[1] = 2; }, // biome-ignore format: one line
    };
    // At 1 the slope is infinite.
    const check = await checkDerivatives(step, [1]);
    expect(check).toMatchObject({ ok: false, unchecked: 1, wrong: [] });
    expect(check.message).toContain("1 entry could not be checked");
  });

  it("refuses entries that are not written, with their place", async () => {
    const { count, residuals } = saturation();
    const missing = { count, residuals, jacobian: (_: Float64Array, out: Float64Array) => { out.fill(1, 0, 5); } }; // biome-ignore format: one line
    await expect(checkDerivatives(missing, AT)).rejects.toThrow(
      /problem\.jacobian must write finite numbers .* row 2 .*, column 1 is not finite/,
    );
    await expect(checkDerivatives(saturation(), AT, { names: ["one"] })).rejects.toThrow(
      "options.names must name all 2 parameters",
    );
    await expect(checkDerivatives(saturation(), AT, { scale: [1, 0] })).rejects.toThrow(
      "options.scale must hold 2 positive numbers",
    );
  });
});
