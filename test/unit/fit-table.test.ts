// fitTable: what it chooses, what it keeps of the search, and what decides.
import { describe, expect, it } from "vitest";
import {
  adam,
  Dataset,
  dataset,
  type FitTableOptions,
  fitTable,
  foldsOf,
  GaussflowError,
  huber,
  type Loss,
  lbfgs,
  logistic,
  metrics,
  type Network,
  network,
  pseudoHuber,
  quantile,
  Random,
  softmaxCrossEntropy,
  squaredError,
  train,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";

/** A bent line with noise. */
function noisyLine(rows: number, seed = 1, noise = 0.3) {
  const random = new Random(seed, 12);
  const inputs = Array.from({ length: rows }, () => [2 * random.uniform() - 1]);
  return { inputs, targets: inputs.map(([x]) => x! + 0.5 * x! * x! + noise * random.normal()) };
}

/** A search of little work. */
const short = { hidden: [3], folds: 3, train: { backend: "typescript", stop: { iterations: 8 } } } as const;

/** The network that a comparison by these options trains on the rows of a fold. */
async function trainedOnFold(drawn: Network, part: Dataset, loss: Loss, seed: number): Promise<Network> {
  const stop = { iterations: 8, reduction: 1e-5 };
  return (await train(drawn, part, { ...short.train, stop, loss, validation: false, seed })).network;
}

const seconds = <T extends { seconds: number }>({ seconds: _, ...rest }: T) => rest;

describe("fitTable", () => {
  it.each([1, 2])("ends a table of 15 noisy rows with a handful of parameters, draw %i", async (seed) => {
    const data = dataset(noisyLine(15, seed));
    const { network: net, fit } = await fitTable(data);
    expect(net.parameterCount).toBeLessThanOrEqual(7);
    expect(fit).toBe(data);
    const [{ r2 } = { r2: 1 }] = metrics(net.predict(data.inputs), data.targets, data.targetNames);
    expect(r2).toBeGreaterThan(0.3);
    expect(r2).toBeLessThan(0.99);
  });

  it("keeps what was tried, best first, and the choice among it, within the rule", async () => {
    const { search, result } = await fitTable(noisyLine(60));
    const { tried, hidden, decay, budget, flops } = search;
    const scores = tried.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(tried[0]).toMatchObject({ difference: 0, standardError: 0 });
    const choice = tried.find((one) => one.decay === decay && one.hidden.join() === hidden.join());
    expect(choice).toBeDefined();
    expect(choice!.difference).toBeLessThanOrEqual(choice!.standardError);
    expect(result.network.options.layers).toEqual([1, ...hidden, 1]);
    expect(result.lossUsed.decay).toBe(decay);
    expect(flops).toBeLessThanOrEqual(budget);
    expect(new Set(tried.map((one) => JSON.stringify([one.hidden, one.decay]))).size).toBe(tried.length);
  });

  it("compares by Levenberg-Marquardt where the last training is on batches, and trains by the method given", async () => {
    const table = noisyLine(60);
    const search = { hidden: [3], folds: 3, seed: 2 } as const;
    const whole = await fitTable(table, { ...search, train: { backend: "typescript", stop: { patience: 5 } } });
    const batches = [
      { method: adam({ batch: 16 }), stop: { epochs: 2, validateEvery: 2, patience: 5 } },
      { method: lbfgs(), stop: { iterations: 3, gradient: 0.5, patience: 5 } },
      { method: "auto", stop: { epochs: 2, patience: 5 } },
    ] as const;
    for (const given of batches) {
      const { search: tried, result } = await fitTable(table, {
        ...search,
        train: { backend: "typescript", ...given },
      });
      expect(seconds(tried)).toEqual(seconds(whole.search));
      expect(result.plan.batch).toBeDefined();
    }
  });

  it("scores a network by its mean loss on the held-out rows of every fold", async () => {
    const data = dataset(noisyLine(300));
    const { search } = await fitTable(data, { ...short, decay: "auto", seed: 4 });
    const tried = search.tried.find(({ decay }) => decay === 1)!;
    let sum = 0;
    for (const { train: part, held, index } of foldsOf(data, 3, 4)) {
      const { network: net } = await train(network({ layers: [1, 3, 1], seed: 4 + index }), part, {
        ...short.train,
        stop: { iterations: 8, reduction: 1e-5 },
        loss: squaredError({ decay: 1 }),
        validation: false,
        seed: 4,
      });
      const scale = net.scaling!.targets.scale[0]!;
      const predicted = net.predict(held.inputs);
      for (const [i, y] of held.targets.entries()) sum += ((predicted[i]! - y) / scale) ** 2;
    }
    // Predictions of the engine and of the network agree to 1e-12 of their terms.
    expect(Math.abs(tried.score - sum / 300) / tried.score).toBeLessThanOrEqual(1e-10);
  });

  it("trains on all rows with a decay, and stops early without one", async () => {
    const data = dataset(noisyLine(80));
    const decayed = await fitTable(data, { ...short, decay: 1 });
    expect([decayed.fit.sampleCount, decayed.validation]).toEqual([80, null]);
    expect(decayed.search).toMatchObject({ tried: [], hidden: [3], decay: 1 });
    const stopped = await fitTable(data, { ...short, decay: 0, seed: 2 });
    expect([stopped.fit.sampleCount, stopped.validation?.sampleCount]).toEqual([68, 12]);
    // As train() does by default.
    const plain = await train(network({ layers: [1, 3, 1], seed: 2 }), data, { ...short.train });
    expect(timeless(stopped.result)).toEqual(timeless(plain));
    const asked = await fitTable(data, { ...short, decay: 1, train: { ...short.train, validation: 0.25 } });
    expect(asked.validation?.sampleCount).toBe(20);
  });

  it("gives the same bits on any number of threads, whatever the clock says", async () => {
    const options = { ...short, hidden: "auto", seed: 3, train: { stop: { iterations: 10, seconds: 1e-9 } } } as const;
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => fitTable(noisyLine(60), { ...options, threads, concurrency: threads })),
    );
    expect(seconds(one!.search)).toEqual(seconds(two!.search));
    expect(one!.search.tried.length).toBeGreaterThan(5);
  });

  it("stays within the budget, says what it left out, and refuses one that is below the smallest training", async () => {
    const whole = await fitTable(noisyLine(60), { ...short, hidden: "auto" });
    const budget = whole.search.flops / 3;
    const { search } = await fitTable(noisyLine(60), { ...short, hidden: "auto", budget });
    expect(search.flops).toBeLessThanOrEqual(budget);
    expect(search.tried.some(({ state }) => state === "over-budget")).toBe(true);
    const compared = search.tried.filter(({ state }) => state === "compared");
    expect(compared.length).toBeGreaterThan(0);
    expect(search.flops).toBeCloseTo(
      compared.reduce((sum, { flops }) => sum + flops, 0),
      0,
    );
    await expect(fitTable(noisyLine(60), { ...short, budget: 10 })).rejects.toThrow(
      /options\.budget must be at least .* the planned work of the smallest network .*; received 10/,
    );
  });

  it("ends an aborted call as train does", async () => {
    const signal = AbortSignal.abort();
    const { result, search } = await fitTable(noisyLine(60), { signal });
    expect(result.reason.code).toBe("aborted");
    expect(search.aborted).toBe(true);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const stopped = await fitTable(noisyLine(60), { ...short, hidden: "auto", signal: controller.signal, onProgress });
    expect(stopped.result.reason.code).toBe("aborted");
    expect(stopped.search.tried.every(({ state, score }) => state === "compared" || Number.isNaN(score))).toBe(true);
  });

  it("keeps the best of several starts", async () => {
    const { runs, result } = await fitTable(noisyLine(60), { ...short, decay: 0.1, restarts: 3 });
    expect(runs.length).toBe(3);
    expect(result.loss).toBe(Math.min(...runs.map((run) => run.result!.loss)));
  });

  it("compares nothing on a handful of rows, and takes the smallest network with a decay", async () => {
    const { search } = await fitTable(noisyLine(5));
    expect(search).toMatchObject({ hidden: [], decay: 1, tried: [] });
    expect(search.because).toMatch(/^5 rows are too few to compare networks on/);
  });

  it("leaves out rows without a weight and the test rows of a split column", async () => {
    const { inputs, targets } = noisyLine(60);
    const spoilt = targets.map((y, i) => (i % 4 === 0 ? 1e6 : y));
    const weights = targets.map((_, i) => (i % 4 === 0 ? 0 : 1));
    const some = (list: readonly unknown[]) => list.filter((_, i) => i % 4 !== 0);
    const clean = await fitTable({ inputs: some(inputs), targets: some(targets) } as never, short);
    const weighted = await fitTable({ inputs, targets: spoilt, weights }, short);
    expect(seconds(weighted.search)).toEqual(seconds(clean.search));
    const whole = dataset({ inputs, targets: spoilt });
    const parts = Uint8Array.from(targets, (_, i) => (i % 4 === 0 ? 2 : 0));
    const split = await fitTable(new Dataset({ ...whole.fields(), parts }), short);
    // Without a validation part the column allows no early stopping.
    expect(split.search.tried.every(({ decay }) => decay > 0)).toBe(true);
    expect(split.fit.sampleCount).toBe(45);
    const bits = (from: typeof clean) =>
      from.search.tried.filter(({ decay }) => decay > 0).map(({ hidden, decay, score }) => ({ hidden, decay, score }));
    expect(bits(split)).toEqual(bits(clean));
  });

  it.each([
    ["logistic", logistic(), (x: number) => [x > 0 ? 1 : 0]],
    ["softmax", softmaxCrossEntropy(), (x: number) => (x > 0.3 ? [0, 0, 1] : x > -0.3 ? [0, 1, 0] : [1, 0, 0])],
  ] as const)("compares classifiers by their held-out log-loss: %s", async (_, loss, row) => {
    const { inputs } = noisyLine(90);
    const data = dataset({ inputs, targets: inputs.map(([x]) => [...row(x!)]) });
    const { search } = await fitTable(data, { ...short, train: { ...short.train, loss }, seed: 1 });
    const tried = search.tried.find(({ decay }) => decay === 0.1)!;
    let sum = 0;
    for (let draw = 0; draw < 3; draw++)
      for (const { train: part, held, index } of foldsOf(data, 3, 1 + draw)) {
        const drawn = network({ layers: [1, 3, data.outputSize], seed: 1 + 3 * draw + index });
        const net = await trainedOnFold(drawn, part, { ...loss, decay: 0.1 }, 1);
        const found = net.predict(held.inputs);
        for (const [k, y] of held.targets.entries()) {
          sum -= y * Math.log(found[k]!);
          if (loss.kind === "logistic") sum -= (1 - y) * Math.log(1 - found[k]!);
        }
      }
    expect(Math.abs(tried.score - sum / (3 * 90)) / tried.score).toBeLessThanOrEqual(1e-9);
  });

  it.each([
    ["huber", huber(), Math.abs, "absolute-error"],
    ["pseudo-huber", pseudoHuber(), Math.abs, "absolute-error"],
    ["quantile", quantile({ tau: 0.8 }), (error: number) => Math.max(0.2 * error, -0.8 * error), "pinball"],
  ] as const)(
    "compares losses whose scale each training finds by what does not depend on it: %s",
    async (_, loss, sizeOf, criterion) => {
      const data = dataset(noisyLine(300));
      const { search } = await fitTable(data, { ...short, decay: "auto", train: { ...short.train, loss }, seed: 4 });
      expect(search.criterion).toBe(criterion);
      const tried = search.tried.find(({ decay }) => decay === 1)!;
      let sum = 0;
      for (const { train: part, held, index } of foldsOf(data, 3, 4)) {
        const drawn = network({ layers: [1, 3, 1], seed: 4 + index });
        const net = await trainedOnFold(drawn, part, { ...loss, decay: 1 }, 4);
        const predicted = net.predict(held.inputs);
        for (const [i, y] of held.targets.entries()) sum += sizeOf(predicted[i]! - y) / net.scaling!.targets.scale[0]!;
      }
      expect(Math.abs(tried.score - sum / 300) / tried.score).toBeLessThanOrEqual(1e-10);
    },
  );

  it("advises nothing that the search has answered", async () => {
    const { result } = await fitTable(noisyLine(15));
    expect(result.advice.map(({ code }) => code)).not.toContain("few-rows");
  });

  it.each<[string, FitTableOptions, RegExp]>([
    ["hidden", { hidden: [0] }, /options\.hidden\[0\] must be an integer of at least 1; received 0/],
    ["hidden", { hidden: "16" as never }, /options\.hidden must be "auto" or an array of layer sizes/],
    ["decay", { decay: -1 }, /options\.decay must be a finite number of at least 0; received -1/],
    ["decay", { decay: "none" as never }, /options\.decay must be "auto" or a number; received "none"/],
    ["budget", { budget: 0 }, /options\.budget must be a positive finite number; received 0/],
    ["folds", { folds: 1 }, /options\.folds must be an integer of at least 2; received 1/],
    [
      "loss",
      { train: { loss: squaredError({ decay: 1 }) } },
      /options\.train\.loss\.decay must be left out: options\.decay/,
    ],
    ["resume", { train: { resume: "x" } as never }, /options\.train has no option of that name/],
    ["activation", { network: { activation: "tan" as never } }, /options\.network\.activation must be one of/],
    ["layers", { network: { layers: [1, 2] } as never }, /options\.network has no option of that name/],
  ])("refuses a wrong %s before anything is trained", async (_, options, message) => {
    await expect(fitTable(noisyLine(20), options)).rejects.toThrow(message);
    await expect(fitTable(noisyLine(20), options)).rejects.toBeInstanceOf(GaussflowError);
  });

  it("throws what the trainings throw where all of them fail", async () => {
    const options = {
      ...short,
      network: { outputActivation: "relu" },
      train: { ...short.train, standardize: false },
    } as const;
    const { inputs } = noisyLine(20);
    await expect(fitTable({ inputs, targets: inputs.map(() => -1) }, options)).rejects.toBeInstanceOf(GaussflowError);
  });
});
