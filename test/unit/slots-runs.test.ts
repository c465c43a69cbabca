// Trainings, plans and flows with slots: what they use, what they refuse, and what a checkpoint keeps.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { inFlags } from "../../src/cli/flag-names.js";
import {
  flow,
  huber,
  levenbergMarquardt,
  monitor,
  network,
  openDataFile,
  plan,
  type TrainOptions,
  train,
  trainMany,
  writeDataFile,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { waves } from "../helpers/problems.js";

const backends = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const data = waves(160, 3, 2, 5);
const net = network({ layers: [3, 7, 2], seed: 4 });
const wide = network({ layers: [3, 24, 24, 2], seed: 4 });
const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));
afterAll(() => rm(folder, { recursive: true }));
// Tests switched off: every run goes on to the same last iteration.
const stop = { iterations: 6, patience: 100, gradient: 0, step: 0, reduction: 0 };
const exact = levenbergMarquardt({ precision: "double", curvatureSamples: "all" });
const routes = [
  ["primal", net, {}],
  ["dual", wide, { route: "dual" }],
  ["matrix-free", net, { route: "matrix-free" }],
  ["primal, Huber that finds its delta", net, { loss: huber() }],
] as const satisfies [string, typeof net, TrainOptions][];

describe.each(backends)("trainings with slots, %s engine", (backend) => {
  it.each(routes)("%s: other bits, the same numbers", async (_, start, more) => {
    const options: TrainOptions = { backend, stop, validation: false, method: exact, ...more };
    const plain = await train(start, data, options);
    expect(plain).toMatchObject({ slots: 1, plan: { slots: 1 } });
    expect(plain.network.summary).not.toHaveProperty("slots");
    expect(timeless(await train(start, data, { ...options, slots: 1 }))).toEqual(timeless(plain));
    for (const slots of [2, 4, 8]) {
      const result = await train(start, data, { ...options, slots });
      expect(result).toMatchObject({ slots, plan: { slots }, network: { summary: { slots } } });
      expect(result.details).toMatch(new RegExp(`, ${slots} slots$`));
      expect(result.network.parameters).not.toEqual(plain.network.parameters);
      // n c p terms a sum, eps each; six steps of a training that is well damped carry that on by less than 1e4.
      expect(Math.abs(result.loss / plain.loss - 1)).toBeLessThan(1e4 * 600 * Number.EPSILON);
      expect(timeless(await train(start, data, { ...options, slots }))).toEqual(timeless(result));
    }
  });

  it.each(routes)(
    "%s: a checkpoint keeps them, and the resumed run has the bits of the whole one",
    async (name, start, more) => {
      const path = join(folder, `${backend} ${name}.json`);
      const options: TrainOptions = { backend, stop, slots: 4, ...more };
      const whole = await train(start, data, options);
      await train(start, data, { ...options, stop: { ...stop, iterations: 3 }, checkpoint: { path } });
      expect(JSON.parse(await readFile(path, "utf8")).body.slots).toBe(4);
      const { slots: _, ...unsaid } = options;
      for (const resumed of [options, unsaid]) {
        const result = await train(start, data, { ...resumed, resume: path });
        expect(result.slots).toBe(4);
        expect(timeless(result)).toEqual(timeless(whole));
      }
      const other = train(start, data, { ...options, slots: 2, resume: path });
      await expect(other).rejects.toThrow(/was written with slots 4, and options\.slots is 2: .*, or make it 4/);
      await expect(other).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
    },
  );

  it("a data file gives the bits of the data in memory", async () => {
    const path = join(folder, `${backend}.gfd`);
    const row = (i: number) => [...data.inputs.subarray(3 * i, 3 * i + 3), ...data.targets.subarray(2 * i, 2 * i + 2)];
    const { featureNames, targetNames } = data;
    await writeDataFile(
      path,
      { featureNames, targetNames },
      Array.from({ length: data.sampleCount }, (_, i) => row(i)),
    );
    const options: TrainOptions = { backend, stop, slots: 4, validation: false };
    const file = await train(net, openDataFile(path), options);
    expect(timeless(file)).toEqual(timeless(await train(net, data, options)));
  });

  it("are carried by jobs", async () => {
    const options: TrainOptions = { backend, stop, slots: 2 };
    const { results } = await trainMany([
      { network: net, data, options },
      { network: net, data, options },
    ]);
    for (const { result } of results) expect(timeless(result!)).toEqual(timeless(await train(net, data, options)));
  });

  it("have all samples, whatever the method saves without them", async () => {
    const large = network({ layers: [3, 100, 2], seed: 4 });
    const many = waves(700, 3, 2, 6);
    const run = (slots: number, more: TrainOptions = {}) =>
      train(large, many, { backend, stop: { ...stop, iterations: 1 }, validation: false, slots, ...more });
    const saving = await run(1);
    expect(saving.records[1]).toMatchObject({ precision: { used: "single" }, subset: expect.any(Number) });
    const all = levenbergMarquardt({ curvatureSamples: "all" });
    for (const [method, more] of [
      [all, {}],
      [exact, { route: "matrix-free" }],
    ] as const) {
      const slotted = await run(2, more);
      for (const record of slotted.records) expect(record).not.toHaveProperty("subset");
      expect(slotted.records).toHaveLength(2);
      expect(slotted.records[1]?.precision?.used).toBe(method === all ? "single" : undefined);
      expect(timeless(slotted)).toEqual(timeless(await run(2, { ...more, method })));
    }
  }, 60_000);

  it("are watched by a monitor, whose measurements are those of one slot to rounding", async () => {
    const run = (slots: number) =>
      train(net, data, { backend, stop, slots, validation: false, monitor: monitor({ every: 3 }) });
    const [one, four] = [await run(1), await run(4)];
    expect(four.slots).toBe(4);
    expect(four.monitor?.records.length).toBe(one.monitor?.records.length);
    expect(four.monitor?.records.length).toBeGreaterThan(1);
  });
});

