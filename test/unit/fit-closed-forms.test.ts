// Fits whose answers have closed forms: lines with weights, known sigmas, fixed parameters and bounds. Two of them are defects of another package
// (ml-levenberg-marquardt 5.1.0: weights taken to the fourth power, fixed parameters that move unless they are the last), and a third is its noisy line
// that uses all iterations.
import { describe, expect, it } from "vitest";
import { curveFit, leastSquares, Random } from "../../src/index.js";

const count = 40;
const random = new Random(3, 1);
const x = Array.from({ length: count }, (_, i) => i / 4);
const y = x.map((t) => 7 - 2 * t + random.normal());
const weights = x.map((_, i) => 1 + (i % 5));
const line = (t: number, b: Float64Array) => b[0]! + b[1]! * t;

/** Weighted line in closed form: estimates and the inverse of the normal matrix. */
function weightedLine(w: readonly number[]) {
  const sum = (value: (i: number) => number) => w.reduce((total, one, i) => total + one * value(i), 0);
  const [s, sx, sxx] = [sum(() => 1), sum((i) => x[i]!), sum((i) => x[i]! ** 2)];
  const [sy, sxy] = [sum((i) => y[i]!), sum((i) => x[i]! * y[i]!)];
  const determinant = s * sxx - sx * sx;
  const estimates = [(sxx * sy - sx * sxy) / determinant, (s * sxy - sx * sy) / determinant];
  const squares = sum((i) => (y[i]! - estimates[0]! - estimates[1]! * x[i]!) ** 2);
  return { estimates, inverse: [sxx / determinant, s / determinant], squares };
}

