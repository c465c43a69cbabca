// Folds, their scores and ensembles: identities that hold whatever the networks learn.

import { describe, expect, it } from "vitest";
import { drawFoldSteps } from "../../src/data/folds.js";
import { finish } from "../../src/event-loop-yield.js";
import { classMetrics, crossValidate, crossValidation, dataset, ensemble, foldsOf, network, softmaxCrossEntropy, train } from "../../src/index.js"; // biome-ignore format: a list
import { smallJob, timeless, wave } from "../helpers/many-jobs.js";
import { fc } from "../helpers/property.js";

describe("folds", () => {
  it("are disjoint, cover all rows, differ in size by at most one and depend on the seed alone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 2, max: 20 }), fc.nat(), (n, count, seed) => {
        fc.pre(count <= n);
        const drawn = () => finish(drawFoldSteps(n, count, seed, { groups: null, order: null }));
        const folds = drawn().map(({ held }) => held);
        expect(folds.length).toBe(count);
        expect(Uint32Array.from(folds.flatMap((rows) => [...rows])).sort()).toEqual(
          Uint32Array.from({ length: n }, (_, i) => i),
        );
        const sizes = folds.map((rows) => rows.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(drawn().map(({ held }) => held)).toEqual(folds);
        for (const { train, held } of drawn()) expect(train.length + held.length).toBe(n);
      }),
    );
    const none = { groups: null, order: null };
    expect(finish(drawFoldSteps(40, 4, 1, none))).not.toEqual(finish(drawFoldSteps(40, 4, 2, none)));
  });

  it("train on all rows but the held-out ones", () => {
    const data = wave(23);
    for (const { train: part, held, rows } of foldsOf(data, 4, 5)) {
      expect(part.sampleCount + held.sampleCount).toBe(23);
      expect(held.targets).toEqual(data.select(rows).targets);
      const rest = Array.from({ length: 23 }, (_, i) => i).filter((i) => !rows.includes(i));
      expect(part.inputs).toEqual(data.select(rest).inputs);
    }
  });

  it("refuse what cannot be cut", () => {
    expect(() => foldsOf(wave(5), 6)).toThrow(/5 rows cannot be cut into 6 folds/);
    expect(() => foldsOf(wave(5), 1)).toThrow(/folds must be an integer of at least 2; received 1/);
  });

  it("nothing of the held-out rows leaks into a fold's network, its units included", async () => {
    const data = wave(40);
    const [job] = crossValidation({ ...smallJob(4), data }, 4, 1);
    const spoilt = { inputs: data.inputs.slice(), targets: data.targets.slice() };
    for (const row of job!.fold.rows) {
      spoilt.inputs.fill(1e6, row * 2, row * 2 + 2);
      spoilt.targets[row] = -1e6;
    }
    const [other] = crossValidation({ ...smallJob(4), data: dataset({ ...spoilt, inputSize: 2 }) }, 4, 1);
    expect(timeless(await train(other!.network, other!.data, other!.options))).toEqual(
      timeless(await train(job!.network, job!.data, job!.options)),
    );
  });
});

