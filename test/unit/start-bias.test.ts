// Where the output biases of a freshly drawn network start: closed forms for every loss, weights, data files, and the networks that keep
// their own biases.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  huber,
  type Loss,
  logCosh,
  logistic,
  type Network,
  network,
  networkOf,
  openDataFile,
  poisson,
  pseudoHuber,
  quantile,
  softmaxCrossEntropy,
  squaredError,
  train,
  writeDataFile,
} from "../../src/index.js";
import { withStartBias } from "../../src/train/start-bias.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-start-bias-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inputs = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
const options = { backend: "typescript", validation: false, stop: { iterations: 0 } } as const;

/** Output biases at iteration 0, times the output scale: the constant that a network without weights would predict. */
async function started(net: Network, data: Parameters<typeof train>[1], loss: Loss, more = {}): Promise<number[]> {
  const { last } = await train(net, data, { ...options, loss, ...more });
  const { biasOffset, outputSize } = last.architecture.layers.at(-1)!;
  const biases = last.parameters.subarray(biasOffset, biasOffset + outputSize);
  // Nothing else has moved.
  const others = (one: Network) => [...one.parameters].filter((_, j) => j < biasOffset || j >= biasOffset + outputSize);
  expect(others(last)).toEqual(others(net));
  return [...biases].map((bias) => bias * last.architecture.outputScale);
}

const near = (values: readonly number[], expected: readonly number[]) => {
  expect(values.length).toBe(expected.length);
  for (const [a, value] of values.entries())
    expect(Math.abs(value - expected[a]!)).toBeLessThan(1e-13 * (1 + Math.abs(expected[a]!)));
};

const one = network({ layers: [2, 3, 1], seed: 1 });
const counts = [0, 3, 1, 7, 2, 2, 0, 9, 4, 1, 1, 6];
const yes = [1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0];
const classes = counts.map((count) => [0, 1, 2].map((a) => Number(a === (count > 5 ? 2 : count > 1 ? 1 : 0))));

describe("a freshly drawn network starts", () => {
  it("at the logarithm of the mean count", async () => {
    near(await started(one, { inputs, targets: counts }, poisson()), [Math.log(3)]);
  });

  it("at the log-odds of each share, one an output", async () => {
    const targets = yes.map((y) => [y, 1 - y, 0.25]);
    const net = network({ layers: [2, 3, 3], seed: 1 });
    near(await started(net, { inputs, targets }, logistic()), [Math.log(1 / 3), Math.log(3), Math.log(1 / 3)]);
  });

  it("at the logarithms of the class shares, shifted to the sum 0", async () => {
    const net = network({ layers: [2, 3, 3], seed: 1 });
    const logs = [5, 4, 3].map((rows) => Math.log(rows / 12));
    const middle = (logs[0]! + logs[1]! + logs[2]!) / 3;
    near(
      await started(net, { inputs, targets: classes }, softmaxCrossEntropy()),
      logs.map((log) => log - middle),
    );
  });

  it("at the quantile of the targets in the units of training", async () => {
    const loss = quantile({ tau: 0.75, smoothing: 0.1 });
    // The least number with at least nine of the twelve up to it.
    near(await started(one, { inputs, targets: counts }, loss, { standardize: false }), [4]);
    const mean = 3;
    const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 12);
    near(await started(one, { inputs, targets: counts }, loss), [(4 - mean) / deviation]);
    const two = network({ layers: [2, 3, 2], seed: 1 });
    const targets = counts.map((count) => [count, -count]);
    near(await started(two, { inputs, targets }, loss, { standardize: false }), [4, -1]);
  });

  it("by the weights of the rows", async () => {
    const weights = counts.map((count) => (count > 5 ? 0.5 : 2));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const mean = counts.reduce((total, count, i) => total + count * weights[i]!, 0) / sum;
    near(await started(one, { inputs, targets: counts, weights }, poisson()), [Math.log(mean)]);
    const loss = quantile({ tau: 0.5, smoothing: 0.1 });
    near(await started(one, { inputs, targets: counts, weights }, loss, { standardize: false }), [1]);
  });

  it("half a sample away from a mean or share without a logarithm", async () => {
    const none = counts.map(() => 0);
    near(await started(one, { inputs, targets: none }, poisson()), [Math.log(1 / 24)]);
    near(await started(one, { inputs, targets: none }, logistic()), [Math.log(1 / 23)]);
    near(await started(one, { inputs, targets: none.map(() => 1) }, logistic()), [Math.log(23)]);
  });

  it("with the biases divided by the output scale", async () => {
    const net = network({ layers: [2, 3, 1], outputScale: 4, seed: 1 });
    near(await started(net, { inputs, targets: counts }, poisson()), [Math.log(3)]);
  });

  it("at the same bits from a data file", async () => {
    const targets = counts.map((count) => [count, 2 * count]);
    const path = join(folder, "counts.gfd");
    const rows = inputs.map((x, i) => [...x, ...targets[i]!]);
    await writeDataFile(path, { featureNames: ["a", "b"], targetNames: ["y", "z"] }, rows);
    const net = network({ layers: [2, 3, 2], seed: 1 });
    for (const loss of [poisson(), quantile({ tau: 0.3, smoothing: 0.1 })])
      expect(await started(net, openDataFile(path), loss)).toEqual(await started(net, { inputs, targets }, loss));
  });
});

