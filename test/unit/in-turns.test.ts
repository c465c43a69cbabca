// Preparing a training on many rows goes in pieces, between which the event loop turns: the numbers are those of the loops in one go, no
// piece is large, and a computation that is cut short gives back what it holds.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createEngineInTurns } from "../../src/backend/create.js";
import { classFactorSteps, weighByClassSteps } from "../../src/data/class-weights.js";
import { Dataset, splitSteps } from "../../src/data/dataset.js";
import { dataset, datasetSteps } from "../../src/data/dataset-input.js";
import { foldSteps } from "../../src/data/folds.js";
import { drawPartition, sortedRowSteps } from "../../src/data/split.js";
import { finish, finishInTurns, Pace, type Steps } from "../../src/event-loop-yield.js";
import { countMetrics, crossValidate, metrics, network, poisson, predictAsync, train } from "../../src/index.js";
import { scoreFolds } from "../../src/jobs/cross-validate.js";
import { permutationSteps, Random } from "../../src/random.js";
import { ticksDuring } from "../helpers/ticks.js";

const ROWS = 300_000;
const x = Float64Array.from({ length: 2 * ROWS }, (_, k) => Math.sin(k * 0.7));
const y = Float64Array.from({ length: ROWS }, (_, i) => Math.cos(i * 0.3));
const given = { inputs: x, targets: y, inputSize: 2, outputSize: 1 };

/** The same numbers; a comparison of so many by `toEqual` takes seconds. */
function same(one: Float64Array | Uint32Array | undefined, other: Float64Array | Uint32Array): boolean {
  const bytes = (values: Float64Array | Uint32Array) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return one !== undefined && bytes(one).equals(bytes(other));
}

/** Pieces that a computation has. */
function pieces(steps: Steps<unknown>): number {
  let count = 0;
  while (!steps.next().done) count++;
  return count;
}

describe("many rows are handled in pieces", () => {
  const net = network({ layers: [2, 3, 1], seed: 1 });

  it.each([
    ["a flat array", x],
    ["a list", Array.from(x)],
    ["rows", Array.from({ length: ROWS }, (_, i) => [x[2 * i], x[2 * i + 1]])],
  ])("copying and checking %s", (_, inputs) => {
    expect(pieces(datasetSteps({ ...given, inputs }, "data", net))).toBeGreaterThanOrEqual(10);
    expect(same(dataset({ ...given, inputs }).inputs, x)).toBe(true);
  });

  it.each([
    ["drawn", {}],
    ["ordered", { order: Float64Array.from(y, (value) => -value) }],
    ["of groups", { groups: Uint32Array.from(y, (_, i) => i % 1000) }],
  ])("cutting %s folds", (_, relations) => {
    const set = new Dataset({ ...dataset(given).fields(), ...relations });
    // A pass over the rows for each fold, and copies of its inputs and targets.
    expect(pieces(foldSteps(set, 4, 1, {}))).toBeGreaterThanOrEqual(60);
    for (const { rows, train: part, held } of finish(foldSteps(set, 4, 1, {}))) {
      expect(
        same(
          held.targets,
          Float64Array.from(rows, (row) => y[row]!),
        ),
      ).toBe(true);
      if (_ !== "ordered") expect(part.sampleCount + held.sampleCount).toBe(ROWS);
    }
  });

  it("naming, weighing and cutting classes", () => {
    const targets = Array.from(y, (value) => (value > 0.5 ? "high" : "low"));
    const labeled = { inputs: x, targets, inputSize: 2 };
    // Three passes over the names, and the copies of inputs and columns.
    expect(pieces(datasetSteps(labeled, "data", null))).toBeGreaterThanOrEqual(200);
    const set = dataset(labeled);
    const high = set.targets.filter((value, k) => k % 2 === 0 && value === 1).length;
    expect(high).toBe(y.filter((value) => value > 0.5).length);
    expect(pieces(splitSteps(set, { validation: 0.2, seed: 3 }))).toBeGreaterThanOrEqual(50);
    const factors = finish(classFactorSteps("weights", "balanced", set));
    expect(pieces(classFactorSteps("weights", "balanced", set))).toBeGreaterThanOrEqual(5);
    expect(pieces(weighByClassSteps(set, factors))).toBeGreaterThanOrEqual(5);
  });

  it("names the first value that is not finite, wherever it stands", () => {
    const inputs = x.slice();
    inputs[2 * 123_456 + 1] = Number.NaN;
    inputs[2 * 200_000] = Number.NaN;
    expect(() => dataset({ ...given, inputs })).toThrow(/row 123457, column 2/);
  });

  it("cutting into parts", () => {
    const set = dataset(given);
    expect(pieces(splitSteps(set, { validation: 0.2, seed: 3 }))).toBeGreaterThanOrEqual(50);
    const { train: fit, validation } = set.split({ validation: 0.2, seed: 3 });
    const rows = drawPartition(ROWS, { validation: 0.2, seed: 3 });
    expect(
      same(
        fit.targets,
        Float64Array.from(rows.train, (row) => y[row]),
      ),
    ).toBe(true);
    const inputs = Float64Array.from({ length: 120_000 }, (_, k) => x[2 * rows.validation![k >> 1]! + (k & 1)]);
    expect(same(validation?.inputs, inputs)).toBe(true);
  });

  it("drawing a permutation, with the numbers of a shuffle", () => {
    expect(pieces(permutationSteps(new Random(5), ROWS))).toBeGreaterThanOrEqual(50);
    const shuffled = new Random(5).shuffle(Uint32Array.from({ length: ROWS }, (_, i) => i));
    expect(same(finish(permutationSteps(new Random(5), ROWS)), shuffled)).toBe(true);
  });

  it("sorting by an order; equal values stay in the order of the table", () => {
    const order = Float64Array.from({ length: 100_003 }, (_, i) => (i * 7919) % 5003);
    const expected = Array.from(order.keys()).sort((a, b) => order[a]! - order[b]!);
    expect(same(finish(sortedRowSteps(order)), Uint32Array.from(expected))).toBe(true);
  });

  it("a group of very many rows stays together", () => {
    const groups = Uint32Array.from({ length: ROWS }, (_, i) => (i < 250_000 ? 0 : i));
    // Of 270,000 rows asked for: the large group brings the part nearer to them, whenever it is drawn.
    const { train: fit, validation } = dataset({ ...given, groups }).split({ validation: 0.9, seed: 2 });
    expect(validation?.groups?.filter((group) => group === 0).length).toBe(250_000);
    expect(fit.groups?.includes(0)).toBe(false);
    expect(fit.sampleCount + (validation?.sampleCount ?? 0)).toBe(ROWS);
  });

  it("training on them and predicting them", async () => {
    const run = await ticksDuring(() => train(net, given, { stop: { iterations: 1 } }));
    expect(run.ticks).toBeGreaterThanOrEqual(5);
    const set = await train(net, dataset(given), { stop: { iterations: 1 } });
    expect(set.network.parameters).toEqual(run.answer.network.parameters);
    expect((await ticksDuring(() => predictAsync(net, x))).ticks).toBeGreaterThanOrEqual(5);
  });
});

