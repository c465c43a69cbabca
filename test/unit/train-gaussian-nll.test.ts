// Trainings with the Gaussian negative log-likelihood, whose networks have two outputs for each target: closed forms, deviations that depend
// on the inputs, the floor and its report, the fit of the means, both engines, files, and what is refused.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  convertCsv,
  crossValidate,
  type DatasetInput,
  ensemble,
  flow,
  gaussianNll,
  modelFromJson,
  modelToJson,
  monitor,
  network,
  networkOf,
  openDataFile,
  predictAsync,
  predictDistributionAsync,
  Random,
  restarts,
  squaredError,
  standardize,
  train,
  trainMany,
} from "../../src/index.js";
import { VARIANCE_FLOOR } from "../../src/network/link.js";

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const BACKEND = BACKENDS[BACKENDS.length - 1] as (typeof BACKENDS)[number];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gaussflow-nll-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One input in [-1, 1]; two targets of far apart units, whose noise depends on the input. */
const sigma = [(x: number) => 0.1 + 0.3 * x ** 2, (x: number) => 50 * Math.exp(x)] as const;
const mean = [(x: number) => Math.sin(2 * x), (x: number) => 1000 + 100 * x] as const;
function noisy(n: number, seed: number): { inputs: number[][]; targets: number[][] } {
  const random = new Random(seed, 3);
  const inputs = Array.from({ length: n }, () => [2 * random.uniform() - 1]);
  return { inputs, targets: inputs.map(([x = 0]) => mean.map((m, j) => m(x) + sigma[j]!(x) * random.normal())) };
}
const small = noisy(60, 5);
const one = (data: DatasetInput & { targets: number[][] }) => ({
  inputs: data.inputs,
  targets: data.targets.map(([y = 0]) => [y]),
});
const common = { validation: false, loss: gaussianNll({ decay: 0.1 }), backend: BACKEND } as const;
const netOf = (targets = 2, hidden = 4) => network({ layers: [1, hidden, 2 * targets], seed: 4 });

describe("the minimum", () => {
  it.each(BACKENDS)(
    "of a constant model is the mean and the deviation of the targets, weighted (%s)",
    async (backend) => {
      const y = [3, 5, 4, 8, 9, 2, 2, 7];
      const weights = [1, 2, 1, 0.5, 1, 3, 1, 0];
      const total = weights.reduce((sum, w) => sum + w, 0);
      const center = y.reduce((sum, value, i) => sum + weights[i]! * value, 0) / total;
      const variance = y.reduce((sum, value, i) => sum + weights[i]! * (value - center) ** 2, 0) / total;
      const data = { inputs: y.map(() => [0]), targets: y, weights };
      const { network: net, reason } = await train(network({ layers: [1, 2], seed: 1 }), data, {
        ...common,
        backend,
        loss: gaussianNll(),
      });
      expect(reason.code).not.toBe("no-progress");
      const { mean: m, deviation } = net.predictDistribution([[0]]);
      // The objective is flat to eps at a minimum: parameters are known to its root, 1.5e-8, here times their units.
      expect(Math.abs(m[0]! - center)).toBeLessThan(1e-6);
      expect(Math.abs(deviation[0]! - Math.sqrt(variance))).toBeLessThan(1e-6);
    },
  );

  it("is found by every route, with the same loss", async () => {
    const losses: number[] = [];
    for (const backend of BACKENDS)
      for (const route of ["primal", "dual", "matrix-free"] as const) {
        const { records, reason } = await train(netOf(), small, {
          ...common,
          backend,
          route,
          stop: { iterations: 400 },
        });
        expect(records.at(-1)?.objective).toBeLessThan(records[0]?.objective as number);
        expect(["reduction", "step", "gradient", "iterations", "no-progress"]).toContain(reason.code);
        losses.push(Math.min(...records.map(({ objective }) => objective)));
      }
    // The same minimum: it is the only one that all of these reach from one start, to the tolerance of their stop rules.
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0]!, 4);
  });
});

