// The statistics of a fit against closed forms, certified standard deviations, and what R and statsmodels give for the same data.
import { compile, derivative, parse } from "mathjs";
import { describe, expect, it } from "vitest";
import { type FitPoint, fitStatistics } from "../../src/fit/statistics.js";
import { NIST_FOLDER, nistNames, nistProblem } from "../helpers/nist.js";

const EPS = Number.EPSILON;

/** A fit of everything free, without weights. */
function pointOf(parts: Pick<FitPoint, "jacobian" | "residuals" | "estimates"> & Partial<FitPoint>): FitPoint {
  const p = parts.estimates.length;
  return {
    names: Array.from({ length: p }, (_, j) => `b${j + 1}`),
    states: new Array(p).fill("free"),
    weights: null,
    observations: null,
    absoluteSigma: false,
    robust: null,
    ...parts,
  };
}

/** The line a + b x through the points by the closed form, weighted. */
function line(
  x: readonly number[],
  y: readonly number[],
  w: readonly number[],
  more: Partial<FitPoint> = {},
): FitPoint {
  const sum = (f: (i: number) => number) => x.reduce((total, _, i) => total + w[i]! * f(i), 0);
  const [mx, my] = [sum((i) => x[i]!) / sum(() => 1), sum((i) => y[i]!) / sum(() => 1)];
  const b = sum((i) => (x[i]! - mx) * (y[i]! - my)) / sum((i) => (x[i]! - mx) ** 2);
  const a = my - b * mx;
  return pointOf({
    estimates: Float64Array.of(a, b),
    jacobian: Float64Array.from(x.flatMap((one, i) => [Math.sqrt(w[i]!), Math.sqrt(w[i]!) * one])),
    residuals: Float64Array.from(x, (one, i) => Math.sqrt(w[i]!) * (a + b * one - y[i]!)),
    weights: Float64Array.from(w),
    observations: Float64Array.from(y),
    ...more,
  });
}

// Ezekiel's stopping distances (the data set cars of R), every fifth row.
const SPEED = [4, 9, 11, 13, 14, 16, 18, 19, 20, 24];
const DISTANCE = [2, 10, 28, 26, 26, 32, 76, 46, 48, 93];
const ONES = SPEED.map(() => 1);

