// Minima of losses that are known in closed form, a mean that overflows on the way, weights as repeated rows, and several binary targets.
import { describe, expect, it } from "vitest";
import {
  huber,
  type Loss,
  levenbergMarquardt,
  logCosh,
  logistic,
  network,
  networkOf,
  poisson,
  pseudoHuber,
  quantile,
  softmaxCrossEntropy,
  train,
} from "../../src/index.js";
import { CASES, dataOf, inputs, TARGETS, type TargetsKind } from "../helpers/loss-targets.js";

const BACKEND = "typescript" as const;
const netOf = (kind: TargetsKind, hidden = 4) =>
  network({ layers: [2, hidden, TARGETS[kind][0]?.length ?? 1], seed: 2 });
const common = { backend: BACKEND, validation: false } as const;

describe("the mean of a constant model", () => {
  // Without inputs that matter the best bias is known: the log-odds of the share, the logarithm of the shares, the Huber location.
  const constant = { inputs: Array.from({ length: 8 }, () => [0]), bias: { layers: [1, 1] } };

  it("logistic: the share of ones", async () => {
    const targets = [1, 1, 1, 0, 0, 0, 0, 0].map((y) => [y]);
    const { network: net, loss } = await train(
      network({ layers: [1, 1], seed: 1 }),
      { inputs: constant.inputs, targets },
      { ...common, loss: logistic(), standardize: false, stop: { gradient: 1e-12, reduction: 0, step: 0 } },
    );
    expect(net.link).toBe("logistic");
    // Near its minimum the objective sees an error of psi squared: it is found to the root of the rounding, some 1e-8.
    expect(net.predict([[0]])[0]).toBeCloseTo(3 / 8, 7);
    expect(loss).toBeCloseTo(-(3 / 8) * Math.log(3 / 8) - (5 / 8) * Math.log(5 / 8), 10);
  });

  it("softmax: the shares of the classes", async () => {
    const targets = [0, 0, 0, 0, 1, 1, 2, 2].map((k) => [0, 1, 2].map((a) => (a === k ? 1 : 0)));
    const { network: net } = await train(
      network({ layers: [1, 3], seed: 1 }),
      { inputs: constant.inputs, targets },
      { ...common, loss: softmaxCrossEntropy(), standardize: false, stop: { gradient: 1e-12, reduction: 0, step: 0 } },
    );
    for (const [a, share] of [0.5, 0.25, 0.25].entries()) expect(net.predict([[0]])[a]).toBeCloseTo(share, 7);
  });

  it("Huber: the location that outliers move by delta alone", async () => {
    // 0, 0, 0, 0, 0, 0, 0 and 1000: 7 m = 1 at the location m.
    const targets = [0, 0, 0, 0, 0, 0, 0, 1000].map((y) => [y]);
    const { network: net } = await train(
      network({ layers: [1, 1], seed: 1 }),
      { inputs: constant.inputs, targets },
      { ...common, loss: huber({ delta: 1 }), standardize: false, stop: { gradient: 1e-12, reduction: 0, step: 0 } },
    );
    expect(net.predict([[0]])[0]).toBeCloseTo(1 / 7, 7);
  });
});

describe("the best constant", () => {
  const inputs = Array.from({ length: 8 }, () => [0]);
  const stop = { gradient: 1e-12, reduction: 0, step: 0 };
  const fitted = async (targets: readonly number[], loss: Loss) => {
    const { network: net } = await train(
      network({ layers: [1, 1], seed: 1 }),
      { inputs, targets },
      { ...common, loss, standardize: false, stop },
    );
    return net.predict([[0]])[0] as number;
  };

  it("Poisson: the mean of the counts", async () => {
    expect(await fitted([0, 3, 1, 9, 2, 2, 0, 7], poisson())).toBeCloseTo(3, 6);
  });

  it("log-cosh and pseudo-Huber: where their slopes sum to 0", async () => {
    const targets = [0, 0, 1, 2, 2, 3, 50, 70];
    const psi = await fitted(targets, logCosh());
    expect(targets.reduce((sum, y) => sum + Math.tanh(psi - y), 0)).toBeCloseTo(0, 6);
    const other = await fitted(targets, pseudoHuber({ delta: 0.5 }));
    const slope = (e: number) => e / Math.sqrt(1 + (2 * e) ** 2);
    expect(targets.reduce((sum, y) => sum + slope(other - y), 0)).toBeCloseTo(0, 6);
  });

  it("quantile: where the share of the targets, each smoothed, is tau", async () => {
    const targets = [0, 1, 2, 3, 4, 5, 6, 7];
    const psi = await fitted(targets, quantile({ tau: 0.7, smoothing: 0.2 }));
    const share = targets.reduce((sum, y) => sum + 1 / (1 + Math.exp((y - psi) / 0.2)), 0) / 8;
    expect(share).toBeCloseTo(0.7, 7);
    expect(psi).toBeGreaterThan(4.5);
    expect(psi).toBeLessThan(5.5);
  });
});

