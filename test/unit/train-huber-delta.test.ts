// The Huber loss without a delta: the training finds it from the errors of a first fit. Against a direct computation with sorted errors,
// against closed forms for a constant model, on contaminated data, and after a checkpoint, from files, with weights and as jobs.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  convertCsv,
  createEngine,
  crossValidation,
  flow,
  huber,
  type Loss,
  type Network,
  network,
  networkOf,
  openDataFile,
  Random,
  restarts,
  squaredError,
  type TrainJob,
  type TrainOptions,
  train,
  trainMany,
} from "../../src/index.js";
import { packJob } from "../../src/jobs/message.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gaussflow-delta-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const SIGMA = 0.05;

const clean = ([x, y]: readonly number[]) => Math.sin(2 * (x as number)) + 0.5 * (y as number) ** 2;

/** Rows of which a share is an outlier of 50 standard deviations of the noise, up or down. */
function contaminated(seed: number, share: number, count = 200) {
  const random = new Random(seed, 3);
  const inputs = Array.from({ length: count }, () => [random.normal(), random.normal()]);
  const errors = inputs.map(() => {
    const noise = SIGMA * random.normal();
    return random.uniform() < share ? noise + (random.uniform() < 0.5 ? 50 : -50) * SIGMA : noise;
  });
  return { inputs, targets: inputs.map((x, i) => [clean(x) + (errors[i] as number)]) };
}

interface Rows {
  readonly inputs: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  readonly weights?: readonly number[];
}

/** The weighted median of |prediction - target| in the units of training, by sorting. */
function medianError(net: Network, { inputs, targets, weights }: Rows): { median: number; rounding: number } {
  const c = net.outputSize;
  const scale = net.scaling?.targets.scale;
  const entries = [...net.predict(inputs)].map((value, k) => {
    const error = Math.abs(value - (targets[Math.floor(k / c)]?.[k % c] as number)) / (scale?.[k % c] ?? 1);
    return [error, weights?.[Math.floor(k / c)] ?? 1] as const;
  });
  entries.sort((a, b) => a[0] - b[0]);
  const half = entries.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let [sum, median] = [0, Number.NaN];
  for (const [error, weight] of entries) {
    if (sum < half) median = error;
    sum += weight;
  }
  // Predictions are of size 1 in the units of training, and carry some units of rounding each.
  return { median, rounding: (1000 * Number.EPSILON) / median };
}

/** The search as the documentation describes it, from trainings with a given loss. */
async function searched(net: Network, data: Rows, options: TrainOptions, decay: number) {
  // Given parameters are trained as they are: the fits of the search have no light start (train/light-start.ts).
  const { layers, activation } = net.options;
  const given = networkOf({ layers, activation, parameters: net.parameters });
  const fitted = async (loss: Loss, iterations: number) => {
    const { best } = await train(given, data, { ...options, loss, stop: { iterations } });
    return medianError(best, data);
  };
  let { median, rounding } = await fitted(squaredError({ decay }), 20);
  let delta = 1.345 * 1.4826 * median;
  let rounds = 0;
  for (let settled = false; !settled && rounds < 5; rounds++) {
    ({ median, rounding } = await fitted(huber({ delta, decay }), 10));
    const found = 1.345 * 1.4826 * median;
    settled = found > 0.8 * delta;
    delta = Math.min(found, delta);
  }
  return { delta, rounding, rounds };
}

function deltaOf({ lossUsed }: { readonly lossUsed: Loss }): number {
  if (lossUsed.kind !== "huber" || lossUsed.delta === null) throw new Error("no delta");
  return lossUsed.delta;
}

