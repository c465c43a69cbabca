// Networks as users meet them: layout of the parameters, initializations, input derivatives, misuse.
import { describe, expect, it } from "vitest";
import { network, standardize } from "../../src/index.js";
import { waves } from "../helpers/problems.js";

describe("the flat parameter vector", () => {
  it("holds W row-major (out x in), then b, layer after layer", () => {
    const net = network({ layers: [2, 3, 1] });
    const map = net.parameterMap();
    expect(map.map(({ name, offset, rows, columns }) => [name, offset, rows, columns])).toEqual([
      ["W1", 0, 3, 2],
      ["b1", 6, 3, 1],
      ["W2", 9, 1, 3],
      ["b2", 12, 1, 1],
    ]);
    // By hand: hidden unit 1 sees inputs (1, 10) through row 1 of W1.
    const w = Float64Array.from([0, 0, 0.2, 0.03, 0, 0, 0, 0.1, 0, 0, 5, 0, 7]);
    expect(net.withParameters(w).predict([[1, 10]])[0]).toBeCloseTo(5 * Math.tanh(0.2 + 0.3 + 0.1) + 7, 14);
  });

  it("has no biases where they are off", () => {
    expect(network({ layers: [2, 3, 1], bias: false }).parameterCount).toBe(9);
    expect(network({ layers: [2, 3, 1], bias: [true, false] }).parameterCount).toBe(12);
  });
});

describe("initializations", () => {
  const deviation = (values: Float64Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  // 200 x 100 weights: the sample deviation is within 5 / sqrt(2 * 20000) of the population's.
  it.each([
    ["lecun-normal", 1 / Math.sqrt(100)],
    ["lecun-uniform", 1 / Math.sqrt(100)],
    ["glorot-normal", Math.sqrt(2 / 300)],
    ["glorot-uniform", Math.sqrt(2 / 300)],
    ["he-normal", Math.sqrt(2 / 100)],
    ["he-uniform", Math.sqrt(2 / 100)],
    ["ntk", 1],
  ] as const)("%s has its deviation", (initialization, expected) => {
    const net = network({ layers: [100, 200, 1], initialization, seed: 1 });
    expect(Math.abs(deviation(net.parameters.slice(0, 20000)) / expected - 1)).toBeLessThan(5 / Math.sqrt(40000));
  });

  it("are the same for a seed and others for another", () => {
    const one = network({ layers: [3, 4, 1], seed: 7 }).parameters;
    expect(network({ layers: [3, 4, 1], seed: 7 }).parameters).toEqual(one);
    expect(network({ layers: [3, 4, 1], seed: 8 }).parameters).not.toEqual(one);
  });

  it("symmetric predicts 0 at the start, and wants an even width", () => {
    const net = network({ layers: [3, 8, 2], initialization: "symmetric", seed: 1 });
    const outputs = net.predict([
      [1, 2, 3],
      [-4, 5, 6],
    ]);
    // Pairs cancel up to the rounding of a sum of 8 terms of order 1.
    expect(Math.max(...outputs.map(Math.abs))).toBeLessThan(8 * 4 * Number.EPSILON);
    expect(() => network({ layers: [3, 7, 2], initialization: "symmetric" })).toThrow(/even/);
  });
});

describe("inputJacobian", () => {
  it("is the derivative of raw predictions by raw inputs", () => {
    const data = waves(40, 3, 2, 3);
    for (const centered of [false, true]) {
      const net = network({ layers: [3, 6, 4, 2], activation: "silu", centered, seed: 2 }).withScaling(
        standardize(data),
      );
      const moved = net.withParameters(net.parameters.map((value, j) => value + 0.1 * Math.sin(j)));
      const x = [0.3, -0.2, 0.7];
      const jacobian = moved.inputJacobian(x);
      const h = 1e-5;
      for (let k = 0; k < 3; k++) {
        const shifted = (by: number) => moved.predict([x.map((value, i) => (i === k ? value + by : value))]);
        const [up, down] = [shifted(h), shifted(-h)];
        // h^2 of truncation and eps / h of rounding.
        for (let a = 0; a < 2; a++)
          expect(Math.abs((up[a] - down[a]) / (2 * h) - jacobian[a * 3 + k])).toBeLessThan(1e-8);
      }
    }
  });
});

describe("misuse", () => {
  it.each([
    [{ layers: [3] }, /layers/],
    [{ layers: [3, 0, 1] }, /layers\[1\].*0/],
    [{ layers: [3, 4, 1], activation: "tahn" }, /activation.*tahn/],
    [{ layers: [3, 4, 1], activation: ["tanh", "tanh"] }, /one entry a hidden layer/],
    [{ layers: [3, 4, 1], sed: 1 }, /did you mean "seed"/],
    [{ layers: [3, 4, 1], outputScale: 0 }, /outputScale.*0/],
    [{ layers: [3, 4, 1], seed: -1 }, /seed.*-1/],
  ])("%j is refused by name", (options, message) => {
    expect(() => network(options as never)).toThrow(message);
  });

  it("wrong inputs of predict are refused with row and column", () => {
    const net = network({ layers: [2, 1] });
    expect(() => net.predict([[1, 2], [3]])).toThrow(/inputs, row 2.*2 numbers/);
    expect(() => net.predict([[1, Number.POSITIVE_INFINITY]])).toThrow(/row 1, column 2.*Infinity/);
    expect(() => net.predict(new Float64Array(3))).toThrow(/whole rows of 2/);
    expect(() => net.withParameters(new Float64Array(2))).toThrow(/3 numbers/);
  });
});
