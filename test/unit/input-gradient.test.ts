// Gradients by the inputs, and the exact derivative of a penalty on them by the parameters: finite differences of both, for every activation.
import { describe, expect, it } from "vitest";
import { finish } from "../../src/event-loop-yield.js";
import { network, Random } from "../../src/index.js";
import { ACTIVATION_NAMES } from "../../src/network/activations.js";
import { predictions } from "../../src/network/forward.js";
import { gradientPenaltySteps, inputGradientSteps } from "../../src/network/input-gradient.js";

const inputGradients = (...args: Parameters<typeof inputGradientSteps>) => finish(inputGradientSteps(...args));
const addGradientPenalty = (...args: Parameters<typeof gradientPenaltySteps>) => finish(gradientPenaltySteps(...args));

function normals(count: number, seed: number): Float64Array {
  const random = new Random(seed, 3);
  return Float64Array.from({ length: count }, () => random.normal());
}

/** The penalties of the games: R1 and the gradient penalty. */
const TERMS = [
  ["R1", (s: number) => ({ value: 0.35 * s * s, factor: 0.7 })],
  ["gradient penalty", (s: number) => ({ value: 0.7 * (s - 1) ** 2, factor: s > 0 ? 1.4 * (1 - 1 / s) : 0 })],
] as const;

const net = (activation: (typeof ACTIVATION_NAMES)[number], bias = true) =>
  network({ layers: [3, 5, 4, 1], activation, bias, seed: 2, outputScale: 1.3 });

/** Largest difference of entries, relative to the largest entry. */
function distance(a: Float64Array, b: Float64Array): number {
  const most = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, k) => Math.abs(value - b[k]!))) / most;
}

// Central differences of step h: error h^2 of the third derivative and eps/h of rounding; both are near 1e-10 at h = 1e-5.
const h = 1e-5;
const TOLERANCE = 2e-8;

describe.each(ACTIVATION_NAMES)("%s", (activation) => {
  it("the gradients by the inputs are the differences of the outputs", () => {
    const { architecture, parameters } = net(activation);
    // More rows than one block of passes.
    const inputs = normals(3 * 130, 1);
    const { outputs, gradients } = inputGradients(architecture, parameters, inputs, (block) => block.map((f) => f));
    const at = (x: Float64Array) => predictions(architecture, parameters, x);
    expect([...outputs]).toEqual([...at(inputs)]);
    const differences = new Float64Array(inputs.length);
    for (let k = 0; k < 3; k++) {
      const moved = (sign: number) => at(inputs.map((value, j) => (j % 3 === k ? value + sign * h : value)));
      const [ahead, behind] = [moved(1), moved(-1)];
      // Seeds are the outputs themselves.
      for (let i = 0; i < 130; i++) differences[3 * i + k] = (outputs[i]! * (ahead[i]! - behind[i]!)) / (2 * h);
    }
    expect(distance(gradients, differences)).toBeLessThan(TOLERANCE);
  });

  it.each(TERMS)("the derivative of %s is the difference of its value", (_, term) => {
    for (const bias of [true, false]) {
      const { architecture, parameters } = net(activation, bias);
      const inputs = normals(3 * 130, 4);
      const gradient = new Float64Array(parameters.length);
      const value = addGradientPenalty(architecture, parameters, inputs, term, gradient);
      // The value alone has the same bits.
      const at = (w: Float64Array) => addGradientPenalty(architecture, w, inputs, term, null);
      expect(at(parameters)).toBe(value);
      const differences = parameters.map((_one, j) => {
        const moved = (sign: number) => at(parameters.map((w, k) => (k === j ? w + sign * h : w)));
        return (moved(1) - moved(-1)) / (2 * h);
      });
      expect(distance(gradient, differences)).toBeLessThan(TOLERANCE);
    }
  });
});

it("the penalty is the sum over the lengths of the gradients, and adds to what is there", () => {
  const { architecture, parameters } = net("tanh");
  const inputs = normals(3 * 7, 5);
  const { gradients } = inputGradients(architecture, parameters, inputs, (block) => block.map(() => 1));
  const lengths = Array.from({ length: 7 }, (_, i) => Math.hypot(...gradients.subarray(3 * i, 3 * i + 3)));
  const once = new Float64Array(parameters.length);
  const term = TERMS[0][1];
  const value = addGradientPenalty(architecture, parameters, inputs, term, once);
  const expected = lengths.reduce((sum, s) => sum + term(s).value, 0);
  expect(Math.abs(value - expected)).toBeLessThan(16 * 7 * Number.EPSILON * expected);
  const twice = once.slice();
  addGradientPenalty(architecture, parameters, inputs, term, twice);
  expect(
    distance(
      twice,
      once.map((one) => 2 * one),
    ),
  ).toBeLessThan(16 * 7 * Number.EPSILON);
});