describe("a mean that overflows", () => {
  it("is a rejected trial, and the training goes on to the minimum", async () => {
    // From the mean exp(-9) an undamped step adds (1000 - m) / m = 8e6 to the output.
    const net = networkOf({ layers: [1, 1], parameters: [0, -9] });
    const data = { inputs: [[0], [0]], targets: [900, 1100] };
    const method = levenbergMarquardt({ initialDamping: 1e-12 });
    const {
      records,
      reason,
      network: trained,
    } = await train(net, data, {
      ...common,
      method,
      loss: poisson(),
      standardize: false,
      stop: { iterations: 300, gradient: 1e-8, reduction: 0, step: 0 },
    });
    expect(records.some(({ accepted, rejection }) => !accepted && /not finite/.test(rejection ?? ""))).toBe(true);
    expect(records.filter(({ accepted }) => accepted).every(({ objective }) => Number.isFinite(objective))).toBe(true);
    expect(reason.code).toBe("gradient");
    expect(trained.predict([[0]])[0]).toBeCloseTo(1000, 3);
  });
});

// A Gaussian likelihood has two outputs for each target, and a start that a fit of its own finds.
describe.each(CASES.filter(([, , kind]) => kind !== "noisy"))("%s", (_, loss, kind) => {
  it("counts a row of weight 3 as three rows", async () => {
    const times = (i: number) => (i % 5 === 0 ? 3 : 1);
    const rows = inputs.flatMap((_, i) => Array.from({ length: times(i) }, () => i));
    const options = { ...common, loss, stop: { iterations: 5 } };
    const weighted = await train(netOf(kind), { ...dataOf(kind), weights: inputs.map((_, i) => times(i)) }, options);
    const repeated = await train(
      netOf(kind),
      { inputs: rows.map((i) => inputs[i] as number[]), targets: rows.map((i) => TARGETS[kind][i] as number[]) },
      options,
    );
    expect(Math.abs(weighted.loss / repeated.loss - 1)).toBeLessThan(1e-11);
    for (const [j, value] of weighted.network.parameters.entries())
      expect(Math.abs(value - (repeated.network.parameters[j] as number))).toBeLessThan(1e-8 * (1 + Math.abs(value)));
  });
});

describe("several binary targets at once", () => {
  it("are fitted as each would be alone, where nothing is shared", async () => {
    // Without a hidden layer the outputs share no parameter.
    const both = TARGETS.noisy.map(([value = 0], i) => [
      Number(value > 0),
      Number((inputs[i] as number[])[0]! + value > 1),
    ]);
    const options = { ...common, loss: logistic({ decay: 0.5 }), stop: { gradient: 1e-10, reduction: 0, step: 0 } };
    const together = await train(network({ layers: [2, 2], seed: 2 }), { inputs, targets: both }, options);
    const predicted = together.network.predict(inputs);
    expect(together.network.link).toBe("logistic");
    for (const a of [0, 1]) {
      const alone = await train(
        network({ layers: [2, 1], seed: 2 }),
        { inputs, targets: both.map((y) => y[a]!) },
        options,
      );
      for (const [i, p] of alone.network.predict(inputs).entries())
        expect(Math.abs(p - (predicted[2 * i + a] as number))).toBeLessThan(1e-7);
    }
    // Two probabilities that do not sum to 1: these are no classes.
    expect(
      predicted.some(
        (_, k) => k % 2 === 0 && Math.abs((predicted[k] as number) + (predicted[k + 1] as number) - 1) > 0.1,
      ),
    ).toBe(true);
  });
});