describe("crossValidate", () => {
  it("of classes has the figures of a classifier for each fold and for all rows, and the spread of the log-loss", async () => {
    const inputs = Array.from({ length: 60 }, (_, i) => [Math.sin(7 * i), Math.cos(3 * i)]);
    const kinds = inputs.map(([a = 0, b = 0], i) => (a + 0.4 * Math.sin(40 * i) > 0 ? 0 : b > 0 ? 1 : 2));
    const data = dataset({ inputs, targets: kinds.map((kind) => [0, 1, 2].map((a) => Number(a === kind))) });
    const weights = Array.from({ length: 60 }, (_, i) => 1 + (i % 3));
    for (const set of [data, dataset({ inputs, targets: data.targets, weights })]) {
      const found = await crossValidate(
        {
          network: network({ layers: [2, 3, 3], seed: 1 }),
          data: set,
          options: { loss: softmaxCrossEntropy({ decay: 1 }), stop: { iterations: 10 }, backend: "typescript" },
        },
        { folds: 3, concurrency: 1, seed: 2 },
      );
      const of = (p: Float64Array, y: Float64Array, s: Float64Array | null) =>
        classMetrics(p, y, set.targetNames, { weights: s });
      expect(found.classification).toEqual([{ target: "class", ...of(found.predictions, set.targets, set.weights) }]);
      for (const { fold, best, classification } of found.folds) {
        const { held } = fold;
        const predicted = best!.result!.network.predict(held.inputs);
        expect(classification).toEqual([{ target: "class", ...of(predicted, held.targets, held.weights) }]);
        expect(best!.score).toBe(best!.result!.validationLoss ?? best!.result!.loss);
      }
      const losses = found.folds.map(({ classification }) => classification![0]!.logLoss);
      const mean = losses.reduce((sum, one) => sum + one, 0) / 3;
      const deviation = Math.sqrt(losses.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 2);
      expect(found.spread).toHaveLength(1);
      expect(Math.abs(found.spread[0]! - deviation)).toBeLessThan(1e-14);
    }
  });

  it("predicts every row by the network that has not seen it, and pools the folds' errors", async () => {
    const job = smallJob(6);
    const { folds, predictions, metrics, spread, many } = await crossValidate(job, { folds: 3, restarts: 2, seed: 4 });
    expect(many.results.length).toBe(6);
    const data = wave(60);
    let squares = 0;
    for (const { fold, best, metrics: own } of folds) {
      const among = many.results.filter((entry) => entry.job.fold === fold);
      expect(best!.score).toBe(Math.min(...among.map(({ score }) => score)));
      const rows = [...fold.rows];
      expect(rows.map((row) => predictions[row])).toEqual([...best!.result!.network.predict(data.select(rows).inputs)]);
      squares += own![0]!.rmse ** 2 * rows.length;
    }
    const pooled = metrics![0]!.rmse;
    // Two summations of 60 squares in different orders, then a root: 60 eps each, doubled for the folds' own roots and squares.
    expect(Math.abs(pooled ** 2 - squares / 60)).toBeLessThanOrEqual(4 * 60 * Number.EPSILON * pooled ** 2);
    const errors = folds.map((entry) => entry.metrics![0]!.rmse);
    const mean = errors.reduce((a, b) => a + b) / 3;
    expect(spread[0]).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / 2), 12);
  });

  it("names a misspelled option before it looks at the data", async () => {
    const job = { ...smallJob(), data: { inputs: [[1]], targets: "none" } as never };
    await expect(crossValidate(job, { fold: 3 } as never)).rejects.toThrow(
      /^options has no option of that name; .*folds.*; received "fold"/,
    );
    await expect(crossValidate(job, { onProgres: () => {} } as never)).rejects.toThrow(/^options.*onProgress/);
  });

  it("leaves the rows of a fold that failed without prediction and scores the others", async () => {
    const controller = new AbortController();
    const { folds, predictions, metrics } = await crossValidate(smallJob(4), {
      folds: 3,
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ ended }) => {
        if (ended === 2) controller.abort();
      },
    });
    expect(folds.map(({ best }) => best !== null)).toEqual([true, true, false]);
    expect([...folds[2]!.fold.rows].every((row) => Number.isNaN(predictions[row]))).toBe(true);
    expect(Number.isFinite(metrics![0]!.rmse)).toBe(true);
  });
});

describe("ensemble", () => {
  const members = [1, 2, 3].map((seed) => network({ layers: [2, 4, 2], seed }));
  const points = [
    [0.1, -0.4],
    [2, 3],
  ];

  it("is the mean and the sample standard deviation of its members", () => {
    const { mean, spread } = ensemble(members).predict(points);
    const each = members.map((member) => member.predict(points));
    for (let k = 0; k < 4; k++) {
      const values = each.map((one) => one[k]!);
      const average = values.reduce((a, b) => a + b) / 3;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - average) ** 2, 0) / 2);
      // A handful of roundings relative to the largest member.
      const bound = 16 * Number.EPSILON * Math.max(...values.map(Math.abs));
      expect(Math.abs(mean[k]! - average)).toBeLessThanOrEqual(bound);
      expect(Math.abs(spread[k]! - deviation)).toBeLessThanOrEqual(bound);
    }
  });

  it("of one member has no spread; members must answer the same question", () => {
    const { mean, spread } = ensemble(members.slice(0, 1)).predict(points);
    expect(mean).toEqual(members[0]!.predict(points));
    expect(spread).toEqual(new Float64Array(4));
    expect(() => ensemble([members[0]!, network({ layers: [3, 2] })])).toThrow(
      /networks\[1\] must have 2 inputs and 2/,
    );
    expect(() => ensemble([])).toThrow(/at least one network/);
  });
});
