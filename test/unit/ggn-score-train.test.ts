// Trainings by ggnScore through train(): the objective and the counts in the records, the end of a published step that explodes, groups of
// units, worker threads, and checkpoints.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataFile } from "../../src/data/data-file.js";
import { writeDataFile } from "../../src/data/write-data-file.js";
import { studentOf } from "../../src/experiment/score.js";
import { ggnScore } from "../../src/method/ggn-score/ggn-score.js";
import type { GgnScoreOptions } from "../../src/method/ggn-score/options.js";
import { penaltyOf } from "../../src/method/ggn-score/penalty.js";
import { SMOOTH_RULES } from "../../src/method/ggn-score/smooth-rules.js";
import { sparsity } from "../../src/method/ggn-score/sparsity.js";
import { unitGroups } from "../../src/method/ggn-score/unit-groups.js";
import { methodAgain, settingsOf } from "../../src/method/rebuild-method.js";
import { predictions } from "../../src/network/forward.js";
import { network } from "../../src/network/network.js";
import { plan } from "../../src/train/plan.js";
import { train } from "../../src/train/train.js";
import type { TrainOptions } from "../../src/train/train-options.js";

const student = studentOf(1, 80, 8);
const options = { standardize: false, validation: false, backend: "typescript" } as const satisfies TrainOptions;
const fitted = (given: GgnScoreOptions, epochs: number, others: TrainOptions = {}) =>
  train(student.net, student.data, { ...options, method: ggnScore(given), stop: { epochs }, ...others });

describe("a training by ggnScore", () => {
  it("records the objective with the regularizer, and the counts of small parameters", async () => {
    const tau = 1e-3;
    const { records, last } = await fitted({ tau, mu: 1e-2, threshold: 0.02, continuation: 0 }, 5);
    const { data, net } = student;
    const bounds = { lower: 0, upper: 0 };
    const h = penaltyOf({ rule: SMOOTH_RULES["pseudo-huber"], mu: 1e-2, bounds, groups: null }, net.parameterCount);
    const psi = predictions(net.architecture, last.parameters, data.inputs);
    const half = psi.reduce((sum, value, i) => sum + 0.5 * (value - data.targets[i]) ** 2, 0);
    const end = records[records.length - 1];
    // Sums of n terms in another order.
    const objective = half + data.sampleCount * tau * h.value(last.parameters);
    expect(Math.abs(end.objective - objective)).toBeLessThan(100 * Number.EPSILON * objective);
    const { small, holding } = sparsity(last, { threshold: 0.02 });
    expect(end).toMatchObject({ smallParameters: small, holdingParameters: holding });
    records.forEach(({ objective: value }, k) => {
      if (k > 0) expect(value).toBeLessThan(records[k - 1].objective);
    });
  });

  it("the published step with mu far below the weights ends the run, which says why and what to do", async () => {
    const { net, data } = studentOf(1, 500, 60);
    const method = ggnScore({ tau: 1e-4, mu: 1e-3, step: "published", length: 0.95 });
    const { reason, records } = await train(net, data, { ...options, backend: "auto", method, stop: { epochs: 60 } });
    expect(["non-finite", "no-progress"]).toContain(reason.code);
    expect(reason.message).toMatch(/majorizing/);
    expect(records[records.length - 1].loss).toBeGreaterThan(records[0].loss);
  });

  it("batches: every step sees its rows, and the loss falls", async () => {
    for (const form of ["rows", "parameters"] as const) {
      const { records } = await fitted({ tau: 1e-4, batch: 20, system: form }, 10);
      expect(records[records.length - 1].loss).toBeLessThan(0.2 * records[0].loss);
    }
  });

  it("groups of units: whole units become small together", async () => {
    const { last } = await fitted({ tau: 3e-3, mu: 1e-3, groups: unitGroups(student.net) }, 200);
    const [d, units] = [5, 8];
    const lengths = Array.from({ length: units }, (_, k) => Math.hypot(...last.parameters.slice(k * d, (k + 1) * d)));
    const small = lengths.filter((length) => length < 1e-2);
    expect(small.length).toBeGreaterThan(0);
    expect(small.length).toBeLessThan(units);
  });

  it("with validation rows the continuation is no reason to stop, and its networks are kept only until there is a later one", async () => {
    const validation = { inputs: student.data.inputs, targets: student.data.targets.map((y) => -y), inputSize: 5 };
    const stop = { patience: 2, epochs: 40 };
    const given = { tau: 1e-5, continuation: 20 };
    const run = (others: TrainOptions = {}) => fitted(given, 0, { validation, stop, ...others });
    const losses = ({ records }: Awaited<ReturnType<typeof run>>) => records.map((one) => one.validationLoss!);
    const whole = await run();
    // What the network learns makes the error on the opposite targets larger: the least is one of the first.
    const first = losses(whole);
    expect(first.indexOf(Math.min(...first))).toBeLessThan(10);
    const after = losses(whole).slice(21);
    expect(whole.bestIteration).toBe(21 + after.indexOf(Math.min(...after)));
    expect(whole.iterations).toBe(whole.bestIteration + 2);
    expect(whole.reason.code).toBe("patience");
    const cut = await run({ stop: { ...stop, epochs: 15 } });
    expect([cut.iterations, cut.bestIteration]).toEqual([15, 15]);
    const path = join(mkdtempSync(join(tmpdir(), "gaussflow-score-")), "run.json");
    await run({ stop: { ...stop, epochs: 15 }, checkpoint: { path } });
    const resumed = await run({ resume: path });
    expect(resumed.network.parameters).toEqual(whole.network.parameters);
    expect(resumed.iterations).toBe(whole.iterations);
  });

  it("goes on from a checkpoint with the same bits, and is rebuilt from its settings", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "gaussflow-score-")), "run.json");
    const given = { tau: 1e-4, batch: 20, proximal: true, groups: unitGroups(student.net) } as const;
    const whole = await fitted(given, 6);
    await fitted(given, 6, { stop: { iterations: 10 }, checkpoint: { path, every: 1 } });
    const resumed = await fitted(given, 6, { resume: path });
    expect(resumed.last.parameters).toEqual(whole.last.parameters);
    const method = ggnScore(given);
    const again = methodAgain(settingsOf(method) ?? { name: "", settings: {} });
    expect(again.settings).toEqual(method.settings);
    const box = ggnScore({ regularizer: "log-exp-box", lower: -2 });
    expect(methodAgain(settingsOf(box) ?? { name: "", settings: {} }).settings).toEqual(box.settings);
  });
});