describe.each(BACKENDS)("huber() on the %s engine", (backend) => {
  const common = { backend, validation: false, threads: 1 } as const;
  const short = { ...common, loss: huber({ decay: 0.01 }), stop: { iterations: 12 } };
  const net = network({ layers: [2, 6, 1], seed: 3 });
  const data = contaminated(1, 0.1);

  it.each<[string, Network, Rows, TrainOptions]>([
    ["one output", net, data, {}],
    ["raw units", net, data, { standardize: false }],
    ["the dual route", network({ layers: [2, 30, 1], seed: 3 }), contaminated(2, 0.2, 40), { route: "dual" }],
    [
      "two outputs together",
      network({ layers: [2, 5, 2], seed: 1 }),
      {
        ...data,
        targets: data.targets.map(([y], i) => [y as number, 7 * (contaminated(5, 0).targets[i]?.[0] as number)]),
      },
      {},
    ],
    ["sample weights", net, { ...data, weights: data.inputs.map((_, i) => 1 + (i % 7) / 3) }, {}],
  ])("takes 1.345 * 1.4826 times the median error of its first fit: %s", async (_, one, rows, more) => {
    const options = { ...common, ...more };
    const result = await train(one, rows, { ...short, ...options });
    const expected = await searched(one, rows, options, 0.01);
    expect(Math.abs(deltaOf(result) / expected.delta - 1)).toBeLessThan(expected.rounding);
    // The search is worth its rounds: the outliers had enlarged the first median.
    expect(expected.rounds).toBeGreaterThan(0);
    expect(new Set(result.records.map(({ delta }) => delta))).toEqual(new Set([deltaOf(result)]));
    expect(result.network.summary?.lossDelta).toBe(deltaOf(result));
    expect(result.details).toContain(`Huber loss (delta ${deltaOf(result)})`);
  });

  it("then trains as with that delta from the start, bit for bit", async () => {
    const found = await train(net, data, short);
    const given = await train(net, data, { ...short, loss: huber({ delta: deltaOf(found), decay: 0.01 }) });
    expect([...found.network.parameters]).toEqual([...given.network.parameters]);
    expect(given.records[0]?.delta).toBe(deltaOf(found));
  });

  it("leaves the validation rows out of the search, and measures their loss with the same delta", async () => {
    const validation = contaminated(8, 0.5, 50);
    const held = await train(net, data, { ...short, validation });
    expect(deltaOf(held)).toBe(deltaOf(await train(net, data, short)));
    const { median } = medianError(held.network, validation);
    expect(median).toBeGreaterThan(0);
    const delta = deltaOf(held);
    const scale = held.network.scaling?.targets.scale[0] as number;
    const predictions = held.network.predict(validation.inputs);
    const sum = validation.targets.reduce((total, [y], i) => {
      const size = Math.abs((predictions[i] as number) - (y as number)) / scale;
      return total + (size <= delta ? size ** 2 / 2 : delta * (size - delta / 2));
    }, 0);
    expect(Math.abs((held.validationLoss as number) / (sum / 50) - 1)).toBeLessThan(1e-12);
  });

  it("goes on from a checkpoint bit for bit, with the delta that is stored there", async () => {
    const path = join(folder, `delta-${backend}.ckpt`);
    const whole = await train(net, data, short);
    await train(net, data, { ...short, stop: { iterations: 6 }, checkpoint: { path } });
    const resumed = await train(net, data, { ...short, resume: path });
    expect([...resumed.network.parameters]).toEqual([...whole.network.parameters]);
    expect(deltaOf(resumed)).toBe(deltaOf(whole));
    expect(resumed.records.map(({ delta }) => delta)).toEqual(whole.records.map(({ delta }) => delta));
    const given = { ...short, loss: huber({ delta: deltaOf(whole), decay: 0.01 }), resume: path };
    await expect(train(net, data, given)).rejects.toThrow(/another run/);
  });

  it("is the same from a data file, and as a job", async () => {
    const [csv, file] = [join(folder, `${backend}.csv`), join(folder, `${backend}.gfd`)];
    const rows = data.inputs.map((x, i) => [...x, ...(data.targets[i] as number[])].join(","));
    await writeFile(csv, `a,b,y\n${rows.join("\n")}\n`);
    await convertCsv(csv, file, { target: "y" });
    const whole = await train(net, data, short);
    const filed = await train(net, openDataFile(file), short);
    expect(deltaOf(filed)).toBe(deltaOf(whole));
    expect([...filed.network.parameters]).toEqual([...whole.network.parameters]);

    const jobs = [
      ...restarts({ network: net, data, options: short }, 2),
      ...crossValidation({ network: net, data, options: short }, 3),
    ];
    const many = await trainMany(jobs, { concurrency: 2, threads: 2 });
    const deltas = many.results.map(({ result }) => deltaOf(result as { lossUsed: Loss }));
    expect(new Set(deltas).size).toBe(jobs.length);
    expect(structuredClone(packJob(jobs[0] as TrainJob, 1))?.options.loss).toEqual(short.loss);
    for (const [k, job] of jobs.entries())
      expect(deltas[k]).toBe(deltaOf(await train(job.network, job.data, { ...job.options, backend })));
  });

  it("comes nearer to the function under 20% of outliers than squared error: half of its error in the median of seeds", async () => {
    const test = contaminated(99, 0).inputs;
    const ratios = await Promise.all(
      [1, 2, 3, 4, 5].map(async (seed) => {
        const [rows, start] = [contaminated(seed, 0.2, 300), network({ layers: [2, 8, 1], seed })];
        const error = async (loss: Loss) => {
          const { network: one } = await train(start, rows, { backend, threads: 1, loss });
          return Math.hypot(...test.map((x, i) => (one.predict(test)[i] as number) - clean(x)));
        };
        return (await error(huber())) / (await error(squaredError()));
      }),
    );
    ratios.sort((a, b) => a - b);
    expect(ratios[2]).toBeLessThan(0.5);
  });

  it("ends where it is aborted or out of time during the search", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    const many = contaminated(1, 0.1, 5000);
    const aborted = await train(network({ layers: [2, 20, 1], seed: 1 }), many, {
      ...short,
      signal: controller.signal,
    });
    expect(aborted.reason.code).toBe("aborted");
    const late = await train(network({ layers: [2, 20, 1], seed: 1 }), many, { ...short, stop: { seconds: 1e-3 } });
    expect(late.reason.code).toBe("seconds");
    expect(deltaOf(late)).toBeGreaterThan(0);
  });

  it("ends at its start with the reason where the network is not finite there", async () => {
    const wild = net.withParameters(new Float64Array(net.parameterCount).fill(1e308));
    const { reason } = await train(wild, data, short);
    expect(reason.code).toBe("non-finite");
  });
});