describe.each(BACKENDS)("steps that end at negative curvature, %s", (backend) => {
  const random = new Random(4, 1);
  const inputs = Array.from({ length: 200 }, () => [2 * random.uniform() - 1]);
  const targets = inputs.map(([x = 0]) => [Math.sin(3 * x) + (0.05 + 0.3 * x ** 2) * random.normal()]);

  it.each([2, 3])("leave the damping as large, so that the run does not creep (start %i)", async (seed) => {
    const stop = { iterations: 400, gradient: 1e-8 };
    const options = { backend, validation: false, loss: gaussianNll({ decay: 0.01 }), stop } as const;
    const net = network({ layers: [1, 6, 2], seed });
    const { records, reason, iterations } = await train(net, { inputs, targets }, options);
    const ended = records.filter(({ hessian }) => hessian?.end === "negative-curvature");
    expect(ended.length).toBeGreaterThan(20);
    for (const [k, { accepted, damping, hessian }] of records.slice(0, -1).entries())
      if (accepted && hessian?.end === "negative-curvature")
        expect(records[k + 1]!.damping).toBeGreaterThanOrEqual(damping as number);
    expect(reason.code).toBe("gradient");
    // 180 to 212; 289 to 329 with a damping that falls after such steps.
    expect(iterations).toBeLessThanOrEqual(260);
  });
});

describe("deviations", () => {
  it.each([1, 2, 3])("are recovered within 10% of the truth, in the units of the data (seed %i)", async (seed) => {
    const data = noisy(6000, seed);
    const net = network({ layers: [1, 8, 4], seed });
    const { network: fitted, advice } = await train(net, data, { loss: gaussianNll({ decay: 0.1 }), seed });
    expect(advice.filter(({ code }) => code === "floor")).toEqual([]);
    for (let x = -0.9; x < 0.95; x += 0.1) {
      const { mean: m, deviation } = fitted.predictDistribution([[x]]);
      sigma.forEach((of, j) => {
        expect(Math.abs(deviation[j]! / of(x) - 1)).toBeLessThan(0.1);
        // 6000 rows: the mean at a point is known to some hundredth of its noise.
        expect(Math.abs(m[j]! - mean[j]!(x))).toBeLessThan(0.2 * of(x));
      });
    }
  });

  it("and means are the same from the engine, in an ensemble, in a model file and as a function of the outputs", async () => {
    const { network: net } = await train(netOf(), small, { ...common, stop: { iterations: 10 } });
    expect([net.link, net.outputSize, net.targetSize]).toEqual(["gaussian", 4, 2]);
    const { mean: m, deviation } = net.predictDistribution(small.inputs);
    expect([...net.predict(small.inputs)]).toEqual([...m]);
    expect([m.length, deviation.length]).toEqual([120, 120]);
    const again = modelFromJson(modelToJson(net));
    expect([...again.predictDistribution(small.inputs).deviation]).toEqual([...deviation]);
    for (const backend of BACKENDS) {
      const found = await predictDistributionAsync(net, small.inputs, { backend });
      const means = await predictAsync(net, small.inputs, { backend });
      // Sums of at most five terms in another order, in units of at most 1000.
      for (let k = 0; k < m.length; k++) {
        expect(Math.abs(found.mean[k]! - m[k]!)).toBeLessThan(1e-10);
        expect(Math.abs(found.deviation[k]! - deviation[k]!)).toBeLessThan(1e-10);
        expect(means[k]).toBe(found.mean[k]);
      }
    }
    // A mixture of N(m, s^2) and N(m + 1, s^2) has the variance s^2 + 1/4.
    const shifted = net.withScaling({
      ...net.scaling!,
      targets: { ...net.scaling!.targets, offset: net.scaling!.targets.offset.map((value) => value + 1) },
    });
    const both = ensemble([net, shifted]);
    const mixture = both.predictDistribution(small.inputs);
    expect([...(await predictDistributionAsync(both, small.inputs, { backend: "typescript" })).mean].length).toBe(120);
    for (let k = 0; k < m.length; k++) {
      expect(mixture.mean[k]! - m[k]!).toBeCloseTo(0.5, 10);
      expect(mixture.deviation[k]! ** 2 - deviation[k]! ** 2).toBeCloseTo(0.25, 8);
    }
    const { targets, inputs } = net.scaling!;
    const x = 0.3;
    const psi = net.predictScaled(Float64Array.of((x - inputs.offset[0]!) / inputs.scale[0]!));
    const at = net.predictDistribution([[x]]);
    for (const j of [0, 1]) {
      expect(at.mean[j]).toBeCloseTo(targets.offset[j]! + targets.scale[j]! * psi[j]!, 10);
      expect(at.deviation[j]).toBeCloseTo(targets.scale[j]! * Math.sqrt(Math.exp(psi[2 + j]!) + VARIANCE_FLOOR), 10);
    }
    const jacobian = net.inputJacobian([x]);
    expect(jacobian.length).toBe(2);
    const h = 1e-5;
    for (const j of [0, 1]) {
      const slope = (net.predict([[x + h]])[j]! - net.predict([[x - h]])[j]!) / (2 * h);
      expect(Math.abs(jacobian[j]! - slope)).toBeLessThan(1e-6 * (1 + Math.abs(slope)));
    }
  });
});

