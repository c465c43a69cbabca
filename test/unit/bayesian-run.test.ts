// Trainings by Bayesian regularization: no collapse from good and bad starts, equal answers of routes and engines, runs that resume bit for
// bit across updates, and what is refused.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  bayesianRegularization,
  crossValidate,
  huber,
  levenbergMarquardt,
  type Network,
  network,
  Random,
  squaredError,
  train,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { noisySine, sineError } from "../helpers/noisy-sine.js";

/** The message of what is thrown. */
const refusal = (call: () => Promise<unknown>) =>
  call().then(
    () => "",
    (error: Error) => error.message,
  );

const method = bayesianRegularization();
const net = network({ layers: [1, 40, 1], seed: 2 });

describe("noisy sines, 40 units", () => {
  it.each([
    [1, 1e-2],
    [2, 1e-2],
    [3, 1],
    [4, 1e-6],
    [5, 1e3],
  ])(
    "set %i with first decay %f: below the noise, few effective parameters, no rows held out",
    async (seed, firstDecay) => {
      const data = noisySine(seed);
      const result = await train(net.withParameters(network({ layers: [1, 40, 1], seed }).parameters), data, {
        method: bayesianRegularization({ firstDecay }),
        backend: "typescript",
      });
      const { evidence, records, reason, validationLoss } = result;
      expect(validationLoss).toBeNull();
      expect(["evidence", "reduction", "gradient"]).toContain(reason.code);
      // 0.2 is the noise; the fits without decay follow it to above it.
      expect(sineError(result.network)).toBeLessThan(0.25);
      expect(evidence!.effectiveParameters).toBeGreaterThan(5);
      expect(evidence!.effectiveParameters).toBeLessThan(20);
      // In the units of training: the targets have a standard deviation of about 0.7.
      expect(evidence!.noise * result.network.scaling!.targets.scale[0]!).toBeGreaterThan(0.1);
      expect(evidence!.noise * result.network.scaling!.targets.scale[0]!).toBeLessThan(0.3);
      expect(records[0]!.decay).toBe(firstDecay);
      expect(records.at(-1)!.decay).toBe(evidence!.decay);
      // Within one decay every accepted step lowers the objective.
      const accepted = records.filter((record) => record.accepted);
      for (const [k, record] of accepted.entries()) {
        const before = accepted[k - 1];
        if (before?.decay === record.decay) expect(record.objective).toBeLessThanOrEqual(before!.objective);
      }
    },
  );

  it("predict as well as with a decay that five folds choose", async () => {
    const ratios: number[] = [];
    for (const seed of [1, 2, 3]) {
      const data = noisySine(seed, 60);
      const job = { network: net, data };
      const fixed = (decay: number) => ({ loss: squaredError({ decay }), validation: false as const });
      const decays = [1e-4, 1e-3, 1e-2, 1e-1, 1];
      const errors: number[] = [];
      for (const decay of decays) {
        const { metrics } = await crossValidate({ ...job, options: fixed(decay) }, { folds: 5, seed });
        errors.push(metrics![0]!.rmse);
      }
      const best = decays[errors.indexOf(Math.min(...errors))]!;
      const chosen = await train(net, data, fixed(best));
      const own = await train(net, data, { method });
      // New targets have the noise of 0.2 beside the error.
      ratios.push(Math.hypot(sineError(own.network), 0.2) / Math.hypot(sineError(chosen.network), 0.2));
    }
    ratios.sort((a, b) => a - b);
    expect(ratios[1]).toBeLessThan(1.05);
    expect(ratios[2]).toBeLessThan(1.3);
  });

  it("begins again with the estimate where the first decay was far too large", async () => {
    const { records } = await train(net, noisySine(1), { method: bayesianRegularization({ firstDecay: 1 }) });
    const [first, second] = [...new Set(records.map((record) => record.decay!))];
    expect(first).toBe(1);
    expect(second).toBeLessThan(1 / 3);
    const before = records.findIndex((record) => record.decay !== 1);
    // The first step from the start again has the damping of the first step of the run.
    expect(records[before]!.damping).toBe(records[1]!.damping);
  });

  it("begins again from its start with a thousandth of a decay under which nothing is left", async () => {
    const { records } = await train(net, noisySine(5), {
      method: bayesianRegularization({ firstDecay: 1e3 }),
      backend: "typescript",
      stop: { iterations: 12 },
    });
    const decays = [...new Set(records.map((record) => record.decay))];
    expect(decays.slice(0, 2)).toEqual([1e3, 1]);
    const again = records.find((record) => record.decay !== 1e3)!;
    // The step that follows is from the start, whose loss is that of the first record to the size of a step.
    expect(again.objective).toBeLessThan(records[0]!.objective);
  });

  it("ends where the inputs say nothing of the targets, with a warning", async () => {
    // Every input has both targets, whose mean is 0.
    const inputs = Array.from({ length: 60 }, (_, i) => [Math.floor(i / 2)]);
    const targets = inputs.map((_, i) => (i % 2 === 0 ? 1 : -1));
    const small = network({ layers: [1, 8, 1], seed: 1 });
    const { evidence, reason, warnings } = await train(small, { inputs, targets }, { method, backend: "typescript" });
    expect(reason.code).not.toBe("non-finite");
    expect(evidence!.effectiveParameters).toBeLessThan(1);
    expect(evidence!.noise).toBeCloseTo(1, 1);
    expect(warnings).toEqual([expect.stringContaining("less than one parameter")]);
  });
});

