// The estimates of Bayesian regularization against closed forms of a linear model, whose evidence is a Gaussian density, and the quadrature
// that stands for a spectrum against traces that are known.
import { describe, expect, it } from "vitest";
import { symmetricEigen } from "../../src/algebra/symmetric-eigen.js";
import { Pace } from "../../src/event-loop-yield.js";
import { bayesianRegularization, network, Random, train } from "../../src/index.js";
import { effectiveParameters, evidenceOf, nextDecay } from "../../src/method/bayesian/evidence.js";
import { PROBES, quadrature } from "../../src/spectrum/quadrature.js";

const random = new Random(5, 0);
const [n, p] = [12, 4];
const x = Array.from({ length: n }, () => Array.from({ length: p }, () => random.normal()));
const y = x.map((row) => row[0]! - 0.5 * row[1]! + 0.3 * random.normal());

/** Eliminates the columns of a symmetric positive definite matrix: its solution for `right`, and the logarithm of its determinant. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]) {
  const a = matrix.map((row, i) => [...row, right[i]!]);
  let logDeterminant = 0;
  for (let k = 0; k < a.length; k++) {
    logDeterminant += Math.log(a[k]![k]!);
    for (let i = 0; i < a.length; i++) {
      if (i === k) continue;
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j <= a.length; j++) a[i]![j]! -= factor * a[k]![j]!;
    }
  }
  return { solution: a.map((row, i) => row.at(-1)! / row[i]!), logDeterminant };
}

const inner = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

/** G of the design, its spectrum, and the fit with a decay. */
async function linearFit(decay: number) {
  const gram = Array.from({ length: p }, (_, j) =>
    Array.from({ length: p }, (_, k) => x.reduce((sum, row) => sum + row[j]! * row[k]!, 0)),
  );
  const damped = gram.map((row, j) => row.map((value, k) => value + (j === k ? decay : 0)));
  const slope = Array.from({ length: p }, (_, j) =>
    inner(
      x.map((row) => row[j]!),
      y,
    ),
  );
  const { solution: w } = solve(damped, slope);
  const residuals = x.map((row, i) => inner(row, w) - y[i]!);
  const fit = { loss: inner(residuals, residuals) / 2, parameterSquare: inner(w, w), equations: n };
  const { values } = await symmetricEigen(Float64Array.from(gram.flat()), p, false, new Pace(undefined));
  return { spectrum: { values, weights: null }, fit };
}

/** log N(y; 0, I / beta + X X^T / alpha). */
function density(alpha: number, beta: number): number {
  const covariance = x.map((a, i) => x.map((b, j) => inner(a, b) / alpha + (i === j ? 1 / beta : 0)));
  const { solution, logDeterminant } = solve(covariance, y);
  return -0.5 * (inner(y, solution) + logDeterminant + n * Math.log(2 * Math.PI));
}

describe("a linear model", () => {
  it.each([1e-3, 0.3, 20])("has the evidence of its Gaussian density, decay %f", async (decay) => {
    const { spectrum, fit } = await linearFit(decay);
    const beta = n / (2 * fit.loss + decay * fit.parameterSquare);
    // A few hundred operations on numbers of size 1 to 100.
    expect(evidenceOf(spectrum, fit, decay).logEvidence).toBeCloseTo(density(decay * beta, beta), 10);
    expect(density(decay * beta, beta * 1.01)).not.toBeCloseTo(density(decay * beta, beta), 4);
  });

  it("has at the fixed point of the update the largest density of all decays and noises", async () => {
    let decay = 1;
    for (let k = 0; k < 500; k++) {
      const { spectrum, fit } = await linearFit(decay);
      decay = nextDecay(effectiveParameters(spectrum, decay), fit);
    }
    const { spectrum, fit } = await linearFit(decay);
    const { noise, logEvidence } = evidenceOf(spectrum, fit, decay);
    const beta = noise ** -2;
    expect(logEvidence).toBeCloseTo(density(decay * beta, beta), 9);
    for (const factor of [0.9, 1.1]) {
      expect(density(decay * beta * factor, beta)).toBeLessThan(logEvidence);
      expect(density(decay * beta, beta * factor)).toBeLessThan(logEvidence);
    }
  });

  it.each(["primal", "dual"] as const)("is trained to that fixed point, %s route", async (route) => {
    let decay = 1;
    for (let k = 0; k < 500; k++) {
      const { spectrum, fit } = await linearFit(decay);
      decay = nextDecay(effectiveParameters(spectrum, decay), fit);
    }
    const { spectrum, fit } = await linearFit(decay);
    const expected = evidenceOf(spectrum, fit, decay);
    const net = network({ layers: [p, 1], bias: false, seed: 1 });
    const { evidence, lossUsed } = await train(
      net,
      { inputs: x, targets: y },
      { method: bayesianRegularization(), standardize: false, route, backend: "typescript" },
    );
    // An update that would change the decay by less than 1e-3 leaves it.
    expect(Math.abs(Math.log(evidence!.decay / decay))).toBeLessThan(1e-2);
    expect(evidence!.effectiveParameters).toBeCloseTo(expected.effectiveParameters, 2);
    expect(evidence!.noise).toBeCloseTo(expected.noise, 3);
    // Stationary in the decay: the error is of second order.
    expect(evidence!.logEvidence).toBeCloseTo(expected.logEvidence, 4);
    expect(lossUsed.decay).toBe(evidence!.decay);
  });
});

describe("the quadrature", () => {
  const product = (values: Float64Array) => async (block: Float64Array) =>
    block.map((value, k) => value * values[k % values.length]!);

  it("has the traces of a diagonal operator, whose probes are signs", async () => {
    const values = Float64Array.from({ length: 30 }, (_, k) => 10 ** (k / 10 - 1));
    const found = await quadrature(values.length, product(values));
    for (const decay of [1e-2, 1, 100]) {
      const expected = effectiveParameters({ values, weights: null }, decay);
      // Without a second orthogonalization the last of 30 values come slowly.
      expect(Math.abs(effectiveParameters(found, decay) / expected - 1)).toBeLessThan(1e-5);
    }
  });

  it("estimates those of a rotated one, with nodes that add up to the order and copies of large values", async () => {
    const order = 400;
    // Householder's reflection of a spectrum with a few large values and many small ones.
    const values = Float64Array.from({ length: order }, (_, k) => (k < 8 ? 1e4 / (k + 1) : 50 / (k + 1) ** 2));
    const axis = Float64Array.from({ length: order }, () => random.normal());
    const square = axis.reduce((sum, value) => sum + value * value, 0);
    const reflect = (v: Float64Array) => {
      const share = (2 * v.reduce((sum, value, k) => sum + value * axis[k]!, 0)) / square;
      return v.map((value, k) => value - share * axis[k]!);
    };
    const found = await quadrature(order, async (block) => {
      const out = new Float64Array(block.length);
      for (let at = 0; at < block.length; at += order) {
        const turned = reflect(block.subarray(at, at + order)).map((value, k) => value * values[k]!);
        out.set(reflect(turned), at);
      }
      return out;
    });
    expect(found.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(order, 6);
    for (const decay of [0.1, 1]) {
      const expected = effectiveParameters({ values, weights: null }, decay);
      const error = Math.abs(effectiveParameters(found, decay) / expected - 1);
      // Three standard deviations of the mean over the probes.
      expect(error).toBeLessThan(3 * Math.sqrt(2 / (PROBES * expected)));
    }
  });
});