describe("the floor", () => {
  it("holds where the network passes through the points, and the run says so", async () => {
    const few = one(noisy(12, 9));
    const net = network({ layers: [1, 12, 2], seed: 2 });
    const {
      network: fitted,
      advice,
      loss,
    } = await train(net, few, {
      ...common,
      loss: gaussianNll(),
      stop: { iterations: 300 },
    });
    const { deviation } = fitted.predictDistribution(few.inputs);
    const least = fitted.scaling!.targets.scale[0]! * Math.sqrt(VARIANCE_FLOOR);
    expect(Math.min(...deviation)).toBeGreaterThanOrEqual(least);
    expect(loss).toBeGreaterThanOrEqual(Math.log(VARIANCE_FLOOR) / 2);
    const low = deviation.filter((value) => value <= Math.SQRT2 * least).length;
    expect(low).toBeGreaterThan(0);
    expect(advice[0]?.code).toBe("floor");
    expect(advice[0]?.message).toMatch(new RegExp(`at its floor for ${low} of 12 training targets .*weight decay`));
  });

  it("is refused where it would hide the noise of targets in raw units", async () => {
    const tiny = { inputs: small.inputs, targets: small.targets.map(([y = 0]) => [1e-3 * y]) };
    const run = (options: object) => train(netOf(1), tiny, { ...common, ...options, stop: { iterations: 2 } });
    await expect(run({ standardize: false })).rejects.toThrow(
      /data\.targets must have a standard deviation of at least 0\.01 .*standardize: true.*withScaling\(null\).*target with/,
    );
    await expect(run({})).resolves.toBeDefined();
  });
});

describe("the start", () => {
  const start = async (net: ReturnType<typeof netOf>, options: object = {}) => {
    const { last } = await train(net, small, { ...common, ...options, stop: { iterations: 0 } });
    return last;
  };

  it("has means that squared error has fitted, and the deviations of the targets", async () => {
    const net = netOf();
    const first = await start(net);
    const { deviation } = first.predictDistribution(small.inputs);
    const { scale } = standardize((await import("../../src/index.js")).dataset(small)).targets;
    // sqrt(exp(v) + F) with exp(v) = 1 in units of the scale.
    for (let k = 0; k < deviation.length; k++)
      expect(deviation[k]! / scale[k % 2]!).toBeCloseTo(Math.sqrt(1 + VARIANCE_FLOOR), 12);
    const means = await train(network({ layers: [1, 4, 2], seed: 4 }), small, {
      ...common,
      loss: squaredError({ decay: 0.1 }),
      stop: { iterations: 20 },
    });
    const error = (net: typeof first) => {
      const predicted = net.predict(small.inputs);
      return small.targets.flat().reduce((sum, y, k) => sum + ((predicted[k]! - y) / scale[k % 2]!) ** 2, 0);
    };
    // The means are those of another draw of the same network: near its fit, far below the start's own.
    expect(error(first)).toBeLessThan(1.5 * error(means.best));
  });

  it("is the network itself where its parameters were given or trained, and in raw units the deviation is the targets' own", async () => {
    const drawn = netOf();
    const given = networkOf({ layers: [1, 4, 4], parameters: drawn.parameters });
    expect([...(await start(given)).parameters]).toEqual([...drawn.parameters]);
    const { network: trained } = await train(drawn, small, { ...common, stop: { iterations: 3 } });
    expect([...(await start(trained)).parameters]).toEqual([...trained.parameters]);
    const raw = await start(network({ layers: [1, 4, 4], seed: 4, outputScale: 3 }), { standardize: false });
    const { scale } = standardize((await import("../../src/index.js")).dataset(small)).targets;
    const { deviation } = raw.predictDistribution([[0.2]]);
    for (const j of [0, 1]) expect(deviation[j]! / scale[j]!).toBeCloseTo(1, 4);
  });

  it("without biases in the last layer has v = 0", async () => {
    const net = network({ layers: [1, 4, 4], bias: [true, false], seed: 4 });
    const { deviation } = (await start(net)).predictDistribution([[0.2]]);
    expect(deviation.every((value) => value > 0)).toBe(true);
  });
});

