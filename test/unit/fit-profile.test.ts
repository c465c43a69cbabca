// Profile likelihood intervals against closed forms, the tables of Bates and Watts, and problems whose intervals have no end.
import { describe, expect, it } from "vitest";
import { type ProfileSource, profileParameter } from "../../src/fit/profile.js";
import { studentQuantile } from "../../src/student-quantile.js";

const EPS = Number.EPSILON;
const X = [0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1];
const Y = [76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200];
const T10 = studentQuantile(0.975, 10);

function squares(model: (x: number) => number): number {
  return X.reduce((sum, x, i) => sum + (model(x) - Y[i]!) ** 2, 0);
}

/** The best factor of a shape: a linear least-squares problem of one parameter. */
function factor(shape: (x: number) => number): number {
  const products = X.map((x, i) => [shape(x) * Y[i]!, shape(x) ** 2] as const);
  return products.reduce((sum, [a]) => sum + a, 0) / products.reduce((sum, [, b]) => sum + b, 0);
}

/** The least value of a smooth function with one minimum, by golden section. */
function least(f: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  while (b - a > 1e-9 * Math.abs(b)) {
    const [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (f(c) < f(d)) b = d;
    else a = c;
  }
  return (a + b) / 2;
}

/** The profile of V x / (K + x): V is linear where K is held, and a search of one dimension finds K where V is. */
function puromycin(index: number, more: Partial<ProfileSource> = {}): ProfileSource {
  const estimates = Float64Array.of(212.683743086161, 0.0641212815943);
  const sumOfSquares = squares((x) => (estimates[0]! * x) / (estimates[1]! + x));
  return {
    index,
    name: ["V", "K"][index]!,
    estimates,
    standardError: [6.94715510864, 0.00828094953394][index]!,
    sumOfSquares,
    variance: sumOfSquares / 10,
    level: 0.95,
    quantile: T10,
    bounds: [-Infinity, Infinity],
    curvePoints: 0,
    refit: async (held, value) => {
      const shape = (k: number) => (x: number) => x / (k + x);
      const k = held === 1 ? value : least((one) => squares((x) => value * shape(one)(x)), 1e-4, 1);
      const v = held === 0 ? value : factor(shape(k));
      return { sumOfSquares: squares((x) => v * shape(k)(x)), estimates: Float64Array.of(v, k) };
    },
    ...more,
  };
}

/** The mean of four numbers, where everything is known; sd 1. */
const MEAN: ProfileSource = {
  index: 0,
  name: "mean",
  estimates: Float64Array.of(5),
  standardError: 0.5,
  sumOfSquares: 3,
  variance: 1,
  level: 0.95,
  quantile: 3.182446305284263,
  bounds: [-Infinity, Infinity],
  curvePoints: 0,
  refit: async (_, value) => ({ sumOfSquares: 3 + 4 * (value - 5) ** 2, estimates: Float64Array.of(value) }),
};

describe("profile likelihood intervals", () => {
  // Bates and Watts, table 6.1 and section 6.1.2 have 197.3 to 229.3 and 0.0469 to 0.0862; the digits are R's uniroot on the same function.
  it("of the Puromycin fit are those of Bates and Watts", async () => {
    const v = await profileParameter(puromycin(0));
    expect(v).toMatchObject({ lowerEnd: "found", upperEnd: "found", better: null, parameter: "V", level: 0.95 });
    expect(v.lower).toBeCloseTo(197.3019329, 4);
    expect(v.upper).toBeCloseTo(229.28905506, 4);
    const k = await profileParameter(puromycin(1));
    expect(k.lower).toBeCloseTo(0.046920342, 7);
    expect(k.upper).toBeCloseTo(0.0861569134, 7);
  });

  it("take few refits, and hold the path for a picture", async () => {
    const { values, roots, traces } = await profileParameter(puromycin(1, { curvePoints: 5 }));
    expect(values.length).toBeLessThan(28);
    expect(traces.length).toBe(2 * values.length);
    for (let i = 1; i < values.length; i++) {
      expect(values[i]).toBeGreaterThan(values[i - 1]!);
      expect(roots[i]).toBeGreaterThan(roots[i - 1]!);
      expect(traces[2 * i + 1]).toBe(values[i]);
    }
    expect(roots[values.indexOf(0.0641212815943)]).toBe(0);
  });

  it("of a linear model are estimate +- t times the standard error", async () => {
    const { lower, upper, roots, values } = await profileParameter(MEAN);
    // The root is found to 1e-8 of the level.
    expect(Math.abs(lower - (5 - 0.5 * MEAN.quantile))).toBeLessThan(2e-8);
    expect(Math.abs(upper - (5 + 0.5 * MEAN.quantile))).toBeLessThan(2e-8);
    for (const [i, root] of roots.entries())
      expect(Math.abs(root - (values[i]! - 5) / 0.5)).toBeLessThan(100 * EPS * 10);
  });

  it.each([Infinity, 0, 1e-3, 1e4])("do not depend on a standard error of %f", async (standardError) => {
    const { lower, upper } = await profileParameter({ ...MEAN, standardError });
    expect(Math.abs(lower - (5 - 0.5 * MEAN.quantile))).toBeLessThan(2e-8);
    expect(Math.abs(upper - (5 + 0.5 * MEAN.quantile))).toBeLessThan(2e-8);
  });

  it("end at a bound inside of them, and never cross one", async () => {
    const asked: number[] = [];
    const refit: ProfileSource["refit"] = (index, value, start) => {
      asked.push(value);
      return MEAN.refit(index, value, start);
    };
    const profile = await profileParameter({ ...MEAN, bounds: [4, Infinity], refit });
    expect(profile).toMatchObject({ lower: 4, lowerEnd: "bound", upperEnd: "found" });
    expect(Math.min(...asked)).toBe(4);
  });

  it("are open where the deviance levels off below the level", async () => {
    // (1 - exp(-value)): the sum of squares tends to 3 + 5.
    const refit: ProfileSource["refit"] = async (_, value) => ({
      sumOfSquares: 3 + 5 * (Math.exp(-5) - Math.exp(-value)) ** 2,
      estimates: Float64Array.of(value),
    });
    const { lower, upper, lowerEnd, upperEnd } = await profileParameter({ ...MEAN, refit });
    expect([upper, upperEnd]).toEqual([Infinity, "open"]);
    expect(lowerEnd).toBe("found");
    const exact = -Math.log(Math.exp(-5) + MEAN.quantile / Math.sqrt(5));
    expect(Math.abs(lower - exact)).toBeLessThan(1e-7);
  });

  it("end where the model has no finite residuals", async () => {
    const refit: ProfileSource["refit"] = async (index, value, start) =>
      value <= 4.2 ? { sumOfSquares: Infinity, estimates: start } : MEAN.refit(index, value, start);
    const { lower, roots } = await profileParameter({ ...MEAN, refit });
    expect(Math.abs(lower - 4.2)).toBeLessThan(1e-12);
    expect(roots.every(Number.isFinite)).toBe(true);
  });

  it("say where there is a better minimum than the fit", async () => {
    const refit: ProfileSource["refit"] = async (_, value) => ({
      sumOfSquares: value > 6 ? 1 + (value - 6.5) ** 2 : 3 + 4 * (value - 5) ** 2,
      estimates: Float64Array.of(value),
    });
    const { better } = await profileParameter({ ...MEAN, refit });
    expect(better!.sumOfSquares).toBeLessThan(3);
    expect(better!.estimates[0]).toBeGreaterThan(6);
  });
});
