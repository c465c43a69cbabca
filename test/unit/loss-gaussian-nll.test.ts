// The formulas of the Gaussian negative log-likelihood, which has two outputs for each target: against the density written out, finite
// differences, the inequality of its bound, and far out. Other losses are in loss-rules.test.ts.

import { describe, expect, it } from "vitest";
import { gaussianNll, Random } from "../../src/index.js";
import type { LossSeeds } from "../../src/loss/loss.js";
import { checkLoss, lossRule } from "../../src/loss/rules.js";
import { outputCount, targetCount } from "../../src/loss/target-rules.js";
import { VARIANCE_FLOOR } from "../../src/network/link.js";
import { fc } from "../helpers/property.js";

const rule = lossRule(gaussianNll());

/** One sample of k targets and 2k outputs. */
function at(psi: Float64Array, y: Float64Array, root: number | null = null) {
  const c = psi.length;
  const array = () => new Float64Array(c);
  const seeds: LossSeeds = { factor: array(), z: array(), gradient: array() };
  const roots = root === null ? null : Float64Array.of(root);
  const block = { count: 1, outputSize: c, predictions: psi, targets: y, roots, first: 0 };
  const value = rule.apply(block, seeds);
  expect(rule.apply(block, null)).toBe(value);
  return { value, ...seeds };
}

/** l'' v of one sample. */
function hessian(psi: Float64Array, y: Float64Array, v: Float64Array): Float64Array {
  const images = v.slice();
  rule.applyHessian({ count: 1, outputSize: psi.length, predictions: psi, targets: y, roots: null, first: 0 }, images);
  return images;
}

const moved = (psi: Float64Array, a: number, by: number) => psi.map((value, k) => (k === a ? value + by : value));

/** Of moderate size, so that q = e^2/s is at most 36 exp(4): the fourth derivatives in the errors of the differences are of that size. */
const samples = fc.integer({ min: 1, max: 3 }).chain((k) =>
  fc.record({
    means: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: k, maxLength: k }),
    logs: fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: k, maxLength: k }),
    y: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: k, maxLength: k }),
    root: fc.double({ min: 0.1, max: 3, noNaN: true }),
  }),
);

const psiOf = ({ means, logs }: { means: readonly number[]; logs: readonly number[] }) =>
  Float64Array.from([...means, ...logs]);

