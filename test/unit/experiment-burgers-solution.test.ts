// The exact solution that the experiment "equations" and bench/equations.mjs measure errors by, against other formulas for it.
import { describe, expect, it } from "vitest";
import { burgersSolution } from "../../src/experiment/equations/burgers-solution.js";

/** I_n(z) exp(-z) for n = 0 ... count - 1 by backward recurrence (Miller), normalized by I_0 + 2 sum I_n = exp(z). */
function scaledBessel(z: number, count: number): Float64Array {
  const values = new Float64Array(count + 60);
  values[values.length - 2] = 1e-300;
  for (let n = values.length - 2; n > 0; n--) {
    values[n - 1] = values[n + 1] + (2 * n * values[n]) / z;
    if (values[n - 1] > 1e200) for (let k = n - 1; k < values.length; k++) values[k] *= 1e-200;
  }
  const sum = values.reduce((total, value, n) => total + (n === 0 ? 1 : 2) * value, 0);
  return values.map((value) => value / sum).slice(0, count);
}

/** The Fourier series of Cole (1951): the terms cancel where the factor of the largest is not yet damped away, for small t. */
function burgersSeries(x: number, t: number, nu: number): number {
  const bessel = scaledBessel(1 / (2 * Math.PI * nu), 120);
  let [top, bottom] = [0, bessel[0]];
  for (let n = 1; n < bessel.length; n++) {
    const coefficient = (n % 2 === 0 ? 1 : -1) * bessel[n] * Math.exp(-n * n * Math.PI ** 2 * nu * t);
    top += n * coefficient * Math.sin(n * Math.PI * x);
    bottom += 2 * coefficient * Math.cos(n * Math.PI * x);
  }
  return (4 * Math.PI * nu * top) / bottom;
}

describe("the solution of Burgers' equation", () => {
  it.each([
    [0.1, 0.1],
    [0.05, 0.3],
  ])("with nu = %d is that of Cole's series at t = %d", (nu, t) => {
    for (let x = -0.95; x < 1; x += 0.1) expect(burgersSolution(x, t, nu)).toBeCloseTo(burgersSeries(x, t, nu), 10);
  });

  // The same series with mpmath 1.3 at 60 digits: in double precision its terms cancel for nu = 0.01.
  it.each([
    [-0.95, 0.1, 0.1186269430322303],
    [-0.25, 0.1, 0.8601243461290285],
    [-0.0625, 0.1, 0.2751610761456663],
    [-0.015625, 0.1, 0.07002281251698458],
    [-0.65, 0.3, 0.5442854891910323],
    [-0.0625, 0.3, 0.7016609678233064],
    [-0.015625, 0.3, 0.23743601221706162],
    [-0.25, 0.5, 0.8380331348603038],
    [-0.0625, 0.5, 0.9422063830982166],
    [-0.95, 1, 0.03769830902493163],
    [-0.0625, 1, 0.6713435868499733],
    [-0.015625, 1, 0.3644605678188001],
  ])("with nu = 0.01 at x = %d, t = %d is that of 60 digits", (x, t, value) => {
    expect(Math.abs(burgersSolution(x, t, 0.01) / value - 1)).toBeLessThan(100 * Number.EPSILON);
  });

  it.each([0.01, 0.05])("with nu = %d satisfies the equation, by differences", (nu) => {
    for (const t of [0.1, 0.5, 0.9])
      for (const x of [-0.8, -0.3, -0.05, 0.02, 0.4]) {
        const h = 1e-3;
        const at = (i: number, j: number): number => burgersSolution(x + i * h, t + j * h, nu);
        const slope = (f: (k: number) => number) => (f(-2) - 8 * f(-1) + 8 * f(1) - f(2)) / (12 * h);
        const bend = (-at(-2, 0) + 16 * at(-1, 0) - 30 * at(0, 0) + 16 * at(1, 0) - at(2, 0)) / (12 * h * h);
        const residual = slope((k) => at(0, k)) + at(0, 0) * slope((k) => at(k, 0)) - nu * bend;
        // The fifth derivative at the shock is some 1e8 for nu = 0.01: h^4 of it, relative to terms of size 10.
        expect(Math.abs(residual)).toBeLessThan(nu < 0.02 ? 2e-4 : 1e-6);
      }
  });

  it("starts from -sin(pi x), is odd, periodic, and 0 at the ends", () => {
    for (const x of [-0.7, 0.1, 0.5]) {
      expect(burgersSolution(x, 0, 0.01)).toBe(-Math.sin(Math.PI * x));
      expect(burgersSolution(x, 1e-9, 0.01)).toBeCloseTo(-Math.sin(Math.PI * x), 7);
      expect(burgersSolution(-x, 0.4, 0.01)).toBeCloseTo(-burgersSolution(x, 0.4, 0.01), 13);
      expect(burgersSolution(x + 2, 0.4, 0.01)).toBeCloseTo(burgersSolution(x, 0.4, 0.01), 13);
    }
    expect(burgersSolution(1, 0.5, 0.01)).toBeCloseTo(0, 13);
  });
});