describe("a training", () => {
  const stop = { iterations: 8 };

  it("resumes bit for bit", async () => {
    const path = join(folder, "run.ckpt");
    const whole = await train(netOf(), small, { ...common, stop });
    await train(netOf(), small, { ...common, stop: { iterations: 3 }, checkpoint: { path } });
    const rest = await train(netOf(), small, { ...common, stop, resume: path });
    expect([...rest.last.parameters]).toEqual([...whole.last.parameters]);
    expect(rest.records.length).toBe(whole.records.length);
  });

  it.each(BACKENDS)("from a data file has the bits of one from arrays, the floor report too (%s)", async (backend) => {
    const [csv, file] = [join(folder, `${backend}.csv`), join(folder, `${backend}.gfd`)];
    const rows = small.inputs.map((x, i) => [...x, ...small.targets[i]!].join(","));
    await writeFile(csv, `x,a,b\n${rows.join("\n")}\n`);
    await convertCsv(csv, file, { target: ["a", "b"] });
    const fromFile = await train(netOf(), openDataFile(file), { ...common, backend, stop });
    const fromArrays = await train(netOf(), small, { ...common, backend, stop });
    expect([...fromFile.network.parameters]).toEqual([...fromArrays.network.parameters]);
    expect(fromFile.advice).toEqual(fromArrays.advice);
    expect(fromFile.network.targetSize).toBe(2);
  });

  it("goes through worker threads, cross-validation and a validation part", async () => {
    const jobs = restarts({ network: netOf(), data: small, options: { ...common, stop } }, 2);
    const { results } = await trainMany(jobs, { concurrency: 2, threads: 2 });
    for (const [k, { result, error }] of results.entries()) {
      expect(error).toBeNull();
      const alone = await train(jobs[k]!.network, small, { ...common, ...jobs[k]!.options, stop });
      expect([...result!.network.parameters]).toEqual([...alone.network.parameters]);
    }
    // Flat arrays are cut by the sizes of the targets, not of the outputs.
    const flat = { inputs: Float64Array.from(small.inputs.flat()), targets: Float64Array.from(small.targets.flat()) };
    const folds = await crossValidate({ network: netOf(), data: flat, options: { ...common, stop } }, { folds: 3 });
    expect(folds.metrics?.length).toBe(2);
    expect(folds.predictions.length).toBe(120);
    const { validationLoss } = await train(netOf(), small, { ...common, validation: 0.3, stop });
    expect(Number.isFinite(validationLoss)).toBe(true);
  });

  it("below 0 does not end at a loss that passes 0, and a rejected step there is no rounding", async () => {
    // Targets with little noise: the mean loss falls from 0.5 to about -2.
    const random = new Random(3, 1);
    const inputs = Array.from({ length: 80 }, () => [2 * random.uniform() - 1]);
    const targets = inputs.map(([x = 0]) => [Math.sin(3 * x) + 0.05 * random.normal()]);
    const { records, reason, loss } = await train(
      network({ layers: [1, 6, 2], seed: 3 }),
      { inputs, targets },
      {
        ...common,
        loss: gaussianNll({ decay: 0.01 }),
        stop: { iterations: 300 },
      },
    );
    expect(loss).toBeLessThan(-1);
    const [before, at] = records.filter(({ accepted }) => accepted).slice(-2);
    expect(["reduction", "gradient", "step", "iterations"]).toContain(reason.code);
    if (reason.code === "reduction")
      expect(Math.abs(before!.objective - at!.objective)).toBeLessThan(1e-6 * Math.abs(at!.objective));
  });

  it("is watched by a monitor, which promises nothing", async () => {
    const { monitor: report } = await train(netOf(), small, { ...common, stop, monitor: monitor() });
    expect(report?.verdict.code).toBe("not-applicable");
    expect(report?.verdict.message).toMatch(/Gaussian negative log-likelihood/);
    expect(report?.warnings).toEqual([]);
  });

  it("has a flow that never climbs, also from below 0", async () => {
    const { network: trained } = await train(netOf(), small, { ...common, stop: { iterations: 30 } });
    for (const net of [netOf(), trained]) {
      const path = await flow(net, small, { backend: BACKEND, loss: common.loss, damping: 0.3, until: 0.5 });
      expect(path.reason.code).toBe("until");
      for (const [k, record] of path.records.entries())
        if (k > 0) {
          const before = path.records[k - 1]!.objective;
          // The trained network is at its minimum, where the objective is flat to its rounding.
          expect(record.objective).toBeLessThanOrEqual(before + 1e-12 * Math.abs(before));
        }
    }
  });
});

