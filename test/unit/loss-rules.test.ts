// Every loss against finite differences and its own inequalities: value, gradient, factor, residual, and what is left of them far out.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  huber,
  logCosh,
  logistic,
  poisson,
  pseudoHuber,
  quantile,
  Random,
  softmaxCrossEntropy,
  squaredError,
} from "../../src/index.js";
import type { LossRule, LossSeeds } from "../../src/loss/loss.js";
import { checkFixedLoss, checkLoss, type Loss, lossRule } from "../../src/loss/rules.js";

const LOSSES: readonly Loss[] = [
  squaredError(),
  huber({ delta: 0.7 }),
  pseudoHuber({ delta: 0.7 }),
  logCosh(),
  quantile({ tau: 0.8, smoothing: 0.3 }),
  logistic(),
  softmaxCrossEntropy(),
  poisson(),
];

/** One sample of `psi.length` outputs. */
function at(rule: LossRule, psi: Float64Array, y: Float64Array, root: number | null = null) {
  const c = psi.length;
  const seeds: LossSeeds = {
    factor: new Float64Array(rule.factor === "full" ? c * c : c),
    z: new Float64Array(c),
    gradient: new Float64Array(c),
  };
  const roots = root === null ? null : Float64Array.of(root);
  const block = { count: 1, outputSize: c, predictions: psi, targets: y, roots, first: 0 };
  const value = rule.apply(block, seeds);
  expect(rule.apply(block, null)).toBe(value);
  return { value, ...seeds };
}

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

/** l'' v of one sample. */
function hessian(rule: LossRule, psi: Float64Array, y: Float64Array, v: Float64Array): Float64Array {
  const images = v.slice();
  // The weight stays out.
  const block = { count: 1, outputSize: psi.length, predictions: psi, targets: y, roots: Float64Array.of(3), first: 0 };
  rule.applyHessian(block, images);
  return images;
}

/** Errors at which the gradient has a kink. */
function kinks(loss: Loss): readonly number[] {
  return loss.kind === "huber" && loss.delta !== null ? [loss.delta, -loss.delta] : [];
}