describe.skipIf(!loadNative().ok)("trainings on one thread and on two", () => {
  // Large enough that the plan uses both threads.
  const many = waves(3000, 6, 2, 7);
  const few = waves(220, 6, 2, 7);
  const large = network({ layers: [6, 24, 24, 2], seed: 2 });

  it.each([
    ["primal", large, many, { method: exact }],
    ["primal, single precision", large, many, {}],
    ["dual", large, few, { route: "dual" }],
    ["matrix-free", large, many, { route: "matrix-free" }],
  ] as const)("%s: have equal bits for equal slots, and other bits for other slots", async (name, start, set, more) => {
    const seen = new Set<string>();
    for (const slots of [1, 2, 4, 8]) {
      const run = (threads: number) =>
        train(start, set, { backend: "native", stop: { ...stop, iterations: 4 }, threads, slots, ...more });
      const [one, two] = [await run(1), await run(2)];
      expect(one.records[1]?.precision?.used).toBe(name.includes("single") ? "single" : undefined);
      expect([one.threads, two.threads]).toEqual([1, 2]);
      expect(timeless(two)).toEqual(timeless(one));
      seen.add(JSON.stringify(timeless(one).networks));
    }
    expect(seen.size).toBe(4);
  });
});

describe("a checkpoint of one slot", () => {
  it("does not say so, and is not resumed with others", async () => {
    const path = join(folder, "one.json");
    await train(net, data, { stop, checkpoint: { path } });
    expect(JSON.parse(await readFile(path, "utf8")).body).not.toHaveProperty("slots");
    await expect(train(net, data, { stop, slots: 2, resume: path })).rejects.toThrow(
      /was written with slots 1, and options\.slots is 2/,
    );
  });
});

