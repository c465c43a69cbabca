// Probabilities averaged over the posterior: the integral against a fine sum, the curvature of classes against explicit rows of J, both spaces.
import { describe, expect, it } from "vitest";
import { createEngine, logistic, type Network, network, Random, softmaxCrossEntropy, train } from "../../src/index.js";
import { averageProbabilities, logisticMoments, normalDraws } from "../../src/uncertainty/class-probabilities.js";
import { OutputPredictor } from "../../src/uncertainty/prediction-variance.js";
import { eliminate } from "../helpers/dense.js";

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Midpoint sum over +-12 deviations, 200,000 of them. */
function fine(mean: number, deviation: number): number {
  const n = 200_000;
  let sum = 0;
  for (let k = 0; k < n; k++) {
    const z = -12 + (24 * (k + 0.5)) / n;
    sum += (sigmoid(mean + deviation * z) * Math.exp((-z * z) / 2) * 24) / n;
  }
  return sum / Math.sqrt(2 * Math.PI);
}

describe("the mean of the logistic function", () => {
  it.each([
    [0.3, 0],
    [-2, 0.5],
    [1, 3],
    [4, 10],
    [30, 25],
  ])("over mean %d and deviation %d is that of a fine sum", (mean, deviation) => {
    // Both rules are off by rounding of a hundred terms alone; the tails beyond 8.5 deviations are below 2e-17.
    expect(Math.abs(logisticMoments(mean, deviation).first - fine(mean, deviation))).toBeLessThan(1e-12);
    const { first, second } = logisticMoments(mean, 0);
    expect(Math.abs(first - sigmoid(mean))).toBeLessThan(1e-15);
    expect(Math.abs(second - sigmoid(mean) ** 2)).toBeLessThan(1e-15);
  });
});

describe("the mean of softmax", () => {
  const at = (c: number, psi: number[], covariance: number[]) => {
    const out = { probabilities: new Float64Array(c), deviation: new Float64Array(c) };
    const outputs = { psi: Float64Array.from(psi), covariance: Float64Array.from(covariance) };
    averageProbabilities("softmax", outputs, c, normalDraws(c, 1), out, 0);
    return out;
  };

  it("of two classes is that of the logistic function of their difference", () => {
    const { probabilities, deviation } = at(2, [1, -0.5], [2, 0.5, 0.5, 1]);
    expect(Math.abs(probabilities[0]! - fine(1.5, Math.sqrt(2)))).toBeLessThan(1e-12);
    expect(Math.abs(probabilities[0]! + probabilities[1]! - 1)).toBeLessThan(1e-15);
    expect(Math.abs(deviation[0]! - deviation[1]!)).toBeLessThan(1e-12);
  });

  it("of three, of which one is out of the question, is nearly the same, and draws without a variance give the softmax", () => {
    const { probabilities } = at(3, [1, -0.5, -60], [2, 0.5, 0, 0.5, 1, 0, 0, 0, 0]);
    // 1,024 draws of a probability with a deviation of 0.25, in pairs that cancel most of it: four standard errors are 0.03.
    expect(Math.abs(probabilities[0]! - fine(1.5, Math.sqrt(2)))).toBeLessThan(0.03);
    const certain = at(3, [1, 0, -1], new Array(9).fill(0));
    const sum = Math.E + 1 + 1 / Math.E;
    expect(Math.abs(certain.probabilities[0]! - Math.E / sum)).toBeLessThan(1e-14);
    expect(certain.deviation[0]).toBeLessThan(1e-7);
  });
});

const random = new Random(5);
const draw = (n: number) => Array.from({ length: n }, () => [random.normal(), random.normal()]);
const classOf = ([a = 0, b = 0]: number[]) => (a + 0.5 * random.normal() > 0 ? "right" : b > 0 ? "up" : "down");

/** (J^T Q J + d I)^-1 by elimination, with Q = diag(p) - p p^T of every row, and the rows of J for `rows`. */
async function explicit(net: Network, inputs: number[][], weights: Float64Array, rows: number[][], decay: number) {
  const { inputs: columns } = net.scaling!;
  const scaled = (given: number[][]) =>
    Float64Array.from(given.flatMap((row) => row.map((x, j) => (x - columns.offset[j]!) / columns.scale[j]!)));
  const [c, p] = [net.outputSize, net.parameterCount];
  const jacobian = (given: number[][]) => {
    const data = { sampleCount: given.length, inputs: scaled(given), targets: new Float64Array(given.length * c) };
    return createEngine(net.architecture, data, { backend: "typescript" }).jacobian(net.parameters, 0, given.length);
  };
  const j = await jacobian(inputs);
  const probabilities = net.predict(inputs);
  const a = new Float64Array(p * p);
  for (let i = 0; i < inputs.length; i++)
    for (let s = 0; s < c; s++)
      for (let t = 0; t < c; t++) {
        const one = probabilities[i * c + s]!;
        const q =
          net.link === "softmax"
            ? (s === t ? one : 0) - one * probabilities[i * c + t]!
            : s === t
              ? one * (1 - one)
              : 0;
        for (let k = 0; k < p; k++)
          for (let l = 0; l < p; l++)
            a[k * p + l]! += weights[i]! * q * j[(i * c + s) * p + k]! * j[(i * c + t) * p + l]!;
      }
  for (let k = 0; k < p; k++) a[k * p + k]! += decay;
  const inverse = Array.from({ length: p }, (_, k) => {
    const unit = new Float64Array(p);
    unit[k] = 1;
    return eliminate(a.slice(), unit, p);
  });
  return { inverse, jacobian: await jacobian(rows) };
}

