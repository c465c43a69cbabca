// Deviance of counts, pinball loss of quantiles, and data with exposures: against sums written out, the losses themselves, and the training
// that they make.

import { describe, expect, it } from "vitest";
import {
  countMetrics,
  dataset,
  network,
  poisson,
  quantile,
  quantileMetrics,
  Random,
  train,
  withExposure,
} from "../../src/index.js";
import { lossRule } from "../../src/loss/rules.js";
import { fc } from "../helpers/property.js";

const options = { backend: "typescript", validation: false } as const;

describe("countMetrics", () => {
  it("are sums written out, weighted, one a target", () => {
    const [predictions, targets, weights] = [
      [2, 5, 1, 1, 0.5, 3],
      [1, 5, 0, 2, 3, 0],
      [1, 2, 0.5],
    ];
    const term = (y: number, m: number) => 2 * ((y === 0 ? 0 : y * Math.log(y / m)) - (y - m));
    const expected = [0, 1].map((a) => {
      const rows = [0, 1, 2].map((i) => [targets[2 * i + a]!, predictions[2 * i + a]!, weights[i]!] as const);
      const mean = rows.reduce((sum, [y, , s]) => sum + s * y, 0) / 3.5;
      const total = (of: (y: number, m: number) => number) => rows.reduce((sum, [y, m, s]) => sum + s * of(y, m), 0);
      return { deviance: total(term) / 3.5, explained: 1 - total(term) / total((y) => term(y, mean)) };
    });
    for (const [a, figures] of countMetrics(predictions, targets, ["u", "v"], weights).entries()) {
      expect(figures.target).toBe("uv"[a]);
      expect(figures.deviance).toBeCloseTo(expected[a]!.deviance, 13);
      expect(figures.explained).toBeCloseTo(expected[a]!.explained, 13);
    }
  });

  it("are twice the mean loss of poisson", () => {
    const count = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: -3, max: 4, noNaN: true }), count), { minLength: 1 }), (rows) => {
        const psi = Float64Array.from(rows, ([one]) => one);
        const targets = Float64Array.from(rows, ([, y]) => y);
        const block = { count: rows.length, outputSize: 1, predictions: psi, targets, roots: null, first: 0 };
        const loss = lossRule(poisson()).apply(block, null) / rows.length;
        const [figures] = countMetrics(psi.map(Math.exp), targets, ["y"]);
        expect(Math.abs(figures!.deviance - 2 * loss)).toBeLessThan(1e-12 * (1 + loss));
      }),
    );
  });

  it("are 0 for predictions that are right, infinite for an impossible count, NaN where there is nothing to explain or a mean is negative", () => {
    expect(countMetrics([3, 4], [3, 4], ["y"])).toEqual([{ target: "y", deviance: 0, explained: 1 }]);
    expect(countMetrics([0, 4], [3, 4], ["y"])[0]?.deviance).toBe(Number.POSITIVE_INFINITY);
    expect(countMetrics([0, 4], [0, 4], ["y"])[0]?.deviance).toBe(0);
    expect(countMetrics([1, 2], [3, 3], ["y"])[0]?.explained).toBeNaN();
    expect(countMetrics([-1, 2], [3, 3], ["y"])[0]?.deviance).toBeNaN();
    // A row without a weight takes no part.
    expect(countMetrics([0, 4], [3, 4], ["y"], [0, 1])[0]?.deviance).toBe(0);
  });
});

