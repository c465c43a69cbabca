// Damped steps against an independent model of the curvature, and the rules of damping against their formulas.
import { describe, expect, it } from "vitest";
import { dot } from "../../src/algebra/vectors.js";
import { failed } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { gaussNewton, levenbergMarquardt, network } from "../../src/index.js";
import { linearizeAt, type Point, type Problem, scalingInEffect } from "../../src/linearize/problem.js";
import { dampingRules } from "../../src/method/levenberg-marquardt/damping.js";
import { layerSizes } from "../../src/network/parameters.js";
import { dampedStep } from "../../src/step/damped-step.js";
import { waves } from "../helpers/problems.js";

/** F(0) - F(step) of the quadratic model, from the Jacobian itself: -gradient.s - 1/2 |J s|^2 - decay/2 |s|^2. */
async function modelReduction(
  engine: NetworkEngine,
  decay: number,
  { parameters, gradient }: Point,
  step: Float64Array,
) {
  const image = await engine.jacobianProduct(parameters, step);
  return -dot(gradient, step) - 0.5 * dot(image, image) - 0.5 * decay * dot(step, step);
}

describe("a damped step promises what the quadratic model gives", () => {
  const cases = [
    { route: "primal", scaled: false, decay: 0 },
    { route: "primal", scaled: true, decay: 0.3 },
    { route: "dual", scaled: false, decay: 0.3 },
    { route: "dual", scaled: true, decay: 0 },
  ] as const;
  it.each(cases)("$route, scaled $scaled, decay $decay", async ({ route, scaled, decay }) => {
    const { sampleCount, inputs, targets } = waves(20, 3, 1, 4);
    const { architecture, parameters } = network({ layers: [3, 5, 1], seed: 3 });
    const engine = createReferenceEngine(architecture, { sampleCount, inputs, targets });
    const problem: Problem = {
      engine,
      route,
      decay,
      scaling: scaled ? "marquardt" : "identity",
      layerSizes: layerSizes(architecture),
      condition: false,
    };
    const scaling = scaled ? new Float64Array(route === "primal" ? engine.parameterCount : engine.layerCount) : null;
    for (const damping of [1e-3, 1, 1e3]) {
      // Anew each time: the oracle's product ends the curvature.
      const point = await linearizeAt(problem, parameters, scaling, null, undefined);
      if (failed(point)) throw new Error(point.message);
      const answer = await dampedStep(problem, point, damping);
      if (failed(answer)) throw new Error(answer.message);
      const expected = await modelReduction(engine, decay, point, answer.step);
      // Both sums run over p or n terms of the size of the result: 100 n eps is ample, a wrong D is off by percents.
      expect(Math.abs(answer.predicted / expected - 1)).toBeLessThan(100 * 20 * Number.EPSILON * 10);
      expect(answer.slope).toBeLessThan(0);
    }
    engine.dispose();
  });
});

describe("the scaling of the damping", () => {
  it("is I, the root of the running maximum of diag G, or that maximum; in the dual route the root is I", async () => {
    const { sampleCount, inputs, targets } = waves(20, 3, 1, 4);
    const { architecture, parameters } = network({ layers: [3, 5, 1], seed: 3 });
    const engine = createReferenceEngine(architecture, { sampleCount, inputs, targets });
    const at = async (scaling: "root" | "marquardt") => {
      const problem = { engine, route: "primal", decay: 0, scaling, layerSizes: [26], condition: false } as const;
      const maximum = new Float64Array(engine.parameterCount).fill(0.25);
      const point = await linearizeAt(problem, parameters, maximum, null, undefined);
      if (failed(point)) throw new Error(point.message);
      return { maximum, used: point.scaling as Float64Array };
    };
    const [root, full] = [await at("root"), await at("marquardt")];
    const gram = await engine.curvature();
    const diagonal = full.used.map((_, j) => Math.max(0.25, gram[j * 27]));
    // Sums of 20 squares in another order.
    const off = (a: Float64Array, b: Float64Array) => Math.max(...a.map((value, j) => Math.abs(value / b[j] - 1)));
    expect(off(full.used, diagonal)).toBeLessThan(20 * Number.EPSILON);
    expect(off(root.used, diagonal.map(Math.sqrt))).toBeLessThan(20 * Number.EPSILON);
    expect(root.maximum).toEqual(full.used);
    expect(scalingInEffect("root", "dual", 0)).toBe("identity");
    expect(scalingInEffect("marquardt", "dual", 0.1)).toBe("identity");
    expect(scalingInEffect("marquardt", "dual", 0)).toBe("marquardt");
    expect(scalingInEffect("root", "primal", 0.1)).toBe("root");
    engine.dispose();
  });
});