describe("ten inputs, where estimates alone end at far too small a decay", () => {
  const friedman = (seed: number, rows: number) => {
    const random = new Random(seed, 3);
    const inputs = Array.from({ length: rows }, () => Array.from({ length: 10 }, () => random.uniform()));
    const truth = ([a, b, c, d, e]: readonly number[]) =>
      10 * Math.sin(Math.PI * a! * b!) + 20 * (c! - 0.5) ** 2 + 10 * d! + 5 * e!;
    return { inputs, targets: inputs.map((x) => truth(x) + random.normal()), truth };
  };

  it("the run goes on to the highest evidence, and predicts as well as with the best of several decays", async () => {
    const { truth, ...data } = friedman(2, 200);
    const test = friedman(77, 1000);
    const errorOf = (one: Network) => {
      const predicted = one.predict(test.inputs);
      return Math.sqrt(test.inputs.reduce((sum, x, i) => sum + (predicted[i]! - truth(x)) ** 2, 0) / 1000);
    };
    const wide = network({ layers: [10, 16, 1], seed: 2 });
    const own = await train(wide, data, { method });
    const fixed: number[] = [];
    for (const decay of [0.01, 0.1, 1, 10])
      fixed.push(errorOf((await train(wide, data, { loss: squaredError({ decay }), validation: false })).network));
    expect(errorOf(own.network)).toBeLessThan(1.15 * Math.min(...fixed));
    // Without it the decay is about 0.01, and the fit goes nearly through the data.
    expect(own.evidence!.decay).toBeGreaterThan(0.3);
    const estimates = own.records.map(({ evidence }) => evidence?.logEvidence ?? Number.NEGATIVE_INFINITY);
    expect(own.evidence!.logEvidence).toBeGreaterThan(estimates.at(-1)! - 1);
  });

  it("a run that is cut while it climbs keeps its most probable fit, and resumes bit for bit", async () => {
    const { truth: _, ...data } = friedman(2, 200);
    const wide = network({ layers: [10, 8, 1], seed: 2 });
    const path = join(await mkdtemp(join(tmpdir(), "gaussflow-")), "run.json");
    const options = { method, stop: { iterations: 400 } };
    const whole = await train(wide, data, options);
    const climbs = whole.records.findLast(({ decay }) => decay! > whole.evidence!.decay * 2)!.iteration;
    const cut = await train(wide, data, { ...options, stop: { iterations: climbs }, checkpoint: { path } });
    expect(cut.evidence!.decay).toBeCloseTo(whole.evidence!.decay, 10);
    expect(cut.lossUsed.decay).toBe(cut.evidence!.decay);
    expect(cut.bestIteration).toBeLessThan(climbs);
    expect(timeless(await train(wide, data, { ...options, resume: path }))).toEqual(timeless(whole));
  });
});