/** Relative error of a solution by orthogonal transformations of a well conditioned problem, with a factor for the differences behind it. */
const close = 1e-9;
const expectClose = (found: ArrayLike<number>, wanted: readonly number[], tolerance = close) =>
  wanted.forEach((value, j) => {
    expect(Math.abs(found[j]! - value), `entry ${j}: ${found[j]} for ${value}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(value)),
    );
  });

describe("a line", () => {
  for (const model of [line, "b1 + b2*x"] as const)
    it(`with noise ends after a few iterations with the closed form, as ${typeof model}`, async () => {
      const result = await curveFit(model, x, y, { start: [1, 1] });
      const { estimates, inverse, squares } = weightedLine(x.map(() => 1));
      expectClose(result.estimates, estimates);
      expectClose(
        result.standardErrors,
        inverse.map((value) => Math.sqrt((value * squares) / (count - 2))),
      );
      expect(result.converged).toBe(true);
      expect(result.attempts).toHaveLength(1);
      expect(result.iterations).toBeLessThan(20);
      expect(result.statistics.degreesOfFreedom).toBe(count - 2);
    });

  for (const factor of [1, 2, 1e-3, 1e6])
    it(`with weights times ${factor} has the closed form, whose standard errors do not depend on the factor`, async () => {
      const scaled = weights.map((value) => factor * value);
      const result = await curveFit(line, x, y, { start: [0, 0], weights: scaled });
      const { estimates, inverse, squares } = weightedLine(scaled);
      expectClose(result.estimates, estimates);
      expectClose(
        result.standardErrors,
        inverse.map((value) => Math.sqrt((value * squares) / (count - 2))),
      );
      expectClose([2 * result.objective], [squares]);
    });

  it("with rows of weight 0 is the line of the others", async () => {
    const some = weights.map((value, i) => (i % 3 === 0 ? 0 : value));
    const result = await curveFit(line, x, y, { start: [0, 0], weights: some });
    expectClose(result.estimates, weightedLine(some).estimates);
    expect(result.statistics.degreesOfFreedom).toBe(some.filter((value) => value > 0).length - 2);
  });

  it("with known sigmas has their weights, and standard errors without the spread of the residuals", async () => {
    const sigma = weights.map((value) => 1 / Math.sqrt(value));
    const result = await curveFit(line, x, y, { start: [1, 1], sigma });
    const { estimates, inverse } = weightedLine(weights);
    expectClose(result.estimates, estimates);
    expectClose(
      result.standardErrors,
      inverse.map((value) => Math.sqrt(value)),
    );
  });
});

describe("a fixed parameter", () => {
  const names = ["a", "b", "c"] as const;
  const parabola = (t: number, b: Float64Array) => b[0]! + b[1]! * t + b[2]! * t * t;
  for (const [place, name] of names.entries())
    for (const how of [place, name])
      it(`${JSON.stringify(how)} of three keeps its start to the last bit, and the others are the closed form for it`, async () => {
        const start = { a: 6.3, b: -1.7, c: 0.1 };
        const result = await curveFit(parabola, x, y, { start, fixed: [how] });
        expect(result.estimates[place]).toBe(start[name]);
        expect(result.values[name]).toBe(start[name]);
        expect(result.states[place]).toBe("fixed");
        expect(result.standardErrors[place]).toBe(0);
        // Normal equations of the two others.
        const [j, k] = [0, 1, 2].filter((one) => one !== place) as [number, number];
        const rest = y.map((value, i) => value - start[name] * x[i]! ** place);
        const sum = (of: (i: number) => number) => x.reduce((total, _, i) => total + of(i), 0);
        const [jj, jk, kk] = [sum((i) => x[i]! ** (2 * j)), sum((i) => x[i]! ** (j + k)), sum((i) => x[i]! ** (2 * k))];
        const [jy, ky] = [sum((i) => x[i]! ** j * rest[i]!), sum((i) => x[i]! ** k * rest[i]!)];
        const determinant = jj * kk - jk * jk;
        expectClose(
          [result.estimates[j]!, result.estimates[k]!],
          [(kk * jy - jk * ky) / determinant, (jj * ky - jk * jy) / determinant],
          // The condition of these normal equations is about 1e5.
          1e-8,
        );
        expect(result.statistics.degreesOfFreedom).toBe(count - 2);
      });
});

describe("bounds", () => {
  it("that hold a slope leave the intercept of that slope, and the gradient at the bound does not keep the fit from its end", async () => {
    const result = await curveFit(line, x, y, { start: [0, 0], bounds: [null, [-1, 3]] });
    expect(result.estimates[1]).toBe(-1);
    expect(result.states[1]).toBe("lower bound");
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count;
    expectClose([result.estimates[0]!], [mean(y) + mean(x)]);
    expect(result.converged).toBe(true);
    expect(result.standardErrors[1]).toBe(0);
  });

  it("that the minimum is inside of change nothing", async () => {
    const free = await curveFit(line, x, y, { start: [0, 0] });
    const inside = await curveFit(line, x, y, { start: [0, 0], bounds: { b1: [-100, 100], b2: [null, 100] } });
    expectClose(inside.estimates, [...free.estimates]);
    expect(inside.states).toEqual(["free", "free"]);
  });

  it("hold in every call of the model, differences among them, from a start at the bound", async () => {
    const seen: number[] = [];
    // The minimum is beyond the bound; outside of it the root is not a number.
    const result = await curveFit(
      (t, b) => {
        seen.push(b[0]!);
        return Math.sqrt(b[0]!) + b[1]! * t;
      },
      x,
      x.map((t) => -1 + 0.5 * t),
      { start: [0, 2], bounds: [[0, null], null] },
    );
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
    expect(result.estimates[0]).toBe(0);
    expect(result.states[0]).toBe("lower bound");
  });

  it("release a parameter that starts at the wrong one", async () => {
    const result = await leastSquares({
      count: 2,
      residuals: (b, out) => out.set([10 * (b[1]! - b[0]! ** 2), 1 - b[0]!]),
      start: [-2, 5],
      bounds: [
        [-2, 2],
        [0, 5],
      ],
    });
    expectClose(result.estimates, [1, 1]);
  });

  it("of a quadratic in three parameters end at its minimum in the box: the gradient there points outward, or vanishes", async () => {
    const b = new Random(8, 2);
    for (let draw = 0; draw < 20; draw++) {
      const a = Array.from({ length: 15 }, () => b.normal());
      const c = Array.from({ length: 5 }, () => 3 * b.normal());
      const row = (w: ArrayLike<number>, i: number) =>
        a[3 * i]! * w[0]! + a[3 * i + 1]! * w[1]! + a[3 * i + 2]! * w[2]! - c[i]!;
      const result = await leastSquares({
        count: 5,
        residuals: (w, out) => {
          for (let i = 0; i < 5; i++) out[i] = row(w, i);
        },
        start: [0.5, 0.5, 0.5],
        bounds: [
          [0, 1],
          [0, 1],
          [0, 1],
        ],
      });
      for (let j = 0; j < 3; j++) {
        const value = result.estimates[j]!;
        const slope = [0, 1, 2, 3, 4].reduce((sum, i) => sum + a[3 * i + j]! * row(result.estimates, i), 0);
        const size = [0, 1, 2, 3, 4].reduce((sum, i) => sum + Math.abs(a[3 * i + j]! * row(result.estimates, i)), 0);
        if (value === 0) expect(slope).toBeGreaterThanOrEqual(-close * size);
        else if (value === 1) expect(slope).toBeLessThanOrEqual(close * size);
        else expect(Math.abs(slope)).toBeLessThanOrEqual(close * size);
      }
    }
  });
});
