// The reference engine's orthogonal route with more parameters than equations solves in the space of the equations: the step is that of
// the p x p system, whatever the weights, the decay and the rank.
import { describe, expect, it } from "vitest";
import { norm } from "../../src/algebra/vectors.js";
import { failed } from "../../src/backend/engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { network, Random } from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const net = network({ layers: [3, 30, 2], seed: 4 });
const { inputs, targets, sampleCount } = waves(20, 3, 2, 5);
const draw = new Random(8, 1);
const weights = Float64Array.from({ length: sampleCount }, () => 0.5 + draw.uniform());
const twice = (values: Float64Array, width: number) => {
  const copy = values.slice();
  copy.set(values.subarray(0, 5 * width), 5 * width);
  return copy;
};

describe.each([
  ["regular rows", inputs, targets],
  ["rows that come twice", twice(inputs, 3), twice(targets, 2)],
])("182 parameters, 40 equations, %s", (_, x, y) => {
  it.each([
    [1, 0],
    [1e-4, 0],
    [0.1, 0.3],
    [0, 0.02],
  ])("damping %s, decay %s", async (damping, decay) => {
    const engine = createReferenceEngine(net.architecture, { sampleCount, inputs: x, targets: y, weights });
    const request = { damping, decay, scaling: null };
    const stepBy = async (curvature: "primal" | "orthogonal") => {
      expect(failed(await engine.linearize(net.parameters, { curvature, decay, scaling: null }))).toBe(false);
      const solved = await engine.solve(request);
      if (failed(solved)) throw new Error(solved.message);
      return solved;
    };
    const expected = (await stepBy("primal")).step;
    const largest = (await engine.eigen(false)).values.at(-1) ?? Number.NaN;
    const { step, residual, rank } = await stepBy("orthogonal");
    // Cholesky's error: the condition of the damped system times a few p eps.
    const shift = damping + decay;
    const tolerance = 10 * 182 * Number.EPSILON * (largest / shift + 1);
    expect(norm(step.map((value, j) => value - expected[j]))).toBeLessThan(tolerance * norm(expected));
    expect(residual).toBeLessThan(tolerance);
    expect(rank).toMatchObject({ rank: 182, smallest: Math.sqrt(shift) });
    expect(rank?.largest).toBeLessThanOrEqual(Math.sqrt(largest + shift) * (1 + tolerance));
    expect(rank?.largest).toBeGreaterThan(0.5 * Math.sqrt(largest + shift));
    engine.dispose();
  });
});