describe("routes and engines", () => {
  const data = noisySine(6);
  const cases = [
    ["typescript", "primal"],
    ["typescript", "dual"],
    ["auto", "primal"],
    ["auto", "dual"],
  ] as const;
  it.each(cases)("%s, %s: one evidence", async (backend, route) => {
    const first = await train(net, data, { method, backend: "typescript", route: "primal", stop: { iterations: 400 } });
    const other = await train(net, data, { method, backend, route, stop: { iterations: 400 } });
    // Other scalings of the damping lead the same way to the same minimum, or to another with as good an evidence.
    expect(Math.abs(other.evidence!.logEvidence - first.evidence!.logEvidence)).toBeLessThan(2);
    expect(Math.abs(other.evidence!.effectiveParameters - first.evidence!.effectiveParameters)).toBeLessThan(2);
  });

  it("the products of the matrix-free route find a decay like that of the eigenvalues", async () => {
    const exact = await train(net, data, { method });
    const products = await train(net, data, { method, route: "matrix-free" });
    // 16 probes know 9 effective parameters to 12%, and the log evidence to a few nats: they may take the next decay, three times as large.
    expect(Math.abs(Math.log(products.evidence!.decay / exact.evidence!.decay))).toBeLessThan(Math.log(4));
    expect(sineError(products.network)).toBeLessThan(0.2);
  });
});

describe("a run that is cut and resumed", () => {
  it.each([
    ["typescript", "primal", 4],
    ["typescript", "primal", 5],
    ["auto", "primal", 11],
    ["auto", "dual", 17],
  ] as const)("%s, %s, after %i iterations is bit-identical", async (backend, route, cut) => {
    const path = join(await mkdtemp(join(tmpdir(), "gaussflow-")), "run.json");
    const options = { method, backend, route, stop: { iterations: 60 } } as const;
    const data = noisySine(7);
    const whole = await train(net, data, options);
    await train(net, data, { ...options, stop: { iterations: cut }, checkpoint: { path, every: 3 } });
    const resumed = await train(net, data, { ...options, resume: path });
    expect(timeless(resumed)).toEqual(timeless(whole));
    expect(new Set(whole.records.map((record) => record.decay)).size).toBeGreaterThan(3);
  });

  it("also across a collapse", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "gaussflow-")), "run.json");
    const options = { method: bayesianRegularization({ firstDecay: 1e3 }), stop: { iterations: 20 } };
    const data = noisySine(5);
    const whole = await train(net, data, options);
    await train(net, data, { ...options, stop: { iterations: 4 }, checkpoint: { path } });
    expect(timeless(await train(net, data, { ...options, resume: path }))).toEqual(timeless(whole));
  });
});

describe("what is refused", () => {
  const data = noisySine(1);
  it("a loss whose noise is not that of squared error, and a decay beside that of the method", async () => {
    expect(await refusal(() => train(net, data, { method, loss: huber({ delta: 1 }) }))).toMatch(
      /options\.loss must be squaredError/,
    );
    expect(await refusal(() => train(net, data, { method, loss: squaredError({ decay: 1 }) }))).toMatch(/firstDecay/);
  });

  it("options out of range", async () => {
    expect(await refusal(async () => bayesianRegularization({ firstDecay: 0 }))).toMatch(/options\.firstDecay/);
    expect(await refusal(async () => bayesianRegularization({ every: 0 }))).toMatch(/options\.every/);
    expect(await refusal(async () => bayesianRegularization({ decay: 1 } as object))).toMatch(/no option of that name/);
  });

  it("a policy that lacks a function", async () => {
    const broken = { ...levenbergMarquardt(), regularization: { first: 1 } } as never;
    expect(await refusal(() => train(net, data, { method: broken }))).toMatch(
      /regularization\.decay must be a function/,
    );
  });
});
