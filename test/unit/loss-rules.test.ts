// Every loss against finite differences and its own inequalities: value, gradient, factor, residual, and what is left of them far out.

import { describe, expect, it } from "vitest";
import { Random } from "../../src/index.js";
import type { LossRule } from "../../src/loss/loss.js";
import { checkLoss, type Loss, lossRule } from "../../src/loss/rules.js";
import { at, hessian, targetsOf } from "../helpers/loss-sample.js";
import { LOSSES_OF_ONE_OUTPUT as LOSSES } from "../helpers/losses.js";
import { fc } from "../helpers/property.js";

/** R_ab of a sample. */
function factorOf(rule: LossRule, factor: Float64Array, c: number, a: number, b: number): number {
  if (rule.factor === "full") return factor[b * c + a];
  return a === b ? factor[a] : 0;
}

/** Q_ab = (R R^T)_ab. */
function curvature(rule: LossRule, factor: Float64Array, c: number, a: number, b: number): number {
  let sum = 0;
  for (let k = 0; k < c; k++) sum += factorOf(rule, factor, c, a, k) * factorOf(rule, factor, c, b, k);
  return sum;
}

/** Errors at which the gradient has a kink. */
function kinks(loss: Loss): readonly number[] {
  return loss.kind === "huber" && loss.delta !== null ? [loss.delta, -loss.delta] : [];
}

/**
 * Most by which roundings move a central difference of the gradient with steps h, for a weight of 1: two roundings of each term of a gradient
 * (for counts exp(psi) and y), those of psi times the second derivative, and as much again.
 */
function differenceRounding(rule: LossRule, p: Float64Array, y: Float64Array, h: number): number {
  const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));
  const unit = (a: number) => p.map((_, b) => Number(a === b));
  const second = p.map((_, a) => hessian(rule, p, y, unit(a))[a]!);
  const terms = largest(at(rule, p, y).gradient) + largest(y) + (1 + largest(p)) * largest(second);
  return (4 * Number.EPSILON * terms) / h;
}

const samples = fc.integer({ min: 2, max: 5 }).chain((c) =>
  fc.record({
    psi: fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: c, maxLength: c }),
    draws: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: c, maxLength: c }),
    step: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: c, maxLength: c }),
    root: fc.double({ min: 0.1, max: 3, noNaN: true }),
  }),
);

