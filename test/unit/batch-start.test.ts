// The option batchStart: a training begins where an epoch of exact Gauss-Newton on batches ends, on both engines and with every kind of loss,
// from memory and from a file, and a resumed one goes on from there.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type BatchStart,
  dataset,
  exactGaussNewton,
  gaussianNll,
  huber,
  network,
  openDataFile,
  plan,
  Random,
  restarts,
  softmaxCrossEntropy,
  type TrainOptions,
  train,
  trainMany,
  writeDataFile,
} from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-batch-start-"));
const net = network({ layers: [2, 6, 1], seed: 1 });
const draw = new Random(4, 1);
const inputs = Array.from({ length: 400 }, () => [draw.normal(), draw.normal()]);
const targets = inputs.map(([a, b]) => Math.sin(a) * b + 0.05 * draw.normal());
const data = dataset({ inputs, targets });
const labels = dataset({ inputs, targets: inputs.map(([a, b]) => (a > 1 ? "far" : b > 0 ? "up" : "down")) });
const base: TrainOptions = { validation: false, seed: 5 };
const unmoved = { iterations: 0 };

/** What the start must be: the best end of an epoch of the method itself. */
const byMethod = { ...base, method: exactGaussNewton({ rate: 1 }), stop: { epochs: 2 } };

describe("batchStart", () => {
  for (const backend of ["native", "typescript"] as const)
    it(`begins where the method on batches ends, bit for bit: ${backend} engine`, async () => {
      const ended = await train(net, data, { ...byMethod, backend });
      const begun = await train(net, data, { ...base, backend, batchStart: { epochs: 2 }, stop: unmoved });
      expect(begun.best.parameters).toEqual(ended.best.parameters);
      expect(begun.records).toHaveLength(1);
      expect(begun.records[0].loss).toBe(Math.min(...ended.records.map(({ loss }) => loss)));
    });

  it.each([
    ["huber, which finds its scale first", data, net, huber()],
    ["the classes of softmax", labels, network({ layers: [2, 6, 3], seed: 1 }), softmaxCrossEntropy({ decay: 0.1 })],
    [
      "a Gaussian likelihood, whose means are fitted first",
      data,
      network({ layers: [2, 6, 2], seed: 1 }),
      gaussianNll(),
    ],
  ])("lowers the loss of %s before the first iteration", async (_, rows, drawn, loss) => {
    // Trained as it is: a drawn network would begin with little decay (train/light-start.ts).
    const plain = await train(drawn, rows, { ...base, loss: { ...loss, decay: 0 }, stop: unmoved });
    const moved = await train(drawn, rows, { ...base, loss, batchStart: true, stop: unmoved });
    expect(moved.warnings).toEqual(plain.warnings);
    expect(moved.records[0].loss).toBeLessThan(plain.records[0].loss);
  });

  it("lowers the loss before the first iteration of a data file, too", async () => {
    const path = join(folder, "rows.gfd");
    await writeDataFile(
      path,
      { featureNames: ["a", "b"], targetNames: ["y"] },
      inputs.map((row, i) => [...row, targets[i]]),
    );
    const file = openDataFile(path);
    const begun = await train(net, file, { ...base, batchStart: true, stop: { iterations: 3 } });
    const plain = await train(net, file, { ...base, stop: unmoved });
    expect(begun.records[0].loss).toBeLessThan(plain.records[0].loss);
  });

  it("a resumed run goes on from that start bit for bit, and refuses another", async () => {
    const path = join(folder, "run.ckpt");
    const options: TrainOptions = { ...base, batchStart: { epochs: 2, batch: 32, damping: 0.1 } };
    const whole = await train(net, data, { ...options, stop: { iterations: 12 } });
    await train(net, data, { ...options, stop: { iterations: 5 }, checkpoint: { path, every: 1 } });
    const resumed = await train(net, data, { ...options, stop: { iterations: 12 }, resume: path });
    expect(resumed.best.parameters).toEqual(whole.best.parameters);
    expect(resumed.records.map(({ loss }) => loss)).toEqual(whole.records.map(({ loss }) => loss));
    for (const batchStart of [false, true, { epochs: 3, batch: 32, damping: 0.1 }])
      await expect(train(net, data, { ...options, batchStart, resume: path })).rejects.toThrow("another run");
  });

  it("is the same in worker threads", async () => {
    const options = { ...base, batchStart: true, stop: { iterations: 4 } };
    const jobs = restarts({ network: net, data, options }, 2);
    const { results } = await trainMany(jobs, { threads: 2 });
    for (const [k, { result }] of results.entries()) {
      const alone = await train(jobs[k].network, data, jobs[k].options);
      expect(result?.best.parameters).toEqual(alone.best.parameters);
    }
  });

  it("goes on from the start where the batches end early, and says so", async () => {
    const wild: BatchStart = { epochs: 1, batch: 1, damping: 1e-300 };
    const huge = dataset({ inputs, targets: targets.map((y) => 1e300 * y) });
    const { records, warnings } = await train(net, huge, {
      ...base,
      standardize: false,
      batchStart: wild,
      stop: unmoved,
    }).catch((error: unknown) => ({ records: [], warnings: [String(error)] }));
    const plain = await train(net, huge, { ...base, standardize: false, stop: unmoved });
    expect(records.map(({ loss }) => loss)).toEqual(plain.records.map(({ loss }) => loss));
    expect(warnings.join()).toContain("the start on batches ended early");
  });

  it("an abort during the start ends the run with its reason", async () => {
    const { reason, iterations } = await train(net, data, {
      ...base,
      batchStart: { epochs: 1_000_000 },
      signal: AbortSignal.timeout(100),
    });
    expect(reason.code).toBe("aborted");
    expect(iterations).toBe(0);
  });

  it("names what is wrong with it", async () => {
    const wrong = (batchStart: unknown) => train(net, data, { ...base, batchStart: batchStart as BatchStart });
    await expect(wrong(3)).rejects.toThrow("options.batchStart must be true, false or an object");
    await expect(wrong({ epoch: 2 })).rejects.toThrow('did you mean "epochs"');
    await expect(wrong({ epochs: 0 })).rejects.toThrow("options.batchStart.epochs must be");
    await expect(train(net, data, { seed: 5, batchStart: { batch: 341 } })).rejects.toThrow(
      "options.batchStart.batch must be at most the rows that are fitted, 340: choose a smaller batch; received 341",
    );
    await expect(wrong({ damping: 0 })).rejects.toThrow("options.batchStart.damping must be");
    await expect(train(net, data, { ...base, ...byMethod, batchStart: true })).rejects.toThrow(
      "options.batchStart must be left out with a batch method",
    );
  });

  it("is refused where a batch does not fit the memory limit", async () => {
    const wide = network({ layers: [2, 4, 1], seed: 1 });
    const rows = dataset({
      inputs: Array.from({ length: 4000 }, (_, k) => [k / 4000, 1]),
      targets: Array.from({ length: 4000 }, (_, k) => k),
    });
    const { bytes } = plan(wide, rows, base);
    const options = { ...base, memoryLimit: Math.ceil(1.1 * bytes), batchStart: { batch: 4000 } };
    await expect(train(wide, rows, options)).rejects.toThrow("a smaller options.batchStart.batch takes less");
    // Jobs in threads are admitted by this peak, and the kernel of the batch alone takes 8 b^2 bytes.
    const { chosen } = plan(wide, rows, options);
    expect(chosen.fits).toBe(false);
    expect(chosen.bytes.most).toBeGreaterThan(8 * 4000 ** 2);
  });
});
