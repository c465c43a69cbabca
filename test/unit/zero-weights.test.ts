// A sample of weight 0 is no equation: whatever counts them - regime, default damping, plan, advice, degrees of freedom - gives the
// answer that the other samples alone give.
import { describe, expect, it } from "vitest";
import {
  checkAssumptions,
  discretizationGap,
  flow,
  monitor,
  network,
  recommendOutputScale,
  train,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const { inputs, targets } = waves(20, 2, 1, 1);
const weights = Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? 1 : 0));
const rows = weights.flatMap((weight, i) => (weight > 0 ? [i] : []));
const data = { inputs, targets, inputSize: 2, weights };
const alone = {
  inputs: rows.map((i) => Array.from(inputs.subarray(2 * i, 2 * i + 2))),
  targets: rows.map((i) => targets[i]),
};
// 13 parameters: at most 20 equations, more than 5.
const net = network({ layers: [2, 3, 1], centered: true, seed: 1, outputScale: 100 });
const backend = "typescript";

describe("samples of weight 0", () => {
  it("leave the flow in the regime of the others", async () => {
    const options = { until: 2, backend } as const;
    const whole = await flow(net, data, { ...options, monitor: monitor() });
    const part = await flow(net, alone, { ...options, monitor: monitor() });
    expect(whole.chosen).toMatch(/^spectral damping .* dual route \(13 parameters are more than 5 equations\)/);
    expect(whole.chosen).toBe(part.chosen);
    expect(whole.last.parameters).toEqual(part.last.parameters);
    expect(whole.monitor).toEqual({ ...part.monitor, records: whole.monitor?.records });
    const attainable = whole.monitor?.rate?.attainable;
    expect(attainable).toEqual(expect.any(Number));
    expect(attainable).not.toBe(2);
  });
  it("and the plan, the convergence test and the method of training", async () => {
    const options = { backend, validation: false } as const;
    const whole = await train(net, data, { ...options, monitor: monitor() });
    const part = await train(net, alone, { ...options, monitor: monitor() });
    // The bytes may differ: the caller's rows are there all the same.
    const decided = ({ route, parameterCount, equationCount, because }: typeof whole.plan) => [
      route,
      parameterCount,
      equationCount,
      because,
    ];
    expect(decided(whole.plan)).toEqual(decided(part.plan));
    expect(whole.plan.equationCount).toBe(5);
    expect(whole.network.parameters).toEqual(part.network.parameters);
    expect(whole.monitor?.converged).toEqual(part.monitor?.converged);
  });
  it("and a split drawn in training", async () => {
    const half = weights.map((_, i) => i % 2);
    const { plan } = await train(
      net,
      { ...data, weights: half },
      { backend, validation: 0.3, stop: { iterations: 1 } },
    );
    expect(plan.equationCount).toBeLessThanOrEqual(10);
  });
  it("and advice", async () => {
    const found = await checkAssumptions(net, data, { backend });
    expect(found).toEqual(await checkAssumptions(net, alone, { backend }));
    expect(found).toMatchObject({ regime: "over", equationCount: 5 });
    expect(await recommendOutputScale(net, data, { backend })).toEqual(
      await recommendOutputScale(net, alone, { backend }),
    );
  });
});

it("a gap at a start without residual is 0, not NaN", async () => {
  const reached = { inputs: alone.inputs, targets: alone.targets.map(() => 0) };
  const { rows: found } = await discretizationGap(net, reached, { step: 1, steps: 1 }, { backend, standardize: false });
  expect(found.map(({ predictions }) => predictions)).toEqual([0]);
});

it("the monitor's floors go with the weights: all of them 1e-150 change no rate and no verdict", async () => {
  const light = { inputs, targets, inputSize: 2, weights: weights.map(() => 1e-150) };
  const one = await flow(net, light, { until: 8, backend, monitor: monitor() });
  const other = await flow(net, { inputs, targets, inputSize: 2 }, { until: 8, backend, monitor: monitor() });
  expect(one.monitor?.verdict.code).toBe(other.monitor?.verdict.code);
  const [a, b] = [one.monitor?.rate, other.monitor?.rate];
  expect(a?.points).toBe(b?.points);
  // The same trajectory but for rounding, which conditioning magnifies; steps are chosen at a tolerance of 1e-6.
  expect(Math.abs((a?.measured ?? 0) - (b?.measured ?? 1))).toBeLessThan(1e-4);
});
