// Trainings by methods on batches, through train(): records, stop rules, validation, the network that is kept, interruption, checkpoints in
// the middle of an epoch, data files, and what is refused.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  adam,
  type BatchMethod,
  dataset,
  exactGaussNewton,
  gradientDescent,
  huber,
  lbfgs,
  network,
  openDataFile,
  plan,
  Random,
  restarts,
  softmaxCrossEntropy,
  type TrainOptions,
  train,
  trainMany,
  trainSteps,
  writeDataFile,
} from "../../src/index.js";
import { resealed } from "../helpers/sealed.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-batches-"));
const net = network({ layers: [2, 6, 1], seed: 1 });
const draw = new Random(4, 1);
const inputs = Array.from({ length: 200 }, () => [draw.normal(), draw.normal()]);
const targets = inputs.map(([a, b]) => Math.sin(a) * b + 0.05 * draw.normal());
const data = dataset({ inputs, targets });
const base: TrainOptions = { backend: "typescript", validation: false };

/** Methods whose state is of each kind. */
const METHODS: readonly (readonly [string, BatchMethod])[] = [
  ["exact Gauss-Newton", exactGaussNewton({ batch: 32 })],
  ["exact Gauss-Newton with its line search", exactGaussNewton({ batch: 32, lineSearch: true })],
  ["Adam", adam({ batch: 32, rate: 0.01 })],
  ["gradient descent", gradientDescent({ batch: 32, rate: 0.05, schedule: "step", rateEpochs: 2 })],
];