describe("a cross-validation of many rows", () => {
  it("is scored in turns with the event loop, with the figures of all rows at once", async () => {
    const counts = y.map((value) => Math.floor(2 + 2 * value));
    const data = dataset({ ...given, targets: counts });
    const job = { network: network({ layers: [2, 1], seed: 1 }), data, options: { loss: poisson() } };
    const cut = await crossValidate({ ...job, options: { ...job.options, stop: { iterations: 1 } } }, { folds: 2 });
    const { answer, ticks } = await ticksDuring(() => scoreFolds(data, cut.many));
    // Predictions of two folds, their places, and the passes over each and over all of them.
    expect(ticks).toBeGreaterThanOrEqual(5);
    expect(same(answer.predictions, cut.predictions)).toBe(true);
    const [whole] = countMetrics(answer.predictions, counts, data.targetNames);
    // Means of a few hundred thousand numbers, summed in another order.
    expect(Math.abs(answer.metrics![0]!.deviance! / whole!.deviance - 1)).toBeLessThanOrEqual(ROWS * Number.EPSILON);
    const [plain] = metrics(answer.predictions, counts, data.targetNames);
    expect(answer.metrics![0]).toMatchObject({ rmse: plain!.rmse, mae: plain!.mae });
  });
});

describe("a computation that is cut short", () => {
  it("in the preparation of a resumed run: the best network is the checkpoint's, in its units", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "gaussflow-")), "run.json");
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const options = { stop: { iterations: 2 }, threads: 1 };
    const whole = await train(net, given, { ...options, checkpoint: { path } });
    const result = await train(net, given, { ...options, resume: path, signal: AbortSignal.abort() });
    expect(result.reason.code).toBe("aborted");
    expect(result.network.parameters).toEqual(whole.network.parameters);
    expect(result.network.scaling).toEqual(whole.network.scaling);
    expect([result.iterations, result.records.length]).toEqual([whole.iterations, whole.records.length]);
  });

  it("hears of it, and rejects with the signal's reason", async () => {
    const reason = new Error("enough");
    const seen: unknown[] = [];
    function* endless(): Steps<never> {
      try {
        for (;;) {
          const end = performance.now() + 25;
          while (performance.now() < end);
          yield;
        }
      } catch (error) {
        seen.push(error);
        throw error;
      }
    }
    const controller = new AbortController();
    setImmediate(() => controller.abort(reason));
    await expect(finishInTurns(endless(), new Pace(controller.signal))).rejects.toBe(reason);
    expect(seen).toEqual([reason]);
  });

  it.each(["auto", "typescript"] as const)("creating an engine (%s)", async (backend) => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const data = { sampleCount: ROWS, inputs: x, targets: y };
    const engine = await createEngineInTurns(net.architecture, data, { backend }, undefined);
    expect(engine.sampleCount).toBe(ROWS);
    expect((await engine.forward(net.parameters))[ROWS - 1]).toBeCloseTo(net.predict(x.subarray(-2))[0], 12);
    engine.dispose();
  });
});
