// The run as users see it: reasons, best-so-far, records, validation, and the defects of other libraries that must not be ours.
import { describe, expect, it } from "vitest";
import {
  createEngine,
  dataset,
  GaussflowError,
  gaussNewton,
  levenbergMarquardt,
  network,
  squaredError,
  type TrainRecord,
  train,
  trainSteps,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const data = waves(120, 3, 1, 1);
const net = network({ layers: [3, 8, 1], seed: 2 });
const quick = { validation: false, backend: "typescript" } as const;

describe("reasons", () => {
  const cases: readonly [string, object, RegExp][] = [
    ["iterations", { stop: { iterations: 3 } }, /3 iterations/],
    ["loss", { stop: { loss: 0.1 } }, /reached the target/],
    ["gradient", { stop: { gradient: 0.9 } }, /gradient measure/],
    ["step", { stop: { step: 10 } }, /step norm/],
    ["reduction", { stop: { reduction: 0.99 } }, /relative reductions/],
    ["seconds", { stop: { seconds: 1e-9 } }, /seconds|s have passed/],
    ["patience", { validation: 0.3, stop: { patience: 2 } }, /validation loss/],
  ];
  it.each(cases)("%s", async (code, options, message) => {
    const result = await train(net, data, { ...quick, ...options });
    expect(result.reason.code).toBe(code);
    expect(result.reason.message).toMatch(message);
    expect(result.network.parameters.every(Number.isFinite)).toBe(true);
  });

  it("aborted: resolves with the best network so far", async () => {
    const controller = new AbortController();
    const result = await train(net, data, {
      ...quick,
      signal: controller.signal,
      onRecord: ({ iteration, accepted }) => {
        if (accepted && iteration === 4) controller.abort();
      },
    });
    expect(result.reason.code).toBe("aborted");
    expect(result.bestIteration).toBe(4);
    const start = await train(net, data, { ...quick, stop: { iterations: 0 } });
    expect(result.loss).toBeLessThan(start.loss);
  });

  it("non-finite: names layer, sample and unit, and returns the start", async () => {
    const broken = network({ layers: [3, 4, 1], activation: "identity", seed: 1 });
    const wild = broken.withParameters(broken.parameters.map((value) => value * 1e200));
    const result = await train(wild, data, quick);
    expect(result.reason.code).toBe("non-finite");
    expect(result.reason.where).toMatchObject({ layer: expect.any(Number), sample: expect.any(Number) });
    expect(result.reason.message).toMatch(/layer \d.*sample \d/);
  });

  it.each(["primal", "dual", "matrix-free"] as const)(
    "non-finite: a weight decay that takes the objective out of range is named, %s route",
    async (route) => {
      const options = (decay: number) => ({ ...quick, route, loss: squaredError({ decay }) });
      const result = await train(net, data, options(1e308));
      expect(result.reason).toMatchObject({ code: "non-finite", where: { what: "objective" } });
      expect(result.reason.message).toMatch(/weight decay 1e\+308 is too large/);
      expect(result.network.parameters).toEqual(net.parameters);
      // decay F overflows, F does not: |gradient|_max / sqrt(2 decay F) is about |w|_max / |w|, far from 0, and the parameters are drawn in.
      const large = await train(net, data, options(1e300));
      expect(large.records[0]!.gradientCosine).toBeCloseTo(
        Math.max(...net.parameters.map(Math.abs)) / Math.hypot(...net.parameters),
        12,
      );
      expect(large.iterations).toBeGreaterThan(0);
      expect(Math.hypot(...large.network.parameters)).toBeLessThan(1e-12 * Math.hypot(...net.parameters));
    },
  );

  it("never calls a run without any accepted step a success", async () => {
    // At the exact minimum of a consistent linear problem nothing can improve.
    const inputs = [[0], [1], [2]];
    const line = network({ layers: [1, 1], seed: 1 });
    const solved = await train(line, { inputs, targets: [1, 3, 5] }, { ...quick, standardize: false });
    const again = await train(solved.network, { inputs, targets: [1, 3, 5] }, { ...quick, standardize: false });
    expect(["gradient", "reduction", "no-progress", "step"]).toContain(again.reason.code);
    expect(again.loss).toBeLessThan(1e-25);
  });
});

describe("records", () => {
  it("tell every trial, and the loss never rises between accepted ones", async () => {
    const seen: TrainRecord[] = [];
    // A first step with hardly any damping goes too far.
    const method = levenbergMarquardt({ initialDamping: 1e-9, acceleration: false });
    const result = await train(net, data, { ...quick, method, onRecord: (record) => void seen.push(record) });
    expect(seen).toEqual(result.records);
    const rejected = seen.filter((record) => !record.accepted);
    expect(rejected.length).toBeGreaterThan(0);
    for (const { rejection } of rejected) expect(rejection).toMatch(/\S/);
    const accepted = seen.filter((record) => record.accepted);
    expect(accepted[0].iteration).toBe(0);
    expect(accepted.map((record) => record.iteration)).toEqual(accepted.map((_, k) => k));
    for (let k = 1; k < accepted.length; k++) expect(accepted[k].objective).toBeLessThan(accepted[k - 1].objective);
  });

  it("come one by one from trainSteps, and leaving early frees the engine", async () => {
    let count = 0;
    for await (const record of trainSteps(net, data, quick)) {
      count++;
      if (record.iteration === 2) break;
    }
    expect(count).toBeGreaterThanOrEqual(3);
  });

  it("an observer that throws stops the run with its own error", async () => {
    const failure = new Error("mine");
    const run = train(net, data, {
      ...quick,
      onRecord: () => {
        throw failure;
      },
    });
    await expect(run).rejects.toBe(failure);
  });
});

describe("validation", () => {
  it("keeps the point with the lowest validation loss", async () => {
    const result = await train(net, data, { backend: "typescript", validation: 0.25, stop: { patience: 30 } });
    const losses = result.records.filter((record) => record.accepted).map((record) => record.validationLoss ?? 1e9);
    expect(result.validationLoss).toBe(Math.min(...losses));
    expect(losses[result.bestIteration]).toBe(result.validationLoss);
  });

  it("holds 15% out by default from 40 samples on, drawn by the seed", async () => {
    const result = await train(net, data, { backend: "typescript", stop: { iterations: 1 } });
    expect(result.chosen).toMatch(
      /^Network [\d-]+ \(\d+ parameters\), trained on 102 rows; 18 more were held out to decide when to stop\.$/,
    );
    expect(result.details).toContain("102 samples (18 held out for validation)");
    const tiny = await train(net, data.select([...Array(39).keys()]), {
      backend: "typescript",
      stop: { iterations: 1 },
    });
    expect(tiny.chosen).toMatch(/trained on 39 rows; no rows were held out to decide when to stop\.$/);
  });
});

describe("data that other trainers trip over", () => {
  it("one sample, more features than rows, constant columns, duplicate rows", async () => {
    const one = await train(network({ layers: [2, 3, 1] }), { inputs: [[1, 2]], targets: [3] }, quick);
    expect(one.network.predict([[1, 2]])[0]).toBeCloseTo(3, 6);
    const wide = dataset({
      inputs: [
        [1, 2, 3, 4, 5],
        [2, 2, 2, 4, 1],
        [0, 2, 1, 4, 1],
      ],
      targets: [1, 2, 3],
    });
    const fitted = await train(network({ layers: [5, 4, 1] }), wide, quick);
    expect(fitted.loss).toBeLessThan(1e-8);
    const twice = data.select([...data.targets.keys(), ...data.targets.keys()]);
    const result = await train(net, twice, { ...quick, route: "dual" });
    expect(result.network.parameters.every(Number.isFinite)).toBe(true);
    expect(result.loss).toBeLessThan(0.05);
  });

  it("an engine refuses a weight that is negative or not a number", () => {
    const { architecture } = network({ layers: [1, 1] });
    const one = { sampleCount: 1, inputs: Float64Array.of(1), targets: Float64Array.of(1) };
    for (const weight of [-1, Number.NaN])
      expect(() => createEngine(architecture, { ...one, weights: Float64Array.of(weight) })).toThrow(
        /data\.weights\[0\]/,
      );
  });

  it("wrong arguments are named", async () => {
    const bad: readonly [object, RegExp][] = [
      [{ iteration: 3 }, /iteration/],
      [{ stop: { iterations: -1 } }, /options\.stop\.iterations.*-1/],
      [{ stop: { patiense: 3 } }, /patience/],
      [{ validation: 1.5 }, /options\.validation.*1\.5/],
      [{ route: "fast" }, /options\.route/],
      [{ threads: 0 }, /threads/],
      [{ loss: {} }, /options\.loss/],
    ];
    for (const [options, message] of bad) {
      const run = train(net, data, options as never);
      await expect(run).rejects.toThrow(message);
      await expect(run).rejects.toBeInstanceOf(GaussflowError);
    }
    await expect(train(net, { inputs: [[1, 2]], targets: [1] })).rejects.toThrow(/3 inputs/);
    await expect(train(net, { inputs: [[1, 2, Number.NaN]], targets: [1] })).rejects.toThrow(/row 1, column 3/);
  });
});

describe("methods", () => {
  it.each([
    ["nielsen marquardt", levenbergMarquardt()],
    ["hybrid identity", levenbergMarquardt({ scaling: "identity", damping: "hybrid" })],
    ["Gauss-Newton with line search", gaussNewton()],
  ])("%s lowers the loss in both routes", async (_, method) => {
    for (const route of ["primal", "dual"] as const) {
      const result = await train(net, data, { ...quick, method, route, stop: { iterations: 15 } });
      expect(result.plan.route).toBe(route);
      expect(result.loss).toBeLessThan(0.5 * result.records[0].loss);
    }
  });

  it("centered networks start at zero and train", async () => {
    const centered = network({ layers: [3, 8, 1], centered: true, seed: 3 });
    expect([...centered.predict(data.inputs.slice(0, 9))]).toEqual([0, 0, 0]);
    const result = await train(centered, data, quick);
    expect(result.loss).toBeLessThan(0.01);
    const mean = data.targets.reduce((sum, y, i) => sum + (result.network.predict(data.inputs)[i] - y) ** 2, 0) / 120;
    const scale = result.network.scaling?.targets.scale[0] ?? 1;
    // The loss is the mean of squares in standardized units: the same number by way of raw predictions.
    expect(Math.abs(mean / scale ** 2 / result.loss - 1)).toBeLessThan(1e-9);
  });
});