describe.each(LOSSES.map((loss) => [loss.kind, lossRule(loss), loss] as const))("%s", (kind, rule, loss) => {
  it("has the gradient that its value has by differences, and R z = r", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, root }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const { gradient, factor, z } = at(rule, p, y, root);
        const c = p.length;
        for (let a = 0; a < c; a++) {
          // Central: h^2 of a third derivative (Huber: h of a kink in the second), and eps of the value over h.
          const h = 1e-5;
          const moved = (by: number) =>
            at(
              rule,
              p.map((v, k) => (k === a ? v + by : v)),
              y,
              root,
            ).value;
          const size = root ** 2 * (1 + Math.abs(gradient[a]!));
          expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - gradient[a])).toBeLessThan(size * 2e-5);
          let product = 0;
          for (let b = 0; b < c; b++) product += factorOf(rule, factor, c, a, b) * z[b];
          expect(Math.abs(product - gradient[a])).toBeLessThanOrEqual(size * 64 * c * Number.EPSILON * 8);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("weighs value, gradient and curvature alike", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, root }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const [plain, heavy] = [at(rule, p, y), at(rule, p, y, root)];
        const close = (one: number, other: number) =>
          expect(Math.abs(one - other)).toBeLessThanOrEqual(16 * Number.EPSILON * Math.abs(other));
        close(heavy.value, root ** 2 * plain.value);
        for (const [k, value] of plain.gradient.entries()) close(heavy.gradient[k], root ** 2 * value);
        for (const [k, value] of plain.factor.entries()) close(heavy.factor[k], root * value);
        for (const [k, value] of plain.z.entries()) close(heavy.z[k], root * value);
      }),
      { numRuns: 100 },
    );
  });

  it.runIf(rule.exact)("has R R^T for its second derivative", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, root }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const { factor } = at(rule, p, y, root);
        const c = p.length;
        const h = 1e-5;
        const rounding = differenceRounding(rule, p, y, h);
        for (let b = 0; b < c; b++) {
          const moved = (by: number) =>
            at(
              rule,
              p.map((v, k) => (k === b ? v + by : v)),
              y,
              root,
            ).gradient;
          const [above, below] = [moved(h), moved(-h)];
          for (let a = 0; a < c; a++)
            expect(Math.abs((above[a] - below[a]) / (2 * h) - curvature(rule, factor, c, a, b))).toBeLessThan(
              // h^2 of a third derivative, which for counts is as large as the second.
              (root ** 2 + Math.abs(curvature(rule, factor, c, a, b))) * 1e-9 + root ** 2 * rounding,
            );
        }
      }),
      { numRuns: 100 },
    );
  });

  it("has the second derivative that its gradient has by differences", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, step, root }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const h = 1e-5;
        // No difference over a kink of the gradient shows the derivative beside it.
        fc.pre(p.every((value, a) => kinks(loss).every((kink) => Math.abs(value - y[a]! - kink) > 10 * h)));
        const [above, below] = [h, -h].map(
          (by) =>
            at(
              rule,
              p.map((v, a) => v + by * step[a]!),
              y,
              root,
            ).gradient,
        );
        const images = hessian(rule, p, y, Float64Array.from(step));
        const size = Math.max(1, ...step.map(Math.abs)) ** 3 + Math.max(...images.map(Math.abs));
        const rounding = differenceRounding(rule, p, y, h);
        // h^2 times the third derivative of the gradient along the step.
        for (const [a, image] of images.entries())
          expect(Math.abs((above![a]! - below![a]!) / (2 * h) - root ** 2 * image)).toBeLessThan(
            root ** 2 * (size * 1e-8 + rounding),
          );
      }),
      { numRuns: 200 },
    );
  });

  it("has a value whose Taylor polynomials of degree 1 and 2 miss it by the second and third power of the step", () => {
    const random = new Random(5, 1);
    const numbers = () => Float64Array.from({ length: 3 }, () => 2 * random.normal());
    const misses = (degree: 1 | 2) => {
      const slopes: number[] = [];
      for (let k = 0; k < 41; k++) {
        const [p, v] = [numbers(), numbers()];
        const y = targetsOf(
          rule,
          Array.from(p, () => random.uniform()),
        );
        const { value, gradient } = at(rule, p, y);
        const image = hessian(rule, p, y, v);
        const dot = (one: Float64Array) => one.reduce((sum, x, a) => sum + x * v[a]!, 0);
        const miss = (h: number) => {
          const there = at(
            rule,
            p.map((x, a) => x + h * v[a]!),
            y,
          ).value;
          return Math.abs(there - value - h * dot(gradient) - (degree === 2 ? 0.5 * h * h * dot(image) : 0));
        };
        slopes.push(Math.log2(miss(2 ** -10) / miss(2 ** -11)));
      }
      // The median: a few draws lie beside a kink, or where the next derivative vanishes.
      return slopes.sort((a, b) => a - b)[20];
    };
    expect(misses(1)).toBeCloseTo(2, 1);
    // Where l is piecewise quadratic, the second polynomial is exact.
    if (kind !== "squared-error" && kind !== "huber") expect(misses(2)).toBeCloseTo(3, 1);
  });

  it.runIf(rule.exact)("has a second derivative that is R R^T to the last digits", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, step }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const { factor } = at(rule, p, y);
        const c = p.length;
        const images = hessian(rule, p, y, Float64Array.from(step));
        for (let a = 0; a < c; a++) {
          let [sum, size] = [0, 0];
          for (let b = 0; b < c; b++) {
            const term = curvature(rule, factor, c, a, b) * step[b]!;
            sum += term;
            size += Math.abs(term);
          }
          // Sums of c terms, each a product of sums of c.
          expect(Math.abs(images[a]! - sum)).toBeLessThanOrEqual(16 * c * c * Number.EPSILON * (size + 1e-300));
        }
      }),
      { numRuns: 200 },
    );
  });

  it.runIf(!rule.exact)("lies below its quadratic model everywhere", () => {
    fc.assert(
      fc.property(samples, ({ psi, draws, step }) => {
        const [p, y] = [Float64Array.from(psi), targetsOf(rule, draws)];
        const { value, gradient, factor } = at(rule, p, y);
        const c = p.length;
        let model = value;
        for (let a = 0; a < c; a++) {
          model += gradient[a] * step[a];
          for (let b = 0; b < c; b++) model += 0.5 * step[a] * step[b] * curvature(rule, factor, c, a, b);
        }
        const there = at(
          rule,
          p.map((v, a) => v + step[a]),
          y,
        ).value;
        // The model is a sum of c terms no larger than these.
        expect(there).toBeLessThanOrEqual(model + 64 * c * Number.EPSILON * (1 + Math.abs(model)));
      }),
      { numRuns: 500 },
    );
  });

  // A count whose mean exp(800) overflows has an infinite loss: the test below.
  it.runIf(kind !== "poisson")("stays finite at predictions of +-800", () => {
    for (const sign of [1, -1]) {
      const p = Float64Array.of(sign * 800, -sign * 800, 3);
      const y = rule.targets === "real" ? Float64Array.of(1, 2, 3) : Float64Array.of(0, 1, 0);
      const { value, gradient, factor } = at(rule, p, y);
      expect(Number.isFinite(value) && value >= 0).toBe(true);
      expect(gradient.every(Number.isFinite) && factor.every(Number.isFinite)).toBe(true);
      expect(hessian(rule, p, y, Float64Array.of(1, 2, 3)).every(Number.isFinite)).toBe(true);
    }
  });

  it("is refused with a field too many or a decay below 0", () => {
    const loss = LOSSES.find((one) => one.kind === kind);
    expect(() => checkLoss("options.loss", { ...loss, decay: -1 })).toThrow(/options\.loss\.decay.*-1/);
    expect(() => checkLoss("options.loss", { ...loss, detla: 1 })).toThrow(/options\.loss.*"detla"/);
    expect(() => checkLoss("options.loss", loss)).not.toThrow();
  });
});
