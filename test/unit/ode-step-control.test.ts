// The rules of step-size control against numbers computed by hand, and what the three rules make of a whole integration.
import { describe, expect, it } from "vitest";
import { integrateSteps } from "../../src/ode/drive.js";
import { type AdaptiveOptions, dormandPrince, tsitouras } from "../../src/ode/integrator.js";
import { componentNorm } from "../../src/ode/norm.js";
import { startingStep, stepFactor } from "../../src/ode/step-control.js";
import type { ErrorNorm, Stage } from "../../src/ode/types.js";
import { gap, kepler, oscillator } from "../helpers/ode-problems.js";

const eps = Number.EPSILON;
/** Errors are powers of 32 = 2^5 and the estimate is of order 4, so that err^(1/5) is a power of 2. */
const small = 1 / 32;
const factor = (errors: readonly number[], options: AdaptiveOptions) =>
  stepFactor(errors, 4, dormandPrince({ safety: 0.5, ...options }).settings) / 0.5;
const near = (value: number, expected: number) =>
  // A power or two and a product: each rounded to eps.
  expect(Math.abs(value / expected - 1)).toBeLessThan(8 * eps);

describe("the factor of the next step", () => {
  it("integral: err^(-1/5)", () => {
    near(factor([small], { control: "integral" }), 2);
    near(factor([32], { control: "integral" }), 0.5);
    near(factor([small, 7, 9], { control: "integral" }), 2);
  });
  it("pi: err^-(1/5 - 0.75 * 0.04) before^0.04", () => {
    near(factor([small], { control: "pi" }), 2 ** 0.85);
    near(factor([32], { control: "pi" }), 2 ** -0.85);
    near(factor([1, small], { control: "pi" }), 2 ** -0.2);
    near(factor([small, small, 9], { control: "pi" }), 2 ** 0.65);
  });
  it("pid: err^(-0.49/5) before^(0.34/5) last^(-0.1/5); the integral rule where there is one error", () => {
    near(factor([small, 1, 1], { control: "pid" }), 2 ** 0.49);
    near(factor([1, small, 1], { control: "pid" }), 2 ** -0.34);
    near(factor([1, 1, small], { control: "pid" }), 2 ** 0.1);
    near(factor([small, small, small], { control: "pid" }), 2 ** 0.25);
    near(factor([small], { control: "pid" }), 2);
    near(factor([32], { control: "pid" }), 0.5);
    near(factor([1, small], { control: "pid" }), 2 ** -0.24);
  });
  it("lies between the smallest and the largest factor, safety included", () => {
    const settings = dormandPrince({ smallestFactor: 0.3, largestFactor: 4 }).settings;
    expect(stepFactor([0], 4, settings)).toBe(4);
    expect(stepFactor([Number.POSITIVE_INFINITY], 4, settings)).toBe(0.3);
    near(stepFactor([1], 4, settings), 0.9);
  });
  it("an error of 0 counts as 1e-10, an earlier one as 1e-4", () => {
    const wide = { largestFactor: 1e6, smallestFactor: 1e-6 };
    near(factor([0], { control: "integral", ...wide }), 100);
    near(factor([1, 0], { control: "pi", ...wide }), 1e-4 ** 0.04);
    near(factor([1, 0, 0], { control: "pid", ...wide }), 1e-4 ** (0.24 / 5));
  });
});