describe("unitGroups", () => {
  it("has the incoming weights of each unit, and each bias by itself", () => {
    const net = network({ layers: [3, 2, 1], bias: [true, false] });
    expect(unitGroups(net)).toEqual([3, 3, 1, 1, 2]);
  });
});

describe("a training by ggnScore on a data file with more parameters than rows", () => {
  const { net, data } = studentOf(1, 40, 30);
  const path = join(mkdtempSync(join(tmpdir(), "gaussflow-score-file-")), "rows.gfd");
  const file = async () => {
    const { inputSize: d, inputs, targets, featureNames } = data;
    const rows = Array.from(targets, (target, i) => [...inputs.subarray(i * d, (i + 1) * d), target]);
    await writeDataFile(path, { featureNames: [...featureNames], targetNames: ["y"] }, rows);
    return openDataFile(path);
  };

  it("takes the form of the parameters for all rows, of which none are in memory, and has the steps of the table", async () => {
    expect(net.parameterCount).toBeGreaterThan(data.sampleCount);
    const run = { ...options, stop: { epochs: 4 } };
    const read = await train(net, await file(), { ...run, method: ggnScore() });
    expect(read.plan).toMatchObject({ route: "primal", batch: { rows: 40 } });
    const table = await train(net, data, { ...run, method: ggnScore({ system: "parameters" }) });
    expect(read.last.parameters).toEqual(table.last.parameters);
  });

  it("refuses the form of the rows before it begins, and takes it on batches", async () => {
    const run = { ...options, stop: { epochs: 1 } };
    const source = await file();
    expect(() => plan(net, source, { ...run, method: ggnScore({ system: "rows" }) })).toThrow(
      /options\.method\.system must be "parameters" or "auto" where every step sees all rows of a data file/,
    );
    const { records } = await train(net, source, { ...run, method: ggnScore({ system: "rows", batch: 10 }) });
    expect(records).toHaveLength(2);
  });
});