describe.each(["typescript", "native"] as const)("a network of classes on the %s engine", (backend) => {
  it.each([
    [40, "parameters"],
    [6, "samples"],
  ] as const)("of %d rows has the posterior of the explicit Jacobian, in the space of %s", async (n, space) => {
    const inputs = draw(n);
    const targets = [...inputs.slice(0, n - 3).map(classOf), "right", "up", "down"];
    const weights = Float64Array.from({ length: n }, () => 0.5 + random.uniform());
    const loss = softmaxCrossEntropy({ decay: 0.7 });
    const { network: net, uncertainty } = await train(
      network({ layers: [2, 4, 3], seed: 2 }),
      { inputs, targets, weights },
      { backend, loss, uncertainty: true, validation: false },
    );
    expect(net.posterior!.space).toBe(space);
    const rows = draw(5);
    const { inverse, jacobian } = await explicit(net, inputs, weights, rows, 0.7);
    const [c, p] = [3, net.parameterCount];
    const predictor = new OutputPredictor(net, net.posterior!, true, { backend });
    const { inputs: columns } = net.scaling!;
    const scaled = Float64Array.from(
      rows.flatMap((row) => row.map((x, k) => (x - columns.offset[k]!) / columns.scale[k]!)),
    );
    const { covariance } = await predictor.predict(scaled, undefined);
    predictor.dispose();
    // Condition number below 1e3, p^2 eps of it.
    const tolerance = 1e3 * p ** 2 * Number.EPSILON;
    for (let i = 0; i < rows.length; i++)
      for (let s = 0; s < c; s++)
        for (let t = 0; t < c; t++) {
          let exact = 0;
          for (let k = 0; k < p; k++)
            for (let l = 0; l < p; l++)
              exact += jacobian[(i * c + s) * p + k]! * inverse[k]![l]! * jacobian[(i * c + t) * p + l]!;
          expect(Math.abs(covariance[(i * c + s) * c + t]! - exact)).toBeLessThan(tolerance * 10);
        }
    const errors = await uncertainty!.parameterErrors({ backend });
    const whole = await uncertainty!.parameterCovariance({ backend });
    for (let k = 0; k < p; k++) {
      expect(Math.abs(errors[k]! ** 2 - inverse[k]![k]!)).toBeLessThan(tolerance);
      for (let l = 0; l < p; l++) expect(Math.abs(whole[k * p + l]! - inverse[k]![l]!)).toBeLessThan(tolerance);
    }
    const { probabilities } = await uncertainty!.probabilities(rows, { backend, seed: 3 });
    for (let i = 0; i < rows.length; i++)
      expect(Math.abs(probabilities[3 * i]! + probabilities[3 * i + 1]! + probabilities[3 * i + 2]! - 1)).toBeLessThan(
        1e-12,
      );
    expect(await uncertainty!.probabilities(rows, { backend, seed: 3 })).toEqual(
      await uncertainty!.probabilities(rows, { backend, seed: 3 }),
    );
  });

  it("is less sure with logistic than its best guess, and far from the rows not at all", async () => {
    const inputs = draw(60);
    const targets = inputs.map((row) => (classOf(row) === "right" ? 1 : 0));
    const { uncertainty, network: net } = await train(
      network({ layers: [2, 1], seed: 2 }),
      { inputs, targets },
      { backend, loss: logistic({ decay: 0.1 }), uncertainty: true, validation: false },
    );
    const rows = [...draw(20), [1000, 0]];
    const { probabilities, deviation } = await uncertainty!.probabilities(rows, { backend });
    for (const [i, guess] of net.predict(rows).entries()) {
      expect(Math.abs(probabilities[i]! - 0.5)).toBeLessThan(Math.abs(guess - 0.5) + 1e-12);
      expect(deviation[i]).toBeGreaterThan(0);
    }
    const { inverse, jacobian } = await explicit(net, inputs, new Float64Array(60).fill(1), rows, 0.1);
    const p = net.parameterCount;
    for (let i = 0; i < 5; i++) {
      let variance = 0;
      for (let k = 0; k < p; k++)
        for (let l = 0; l < p; l++) variance += jacobian[i * p + k]! * inverse[k]![l]! * jacobian[i * p + l]!;
      const guess = net.predict([rows[i]!])[0]!;
      const exact = fine(Math.log(guess / (1 - guess)), Math.sqrt(variance));
      expect(Math.abs(probabilities[i]! - exact)).toBeLessThan(1e-10);
    }
    expect(uncertainty!.noise).toBeNull();
    await expect(uncertainty!.predict(rows, { backend })).rejects.toThrow(/no interval; use uncertainty.probabilities/);
  });
});