describe("slots are refused", () => {
  const refused = (options: object, message: RegExp) => {
    const error = expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(message) });
    expect(() => plan(net, data, options)).toThrow(error);
    return expect(train(net, data, options)).rejects.toThrow(error);
  };

  it("where they are no power of two, or more than the samples that are fitted", async () => {
    for (const slots of [0, 3, 1.5, 2048, "4"])
      await refused({ slots }, /^options\.slots must be a power of two from 1 to 1024/);
    // 15% of the 160 are held out.
    await refused(
      { slots: 256 },
      /^options\.slots must be at most the number of samples that are fitted, 136; received 256/,
    );
    expect(plan(net, data, { slots: 128, validation: false }).slots).toBe(128);
  });

  it("in the words of the command line too", () => {
    expect(inFlags("options.slots must be")).toBe("--slots must be");
  });
});

describe.each(backends)("flows with slots, %s engine", (backend) => {
  const options = { backend, until: 0.3, damping: 0.2 } as const;
  const bits = ({ records, last }: Awaited<ReturnType<typeof flow>>) => ({
    parameters: last.parameters,
    records: records.map(({ elapsed: _, ...rest }) => rest),
  });

  it("have other bits and the same path", async () => {
    const plain = await flow(net, data, options);
    expect(plain.slots).toBe(1);
    const four = await flow(net, data, { ...options, slots: 4 });
    expect(four).toMatchObject({ slots: 4, plan: { slots: 4 }, switched: null });
    expect(four.chosen).toMatch(/, 4 slots$/);
    expect(four.last.parameters).not.toEqual(plain.last.parameters);
    four.last.parameters.forEach((value, j) => {
      // The path is integrated to 1e-6 or better; rounding of n c terms is far below.
      expect(value).toBeCloseTo(plain.last.parameters[j]!, 6);
    });
  });

  it("keep them in a checkpoint", async () => {
    const path = join(folder, `${backend} flow.json`);
    const whole = await flow(net, data, { ...options, slots: 4 });
    await flow(net, data, { ...options, slots: 4, until: 0.1, checkpoint: { path, every: 1 } });
    const resumed = await flow(net, data, { ...options, resume: path });
    expect(resumed.slots).toBe(4);
    expect(bits(resumed)).toEqual(bits(whole));
    await expect(flow(net, data, { ...options, slots: 8, resume: path })).rejects.toThrow(
      /was written with slots 4, and options\.slots is 8/,
    );
  });

  it("switch to the orthogonal route, whose triangle is joined from the slots", async () => {
    // Two columns that hardly differ: Cholesky of J^T J has too few digits, which a flow turns to the triangle for.
    const narrow = waves(60, 1, 1, 3);
    const doubled = { inputs: [...narrow.inputs].map((x) => [x, x + 1e-6 * x * x]), targets: [...narrow.targets] };
    const linear = network({ layers: [2, 1], seed: 1 });
    const one = await flow(linear, doubled, { backend, until: 0.1, standardize: false });
    expect(one.switched).not.toBeNull();
    const four = await flow(linear, doubled, { backend, until: 0.1, standardize: false, slots: 4 });
    expect(four.switched?.message).toMatch(/^orthogonal route from t = 0 on: /);
    expect(four.records.at(-1)?.route).toBe("orthogonal");
    expect(four.last.parameters).not.toEqual(linear.parameters);
    four.last.parameters.forEach((value, j) => {
      expect(value).toBeCloseTo(one.last.parameters[j]!, 5);
    });
  });

  it("take the orthogonal route where they are asked to", async () => {
    const one = await flow(net, data, { ...options, route: "orthogonal" });
    const four = await flow(net, data, { ...options, route: "orthogonal", slots: 4 });
    expect(four.records.every(({ route }) => route === "orthogonal")).toBe(true);
    four.last.parameters.forEach((value, j) => {
      expect(value).toBeCloseTo(one.last.parameters[j]!, 6);
    });
  });
});