it("the quantiles of nine targets take nine passes over a data file", async () => {
  const path = join(folder, "nine.gfd");
  const targetNames = Array.from({ length: 9 }, (_, a) => `y${a}`);
  const targets = counts.map((count, i) => targetNames.map((_, a) => Math.sin(count + i * (a + 1)) * 10 ** (a - 4)));
  await writeDataFile(
    path,
    { featureNames: ["a", "b"], targetNames },
    inputs.map((x, i) => [...x, ...targets[i]!]),
  );
  const file = openDataFile(path);
  const passes = vi.spyOn(file, "blocksInTurns");
  const net = network({ layers: [2, 9], seed: 1 });
  const none = new Float64Array(0);
  const data = { sampleCount: 12, inputs: none, targets: none };
  const started = await withStartBias(net, file, data, quantile({ tau: 0.75, smoothing: 0.1 }), undefined);
  // One for the least numbers, then four for eight columns at a time.
  expect(passes).toHaveBeenCalledTimes(9);
  const { biasOffset } = started.architecture.layers[0]!;
  // The least number with at least nine of the twelve up to it; the search adds a distance to the least one, with two roundings.
  for (const [a] of targetNames.entries()) {
    const column = targets.map((row) => row[a]!).sort((x, y) => x - y);
    const size = Math.max(...column.map(Math.abs));
    expect(Math.abs(started.parameters[biasOffset + a]! - column[8]!)).toBeLessThanOrEqual(4 * Number.EPSILON * size);
  }
});

describe("the biases stay", () => {
  const kept = (net: Network, loss: Loss, targets: readonly number[] = counts, more = {}) =>
    train(net, { inputs, targets }, { ...options, loss, ...more });

  it.each<[string, Loss]>([
    ["squared error", squaredError()],
    ["Huber", huber({ delta: 1 })],
    ["pseudo-Huber", pseudoHuber({ delta: 1 })],
    ["log-cosh", logCosh()],
  ])("with %s, whose targets have the mean 0", async (_, loss) => {
    const { last } = await kept(one, loss);
    expect([...last.parameters]).toEqual([...one.parameters]);
  });

  it("where a training goes on", async () => {
    const { network: trained } = await kept(one, poisson(), counts, { stop: { iterations: 3 } });
    const { biasOffset } = trained.architecture.layers.at(-1)!;
    const parameters = trained.parameters.slice();
    parameters[biasOffset] = 0;
    const { last } = await kept(trained.withParameters(parameters), poisson());
    expect(last.parameters[biasOffset]).toBe(0);
  });

  it("where somebody chose the parameters, or a bias of the output", async () => {
    const given = networkOf({ layers: [2, 1], parametrization: "standard", parameters: [1, 2, 0] });
    expect([...(await kept(given, poisson())).last.parameters]).toEqual([1, 2, 0]);
    const { biasOffset } = one.architecture.layers.at(-1)!;
    const moved = one.parameters.slice();
    moved[biasOffset] = 0.5;
    expect((await kept(one.withParameters(moved), poisson())).last.parameters[biasOffset]).toBe(0.5);
  });

  it("where the output has none", async () => {
    const net = network({ layers: [2, 3, 1], bias: [true, false], seed: 1 });
    expect([...(await kept(net, poisson())).last.parameters]).toEqual([...net.parameters]);
  });

  it("in a centered network, which begins at 0 by definition", async () => {
    const net = network({ layers: [2, 4, 1], centered: true, seed: 1 });
    const { last } = await kept(net, quantile({ tau: 0.9, smoothing: 0.1 }));
    expect([...last.parameters]).toEqual([...net.parameters]);
  });
});
