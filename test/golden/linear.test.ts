// Closed forms: a network without hidden layers is linear regression, and one Gauss-Newton step solves it exactly.
import { describe, expect, it } from "vitest";
import { gaussNewton, network, Random, train } from "../../src/index.js";
import { householderSolve } from "../helpers/qr.js";

function sample(n: number, d: number, seed: number) {
  const random = new Random(seed, 9);
  const inputs = Array.from({ length: n }, () => Array.from({ length: d }, () => random.normal()));
  const targets = inputs.map((row) => row.reduce((sum, x, k) => sum + (k + 1) * x, 3) + random.normal());
  return { inputs, targets };
}

/** Coefficients and intercept by an independent QR. */
function ordinaryLeastSquares(inputs: number[][], targets: number[], weights: number[] | null = null): Float64Array {
  const columns = inputs[0].length + 1;
  const root = (i: number) => Math.sqrt(weights === null ? 1 : weights[i]);
  const a = Float64Array.from(inputs.flatMap((row, i) => [...row, 1].map((x) => root(i) * x)));
  const b = Float64Array.from(targets, (y, i) => root(i) * y);
  return householderSolve(a, inputs.length, columns, b) as Float64Array;
}

describe.each(["native", "typescript"] as const)("a linear network, %s engine", (backend) => {
  it("is ordinary least squares after one Gauss-Newton step", async () => {
    const { inputs, targets } = sample(200, 6, 1);
    const result = await train(
      network({ layers: [6, 1], seed: 5 }),
      { inputs, targets },
      {
        method: gaussNewton({ lineSearch: false }),
        validation: false,
        standardize: false,
        backend,
        stop: { iterations: 1 },
      },
    );
    const expected = ordinaryLeastSquares(inputs, targets);
    // Normal equations with condition below 10 and one refinement: a few eps times the size of the coefficients.
    expect(Math.max(...expected.map((value, j) => Math.abs(value - result.network.parameters[j])))).toBeLessThan(1e-12);
  });

  it("is weighted least squares with sample weights, and weight 2 is a sample twice", async () => {
    const { inputs, targets } = sample(60, 3, 2);
    const weights = inputs.map((_, i) => (i % 3 === 0 ? 2 : 1));
    const options = {
      method: gaussNewton({ lineSearch: false }),
      validation: false,
      standardize: false,
      backend,
      stop: { iterations: 1 },
    } as const;
    const net = network({ layers: [3, 1], seed: 1 });
    const weighted = await train(net, { inputs, targets, weights }, options);
    const twice = [...inputs, ...inputs.filter((_, i) => i % 3 === 0)];
    const twiceTargets = [...targets, ...targets.filter((_, i) => i % 3 === 0)];
    const doubled = await train(net, { inputs: twice, targets: twiceTargets }, options);
    const expected = ordinaryLeastSquares(inputs, targets, weights);
    for (const { last } of [weighted, doubled])
      expect(Math.max(...expected.map((value, j) => Math.abs(value - last.parameters[j])))).toBeLessThan(1e-12);
  });

  it("weight 2 gives the steps of a sample twice, on a network that is not linear", async () => {
    const { inputs, targets } = sample(40, 3, 4);
    const heavy = (_: unknown, i: number) => i % 3 === 0;
    const net = network({ layers: [3, 5, 1], seed: 1 });
    const options = { validation: false, standardize: false, backend, stop: { iterations: 3 } } as const;
    const weighted = await train(
      net,
      { inputs, targets, weights: inputs.map((_, i) => (heavy(_, i) ? 2 : 1)) },
      options,
    );
    const doubled = await train(
      net,
      { inputs: [...inputs, ...inputs.filter(heavy)], targets: [...targets, ...targets.filter(heavy)] },
      options,
    );
    // The same sums in another order: rounding of n eps a step (1.3e-14), times a modest condition of the damped system.
    expect(weighted.iterations).toBe(3);
    expect(Math.abs(weighted.loss / doubled.loss - 1)).toBeLessThan(1e-11);
    const gap = weighted.last.parameters.map((value, j) => Math.abs(value - doubled.last.parameters[j]));
    expect(Math.max(...gap)).toBeLessThan(1e-11);
  });

  it("is ridge regression with weight decay, in both routes", async () => {
    const { inputs, targets } = sample(30, 4, 3);
    const decay = 2.5;
    const a = Float64Array.from([
      ...inputs.flatMap((row) => [...row, 1]),
      ...Array.from({ length: 25 }, (_, k) => (k % 6 === 0 ? Math.sqrt(decay) : 0)),
    ]);
    const expected = householderSolve(a, 35, 5, Float64Array.from([...targets, 0, 0, 0, 0, 0])) as Float64Array;
    const { squaredError } = await import("../../src/index.js");
    for (const route of ["primal", "dual"] as const) {
      const result = await train(
        network({ layers: [4, 1], seed: 1 }),
        { inputs, targets },
        {
          loss: squaredError({ decay }),
          method: gaussNewton({ lineSearch: false }),
          validation: false,
          standardize: false,
          backend,
          route,
          stop: { iterations: 1 },
        },
      );
      expect(Math.max(...expected.map((value, j) => Math.abs(value - result.last.parameters[j])))).toBeLessThan(1e-12);
    }
  });
});
