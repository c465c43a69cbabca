// Student's t distribution against closed forms at 1, 2 and 4 degrees of freedom, SciPy and 40-digit values of mpmath.
import { describe, expect, test } from "vitest";
import { normalQuantile } from "../../src/normal-quantile.js";
import { studentCdf, studentQuantile, studentTwoSided } from "../../src/student-quantile.js";

const relative = (value: number, exact: number) => Math.abs(value - exact) / Math.abs(exact);
const TOLERANCE = 1e-12;

describe("quantile", () => {
  const levels = [1e-30, 1e-10, 1e-4, 0.01, 0.2, 0.45, 0.4899, 0.4901, 0.49999];

  // 1 degree: tan; 2 and 4 degrees: Shaw, J. Comput. Finance 9 (2006) 37-73. Forms without cancellation at p = 1/2 and in the tail.
  test.each(levels)("closed forms at p = %d", (p) => {
    expect(
      relative(studentQuantile(p, 1), p > 0.4 ? Math.tan(Math.PI * (p - 0.5)) : -1 / Math.tan(Math.PI * p)),
    ).toBeLessThan(TOLERANCE);
    const alpha = 4 * p * (1 - p);
    const two = (2 * (p - 0.5)) / Math.sqrt(alpha / 2);
    expect(relative(studentQuantile(p, 2), two)).toBeLessThan(TOLERANCE);
    // sqrt(q - 4) with q = 4 cos(acos(root)/3)/root, root = sqrt(alpha): q - 4 cancels near p = 1/2.
    if (p > 0.45) return;
    const root = Math.sqrt(alpha);
    const four = -2 * Math.sqrt(Math.cos(Math.acos(root) / 3) / root - 1);
    expect(relative(studentQuantile(p, 4), four)).toBeLessThan(TOLERANCE);
  });

  // scipy.stats.t.ppf 1.17.1; those at 0.4999 and at 0.1 degrees by mpmath's incomplete beta function with 40 digits.
  test.each([
    [0.975, 10, 2.228138851986274],
    [0.9, 3.7, 1.5575658388615072],
    [0.995, 1234.5, 2.579817729733322],
    [1e-10, 0.5, -1.02849115631634e19],
    [0.005, 3.7, -4.869252253227829],
    [0.25, 19.5, -0.6872792916158795],
    [1e-10, 1000, -6.427876283134213],
    [0.025, 1e6, -1.959966356814107],
    [0.4999, 19.5, -0.00025389572254627685],
    [0.4999, 0.5, -0.00037081496095445096],
    [0.001, 0.1, -1.604425705666563e26],
    [1e-30, 0.3, -3.007185808790994e98],
  ])("p = %d with %d degrees", (p, degrees, exact) => {
    expect(relative(studentQuantile(p, degrees), exact)).toBeLessThan(TOLERANCE);
    // At p = 0.995 the number p itself is off by 1e-16 / 0.005 of the tail.
    expect(relative(studentCdf(studentQuantile(p, degrees), degrees), p)).toBeLessThan(TOLERANCE);
  });

  test("is odd around 1/2, infinite at the ends, and that of the normal distribution for many degrees", () => {
    expect(studentQuantile(0.75, 7)).toBe(-studentQuantile(0.25, 7));
    expect(studentQuantile(0.5, 7)).toBe(0);
    expect(studentQuantile(0, 7)).toBe(-Infinity);
    expect(studentQuantile(1, 7)).toBe(Infinity);
    expect(studentQuantile(0.9, Infinity)).toBe(normalQuantile(0.9));
    // The first correction of the expansion in 1/v is (z^3 + z) / (4 v) (Abramowitz and Stegun 26.7.5).
    expect(relative(studentQuantile(0.9, 1e15), normalQuantile(0.9))).toBeLessThan(TOLERANCE);
  });

  test("what is no probability, and too few degrees, are refused by name", () => {
    expect(() => studentQuantile(1.5, 3)).toThrow(/^p must be a probability/);
    expect(() => studentQuantile(0.5, 0)).toThrow(/^degrees must be at least 0.1/);
    expect(() => studentCdf(Number.NaN, 3)).toThrow(/^t must be a number/);
  });
});

describe("distribution function", () => {
  test.each([-1e5, -3, -0.1, 0, 1e-9, 0.7, 2, 40])("closed forms at t = %d", (t) => {
    // atan2 without cancellation: P = acot(-t) / pi.
    expect(relative(studentCdf(t, 1), Math.atan2(1, -t) / Math.PI)).toBeLessThan(TOLERANCE);
    const root = Math.sqrt(2 + t * t);
    const two = t < 0 ? 1 / (root * (root - t)) : 1 - 1 / (root * (root + t));
    expect(relative(studentCdf(t, 2), two)).toBeLessThan(TOLERANCE);
  });

  test("two-sided tails: F(1, v) above t^2", () => {
    // The closed form at 2 degrees: 1 - sqrt(x / (2 + x)).
    expect(relative(studentTwoSided(Math.sqrt(0.3), 2), 1 - Math.sqrt(0.3 / 2.3))).toBeLessThan(TOLERANCE);
    expect(studentTwoSided(Infinity, 5)).toBe(0);
    expect(studentTwoSided(0, 5)).toBe(1);
    // The normal distribution: erfc(1 / sqrt 2).
    expect(relative(studentTwoSided(1, Infinity), 0.3173105078629141)).toBeLessThan(TOLERANCE);
  });
});