describe("quantileMetrics", () => {
  it("are sums written out, weighted, one a target", () => {
    const [predictions, targets] = [
      [2, 5, 1, 1, 0.5, 3],
      [1, 5, 0, 2, 3, 0],
    ];
    const [first, second] = quantileMetrics(predictions, targets, ["u", "v"], 0.9, [1, 2, 0.5]);
    // Errors 1, 1, -2.5 and 0, -1, 3.
    expect(first?.pinball).toBeCloseTo((0.1 * 1 + 2 * 0.1 * 1 + 0.5 * 0.9 * 2.5) / 3.5, 14);
    expect(first?.below).toBeCloseTo(3 / 3.5, 14);
    expect(second?.pinball).toBeCloseTo((2 * 0.9 * 1 + 0.5 * 0.1 * 3) / 3.5, 14);
    expect(second?.below).toBeCloseTo(1.5 / 3.5, 14);
    expect(() => quantileMetrics([1], [1], ["y"], 1)).toThrow(/^tau must be a number above 0 and below 1; received 1/);
    expect(() => quantileMetrics([1, 2], [1], ["y"], 0.5)).toThrow(/^predictions must have the length of targets/);
  });

  it("have the share tau below a network that was trained for it", async () => {
    const random = new Random(6, 1);
    const inputs = Array.from({ length: 400 }, () => [2 * random.uniform()]);
    // Noise that grows with x: its 0.9 quantile is no shift of the mean.
    const targets = inputs.map(([x]) => x! + (0.1 + 0.4 * x!) * random.normal());
    const loss = quantile({ tau: 0.9, decay: 1e-3 });
    const { network: net } = await train(
      network({ layers: [1, 3, 1], seed: 1 }),
      { inputs, targets },
      { ...options, loss },
    );
    const [figures] = quantileMetrics(net.predict(inputs), targets, ["y"], 0.9);
    // The smoothing and the decay move the share by less than a fiftieth.
    expect(Math.abs((figures?.below ?? 0) - 0.9)).toBeLessThan(0.02);
    for (const x of [0.4, 1.6]) {
      const expected = x + 1.2816 * (0.1 + 0.4 * x);
      // The standard error of a 0.9 quantile of some 100 rows is 0.17 deviations.
      expect(Math.abs(net.predict([[x]])[0]! - expected)).toBeLessThan(0.6 * (0.1 + 0.4 * x));
    }
  });
});

describe("withExposure", () => {
  const random = new Random(8, 1);
  const inputs = Array.from({ length: 60 }, () => [random.normal()]);
  const exposure = inputs.map(() => 0.5 + 3 * random.uniform());
  const counts = inputs.map(([x], i) => Math.floor(exposure[i]! * Math.exp(0.5 * x! + 1) + random.uniform()));

  it("makes rates and weights", () => {
    const set = withExposure(dataset({ inputs, targets: counts, weights: inputs.map(() => 2) }), exposure);
    expect([...set.targets]).toEqual(counts.map((count, i) => count / exposure[i]!));
    expect([...(set.weights ?? [])]).toEqual(exposure.map((one) => 2 * one));
    const two = withExposure({ inputs: [[1], [2]], targets: [[4, 8], [3, 6]] }, [2, 3]); // biome-ignore format: rows
    expect([...two.targets]).toEqual([2, 4, 1, 2]);
    expect([...(two.weights ?? [])]).toEqual([2, 3]);
  });

  it("fits the likelihood of the counts: the score equations of log-linear rates hold", async () => {
    const { network: net } = await train(
      network({ layers: [1, 1], seed: 1 }),
      withExposure({ inputs, targets: counts }, exposure),
      {
        ...options,
        loss: poisson(),
        stop: { gradient: 1e-10, reduction: 0, step: 0 },
      },
    );
    const rates = net.predict(inputs);
    // Sum of (count - exposure rate), and the same times x, are 0 at the maximum of the likelihood.
    const total = counts.reduce((sum, count) => sum + count, 0);
    for (const factor of [() => 1, (i: number) => inputs[i]![0]!]) {
      const score = counts.reduce((sum, count, i) => sum + factor(i) * (count - exposure[i]! * rates[i]!), 0);
      expect(Math.abs(score)).toBeLessThan(1e-7 * total);
    }
  });

  it("refuses what is no exposure", () => {
    const data = { inputs: [[1], [2]], targets: [1, 2] };
    expect(() => withExposure(data, [1])).toThrow(/^exposure must be 2 numbers, one a sample/);
    expect(() => withExposure(data, [1, 0])).toThrow(/^exposure\[1\] must be above 0; received 0/);
    expect(() => withExposure({ ...data, targets: [1e300, 2] }, [1e-300, 1])).toThrow(
      /^exposure\[0\] must leave the rate/,
    );
  });
});
