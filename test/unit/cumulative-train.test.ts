// Trainings by cumulativeGaussNewton through train(): the loss falls, checkpoints in the middle of an epoch and of a factor's life go on with
// the same bits, one and two threads give the same bits, and the bytes of the plan are counted with the moving average.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset-input.js";
import { cumulativeGaussNewton } from "../../src/method/cumulative/cumulative.js";
import type { CumulativeGaussNewtonOptions } from "../../src/method/cumulative/options.js";
import { methodAgain, settingsOf } from "../../src/method/rebuild-method.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { decodeFloats, encodeFloats } from "../../src/sealed-json.js";
import { plan } from "../../src/train/plan.js";
import { train } from "../../src/train/train.js";
import type { TrainOptions } from "../../src/train/train-options.js";
import { resealed } from "../helpers/sealed.js";

const draw = new Random(5, 1);
const inputs = Float64Array.from({ length: 200 * 3 }, () => draw.normal());
const targets = Float64Array.from({ length: 200 }, (_, i) => Math.sin(inputs[3 * i]) * inputs[3 * i + 1]);
const data = dataset({ inputs, targets, inputSize: 3 });
const net = network({ layers: [3, 6, 1], seed: 2 });
const forms: readonly CumulativeGaussNewtonOptions[] = [
  { batch: 32 },
  { batch: 32, curvatureRows: 20, factorEvery: 3 },
  { form: "forgetting", batch: 32 },
  { form: "published", batch: 32, radius: 2 },
];
const fitted = (given: CumulativeGaussNewtonOptions, options: TrainOptions = {}) =>
  train(net, data, { method: cumulativeGaussNewton(given), stop: { epochs: 20 }, validation: false, ...options });

describe.each(["native", "typescript"] as const)("trainings by cumulative Gauss-Newton, %s engine", (backend) => {
  it.each(forms)("%j: the loss falls, and a resumed run has the bits of the whole one", async (given) => {
    const whole = await fitted(given, { backend });
    const { records } = whole;
    expect(records[records.length - 1].loss).toBeLessThan(0.7 * records[0].loss);
    const path = join(mkdtempSync(join(tmpdir(), "gaussflow-cumulative-")), "run.json");
    for (const iterations of [3, 50]) {
      // The rate falls along a cosine over the steps of the run, so that its end comes from outside.
      const abort = new AbortController();
      const onRecord = ({ iteration }: { readonly iteration: number }) => {
        if (iteration >= iterations) abort.abort();
      };
      const stop = { epochs: 20, validateEvery: iterations };
      await fitted(given, { backend, checkpoint: { path, every: 1 }, stop, onRecord, signal: abort.signal });
      const resumed = await fitted(given, { backend, resume: path });
      expect(resumed.last.parameters).toEqual(whole.last.parameters);
    }
  });
});

describe("cumulative Gauss-Newton", () => {
  it("has the same bits on one and two threads", async () => {
    for (const given of forms) {
      const [one, two] = [await fitted(given, { threads: 1 }), await fitted(given, { threads: 2 })];
      expect(two.last.parameters).toEqual(one.last.parameters);
    }
  });

  it("moves after an epoch, however many rows its warm-up asks for", async () => {
    const { records } = await fitted({ batch: 32, warmUp: 1000 }, { stop: { epochs: 2 } });
    expect(records.map(({ rejected }) => rejected)).toEqual([0, 6, 0]);
    expect(records[2].loss).toBeLessThan(records[0].loss);
  });

  it("does not count the steps of its warm-up as validations without progress", async () => {
    const given = { batch: 16, curvatureRows: 4, warmUp: 2 };
    const stop = { epochs: 4, validateEvery: 1, patience: 5 };
    const { records, reason, validationLoss } = await fitted(given, { stop, validation: 0.2 });
    const moved = records.findIndex(({ rejected, iteration }) => iteration > 0 && rejected === 0);
    // 31 parameters: 16 steps, more than the patience, that are one epoch of ten steps at most.
    expect(moved).toBeGreaterThan(10);
    const before = new Set(records.slice(0, moved).map((one) => one.validationLoss));
    expect(before.size).toBe(1);
    expect(validationLoss).toBeLessThan([...before][0]!);
    expect(["patience", "iterations"]).toContain(reason.code);
  });

  it("refuses a checkpoint whose M is not a symmetric matrix of finite numbers, and names the entry", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "gaussflow-cumulative-")), "run.json");
    const abort = new AbortController();
    const onRecord = ({ iteration }: { readonly iteration: number }) => (iteration > 0 ? abort.abort() : undefined);
    await fitted({ batch: 32 }, { checkpoint: { path }, onRecord, signal: abort.signal });
    const p = net.parameterCount;
    const changed = (change: (matrix: Float64Array) => Float64Array | undefined) =>
      resealed(path, (body) => {
        const entry = body.methodState.find(([name]: [string]) => name === "curvature");
        const matrix = decodeFloats(entry[1], p * p, path, "curvature");
        entry[1] = encodeFloats(change(matrix) ?? matrix);
      });
    const set = (at: number, value: number) => (matrix: Float64Array) => {
      matrix[at] = value;
      return undefined;
    };
    const wrong: readonly [ReturnType<typeof set> | ((matrix: Float64Array) => Float64Array), RegExp][] = [
      [(matrix) => matrix.slice(0, p), new RegExp(`curvature must have ${p * p} numbers; it has ${p}`)],
      [set(p, Number.POSITIVE_INFINITY), new RegExp(`curvature\\[${p}\\] must be a finite number; it is Infinity`)],
      [set(1, Number.POSITIVE_INFINITY), /curvature\[1\] must be .*: the matrix is symmetric; it is Infinity/],
      [set(1, 3), /curvature\[1\] must be .*: the matrix is symmetric; it is 3/],
    ];
    for (const [change, message] of wrong)
      await expect(fitted({ batch: 32 }, { resume: changed(change) }), String(message)).rejects.toMatchObject({
        code: "GAUSSFLOW_FILE",
        message: expect.stringMatching(message),
      });
  });

  it("is rebuilt from its settings", () => {
    for (const given of forms) {
      const method = cumulativeGaussNewton(given);
      expect(methodAgain(settingsOf(method) ?? { name: "", settings: {} }).settings).toEqual(method.settings);
    }
  });

  it("a plan counts its matrices: that of the engine with its average and factor, and two in the state", () => {
    const wide = network({ layers: [3, 200, 1], seed: 2 });
    const p = wide.parameterCount;
    const planned = plan(wide, data, { method: cumulativeGaussNewton({ batch: 32 }), validation: false });
    const without = plan(wide, data, { method: cumulativeGaussNewton({ batch: 32 }), validation: false, threads: 1 });
    const square = 8 * p * p;
    for (const { chosen } of [planned, without]) {
      const { curvature, factor, workspaces, vectors } = chosen.bytes;
      expect(vectors).toBeGreaterThanOrEqual(2 * square);
      // Matrix and factor in one array, and the average packed.
      expect(curvature + factor).toBeGreaterThanOrEqual(square);
      expect(workspaces).toBeGreaterThanOrEqual(0.5 * square);
    }
  });
});