describe("what is refused", () => {
  const loss = gaussianNll();
  it.each<[string, () => Promise<unknown> | unknown, RegExp]>([
    [
      "an odd number of outputs",
      () => train(network({ layers: [1, 3, 3] }), small, { loss }),
      /network must have two outputs for each target with gaussian-nll.*3 outputs/,
    ],
    [
      "data with another number of targets",
      () => train(netOf(1), small, { loss }),
      /data must have 1 inputs and 1 targets, as the network, whose 2 outputs are two for each target.*1 and 2/,
    ],
    [
      "a centered network",
      () => train(network({ layers: [1, 3, 4], centered: true }), small, { loss }),
      /must not be centered with gaussian-nll/,
    ],
    [
      "an output activation",
      () => train(network({ layers: [1, 3, 4], outputActivation: "tanh" }), small, { loss }),
      /outputActivation "identity" with gaussian-nll.*means and variances/,
    ],
    [
      "a distribution of a network with another loss",
      () => netOf().predictDistribution([[0]]),
      /must have been trained with gaussianNll\(\).*identity/,
    ],
    [
      "the same from an engine",
      () => predictDistributionAsync(netOf(), [[0]]),
      /must have been trained with gaussianNll\(\).*identity/,
    ],
    ["the link for an odd number of outputs", () => network({ layers: [1, 3] }).withLink("gaussian"), /odd number/],
  ])("%s", async (_, act, message) => {
    await expect((async () => act())()).rejects.toThrow(message);
  });

  it("another loss for a trained network, until its scaling and link are taken off", async () => {
    const { network: net } = await train(netOf(), small, { ...common, stop: { iterations: 1 } });
    await expect(train(net, small)).rejects.toThrow(
      /gaussianNll\(\): give that loss.*withScaling\(null\) and.*withLink/,
    );
    const wide = { inputs: small.inputs, targets: small.targets.map((row) => [...row, ...row]) };
    await expect(train(net, wide, { loss: squaredError() })).rejects.toThrow(
      /scaling of 4 targets.*withScaling\(null\)/,
    );
    expect(() => net.withLink("identity")).toThrow(/withScaling\(null\) first/);
    const plain = net.withScaling(null).withLink("identity");
    await expect(train(plain, wide, { stop: { iterations: 1 } })).resolves.toBeDefined();
    const text = modelToJson(net).replace('"link":"gaussian"', '"link":"identity"');
    expect(() => modelFromJson(text)).toThrow(/GAUSSFLOW|damaged|checksum|scaling/i);
  });
});