describe("the delta of a constant model", () => {
  // The model is one number m. 100 rows of noise have mean 0 and standard deviation 1 nearly, 25 more are at 50.
  const random = new Random(4, 1);
  const noise = Array.from({ length: 100 }, () => random.normal());
  const mean = noise.reduce((sum, value) => sum + value, 0) / 100;
  const targets = [...noise, ...Array.from({ length: 25 }, () => 50)].map((y) => [y]);
  const inputs = targets.map(() => [0]);
  const options = { backend: "typescript", validation: false, standardize: false } as const;
  const trained = async (loss: Loss) => {
    const stop = { gradient: 1e-12, reduction: 0, step: 0 };
    const result = await train(network({ layers: [1, 1], seed: 1 }), { inputs, targets }, { ...options, loss, stop });
    return { result, at: result.network.predict([[0]])[0] as number };
  };

  it("bounds the pull of the outliers: their number times delta is all of it", async () => {
    expect((await trained(squaredError())).at).toBeCloseTo(0.8 * mean + 10, 6);
    const { result, at } = await trained(huber());
    const delta = deltaOf(result);
    // sum over the noise of clip(m - y) = 25 delta, so m - mean is 25/100 delta but for the noise beyond delta.
    const pull = noise.reduce((sum, y) => sum + Math.max(-delta, Math.min(delta, at - y)), 0);
    expect(pull).toBeCloseTo(25 * delta, 5);
    expect(at).toBeLessThan(1);
    // Without outliers it would be 1.345 times the deviation of the noise.
    expect(delta).toBeGreaterThan(1);
    expect(delta).toBeLessThan(3);
  });
});

describe("a delta that cannot be found", () => {
  const options = { backend: "typescript", validation: false } as const;
  const line = (count: number, y: (x: number) => number) => ({
    inputs: Array.from({ length: count }, (_, i) => [i]),
    targets: Array.from({ length: count }, (_, i) => [y(i)]),
  });
  const trained = (data: Rows) => train(network({ layers: [1, 1], seed: 1 }), data, { ...options, loss: huber() });

  it.each<[string, Rows]>([
    ["an exact line", line(30, (x) => 2 * x + 1)],
    ["one row", line(1, () => 3)],
    ["two rows, which a line fits", line(2, (x) => x ** 2)],
    ["a constant target", line(12, () => 7)],
  ])("is an error that names the remedy: %s", async (_, data) => {
    await expect(trained(data)).rejects.toThrow(
      /options\.loss\.delta must be given as huber\(\{ delta \}\).*half of the targets exactly/,
    );
  });

  it("is none where a line misses three rows", async () => {
    expect(deltaOf(await trained(line(3, (x) => x ** 2)))).toBeGreaterThan(0);
  });

  it("is the last one that was found where the Huber fits meet more than half of the rows exactly", async () => {
    // Outliers of unequal size at the same input pull equally on a Huber fit, which then meets the line, and unequally on squared error.
    const { inputs, targets } = line(30, (x) => x);
    const outliers = [5, 15, 25].flatMap((x) => [
      [x, x + 500],
      [x, x - 200],
    ]);
    const data = {
      inputs: [...inputs, ...outliers.map(([x]) => [x as number])],
      targets: [...targets, ...outliers.map(([, y]) => [y as number])],
    };
    const result = await trained(data);
    expect(deltaOf(result)).toBeGreaterThan(0.01);
    expect(result.network.predict([[10]])[0]).toBeCloseTo(10, 5);
  });

  it("is refused by flows and engines, which do not look for one", async () => {
    const net = network({ layers: [1, 1], seed: 1 });
    await expect(flow(net, line(9, Math.sin), { backend: "typescript", loss: huber() })).rejects.toThrow(
      /options\.loss\.delta must be given here.*huber\(\{ delta \}\).*lossUsed\.delta/,
    );
    const data = { sampleCount: 1, inputs: Float64Array.of(1), targets: Float64Array.of(1), loss: huber() };
    expect(() => createEngine(net.architecture, data, { backend: "typescript" })).toThrow(
      /data\.loss\.delta must be given here/,
    );
  });
});