describe("the records of a training on batches", () => {
  it("stand at the start, at the ends of the epochs and at the end, with batch loss and full loss apart", async () => {
    const {
      records,
      iterations,
      reason,
      plan: planned,
    } = await train(net, data, {
      ...base,
      method: exactGaussNewton({ batch: 32 }),
      stop: { epochs: 4 },
    });
    expect(planned).toMatchObject({ route: "dual", batch: { rows: 32, stepsPerEpoch: 6 } });
    expect(iterations).toBe(24);
    expect(reason).toMatchObject({ code: "iterations", message: "4 epochs are done, the most that were allowed" });
    expect(records.map(({ iteration }) => iteration)).toEqual([0, 6, 12, 18, 24]);
    expect(records.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(records[0]).toMatchObject({ batchLoss: null, rate: 0, rejected: 0, stepNorm: 0 });
    for (const record of records.slice(1)) {
      expect(record.batchLoss).toBeGreaterThan(0);
      expect(record.batchLoss).not.toBe(record.loss);
      expect(record.damping).toBeCloseTo(32 * 0.01, 12);
    }
    // Half a cosine from 1: the last step of epoch 2 has the 12th of 24 rates.
    expect(records[2].rate).toBeCloseTo(0.5 * (1 + Math.cos((Math.PI * 11) / 24)), 14);
    expect(records.at(-1)!.loss).toBeLessThan(0.5 * records[0].loss);
  });

  it("has the full loss of the network at the end of an epoch", async () => {
    const { last, records } = await train(net, data, { ...base, method: adam({ batch: 50 }), stop: { epochs: 2 } });
    const scaled = last.scaling!.targets;
    const predictions = last.predict(inputs);
    const errors = targets.map((y, i) => (predictions[i] - y) / scaled.scale[0]);
    const loss = errors.reduce((sum, e) => sum + e * e, 0) / errors.length;
    expect(Math.abs(records.at(-1)!.loss - loss)).toBeLessThan(200 * 16 * Number.EPSILON);
  });

  it("a run that ends within an epoch has a record there", async () => {
    const { records, iterations } = await train(net, data, {
      ...base,
      method: adam({ batch: 32 }),
      stop: { iterations: 9 },
    });
    expect(iterations).toBe(9);
    expect(records.map(({ iteration }) => iteration)).toEqual([0, 6, 9]);
    expect(records.at(-1)!.epoch).toBe(1.5);
  });

  it("a rejected epoch of zero steps ends at the start", async () => {
    const { records, reason } = await train(net, data, { ...base, method: adam(), stop: { epochs: 0 } });
    expect(records).toHaveLength(1);
    expect(reason.code).toBe("iterations");
  });
});

describe("validation on batches", () => {
  const method = exactGaussNewton({ batch: 16 });

  it("takes place at the ends of the epochs, and keeps the best network", async () => {
    const result = await train(net, data, { backend: "typescript", method, validation: 0.25, stop: { epochs: 5 } });
    const { records, bestIteration, validationLoss } = result;
    expect(records.every((record) => record.validationLoss !== null)).toBe(true);
    const least = Math.min(...records.map((record) => record.validationLoss!));
    expect(validationLoss).toBe(least);
    expect(records.find(({ iteration }) => iteration === bestIteration)!.validationLoss).toBe(least);
  });

  it("takes place every k steps where asked, without a full loss in between", async () => {
    const stop = { epochs: 2, validateEvery: 4 };
    const { records } = await train(net, data, { backend: "typescript", method, validation: 0.25, stop });
    expect(records.map(({ iteration }) => iteration)).toEqual([0, 4, 8, 9, 12, 16, 18]);
    for (const record of records.slice(1))
      expect(record.loss === record.batchLoss).toBe(!Number.isInteger(record.epoch));
  });

  it("ends a run by patience, counted in validations", async () => {
    const noise = dataset({ inputs, targets: inputs.map(() => draw.normal()) });
    const { reason, iterations } = await train(network({ layers: [2, 30, 1], seed: 3 }), noise, {
      backend: "typescript",
      method: exactGaussNewton({ batch: 16, damping: 1e-4, schedule: "constant" }),
      validation: 0.5,
      stop: { epochs: 200, patience: 3 },
    });
    expect(reason.code).toBe("patience");
    expect(reason.message).toContain("for 3 validations");
    expect(iterations).toBeLessThan(200 * 6);
  });

  it("without it the network is the best by the full loss", async () => {
    const { records, loss, bestIteration } = await train(net, data, {
      ...base,
      method: gradientDescent({ batch: 8, rate: 0.6 }),
      stop: { epochs: 6 },
    });
    const whole = records.map((record) => record.loss);
    expect(loss).toBe(Math.min(...whole));
    expect(records.find((record) => record.loss === loss)!.iteration).toBe(bestIteration);
  });
});

describe("other ends", () => {
  it("a loss to reach ends the run at the end of an epoch", async () => {
    const { reason, records } = await train(net, data, {
      ...base,
      method: exactGaussNewton({ batch: 32 }),
      stop: { epochs: 50, loss: 0.2 },
    });
    expect(reason.code).toBe("loss");
    expect(records.at(-1)!.loss).toBeLessThanOrEqual(0.2);
    expect(records.at(-2)!.loss).toBeGreaterThan(0.2);
  });

  it("seconds end a run within an epoch, with a record there", async () => {
    const { reason, records, iterations } = await train(net, data, {
      ...base,
      method: adam({ batch: 1 }),
      stop: { epochs: 1e6, seconds: 0.3 },
    });
    expect(reason.code).toBe("seconds");
    expect(records.at(-1)!.iteration).toBe(iterations);
    expect(records.at(-1)!.loss).toBeGreaterThan(0);
  });

  it("an abort keeps the best network so far", async () => {
    const controller = new AbortController();
    const { reason, iterations, bestIteration } = await train(net, data, {
      ...base,
      method: adam({ batch: 32, rate: 0.01 }),
      stop: { epochs: 1e5 },
      signal: controller.signal,
      onRecord: ({ epoch }) => {
        if (epoch === 3) controller.abort();
      },
    });
    expect(reason.code).toBe("aborted");
    expect(iterations).toBeGreaterThanOrEqual(18);
    expect(bestIteration).toBe(18);
  });

  it("leaving the steps early frees the engines and throws nothing", async () => {
    for await (const record of trainSteps(net, data, { ...base, method: adam({ batch: 8 }) }))
      if (record.epoch === 2) break;
  });
});

describe("checkpoints in the middle of an epoch", () => {
  /** Everything of a run but its times. */
  const timeless = (result: Awaited<ReturnType<typeof train>>) => ({
    last: [...result.last.parameters],
    network: [...result.network.parameters],
    iterations: result.iterations,
    bestIteration: result.bestIteration,
    records: result.records.map(({ elapsed: _, seconds: __, ...record }) => record),
  });

  for (const [name, method] of METHODS)
    it(`${name}: a resumed run repeats the uninterrupted one bit for bit`, async () => {
      const path = join(folder, `${method.name}-${name.length}.ckpt`);
      const options = { backend: "typescript", method, validation: 0.2, seed: 3 } as const;
      const stop = { epochs: 6, validateEvery: 3 };
      const whole = await train(net, data, { ...options, stop });
      for (const interrupted of [1, 7, 13, 20]) {
        const controller = new AbortController();
        let steps = 0;
        // An abort in the middle of an epoch: the method is asked for a step and hears of it there.
        const counted: BatchMethod = {
          ...method,
          step: (context, state) => {
            if (++steps > interrupted) controller.abort();
            context.signal.throwIfAborted();
            return method.step(context, state);
          },
        };
        const { signal } = controller;
        const first = await train(net, data, { ...options, stop, method: counted, signal, checkpoint: { path } });
        expect(first.reason.code).toBe("aborted");
        expect(first.iterations).toBe(interrupted);
        expect(timeless(await train(net, data, { ...options, stop, resume: path }))).toEqual(timeless(whole));
      }
    });

  it("L-BFGS as well, on all rows", async () => {
    const path = join(folder, "lbfgs.ckpt");
    const options = { ...base, method: lbfgs({ memory: 4 }) };
    const whole = await train(net, data, { ...options, stop: { iterations: 30 } });
    await train(net, data, { ...options, stop: { iterations: 11 }, checkpoint: { path } });
    expect(timeless(await train(net, data, { ...options, stop: { iterations: 30 }, resume: path }))).toEqual(
      timeless(whole),
    );
  });

  it("L-BFGS that has come to a point without progress ends there at once", async () => {
    const path = join(folder, "ended.ckpt");
    // A linear network: the search finds no lower objective once it is that of the minimum to rounding.
    const line = network({ layers: [2, 1], seed: 1 });
    const options = { ...base, method: lbfgs(), stop: { iterations: 100, gradient: 0 } };
    const whole = await train(line, data, { ...options, checkpoint: { path } });
    expect(whole.reason.code).toBe("no-progress");
    const resumed = await train(line, data, { ...options, resume: path });
    expect(timeless(resumed)).toEqual(timeless(whole));
    expect(resumed.reason).toEqual(whole.reason);
    const forged = resealed(path, ({ end }) => Object.assign(end, { code: "tired" }));
    await expect(train(line, data, { ...options, resume: forged })).rejects.toThrow(/end\.code must be one of .*tired/);
  });

  it("refuses to go on with another batch, seed or number of steps of a cosine", async () => {
    const path = join(folder, "other.ckpt");
    const options = { ...base, method: exactGaussNewton({ batch: 32 }), stop: { epochs: 3 } };
    await train(net, data, { ...options, checkpoint: { path, every: 5 } });
    const others: [TrainOptions, string][] = [
      [{ method: exactGaussNewton({ batch: 16 }) }, "options.method.batch was 32 and is 16"],
      [{ method: adam({ batch: 32 }) }, 'options.method was "exact-gauss-newton" and is "adam"'],
      [{ seed: 9 }, "options.seed was 1 and is 9"],
      [{ loss: huber() }, 'options.loss.kind was "squared-error" and is "huber"'],
      [
        { stop: { epochs: 4 } },
        "the number of steps over which the rate falls (options.stop.epochs, options.stop.iterations) was 18 and is 24",
      ],
      [{ validation: 0.25 }, "the number of rows that are fitted was 200 and is 150"],
    ];
    for (const [other, difference] of others)
      await expect(train(net, data, { ...options, ...other, resume: path })).rejects.toThrow(
        `belongs to another run: ${difference}. Resume it with`,
      );
    const wider = network({ layers: [2, 7, 1], seed: 1 });
    await expect(train(wider, data, { ...options, resume: path })).rejects.toThrow("written with another network");
    const moved = net.withParameters(net.parameters.map((value) => 1.01 * value));
    await expect(train(moved, data, { ...options, resume: path })).rejects.toThrow("started from other parameters");
    const noisy = dataset({ inputs, targets: targets.map((y, i) => (i === 7 ? y + 1e-9 : y)) });
    await expect(train(net, noisy, { ...options, resume: path })).rejects.toThrow("have other values");
    const old = resealed(path, (body) => delete body.run);
    await expect(train(net, data, { ...options, seed: 9, resume: old })).rejects.toThrow("method or options differ");
    const constant = { ...base, method: exactGaussNewton({ batch: 32, schedule: "constant" }) };
    await train(net, data, { ...constant, stop: { epochs: 3 }, checkpoint: { path } });
    const { iterations } = await train(net, data, { ...constant, stop: { epochs: 5 }, resume: path });
    expect(iterations).toBe(30);
  });

  it("refuses sums that do not reach the present step", async () => {
    const path = join(folder, "forged.ckpt");
    const options = { ...base, method: adam({ batch: 32 }), stop: { iterations: 10 } };
    await train(net, data, { ...options, checkpoint: { path } });
    const { createHash } = await import("node:crypto");
    const { body, ...head } = JSON.parse(readFileSync(path, "utf8"));
    const forged = { ...body, batches: { ...body.batches, steps: 2 } };
    const checksum = createHash("sha256").update(JSON.stringify(forged)).digest("hex");
    writeFileSync(path, JSON.stringify({ ...head, checksum, body: forged }));
    await expect(train(net, data, { ...options, resume: path })).rejects.toThrow("batches.steps");
  });
});

describe("classes and other losses", () => {
  const labels = inputs.map(([a, b]) => (a * b > 0 ? "same" : "other"));
  const classes = dataset({ inputs, targets: labels, classes: ["other", "same"] });

  it("learns classes, with class weights as every training has them", async () => {
    const result = await train(network({ layers: [2, 12, 2], seed: 2 }), classes, {
      backend: "typescript",
      method: exactGaussNewton(),
      classWeights: "balanced",
      validation: false,
      stop: { epochs: 15 },
    });
    expect(result.lossUsed).toMatchObject({ kind: "softmax-cross-entropy", decay: 2 });
    const found = result.network.predictClass(inputs);
    const right = labels.filter((label, i) => found[i] === label).length;
    expect(right).toBeGreaterThan(180);
    expect(result.chosen).toContain("2 classes");
  });

  it("finds the threshold of a Huber loss first, by a fit on all rows", async () => {
    const options = { ...base, loss: huber(), method: exactGaussNewton({ batch: 32 }), stop: { epochs: 3 } };
    const { lossUsed, records } = await train(net, data, options);
    expect(lossUsed).toHaveProperty("delta");
    expect(records.every(({ delta }) => delta === (lossUsed as { delta: number }).delta)).toBe(true);
  });

  it("takes a loss by class weights to the same records as the weights themselves", async () => {
    const loss = softmaxCrossEntropy({ decay: 1 });
    const options = { ...base, loss, method: adam({ batch: 16 }), stop: { epochs: 2 } };
    const one = await train(network({ layers: [2, 4, 2], seed: 2 }), classes, {
      ...options,
      classWeights: { same: 2 },
    });
    const weights = labels.map((label) => (label === "same" ? 2 : 1));
    const other = dataset({ inputs, targets: labels, classes: ["other", "same"], weights });
    const two = await train(network({ layers: [2, 4, 2], seed: 2 }), other, options);
    expect(one.last.parameters).toEqual(two.last.parameters);
  });
});

describe("data files", () => {
  it("every row of a file is drawn once an epoch where the batches leave none over, in an order of seed and epoch", async () => {
    const path = join(folder, "rows.gfd");
    await writeDataFile(
      path,
      { featureNames: ["a", "b"], targetNames: ["y"] },
      inputs.map((row, i) => [...row, targets[i]]),
    );
    const file = openDataFile(path);
    const options = { backend: "typescript", method: exactGaussNewton({ batch: 25 }), stop: { epochs: 4 } } as const;
    const one = await train(net, file, options);
    const two = await train(net, file, options);
    expect(one.last.parameters).toEqual(two.last.parameters);
    expect(one.records.at(-1)!.loss).toBeLessThan(0.5 * one.records[0].loss);
    const resumed = join(folder, "file.ckpt");
    const cut = { ...options, stop: { ...options.stop, epochs: 4 } };
    const controller = new AbortController();
    await train(net, file, {
      ...cut,
      signal: controller.signal,
      checkpoint: { path: resumed, every: 7 },
      onRecord: ({ epoch }) => {
        if (epoch === 2) controller.abort();
      },
    });
    expect((await train(net, file, { ...cut, resume: resumed })).last.parameters).toEqual(one.last.parameters);
  });
});

describe("what is refused", () => {
  const refused: readonly (readonly [string, TrainOptions, string])[] = [
    ["a route", { method: adam(), route: "primal" }, "options.route"],
    ["a condition", { method: adam(), condition: true }, "options.condition"],
    ["slots", { method: adam(), slots: 2 }, "options.slots"],
    ["a reduction", { method: adam(), stop: { reduction: 1e-3 } }, "options.stop.reduction"],
    ["epochs of a method on all rows", { stop: { epochs: 3 } }, "options.stop.epochs"],
    ["a gradient with batches", { method: adam(), stop: { gradient: 1e-3 } }, "options.stop.gradient"],
    ["a batch of more rows than there are", { method: adam({ batch: 500 }) }, "options.method.batch"],
  ];
  for (const [name, options, message] of refused)
    it(`${name}`, async () => {
      await expect(train(net, data, { ...base, ...options })).rejects.toThrow(message);
    });

  it("too little memory, with the bytes", () => {
    const { chosen } = plan(net, data, { ...base, method: exactGaussNewton({ batch: 100 }), memoryLimit: 1e6 });
    expect(chosen.fits).toBe(false);
  });

  it("the plan counts the batch: a larger one needs more", () => {
    const bytesOf = (batch: number) => plan(net, data, { ...base, method: exactGaussNewton({ batch }) }).bytes;
    const kernel = (b: number) => 8 * b * b;
    expect(bytesOf(180) - bytesOf(20)).toBeGreaterThan(kernel(180) - kernel(20));
  });
});

it("many trainings run in worker threads with the method rebuilt", async () => {
  const options = { ...base, method: exactGaussNewton({ batch: 32 }), stop: { epochs: 2 } };
  const jobs = restarts({ network: net, data, options }, 2);
  const { results } = await trainMany(jobs, { concurrency: 2 });
  for (const [k, job] of jobs.entries()) {
    const alone = await train(job.network, data, job.options ?? {});
    expect(results[k].result!.last.parameters).toEqual(alone.last.parameters);
  }
});