describe("gaussian-nll", () => {
  it("is the negative logarithm of the normal density but for a constant", () => {
    fc.assert(
      fc.property(samples, (one) => {
        const [psi, y] = [psiOf(one), Float64Array.from(one.y)];
        let [expected, size] = [0, 1];
        one.y.forEach((target, j) => {
          const variance = Math.exp(one.logs[j]!) + VARIANCE_FLOOR;
          const density =
            Math.exp(-((target - one.means[j]!) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
          // Not below the least positive number: then the logarithm of the density has no digits.
          fc.pre(density > 1e-290);
          expected -= Math.log(density) + Math.log(2 * Math.PI) / 2;
          size += Math.abs(Math.log(density));
        });
        expect(Math.abs(at(psi, y).value - expected)).toBeLessThan(32 * Number.EPSILON * size);
      }),
    );
  });

  it("has the gradient that its value has by differences, and R z = r", () => {
    fc.assert(
      fc.property(samples, (one) => {
        const { root } = one;
        const [psi, y] = [psiOf(one), Float64Array.from(one.y)];
        const { gradient, factor, z, value } = at(psi, y, root);
        psi.forEach((_, a) => {
          // Central: h^2/6 of a third derivative (at most q/2, q < 36 exp(4) = 2000), and eps of the value over h.
          const h = 1e-4;
          const slope = (at(moved(psi, a, h), y, root).value - at(moved(psi, a, -h), y, root).value) / (2 * h);
          const allowed = root ** 2 * 2000 * h ** 2 + (8 * Number.EPSILON * (Math.abs(value) + 1)) / h;
          expect(Math.abs(slope - gradient[a]!)).toBeLessThan(allowed);
          const product = factor[a]! * z[a]!;
          // Below 2.2e-308 a rounding is one of the least positive number, and those of z are multiplied by the factor.
          const rounded = 8 * (Number.EPSILON * Math.abs(gradient[a]!) + Number.MIN_VALUE * (1 + Math.abs(factor[a]!)));
          expect(Math.abs(product - gradient[a]!)).toBeLessThanOrEqual(rounded);
        });
      }),
    );
  });

  it("has the second derivative that its gradient has by differences", () => {
    fc.assert(
      fc.property(samples, (one) => {
        const [psi, y] = [psiOf(one), Float64Array.from(one.y)];
        psi.forEach((_, a) => {
          const unit = psi.map((__, k) => (k === a ? 1 : 0));
          const h = 1e-4;
          const [above, below] = [at(moved(psi, a, h), y).gradient, at(moved(psi, a, -h), y).gradient];
          const column = hessian(psi, y, unit);
          psi.forEach((__, b) => {
            // As above: derivatives of every order are at most of the size of q and 1/s.
            const allowed = 4000 * h ** 2 + (64 * Number.EPSILON * (Math.abs(above[b]!) + 1)) / h;
            expect(Math.abs((above[b]! - below[b]!) / (2 * h) - column[b]!)).toBeLessThan(allowed);
          });
        });
      }),
    );
  });

  it("has a value whose Taylor polynomials of degree 1 and 2 miss it by the second and third power of the step", () => {
    const random = new Random(5, 1);
    const numbers = (count: number) => Float64Array.from({ length: count }, () => random.normal());
    const misses = (degree: 1 | 2) => {
      const slopes = Array.from({ length: 41 }, () => {
        const [psi, v, y] = [numbers(4), numbers(4), numbers(2)];
        const { value, gradient } = at(psi, y);
        const image = hessian(psi, y, v);
        const dot = (one: Float64Array) => one.reduce((sum, x, a) => sum + x * v[a]!, 0);
        const miss = (h: number) => {
          const there = at(
            psi.map((x, a) => x + h * v[a]!),
            y,
          ).value;
          return Math.abs(there - value - h * dot(gradient) - (degree === 2 ? 0.5 * h * h * dot(image) : 0));
        };
        return Math.log2(miss(2 ** -10) / miss(2 ** -11));
      });
      // The median: in a few draws the next derivative nearly vanishes.
      return slopes.sort((a, b) => a - b)[20];
    };
    expect(misses(1)).toBeCloseTo(2, 1);
    expect(misses(2)).toBeCloseTo(3, 1);
  });

  it("has a factor whose square minus the second derivative is positive semidefinite at the point", () => {
    const wide = fc.record({
      e: fc.double({ min: -50, max: 50, noNaN: true }),
      v: fc.double({ min: -40, max: 20, noNaN: true }),
    });
    fc.assert(
      fc.property(wide, ({ e, v }) => {
        const [psi, y] = [Float64Array.of(e, v), Float64Array.of(0)];
        const { factor } = at(psi, y);
        const [first, second] = [hessian(psi, y, Float64Array.of(1, 0)), hessian(psi, y, Float64Array.of(0, 1))];
        const [a, b] = [factor[0]! ** 2 - first[0]!, factor[1]! ** 2 - second[1]!];
        expect(second[0]).toBe(first[1]);
        // Each entry is a difference of terms of this size, and the bound is attained where q is large.
        const off = (entry: number, square: number) => 16 * Number.EPSILON * (Math.abs(entry) + square);
        const [da, db] = [off(first[0]!, factor[0]! ** 2), off(second[1]!, factor[1]! ** 2)];
        expect(a).toBeGreaterThanOrEqual(0);
        expect(b).toBeGreaterThanOrEqual(-db);
        expect(first[1]! ** 2).toBeLessThanOrEqual(a * Math.max(0, b) + a * db + da * Math.abs(b) + da * db);
      }),
      { numRuns: 1000 },
    );
  });

  it("has the Fisher information as its least curvature in v", () => {
    // Where the model is right, q = 1 on average: l'' has w^2/2 there.
    const { factor } = at(Float64Array.of(0, 0), Float64Array.of(0));
    expect(factor[1]! ** 2).toBeCloseTo(0.5, 5);
    expect(at(Float64Array.of(2, 0), Float64Array.of(0)).factor[1]! ** 2).toBeCloseTo(6, 4);
  });

  it("weighs value, gradient and factor alike", () => {
    fc.assert(
      fc.property(samples, (one) => {
        const { root } = one;
        const [psi, y] = [psiOf(one), Float64Array.from(one.y)];
        const [plain, heavy] = [at(psi, y), at(psi, y, root)];
        const close = (a: number, b: number, size = Math.abs(b)) =>
          expect(Math.abs(a - b)).toBeLessThanOrEqual(32 * Number.EPSILON * (size + 2.3e-308));
        close(heavy.value, root ** 2 * plain.value, root ** 2 * (Math.abs(plain.value) + 12));
        psi.forEach((_, a) => {
          close(heavy.gradient[a]!, root ** 2 * plain.gradient[a]!);
          close(heavy.factor[a]!, root * plain.factor[a]!);
          close(heavy.z[a]!, root * plain.z[a]!);
        });
      }),
    );
  });

  it("stays finite at outputs of +-800, and is bounded below by its floor", () => {
    for (const m of [800, -800])
      for (const v of [800, -800]) {
        const { value, gradient, factor, z } = at(Float64Array.of(m, v), Float64Array.of(1));
        expect([value, ...gradient, ...factor, ...z].every(Number.isFinite)).toBe(true);
        expect(hessian(Float64Array.of(m, v), Float64Array.of(1), Float64Array.of(1, 1)).every(Number.isFinite)).toBe(
          true,
        );
      }
    expect(at(Float64Array.of(1, -800), Float64Array.of(1)).value).toBe(Math.log(VARIANCE_FLOOR) / 2);
    expect(at(Float64Array.of(1, 800), Float64Array.of(1)).value).toBe(400);
    // Below the floor v has no slope left; above it, half a unit of l.
    expect(at(Float64Array.of(1, -800), Float64Array.of(1)).gradient[1]).toBe(0);
    expect(at(Float64Array.of(1, 800), Float64Array.of(1)).gradient[1]).toBe(0.5);
  });

  it("lets what is not a number pass through", () => {
    for (const psi of [Float64Array.of(Number.NaN, 0), Float64Array.of(0, Number.NaN)])
      expect(at(psi, Float64Array.of(0)).value).toBeNaN();
  });

  it("has two outputs for each target", () => {
    expect([outputCount(gaussianNll(), 3), targetCount(gaussianNll(), 6), targetCount(gaussianNll(), 5)]).toEqual([
      6, 3, 2.5,
    ]);
    expect([outputCount(undefined, 3), targetCount(undefined, 3)]).toEqual([3, 3]);
  });

  it("is refused with a field too many or a decay below 0", () => {
    expect(() => checkLoss("options.loss", { ...gaussianNll(), decay: -1 })).toThrow(/options\.loss\.decay.*-1/);
    expect(() => checkLoss("options.loss", { ...gaussianNll(), floor: 1 })).toThrow(/options\.loss.*"floor"/);
    expect(() => gaussianNll({ deacy: 1 } as never)).toThrow(/"deacy"/);
    expect(JSON.stringify(checkLoss("options.loss", { decay: 2, kind: "gaussian-nll" }))).toBe(
      JSON.stringify(gaussianNll({ decay: 2 })),
    );
  });
});