describe("the starting step", () => {
  const settings = dormandPrince({ relativeTolerance: 1e-6, absoluteTolerance: 1e-6 }).settings;
  const norm = componentNorm(settings);
  const f = (rate: number) => (state: Float64Array) => state.map((value) => rate * value);
  const start = (
    values: number[],
    derivative: (state: Float64Array) => Float64Array,
    longest = 1e3,
    by: ErrorNorm = norm,
  ) => {
    const state = Float64Array.from(values);
    const slope = derivative(state);
    const looks: number[] = [];
    const ahead = (h: number): Stage => {
      looks.push(h);
      return derivative(state.map((value, j) => value + h * slope[j]));
    };
    return startingStep(4, by, state, slope, longest, ahead).then((h) => ({ h: h as number, looks }));
  };

  it("y' = -2 y from 1: h0 = 0.01 / 2, then h^5 |y''| = 0.01 with |y''| measured ahead", async () => {
    // Scale 2e-6: |y| = 5e5, |y'| = 1e6, h0 = 0.005; f ahead is -1.98, so |y''| = 0.02 / 0.005 / 2e-6 = 2e6.
    const { h, looks } = await start([1], f(-2));
    expect(looks).toEqual([0.005]);
    // The difference of 0.02 of two slopes of 2 is exact to 100 eps, a fifth of which is left.
    expect(Math.abs(h / (0.01 / 2e6) ** 0.2 - 1)).toBeLessThan(100 * eps);
  });
  it("the rms of the components counts: a second component at rest halves the squares", async () => {
    const { h } = await start([1, 0], ([y]) => Float64Array.of(-2 * y, 0));
    expect(Math.abs(h / (0.01 / (2e6 / Math.SQRT2)) ** 0.2 - 1)).toBeLessThan(100 * eps);
  });
  it("from 0 it looks 1e-6 ahead and goes at most 100 times as far", async () => {
    // |y'| = 1e6, no second derivative: (0.01 / 1e6)^(1/5) = 0.025 is beyond 1e-4.
    const { h, looks } = await start([0], () => Float64Array.of(1));
    expect(looks).toEqual([1e-6]);
    near(h, 1e-4);
  });
  it("where nothing moves it is max(1e-6, h0 / 1000)", async () => {
    expect((await start([0], () => Float64Array.of(0))).h).toBe(1e-6);
    expect((await start([1], () => Float64Array.of(0))).h).toBe(1e-6);
  });
  it("neither the look ahead nor the step is longer than allowed", async () => {
    const { h, looks } = await start([1], f(-2), 1e-3);
    expect(looks).toEqual([1e-3]);
    expect(h).toBe(1e-3);
  });
  it("a failure ahead leaves the first guess; a fatal one is returned", async () => {
    const [state, slope] = [Float64Array.of(1), Float64Array.of(-2)];
    const failing = { failure: "non-finite", message: "no" };
    expect(await startingStep(4, norm, state, slope, 1, () => failing)).toBe(0.005);
    const fatal = { ...failing, fatal: true };
    expect(await startingStep(4, norm, state, slope, 1, async () => fatal)).toBe(fatal);
  });
  it("is a positive number where the norms overflow or are not numbers", async () => {
    for (const y of [0, 1]) expect((await start([y], () => Float64Array.of(1e300))).h).toBe(1e-6);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const broken = { measure: () => value, size: () => value, derivativeSize: () => value };
      expect((await start([1], f(-2), 1e3, broken)).h).toBe(1e-6);
    }
  });
});

describe.each(["integral", "pi", "pid"] as const)("%s control", (control) => {
  it.each([
    // Some thirty steps at 1e-4, more at smaller tolerances but with errors of one sign no longer.
    { name: "oscillator", ode: oscillator, growth: 30 },
    // A hundred steps at 1e-4; an error of the energy early on shifts the phase by 3/2 t = 30 times as much.
    { name: "kepler", ode: kepler, growth: 3000 },
  ])("reaches the tolerance on $name without waste", async ({ ode, growth }) => {
    for (const make of [dormandPrince, tsitouras])
      for (const tolerance of [1e-4, 1e-6, 1e-8]) {
        const integrator = make({ control, relativeTolerance: tolerance, absoluteTolerance: tolerance });
        const initial: Float64Array = Float64Array.from(ode.initial);
        const problem = { rightHandSide: ode.rightHandSide, from: 0, until: 20, initial };
        let [steps, rejected, logs, last] = [0, 0, 0, initial];
        for await (const step of integrateSteps(problem, integrator)) {
          expect(step.error).toBeLessThanOrEqual(1);
          steps++;
          rejected += step.rejections;
          logs += Math.log(Math.max(step.error, 1e-10));
          last = step.state;
        }
        expect(gap(last, ode.exact(20))).toBeLessThan(growth * tolerance);
        // A controller that asks for too much is rejected most of the time; one that asks for too little leaves errors far below 1.
        expect(rejected).toBeLessThan(0.5 * steps);
        expect(Math.exp(logs / steps)).toBeGreaterThan(0.01);
      }
  });
});