it("the first damping goes with the scaling, what the root comes to and the size; a number is taken as it is", () => {
  const first = (options: Parameters<typeof levenbergMarquardt>[0], effect: "identity" | "root" | "marquardt", p = 9) =>
    levenbergMarquardt(options).start(3, effect, p).damping;
  expect(first({}, "root", 499)).toBe(3);
  expect(first({}, "root", 500)).toBeCloseTo(0.09, 15);
  expect(first({}, "identity")).toBeCloseTo(0.3, 15);
  expect(first({ scaling: "identity" }, "identity")).toBe(0.003);
  expect(first({ scaling: "marquardt" }, "marquardt")).toBe(3);
  // The dual route with decay: relative to the curvature in the units of the identity, as with "identity".
  expect(first({ scaling: "marquardt" }, "identity")).toBe(0.003);
  expect(first({ initialDamping: 2 }, "identity")).toBe(6);
});

describe("damping rules", () => {
  const state = { damping: 8, growth: 4 };
  it("nielsen: 1/3 at best, doubled at ratio 0, cubic between; rejections grow faster and faster", () => {
    const rule = dampingRules.nielsen;
    expect(rule.accepted(1, state)).toEqual({ damping: 8 / 3, growth: 2 });
    expect(rule.accepted(50, state).damping).toBe(8 / 3);
    expect(rule.accepted(0, state).damping).toBe(16);
    expect(rule.accepted(0.5, state).damping).toBe(8);
    expect(rule.rejected(state)).toEqual({ damping: 32, growth: 8 });
    expect(rule.rejected(rule.rejected(state)).damping).toBe(256);
  });
  it("hybrid: x0.1, x0.5, x2 by the gain ratio", () => {
    const rule = dampingRules.hybrid;
    expect([0.9, 0.5, 0.1].map((ratio) => rule.accepted(ratio, state).damping)).toEqual([0.8, 4, 16]);
    expect(rule.rejected(state)).toEqual({ damping: 32, growth: 8 });
  });
});

describe("a trial that reuses the solve before", () => {
  // What was told with one trial and is told again would be counted twice by whoever adds up the records.
  const told = { condition: 7, seconds: 1, steps: 5, quadratic: undefined };

  it("has none of its seconds: Gauss-Newton's backtracks, half as long each", async () => {
    const { problem, point } = await somewhere();
    const method = gaussNewton();
    const first = await method.propose(problem, method.start(1, "identity", 1), point, null);
    if (failed(first)) throw new Error(first.message);
    expect(first.seconds).toBeGreaterThan(0);
    const { state } = method.judge(method.start(1, "identity", 1), point, first, { ok: true, objective: 1e9 });
    const second = await method.propose(problem, state, point, { ...first, ...told });
    expect(second).toMatchObject({ ok: true, seconds: 0, condition: 7, length: 0.5, damping: first.damping });
    expect((second as typeof first).step).toEqual(first.direction.map((value) => value / 2));
  });

  it("has neither its seconds nor its conjugate gradients: the velocity of an accelerated step", async () => {
    const { problem, point } = await somewhere();
    const method = levenbergMarquardt();
    const state = method.start(1, "identity", 1);
    const first = await method.propose(problem, state, point, null);
    if (failed(first)) throw new Error(first.message);
    const second = await method.propose(problem, state, point, { ...first, ...told, acceleration: 0.2 });
    expect(second).toMatchObject({ ok: true, seconds: 0, condition: 7, acceleration: null, step: first.direction });
    expect((second as typeof first).steps).toBeUndefined();
  });

  async function somewhere() {
    const { sampleCount, inputs, targets } = waves(20, 3, 1, 4);
    const { architecture, parameters } = network({ layers: [3, 5, 1], seed: 3 });
    const engine = createReferenceEngine(architecture, { sampleCount, inputs, targets });
    const problem: Problem = {
      engine,
      route: "primal",
      decay: 0.1,
      scaling: "identity",
      layerSizes: layerSizes(architecture),
      condition: false,
    };
    const point = await linearizeAt(problem, parameters, null, null, undefined);
    if (failed(point)) throw new Error(point.message);
    return { problem, point };
  }
});

describe("method options", () => {
  it("misspelled names and impossible values are named", () => {
    expect(() => levenbergMarquardt({ scalling: "identity" } as never)).toThrow(/scaling/);
    expect(() => levenbergMarquardt({ scaling: "more" as never })).toThrow(/identity, root, marquardt.*"more"/);
    expect(() => levenbergMarquardt({ damping: "toString" as never })).toThrow(/nielsen, hybrid/);
    expect(() => levenbergMarquardt({ initialDamping: 0 })).toThrow(/positive/);
    expect(() => levenbergMarquardt({ initialDamping: "some" as never })).toThrow(/positive/);
    expect(() => gaussNewton({ step: Number.NaN })).toThrow(/positive/);
    expect(() => gaussNewton({ lineSearch: 1 as never })).toThrow(/true or false/);
    expect(() => gaussNewton({ linesearch: true } as never)).toThrow(/lineSearch/);
  });
});