/** Targets of the loss, from numbers of [0, 1): real ones, counts, probabilities, or a distribution. */
function targetsOf(rule: LossRule, draws: readonly number[]): Float64Array {
  if (rule.targets === "real") return Float64Array.from(draws, (u) => 6 * u - 3);
  if (rule.targets === "count") return Float64Array.from(draws, (u) => Math.floor(6 * u));
  if (rule.targets === "probability") return Float64Array.from(draws);
  const sum = draws.reduce((total, u) => total + u + 0.01, 0);
  return Float64Array.from(draws, (u) => (u + 0.01) / sum);
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
              (root ** 2 + Math.abs(curvature(rule, factor, c, a, b))) * 1e-9,
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
        // h^2 times the third derivative of the gradient along the step.
        for (const [a, image] of images.entries())
          expect(Math.abs((above![a]! - below![a]!) / (2 * h) - root ** 2 * image)).toBeLessThan(
            root ** 2 * size * 1e-8,
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

describe("far out", () => {
  it("a class missed by 1600 costs 1600 and has the slope 1, without a residual", () => {
    const rule = lossRule(softmaxCrossEntropy());
    const { value, gradient, z } = at(rule, Float64Array.of(800, -800), Float64Array.of(0, 1));
    expect(value).toBe(1600);
    expect([...gradient]).toEqual([1, -1]);
    expect(z[1]).toBe(Number.NEGATIVE_INFINITY);
  });

  it("a class hit by 40 costs exp(-40), to the last digits", () => {
    // exp(-40) / (1 + exp(-40)) is exp(-40) to 17 digits.
    const off = (value: number) => Math.abs(value / Math.exp(-40) - 1);
    for (const { value, gradient } of [
      at(lossRule(softmaxCrossEntropy()), Float64Array.of(-20, 20), Float64Array.of(0, 1)),
      at(lossRule(logistic()), Float64Array.of(-40), Float64Array.of(0)),
      at(lossRule(logistic()), Float64Array.of(40), Float64Array.of(1)),
    ]) {
      expect(off(value)).toBeLessThan(4 * Number.EPSILON);
      expect(off(Math.abs(gradient[0]))).toBeLessThan(4 * Number.EPSILON);
    }
  });

  it("a class hit by 40 has the second derivative exp(-40), to the last digits", () => {
    // p (1 - p) and its negative, for p = 1 / (1 + exp(-40)).
    const rule = lossRule(softmaxCrossEntropy());
    const images = hessian(rule, Float64Array.of(-20, 20), Float64Array.of(0, 1), Float64Array.of(1, 0));
    for (const [a, sign] of [1, -1].entries())
      expect(Math.abs((sign * images[a]!) / Math.exp(-40) - 1)).toBeLessThan(4 * Number.EPSILON);
    const one = hessian(lossRule(logistic()), Float64Array.of(40), Float64Array.of(1), Float64Array.of(1));
    expect(Math.abs(one[0]! / Math.exp(-40) - 1)).toBeLessThan(4 * Number.EPSILON);
  });

  it("a mean that overflows has an infinite loss and no NaN, and one that underflows a finite one", () => {
    const rule = lossRule(poisson());
    for (const y of [0, 3]) {
      const above = at(rule, Float64Array.of(800), Float64Array.of(y));
      expect([above.value, above.gradient[0]]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
      expect(hessian(rule, Float64Array.of(800), Float64Array.of(y), Float64Array.of(2))[0]).toBe(Infinity);
      const below = at(rule, Float64Array.of(-800), Float64Array.of(y));
      // y (exp u - 1 - u) with exp u = 0.
      expect(below.value).toBe(y === 0 ? 0 : y * (-1 + 800 + Math.log(y)));
      expect(below.gradient[0]).toBe(0 - y);
    }
  });

  it("what is nearly right costs next to nothing, to the last digits", () => {
    const e = 2 ** -30;
    const half = 0.5 * e * e;
    // log cosh e = e^2/2 - e^4/12, d^2 (sqrt(1 + (e/d)^2) - 1) = e^2/2 - e^4/(8 d^2): the next term is 2^-60 of the first.
    for (const loss of [logCosh(), pseudoHuber({ delta: 1 })])
      expect(Math.abs(at(lossRule(loss), Float64Array.of(e), Float64Array.of(0)).value / half - 1)).toBeLessThan(
        4 * Number.EPSILON,
      );
    // y (exp u - 1 - u) = y u^2/2 (1 + u/3), where log 1 = 0 leaves u exact.
    expect(
      Math.abs(at(lossRule(poisson()), Float64Array.of(e), Float64Array.of(1)).value / (half * (1 + e / 3)) - 1),
    ).toBeLessThan(4 * Number.EPSILON);
    // The two forms of each meet: both sides of the switch against one another, 1e-9 apart.
    for (const [loss, y, edge] of [
      [logCosh(), 0, 1],
      [poisson(), 1, 0.5],
      [poisson(), 1, -0.5],
    ] as const) {
      const [inside, outside] = [-1e-9, 1e-9].map((by) =>
        at(lossRule(loss), Float64Array.of(edge + by), Float64Array.of(y)),
      );
      const change = 2e-9 * outside!.gradient[0]!;
      expect(Math.abs(outside!.value - inside!.value - change)).toBeLessThan(8 * Number.EPSILON);
    }
  });

  it("an error of 0 has the factor of its limit", () => {
    for (const [loss, limit] of [
      [logCosh(), 1],
      [pseudoHuber({ delta: 0.3 }), 1],
      [quantile({ tau: 0.2, smoothing: 0.04 }), 2.5],
    ] as const)
      for (const e of [0, 1e-300, -1e-20]) {
        const { factor } = at(lossRule(loss), Float64Array.of(e), Float64Array.of(0));
        expect(Math.abs(factor[0]! - limit), loss.kind).toBeLessThan(4 * limit * Number.EPSILON);
      }
  });

  it("the quantile loss is the pinball loss but for smoothing log 2, and least where tau of the logistic lies below", () => {
    const rule = lossRule(quantile({ tau: 0.8, smoothing: 0.5 }));
    for (const e of [-20, -1, 0, 0.3, 20]) {
      const { value } = at(rule, Float64Array.of(e), Float64Array.of(0));
      const pinball = Math.max(e, 0) - 0.8 * e;
      // Products and a difference of three numbers of this size.
      expect(value).toBeGreaterThanOrEqual(pinball - 4 * Number.EPSILON * Math.abs(e));
      expect(value - pinball).toBeLessThanOrEqual(0.5 * Math.LN2 + 4 * Number.EPSILON * (1 + Math.abs(e)));
    }
    const { gradient } = at(rule, Float64Array.of(0.5 * Math.log(0.8 / 0.2)), Float64Array.of(0));
    expect(Math.abs(gradient[0]!)).toBeLessThan(4 * Number.EPSILON);
  });

  it("a NaN stays one in the second derivative", () => {
    for (const loss of LOSSES.filter(({ kind }) => kind !== "squared-error")) {
      const y = targetsOf(lossRule(loss), [0.5, 0.5]);
      const images = hessian(lossRule(loss), Float64Array.of(Number.NaN, 1), y, Float64Array.of(1, 1));
      expect(images[0], loss.kind).toBeNaN();
    }
  });

  it("Huber is linear outside and squared error inside", () => {
    const rule = lossRule(huber({ delta: 2 }));
    expect(at(rule, Float64Array.of(1e10), Float64Array.of(0)).value).toBe(2e10 - 2);
    expect(at(rule, Float64Array.of(1.5), Float64Array.of(0)).value).toBe(1.125);
  });
});

describe("the functions that make losses", () => {
  it.each([
    [() => checkFixedLoss("options.loss", huber()), /options\.loss\.delta must be given here.*huber\(\{ delta \}\)/],
    [() => lossRule(huber()).apply(null as never, null), /loss\.delta must be given here/],
    [() => lossRule(huber()).applyHessian(null as never, Float64Array.of(1)), /loss\.delta must be given here/],
    [() => huber({ delta: 0 }), /delta.*positive.*0/],
    [() => huber({ delta: 1, decay: Number.NaN }), /decay.*NaN/],
    [() => checkFixedLoss("options.loss", pseudoHuber()), /options\.loss\.delta must.*pseudoHuber\(\{ delta \}\)/],
    [
      () => checkFixedLoss("options.loss", quantile({ tau: 0.5 })),
      /options\.loss\.smoothing must.*\{ tau, smoothing \}/,
    ],
    [() => lossRule(pseudoHuber()).apply(null as never, null), /loss\.delta must be given here/],
    [() => lossRule(quantile({ tau: 0.5 })).apply(null as never, null), /loss\.smoothing must be given here/],
    [() => pseudoHuber({ delta: -1 }), /delta.*positive.*-1/],
    [() => logCosh({ delta: 1 } as never), /"delta"/],
    [() => quantile({} as never), /options\.tau must be a number above 0 and below 1; received undefined/],
    [() => quantile({ tau: 1 }), /options\.tau must be a number above 0 and below 1; received 1/],
    [() => quantile({ tau: 0.5, smoothing: 0 }), /smoothing.*positive.*0/],
    [() => checkLoss("options.loss", { ...quantile({ tau: 0.5 }), tau: 2 }), /options\.loss\.tau.*2/],
    [() => poisson({ decay: -1 }), /decay.*-1/],
    [() => logistic({ decay: -2 }), /decay.*-2/],
    [() => logistic({ deacy: 1 } as never), /decay.*"deacy"/],
    [() => softmaxCrossEntropy({ decay: "1" } as never), /decay.*"1"/],
    [() => checkLoss("options.loss", { kind: "hinge", decay: 0 }), /squaredError\(\), huber\(\)/],
    [() => checkLoss("options.loss", null), /squaredError\(\), huber\(\)/],
  ])("refuse %s by name", (make, message) => {
    expect(make).toThrow(message);
  });
});
