// The squared-error loss: its value by hand, its derivative by the Taylor test, and misuse.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { GaussflowError, network, Random, squaredError } from "../../src/index.js";
import { squaredErrorRule } from "../../src/loss/squared-error.js";

describe("squaredError", () => {
  it("is half the sum of squares", () => {
    const value = (...residuals: number[]) => {
      const predictions = Float64Array.from(residuals, (r) => r + 1);
      const targets = new Float64Array(residuals.length).fill(1);
      const block = { count: residuals.length, outputSize: 1, predictions, targets, roots: null, first: 0 };
      return squaredErrorRule.apply(block, null);
    };
    expect(value(3, -4)).toBe(12.5);
    expect(value()).toBe(0);
    expect(value(1, Number.NaN)).toBeNaN();
  });

  it("has no decay unless asked", () => {
    expect(squaredError()).toEqual({ kind: "squared-error", decay: 0 });
    expect(squaredError({ decay: 0.5 }).decay).toBe(0.5);
  });

  it.each([
    [{ decay: -1 }, /decay.*-1/],
    [{ decay: Number.NaN }, /decay.*NaN/],
    [{ decay: Number.POSITIVE_INFINITY }, /decay.*Infinity/],
    [{ decay: "1" }, /decay.*"1"/],
    [{ deacy: 1 }, /no option of that name.*decay.*"deacy"/],
    [null, /object/],
  ])("%j is refused by name", (options, message) => {
    expect(() => squaredError(options as never)).toThrow(GaussflowError);
    expect(() => squaredError(options as never)).toThrow(message);
  });

  it("with weights and decay, the engine's gradient is that of sum_i s_i |r_i|^2 / 2 + decay |w|^2 / 2", async () => {
    const random = new Random(5, 1);
    const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
    const net = network({ layers: [2, 4, 2], seed: 1 });
    const n = 15;
    const weights = draw(n).map(Math.abs);
    const data = { sampleCount: n, inputs: draw(2 * n), targets: draw(2 * n), weights };
    const engine = createReferenceEngine(net.architecture, data);
    const decay = 0.7;
    // Written out here from predictions alone, without the engine's loss.
    const objective = async (w: Float64Array) => {
      const psi = await engine.forward(w);
      let sum = 0;
      psi.forEach((value, k) => {
        sum += 0.5 * weights[Math.floor(k / 2)] * (value - data.targets[k]) ** 2;
      });
      return sum + 0.5 * decay * w.reduce((total, value) => total + value * value, 0);
    };
    const w = net.parameters;
    const v = draw(w.length);
    const point = await engine.linearize(w, { curvature: "none", decay, scaling: null });
    if (failed(point)) throw new Error(point.message);
    const slope = point.gradient.reduce((sum, g, j) => sum + g * v[j], 0);
    const start = await objective(w);
    const error = async (h: number) =>
      Math.abs((await objective(w.map((value, j) => value + h * v[j]))) - start - h * slope);
    // A wrong gradient leaves an error of order h, slope 1.
    expect(Math.abs(Math.log10((await error(1e-2)) / (await error(1e-4))) / 2 - 2)).toBeLessThan(0.1);
  });
});