describe("the statistics of a fit", () => {
  it("of a line are those of the closed form", () => {
    const point = line(SPEED, DISTANCE, ONES);
    const s = fitStatistics(point, 0.95);
    const n = SPEED.length;
    const mean = SPEED.reduce((a, b) => a + b) / n;
    const spread = SPEED.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const squares = point.residuals.reduce((sum, r) => sum + r * r, 0);
    const variance = squares / (n - 2);
    // Some ten operations on sums of ten terms.
    const close = (actual: number, exact: number) => expect(Math.abs(actual / exact - 1)).toBeLessThan(200 * EPS);
    close(s.residualDeviation!, Math.sqrt(variance));
    close(s.standardErrors[1]!, Math.sqrt(variance / spread));
    close(s.standardErrors[0]!, Math.sqrt(variance * (1 / n + mean ** 2 / spread)));
    close(s.covariance[1]!, (-variance * mean) / spread);
    close(s.correlation[2]!, -mean / Math.sqrt(mean ** 2 + spread / n));
    expect(s.degreesOfFreedom).toBe(8);
    // t of 8 degrees of freedom, from tables.
    expect(s.quantile).toBeCloseTo(2.306004135, 9);
    close(s.intervals[3]! - s.intervals[2]!, 2 * s.quantile * s.standardErrors[1]!);
  });

  // R: l <- lm(dist ~ speed, cars, weights = 1 / speed); summary(l); AIC(l); BIC(l) with all 50 rows.
  it("of a weighted line are those of R", () => {
    const s = fitStatistics(line(CARS_SPEED, CARS_DISTANCE, CARS_SPEED.map((x) => 1 / x)), 0.95); // biome-ignore format: one call
    expect(s.standardErrors[0]).toBeCloseTo(4.878759503, 8);
    expect(s.standardErrors[1]).toBeCloseTo(0.345319406, 8);
    expect(s.residualDeviation).toBeCloseTo(3.81298474, 7);
    expect(s.r2).toBeCloseTo(0.697507124419, 11);
    expect(s.adjustedR2).toBeCloseTo(0.691205189511, 11);
    expect(s.aic).toBeCloseTo(412.794317031, 8);
    expect(s.bic).toBeCloseTo(418.530386047, 8);
    expect(s.intervals[2]).toBeCloseTo(2.93862986375, 9);
    expect(s.intervals[3]).toBeCloseTo(4.3272522637, 9);
  });

  it("of the Puromycin fit are those of nls in R, AIC and BIC among them", () => {
    const s = fitStatistics(puromycin(), 0.95);
    expect(s.standardErrors[0]).toBeCloseTo(6.94715510864, 5);
    expect(s.standardErrors[1]).toBeCloseTo(0.00828094953394, 8);
    expect(s.residualDeviation).toBeCloseTo(10.9336581913, 8);
    expect(s.covariance[1]).toBeCloseTo(0.0440145312626, 7);
    expect(s.aic).toBeCloseTo(95.2709686489, 8);
    expect(s.bic).toBeCloseTo(96.7256885983, 8);
  });

  it("do not depend on the units of a parameter, whatever their ratio", () => {
    const { jacobian, ...point } = puromycin();
    const [one, other] = [1e-150, 1e150];
    const s = fitStatistics(
      { ...point, jacobian: jacobian.map((value, k) => value * (k % 2 === 0 ? one : other)) },
      0.9,
    );
    const plain = fitStatistics({ ...point, jacobian }, 0.9);
    expect(s.standardErrors[0]! * one).toBeCloseTo(plain.standardErrors[0]!, 10);
    expect(s.standardErrors[1]! * other).toBeCloseTo(plain.standardErrors[1]!, 12);
    expect(s.correlation[1]).toBeCloseTo(plain.correlation[1]!, 13);
  });

  it("with known sigmas do not look at the residuals for the noise", () => {
    const sigma = 7;
    const weights = ONES.map(() => 1 / sigma ** 2);
    const s = fitStatistics(line(SPEED, DISTANCE, weights, { absoluteSigma: true }), 0.95);
    const mean = SPEED.reduce((a, b) => a + b) / SPEED.length;
    const spread = SPEED.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    expect(Math.abs(s.standardErrors[1]! / (sigma / Math.sqrt(spread)) - 1)).toBeLessThan(200 * EPS);
    expect(s.quantile).toBeCloseTo(1.959963984540054, 12);
    const logLikelihood = SPEED.reduce((sum, x, i) => {
      const { estimates } = line(SPEED, DISTANCE, weights);
      const residual = DISTANCE[i]! - estimates[0]! - estimates[1]! * x;
      return sum - 0.5 * (residual / sigma) ** 2 - 0.5 * Math.log(2 * Math.PI * sigma ** 2);
    }, 0);
    expect(s.aic).toBeCloseTo(-2 * logLikelihood + 4, 10);
    expect(s.bic).toBeCloseTo(-2 * logLikelihood + 2 * Math.log(10), 10);
  });

  it("count neither rows of weight 0 nor parameters that are fixed or at a bound", () => {
    const all = line(SPEED, DISTANCE, [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    const few = line(SPEED.slice(0, 8), DISTANCE.slice(0, 8), ONES.slice(0, 8));
    const [a, b] = [fitStatistics(all, 0.9), fitStatistics(few, 0.9)];
    expect(a.degreesOfFreedom).toBe(6);
    for (const k of [0, 1]) expect(a.standardErrors[k]).toBeCloseTo(b.standardErrors[k]!, 12);
    expect(a.aic).toBeCloseTo(b.aic!, 12);
    expect(a.r2).toBeCloseTo(b.r2!, 12);
    const held = fitStatistics({ ...few, states: ["fixed", "free"] }, 0.9);
    expect(held.degreesOfFreedom).toBe(7);
    expect(held.standardErrors[0]).toBe(0);
    // The slope of a line through a given point.
    const squares = few.residuals.reduce((sum, r) => sum + r * r, 0);
    const exact = Math.sqrt(squares / 7 / SPEED.slice(0, 8).reduce((sum, x) => sum + x * x, 0));
    expect(Math.abs(held.standardErrors[1]! / exact - 1)).toBeLessThan(100 * EPS);
    const bound = fitStatistics({ ...few, states: ["lower bound", "free"] }, 0.9);
    expect(bound.standardErrors).toEqual(held.standardErrors);
    expect(bound.warnings.join()).toContain('"b1" lies at its bound');
  });

  it("with a robust loss are those of statsmodels' RLM (covariance H1)", () => {
    // import statsmodels.api as sm
    // sm.RLM(y, sm.add_constant(x), M=sm.robust.norms.HuberT(0.5)).fit(scale_est=sm.robust.scale.HuberScale())
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 30, 16.1, 17.8, 20.3];
    const [a, b, delta] = [-0.0024396, 2.02010079, 0.21354971282376745];
    const residuals = Float64Array.from(x, (one, i) => a + b * one - y[i]!);
    const robust = {
      slope: residuals.map((r) => Math.max(-delta, Math.min(delta, r))),
      curvature: residuals.map((r) => (Math.abs(r) <= delta ? 1 : 0)),
    };
    const jacobian = Float64Array.from(x.flatMap((one) => [1, one]));
    const s = fitStatistics(pointOf({ estimates: Float64Array.of(a, b), jacobian, residuals, robust }), 0.95);
    expect(s.standardErrors[0]).toBeCloseTo(0.16885066, 6);
    expect(s.standardErrors[1]).toBeCloseTo(0.02721275, 6);
    expect([s.aic, s.bic]).toEqual([null, null]);
  });

  it("name the parameters that the data do not determine", () => {
    // a + b alone is determined, and d not at all; c is.
    const x = [0, 1, 2, 3, 4];
    const jacobian = Float64Array.from(x.flatMap((one) => [1, 1, one, 0]));
    const residuals = Float64Array.of(0.1, -0.2, 0.05, 0.15, -0.1);
    const names = ["a", "b", "c", "d"];
    const s = fitStatistics(pointOf({ names, estimates: new Float64Array(4), jacobian, residuals }), 0.95);
    expect(s.undetermined).toEqual(["a", "b", "d"]);
    expect(s.warnings.join()).toContain('do not determine "a", "b", "d"');
    expect(s.rank).toBe(2);
    expect(s.degreesOfFreedom).toBe(3);
    expect([s.standardErrors[0], s.standardErrors[1], s.standardErrors[3]]).toEqual([Infinity, Infinity, Infinity]);
    expect(s.correlation[1]).toBeCloseTo(-1, 12);
    expect(s.correlation.every((value) => Math.abs(value) <= 1)).toBe(true);
    expect(s.covariance.every((value) => !Number.isNaN(value))).toBe(true);
    // The slope of a line: sum of (x - mean)^2 is 10.
    const exact = Math.sqrt(residuals.reduce((sum, r) => sum + r * r, 0) / 3 / 10);
    expect(Math.abs(s.standardErrors[2]! / exact - 1)).toBeLessThan(100 * EPS);
    expect(s.condition).toBe(Infinity);
  });

  it("are not NaN without degrees of freedom, and say why they are infinite", () => {
    const jacobian = Float64Array.of(1, 1, 1, 2);
    const s = fitStatistics(
      pointOf({ estimates: Float64Array.of(1, 2), jacobian, residuals: new Float64Array(2) }),
      0.95,
    );
    expect(s.residualDeviation).toBeNull();
    expect(Array.from(s.standardErrors)).toEqual([Infinity, Infinity]);
    expect(s.warnings.join()).toContain("no degrees of freedom");
    const fewer = fitStatistics(
      pointOf({
        estimates: Float64Array.of(1, 2, 3),
        jacobian: Float64Array.of(1, 1, 0, 1, 2, 0),
        residuals: new Float64Array(2),
      }),
      0.95,
    );
    expect(fewer.undetermined).toEqual(["b3"]);
    for (const { covariance, correlation, intervals } of [s, fewer])
      for (const values of [covariance, correlation, intervals]) expect(values.some(Number.isNaN)).toBe(false);
  });

  it("of an exact fit have standard errors of 0 and an AIC of -Infinity", () => {
    const x = [1, 2, 3];
    const jacobian = Float64Array.from(x.flatMap((one) => [1, one]));
    const s = fitStatistics(
      pointOf({
        estimates: Float64Array.of(1, 2),
        jacobian,
        residuals: new Float64Array(3),
        observations: Float64Array.of(3, 5, 7),
      }),
      0.95,
    );
    expect(Array.from(s.standardErrors)).toEqual([0, 0]);
    expect(s.aic).toBe(-Infinity);
    expect(s.r2).toBe(1);
  });

  it("have no R² for observations that are all equal", () => {
    const observations = new Float64Array(4).fill(0.1);
    const s = fitStatistics(
      pointOf({
        estimates: Float64Array.of(0.1),
        jacobian: new Float64Array(4).fill(1),
        residuals: Float64Array.of(1e-17, 0, 0, 0),
        observations,
      }),
      0.95,
    );
    expect(s.r2).toBeNull();
  });
});

describe.skipIf(NIST_FOLDER === null)("the statistics at NIST's certified estimates", () => {
  it.each(nistNames())("%s: standard errors to six digits", (name) => {
    const { formula, parameters, certified, standardErrors, residualDeviation, degreesOfFreedom, y, predictors } =
      nistProblem(name);
    const model = compile(formula);
    const slopes = parameters.map((b) => derivative(parse(formula), b).compile());
    const scopes = y.map((_, i) => ({
      ...Object.fromEntries(parameters.map((b, j) => [b, certified[j]!])),
      ...Object.fromEntries(Object.entries(predictors).map(([x, values]) => [x, values[i]!])),
    }));
    const s = fitStatistics(
      pointOf({
        estimates: Float64Array.from(certified),
        jacobian: Float64Array.from(scopes.flatMap((scope) => slopes.map((slope) => Number(slope.evaluate(scope))))),
        residuals: Float64Array.from(scopes, (scope, i) => Number(model.evaluate(scope)) - y[i]!),
      }),
      0.95,
    );
    expect(s.degreesOfFreedom).toBe(degreesOfFreedom);
    const digits = Array.from(s.standardErrors, (value, j) => -Math.log10(Math.abs(value / standardErrors[j]! - 1)));
    expect(Math.min(...digits), digits.map((d) => d.toFixed(1)).join(" ")).toBeGreaterThan(6);
    expect(-Math.log10(Math.abs(s.residualDeviation! / residualDeviation - 1))).toBeGreaterThan(6);
  });
});

/** Bates and Watts' Puromycin data (treated) at nls' estimates of V x / (K + x). */
function puromycin(): FitPoint {
  const x = [0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1];
  const y = [76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200];
  const [v, k] = [212.683743086161, 0.0641212815943];
  return pointOf({
    estimates: Float64Array.of(v, k),
    jacobian: Float64Array.from(x.flatMap((one) => [one / (k + one), (-v * one) / (k + one) ** 2])),
    residuals: Float64Array.from(x, (one, i) => (v * one) / (k + one) - y[i]!),
    observations: Float64Array.from(y),
  });
}

// The data set cars of R.
const CARS_SPEED = [4,4,7,7,8,9,10,10,10,11,11,12,12,12,12,13,13,13,13,14,14,14,14,15,15,15,16,16,17,17,17,18,18,18,18,19,19,19,20,20,20,20,20,22,23,24,24,24,24,25]; // biome-ignore format: data
const CARS_DISTANCE = [2,10,4,22,16,10,18,26,34,17,28,14,20,24,28,26,34,34,46,26,36,60,80,20,26,54,32,40,32,40,50,42,56,76,84,36,46,68,32,48,52,56,64,66,54,70,92,93,120,85]; // biome-ignore format: data
