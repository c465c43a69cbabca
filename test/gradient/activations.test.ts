// Derivatives of every activation and initialization against differences, by the slope of a Taylor test: the error of the linear
// model must fall as h^2 over several decades, which no wrong derivative survives.
import { describe, expect, it } from "vitest";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { type NetworkOptions, network, Random } from "../../src/index.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import { INITIALIZATION_NAMES } from "../../src/network/initialize.js";

/** Slope of log error over log h for f(w + h v) - f(w) - h f'(w) v. */
async function taylorSlope(options: NetworkOptions): Promise<number> {
  const net = network({ seed: 11, ...options });
  const random = new Random(3, 2);
  const n = 20;
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const data = {
    sampleCount: n,
    inputs: draw(n * net.inputSize),
    targets: draw(n * net.outputSize),
    weights: draw(n).map(Math.abs),
  };
  const engine = createReferenceEngine(net.architecture, data);
  // Away from the start: symmetric networks have f = 0 there, and relu no kink is then met by a small step.
  const w = net.parameters.map((value) => value + 0.1 * random.normal());
  const v = draw(w.length);
  const gradientAnswer = await engine.linearize(w, { curvature: "none", decay: 0, scaling: null });
  const start = await engine.evaluate(w);
  if (!("ok" in gradientAnswer) || !("ok" in start)) throw new Error("the engine failed");
  const slope = gradientAnswer.gradient.reduce((sum, g, j) => sum + g * v[j], 0);
  const hs = [1e-2, 1e-3, 1e-4];
  const errors: number[] = [];
  for (const h of hs) {
    const moved = await engine.evaluate(w.map((value, j) => value + h * v[j]));
    if (!("ok" in moved)) throw new Error(moved.message);
    errors.push(Math.abs(moved.loss - start.loss - h * slope));
  }
  return Math.log10(errors[0] / errors[2]) / Math.log10(hs[0] / hs[2]);
}

describe("the gradient of the loss passes the Taylor test", () => {
  // relu is linear between its kinks: a step of 1e-2 may cross some, so its slope is only near 2.
  it.each(ACTIVATION_NAMES)("%s", async (activation) => {
    const slope = await taylorSlope({ layers: [3, 6, 5, 2], activation });
    expect(slope).toBeGreaterThan(activation === "relu" ? 1.5 : 1.9);
    expect(slope).toBeLessThan(activation === "relu" ? 2.6 : 2.1);
  });

  it.each(INITIALIZATION_NAMES)("initialization %s", async (initialization) => {
    const slope = await taylorSlope({ layers: [3, 6, 4, 2], initialization, outputScale: 1.7 });
    expect(Math.abs(slope - 2)).toBeLessThan(0.1);
  });

  it("without biases, and with an activation on the output", async () => {
    const slope = await taylorSlope({ layers: [3, 5, 2], bias: false, outputActivation: "logistic" });
    expect(Math.abs(slope - 2)).toBeLessThan(0.1);
  });
});
