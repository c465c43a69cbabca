// What is left of every loss far out and where it is nearly 0, to the last digits, and the functions that make losses.
import { describe, expect, it } from "vitest";
import { huber, logCosh, logistic, poisson, pseudoHuber, quantile, softmaxCrossEntropy } from "../../src/index.js";
import { checkFixedLoss, checkLoss, lossRule } from "../../src/loss/rules.js";
import { at, hessian, targetsOf } from "../helpers/loss-sample.js";
import { LOSSES_OF_ONE_OUTPUT as LOSSES } from "../helpers/losses.js";

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
