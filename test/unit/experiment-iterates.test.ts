// The parts of the experiments on iterates and on other losses (damped-iterates.ts, loss-flow.ts) against closed forms: networks without
// hidden layers have a constant J, so that every promise of the lazy regime is exact.
import { describe, expect, it } from "vitest";
import { dampedIterates, promisedFactor } from "../../src/experiment/damped-iterates.js";
import { type FlowLoss, lossFlow } from "../../src/experiment/loss-flow.js";
import { dataset, dormandPrince, flow, network, Random } from "../../src/index.js";
import { eliminate, multiply, transpose } from "../helpers/dense.js";

const alpha = 3;
const context = { threads: 1 } as const;

/** A linear, centered network on n rows of d normal inputs. */
function linearProblem(n: number, d: number, seed: number) {
  const draw = new Random(seed);
  const inputs = Float64Array.from({ length: n * d }, () => draw.normal());
  const targets = Float64Array.from({ length: n }, () => draw.normal());
  // alpha J = alpha (x, 1).
  const J = Float64Array.from({ length: n * (d + 1) }, (_, at) => {
    const [i, j] = [Math.floor(at / (d + 1)), at % (d + 1)];
    return alpha * (j === d ? 1 : inputs[i * d + j]);
  });
  const net = network({ layers: [d, 1], centered: true, outputScale: alpha, seed });
  return { problem: { network: net, data: dataset({ inputs, targets, inputSize: d }) }, J, targets };
}

describe("dampedIterates", () => {
  it("multiplies the residual by mu (K + mu)^-1 at each step", async () => {
    const [n, d, mu] = [5, 8, 20];
    const { problem, J, targets } = linearProblem(n, d, 1);
    const K = multiply(J, transpose(J, n, d + 1), n, d + 1, n);
    const shifted = K.map((value, at) => value + (at % (n + 1) === 0 ? mu : 0));
    const iterates = await dampedIterates(problem, { steps: 4, damping: () => mu }, context);
    let r = targets.map((y) => -y);
    const square = (v: Float64Array) => v.reduce((sum, value) => sum + value * value, 0);
    expect(iterates).toHaveLength(4);
    for (const { factor, promised } of iterates) {
      const next = eliminate(shifted, r, n).map((value) => mu * value);
      // Two solves of a system with condition below 100, a few hundred operations each.
      expect(Math.abs(factor / (square(next) / square(r)) - 1)).toBeLessThanOrEqual(1e4 * Number.EPSILON);
      expect(factor).toBeLessThanOrEqual(promised * (1 + 1e-12));
      r = next;
    }
  });

  it("promises (c/(1+c))^2 for mu = c lambda, whatever lambda is", () => {
    for (const lambda of [1e-9, 1, 1e9])
      for (const c of [0.1, 1, 10])
        expect(Math.abs(promisedFactor(c * lambda, lambda) / (c / (1 + c)) ** 2 - 1)).toBeLessThanOrEqual(
          8 * Number.EPSILON,
        );
  });

  it("ends at rounding: a step without damping reaches the target at once", async () => {
    const { problem } = linearProblem(5, 8, 2);
    const iterates = await dampedIterates(problem, { steps: 9, damping: () => 1e-12 }, context);
    expect(iterates).toHaveLength(1);
    expect(iterates[0].relativeLoss).toBeLessThan(1e-20);
  });
});

const squares: FlowLoss = {
  label: "half of the square",
  terms: (psi, targets) => {
    const gradient = psi.map((value, i) => value - targets[i]);
    const ones = new Float64Array(psi.length).fill(1);
    return { value: gradient.map((e) => (e * e) / 2), gradient, second: ones, metric: ones };
  },
  least: (targets) => new Float64Array(targets.length),
};

/** Strongly convex: l'' = 1 + exp(-e^2/2) (1 - e^2) > 1/2. */
const bell: FlowLoss = {
  label: "square and bell",
  terms: (psi, targets) => {
    const e = psi.map((value, i) => value - targets[i]);
    const second = e.map((x) => 1 + Math.exp((-x * x) / 2) * (1 - x * x));
    return {
      value: e.map((x) => (x * x) / 2 + 1 - Math.exp((-x * x) / 2)),
      gradient: e.map((x) => x + x * Math.exp((-x * x) / 2)),
      second,
      metric: second,
    };
  },
  least: (targets) => new Float64Array(targets.length),
};

describe("lossFlow", () => {
  it("with squared error is `flow` without damping", async () => {
    const { problem } = linearProblem(30, 4, 3);
    const { records, ended } = await lossFlow(problem, squares, 3, context);
    const integrator = dormandPrince({ relativeTolerance: 1e-7, absoluteTolerance: 1e-10 });
    const result = await flow(problem.network, problem.data, { damping: 0, until: 3, standardize: false, integrator });
    expect(ended).toBeNull();
    expect(records[0].excess / result.records[0].objective).toBeCloseTo(1, 12);
    expect(records.at(-1)!.excess / result.records.at(-1)!.objective).toBeCloseTo(1, 6);
    expect(records.at(-1)!.gradientNorm / result.records.at(-1)!.gradientNorm).toBeCloseTo(1, 5);
  });

  it("with an exact factor has a gradient that falls as exp(-t), and the dissipation is -dg/dt", async () => {
    const { problem } = linearProblem(30, 4, 4);
    const { records, ended } = await lossFlow(problem, bell, 4, context);
    expect(ended).toBeNull();
    expect(records.length).toBeGreaterThan(5);
    for (const { time, gradientNorm } of records)
      expect((gradientNorm / records[0].gradientNorm) * Math.exp(time)).toBeCloseTo(1, 4);
    // Simpson's rule needs the midpoint; the trapezoidal one on short steps has the error h^2/12 of its second derivative.
    for (let i = 1; i < records.length; i++) {
      const h = records[i].time - records[i - 1].time;
      const fall = records[i - 1].excess - records[i].excess;
      const mean = 0.5 * (records[i].dissipation + records[i - 1].dissipation);
      expect(Math.abs(fall / (h * mean) - 1)).toBeLessThanOrEqual(h * h);
    }
  });

  it("says why where there is no velocity", async () => {
    // Two equal inputs: J has not full rank.
    const inputs = Array.from({ length: 9 }, (_, i) => [Math.sin(i), Math.sin(i)]);
    const net = network({ layers: [2, 1], centered: true, seed: 1 });
    const problem = { network: net, data: dataset({ inputs, targets: inputs.map(([x]) => x) }) };
    const { records, ended } = await lossFlow(problem, squares, 1, context);
    expect(records).toHaveLength(0);
    expect(ended).toMatch(/rank 2 of 3/);
  });
});
