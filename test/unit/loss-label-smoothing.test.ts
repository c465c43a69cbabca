// Label smoothing of the softmax cross-entropy: on both engines, in memory, after `load` and from a file it is the plain loss on targets that were
// smoothed beforehand; where the classes can be separated it has the minimum that the formula says.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type EngineData, failed } from "../../src/backend/engine.js";
import type { EngineRows } from "../../src/backend/rows.js";
import {
  dataset,
  fitTable,
  type Loss,
  network,
  openDataFile,
  Random,
  softmaxCrossEntropy,
  train,
  trainMany,
  writeDataFile,
} from "../../src/index.js";
import { lossRule } from "../../src/loss/rules.js";
import { ENGINES } from "../helpers/losses.js";

const SMOOTHING = 0.2;
const [n, d, c] = [50, 2, 3];
const smooth = (targets: Float64Array) => targets.map((y) => (1 - SMOOTHING) * y + SMOOTHING / c);

function rowsOf(seed: number) {
  const random = new Random(seed, 4);
  const inputs = Float64Array.from({ length: n * d }, () => random.normal());
  const targets = new Float64Array(n * c);
  for (let i = 0; i < n; i++) targets[i * c + random.below(c)] = 1;
  // One row of probabilities.
  targets.set([0.5, 0.25, 0.25]);
  return { inputs, targets, weights: Float64Array.from({ length: n }, () => 0.5 + random.uniform()) };
}

const [first, other] = [rowsOf(1), rowsOf(2)];
const net = network({ layers: [d, 4, c], seed: 3 });

/** Sums of n c terms; smoothed targets differ by roundings of 1. */
function close(found: Float64Array, expected: Float64Array) {
  const largest = Math.max(...expected.map(Math.abs));
  for (const [k, value] of expected.entries())
    expect(Math.abs(found[k]! - value)).toBeLessThanOrEqual(n * c * Number.EPSILON * largest);
}

describe.each(ENGINES)("on the %s engine", (_, create) => {
  it("is the plain loss on smoothed targets, also of other rows and in products with the Hessian", async () => {
    const direction = net.parameters.map((_, k) => Math.cos(k));
    const figures = async (data: EngineData, next: EngineRows) => {
      const engine = create(net.architecture, data);
      try {
        const found: Float64Array[] = [];
        for (const rows of [null, next]) {
          if (rows !== null) engine.load(rows);
          const at = await engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null });
          if (failed(at)) throw new Error(at.message);
          found.push(Float64Array.of(at.loss), at.gradient, await engine.hessianProduct(direction));
        }
        return found;
      } finally {
        engine.dispose();
      }
    };
    const sized = (rows: typeof first) => ({ sampleCount: n, ...rows });
    const byHand = (rows: typeof first) => ({ ...rows, targets: smooth(rows.targets) });
    const found = await figures({ ...sized(first), loss: softmaxCrossEntropy({ smoothing: SMOOTHING }) }, other);
    const expected = await figures({ ...sized(byHand(first)), loss: softmaxCrossEntropy() }, byHand(other));
    for (const [k, value] of found.entries()) close(value, expected[k]!);
  });
});

it.each(ENGINES.map(([name]) => name))("trains on a file as on the same rows in memory: %s", async (backend) => {
  const path = join(mkdtempSync(join(tmpdir(), "gaussflow-smoothing-")), "rows.gfd");
  const rows = Array.from({ length: n }, (_, i) => [
    ...first.inputs.subarray(i * d, (i + 1) * d),
    ...first.targets.subarray(i * c, (i + 1) * c),
  ]);
  await writeDataFile(path, { featureNames: ["a", "b"], targetNames: ["x", "y", "z"] }, rows);
  const options = { loss: softmaxCrossEntropy({ smoothing: SMOOTHING, decay: 1 }), backend, stop: { iterations: 5 } };
  const { inputs, targets } = first;
  const memory = dataset({ inputs, targets, inputSize: d, outputSize: c });
  const held = await train(net, memory, { ...options, validation: false });
  const read = await train(net, openDataFile(path), options);
  expect(read.network.parameters).toEqual(held.network.parameters);
  const plain = await train(net, memory, { ...options, loss: softmaxCrossEntropy({ decay: 1 }), validation: false });
  expect(plain.network.parameters).not.toEqual(held.network.parameters);
  expect(held.network.summary).toMatchObject({ lossKind: "softmax-cross-entropy", lossSmoothing: SMOOTHING });
});

it("has a minimum where the classes can be separated: the smoothed label is what is predicted", async () => {
  const inputs = Array.from({ length: 40 }, (_, i) => [i % 2 === 0 ? -1 : 1]);
  const data = dataset({ inputs, targets: inputs.map(([x]) => (x! < 0 ? "left" : "right")) });
  const result = await train(network({ layers: [1, 2], seed: 1 }), data, {
    loss: softmaxCrossEntropy({ smoothing: 0.1 }),
    validation: false,
  });
  expect(result.reason.code).toBe("gradient");
  const [left, right] = result.network.predict([[-1]]);
  // The gradient is below 1e-8 of its start, and so are the differences of the probabilities.
  expect(Math.abs(left! - 0.95)).toBeLessThan(1e-6);
  expect(Math.abs(right! - 0.05)).toBeLessThan(1e-6);
  expect(result.loss).toBeCloseTo(-0.95 * Math.log(0.95) - 0.05 * Math.log(0.05), 9);
  expect(result.chosen).toMatch(/softmax cross-entropy \(label smoothing 0\.1\), no weight decay/);
});

it("is what networks are compared by, and jobs of other smoothing do not compare", async () => {
  const { inputs, targets } = first;
  const data = dataset({ inputs, targets, inputSize: d, outputSize: c });
  const loss = softmaxCrossEntropy({ smoothing: SMOOTHING });
  const { search } = await fitTable(data, {
    hidden: [2],
    folds: 2,
    train: { loss, backend: "typescript", stop: { iterations: 3 } },
  });
  // No prediction has less than the entropy of a smoothed label.
  const entropy = (p: readonly number[]) => -p.reduce((sum, one) => sum + one * Math.log(one), 0);
  for (const { score } of search.tried) expect(score).toBeGreaterThan(entropy([...smooth(Float64Array.of(1, 0, 0))]));
  const job = (given: Loss) => ({ network: net, data, options: { loss: given } });
  await expect(trainMany([job(softmaxCrossEntropy()), job(loss)])).rejects.toThrow(
    /jobs\[1\]\.options\.loss must be softmax-cross-entropy, as that of jobs\[0\].*received "softmax-cross-entropy with smoothing 0\.2"/,
  );
});

it("starts the output biases at the logarithms of the smoothed shares", () => {
  const { startBias } = lossRule(softmaxCrossEntropy({ smoothing: SMOOTHING }));
  const means = Float64Array.of(1, 0, 0);
  const biases = startBias?.statistic === "means" ? startBias.biases(means, 10) : [];
  const logarithms = [...smooth(means)].map(Math.log);
  expect(biases[0]! - biases[1]!).toBeCloseTo(logarithms[0]! - logarithms[1]!, 12);
});

it.each([-0.1, 1, Number.NaN, "0.1"])("refuses a smoothing of %s", (smoothing) => {
  expect(() => softmaxCrossEntropy({ smoothing: smoothing as number })).toThrow(
    /options\.smoothing must be a number of at least 0 and below 1/,
  );
});
