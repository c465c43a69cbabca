// The published step of min-max Gauss-Newton: against its definition by dense linear algebra, and its guard.
import { describe, expect, it } from "vitest";
import { minmaxGaussNewton, Random } from "../../src/index.js";
import { publishedScalar } from "../../src/method/minmax/published-step.js";
import { eliminate } from "../helpers/dense.js";
import { fc } from "../helpers/property.js";

function normals(count: number, seed: number, size: number): Float64Array {
  const random = new Random(seed, 3);
  return Float64Array.from({ length: count }, () => size * random.normal());
}

describe("the published step", () => {
  it.each([
    [1e-5, 0.01, 1],
    [0.02, 0.1, 1],
    [0.02, 0.1, 100],
    [0.5, 2, 0.1],
    [1, 1, 1e-3],
  ])("rate %f, lambda %f, gradients of size %f: -rate (v - z), z by elimination", (rate, lambda, size) => {
    const p = 30;
    const v = normals(p, 1, size);
    const u = v.map((value) => Math.sqrt(rate / lambda) * value);
    // A = sqrt(lambda) (I + u u^T)
    const matrix = Float64Array.from({ length: p * p }, (_, k) => {
      const [i, j] = [Math.floor(k / p), k % p];
      return Math.sqrt(lambda) * ((i === j ? 1 : 0) + u[i]! * u[j]!);
    });
    const z = eliminate(matrix, v, p);
    const method = minmaxGaussNewton({ step: "published", rate, damping: lambda, normalize: false, guard: false });
    const { step, scalar, guarded } = method.step({ gradient: v.slice(), rate }, method.start(p));
    expect(guarded).toBe(false);
    // Relative to the two terms whose difference the step is.
    const scale = rate * Math.max(...v.map(Math.abs), ...z.map(Math.abs));
    for (let j = 0; j < p; j++) {
      expect(Math.abs(step[j]! + rate * (v[j]! - z[j]!))).toBeLessThan(1e-12 * scale);
      expect(Math.abs(step[j]! + rate * scalar * v[j]!)).toBeLessThan(1e-15 * scale);
    }
  });

  it("with the authors' figures a network of few parameters climbs its losses", () => {
    // After the normalization |v|^2 is about the number of parameters.
    expect(publishedScalar(100, 1e-5, 0.01, false).scalar).toBeCloseTo(1 - 10 / 1.1, 12);
    expect(publishedScalar(20_000, 1e-5, 0.01, false).scalar).toBeGreaterThan(0);
  });

  it("normalizes by the root of the moving average of squares", () => {
    const method = minmaxGaussNewton({ step: "published", rate: 0.1, damping: 4, guard: false });
    let state = method.start(2);
    let squares = [0, 0];
    for (const v of [
      [3, -1],
      [0.5, 2],
    ]) {
      const gradient = Float64Array.from(v);
      const answer = method.step({ gradient, rate: 0.1 }, state);
      state = answer.state;
      squares = squares.map((s, j) => 0.99 * s + 0.01 * v[j]! ** 2);
      const normal = v.map((value, j) => value / (Math.sqrt(squares[j]!) + 1e-7));
      const square = normal.reduce((sum, value) => sum + value * value, 0);
      const scalar = 1 - 1 / (2 * (1 + 0.025 * square));
      for (let j = 0; j < 2; j++) expect(answer.step[j]).toBeCloseTo(-0.1 * scalar * normal[j]!, 13);
    }
  });

  it("with its guard has a scalar that is never negative, and without acts as published", () => {
    const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e300, noNaN: true }), positive, positive, (square, rate, lambda) => {
        const { scalar, guarded } = publishedScalar(square, rate, lambda, true);
        const plain = publishedScalar(square, rate, lambda, false);
        expect(scalar).toBeGreaterThanOrEqual(0);
        expect(scalar).toBeLessThanOrEqual(1);
        expect(guarded).toBe(plain.scalar < 0);
        if (!guarded) expect(scalar).toBe(plain.scalar);
      }),
    );
  });
});

describe("options", () => {
  it.each<[unknown, RegExp]>([
    [{ step: "adam" }, /options\.step must be "gauss-newton" or "published"; received "adam"/],
    [{ damping: 0 }, /options\.damping must be a positive finite number; received 0/],
    [{ guard: true }, /options\.guard must be left out unless options\.step is "published"; received true/],
    [{ step: "published", guard: 1 }, /options\.guard must be true or false; received 1/],
    [{ step: "published", rate: -1 }, /options\.rate must be a positive finite number; received -1/],
    [{ lambda: 1 }, /options has no option of that name/],
  ])("%j is refused", (options, message) => {
    expect(() => minmaxGaussNewton(options as never)).toThrow(message);
  });
});
