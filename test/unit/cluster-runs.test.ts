// Trainings and flows on several ranks, which are runs beside one another in this process (fake-cluster.ts): what they agree on, what they refuse,
// and who writes. Sums over ranks are tested under mpirun (test/cluster).
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it, vi } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  adam,
  flow,
  GaussflowError,
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
import { errorsOnRanks, fakeClusters, onRanks } from "../helpers/fake-cluster.js";
import { timeless } from "../helpers/many-jobs.js";
import { waves } from "../helpers/problems.js";
import { timelessRecords } from "../helpers/sealed.js";

const data = waves(160, 3, 2, 5);
const net = network({ layers: [3, 7, 2], seed: 4 });
const wide = network({ layers: [3, 24, 24, 2], seed: 4 });
const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));
afterAll(() => rm(folder, { recursive: true }));
const stop = { iterations: 6, patience: 100, gradient: 0, step: 0, reduction: 0 };
const base: TrainOptions = { backend: "native", stop, threads: 1 };
const endless = { ...base, stop: { ...stop, iterations: 100_000 } };

describe.skipIf(!loadNative().ok)("trainings on ranks", () => {
  it.each([
    ["primal", {}],
    ["matrix-free", { route: "matrix-free" }],
    ["Huber that finds its delta, with decay", { loss: huber({ decay: 1 }) }],
  ] as const satisfies [string, TrainOptions][])("%s: as one process with as many slots", async (_, more) => {
    const alone = await train(net, data, { ...base, ...more, slots: 4 });
    expect(alone).toMatchObject({ ranks: 1, rankRows: 136 });
    const results = await onRanks(3, (cluster) => train(net, data, { ...base, ...more, cluster }));
    for (const result of results) {
      expect(result).toMatchObject({ ranks: 3, slots: 4 });
      expect(timeless(result)).toEqual(timeless(alone));
      expect(result.network.summary).toEqual({ ...alone.network.summary, seconds: expect.any(Number) });
      expect(result.details).toMatch(/4 slots on 3 ranks: options\.slots 4 has the same bits on any number of ranks$/);
    }
  });

  it("the least memory limit holds for all, and by default ranks of one machine share its memory", async () => {
    const limits = await onRanks(2, (cluster) =>
      train(net, data, { ...base, cluster, memoryLimit: (4 - cluster.rank) * 2 ** 30 }),
    );
    expect(limits.map(({ plan: { memoryLimit } }) => memoryLimit)).toEqual([3 * 2 ** 30, 3 * 2 ** 30]);
    const { memoryLimit } = (await train(net, data, base)).plan;
    const names = { OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_LOCAL_SIZE: "4" };
    for (const [name, value] of Object.entries(names)) vi.stubEnv(name, value);
    try {
      const shared = await onRanks(2, (cluster) => train(net, data, { ...base, cluster }));
      expect(shared.map(({ plan }) => plan.memoryLimit)).toEqual([memoryLimit / 4, memoryLimit / 4]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("one rank is one process", async () => {
    const [cluster] = fakeClusters(1);
    const result = await train(net, data, { ...base, cluster });
    expect(result).toMatchObject({ ranks: 1, slots: 1 });
    expect(timeless(result)).toEqual(timeless(await train(net, data, base)));
  });

  it("rank 0 alone writes the checkpoint, and reads it for all", async () => {
    const path = (rank: number) => join(folder, `own-${rank}.json`);
    const part = { ...base, stop: { ...stop, iterations: 3 } };
    await onRanks(2, (cluster) => train(net, data, { ...part, cluster, checkpoint: { path: path(cluster.rank) } }));
    expect([0, 1].map((rank) => existsSync(path(rank)))).toEqual([true, false]);
    const whole = await train(net, data, { ...base, slots: 2 });
    const resumed = await onRanks(3, (cluster) => train(net, data, { ...base, cluster, resume: path(cluster.rank) }));
    for (const result of resumed) {
      expect(result).toMatchObject({ slots: 2, ranks: 3 });
      expect(timeless(result)).toEqual(timeless(whole));
    }
    expect(timeless(await train(net, data, { ...base, resume: path(0) }))).toEqual(timeless(whole));
  });

  it("a run of one slot resumes on ranks with its bits", async () => {
    const path = join(folder, "one-slot.json");
    await train(net, data, { ...base, stop: { ...stop, iterations: 3 }, checkpoint: { path } });
    const whole = await train(net, data, base);
    for (const result of await onRanks(2, (cluster) => train(net, data, { ...base, cluster, resume: path })))
      expect(timeless(result)).toEqual(timeless(whole));
  });

  it("an abort on one rank ends all after the same iteration", async () => {
    const path = join(folder, "aborted.json");
    const controller = new AbortController();
    const results = await onRanks(2, (cluster) =>
      train(net, data, {
        ...endless,
        cluster,
        checkpoint: { path },
        ...(cluster.rank === 1 ? { signal: controller.signal } : {}),
        onRecord: ({ iteration }) => {
          if (iteration === 12 && cluster.rank === 1) controller.abort(new Error("SIGTERM"));
        },
      }),
    );
    for (const { reason, iterations } of results) {
      expect(reason).toEqual({ code: "aborted", message: "the caller aborted the run: on rank 1: SIGTERM" });
      expect(iterations).toBe(12);
    }
    expect(JSON.parse(await readFile(path, "utf8")).body.iteration).toBe(12);
  });

  it("an abort before the run ends all of them", async () => {
    const results = await onRanks(2, (cluster) =>
      train(net, data, { ...endless, cluster, ...(cluster.rank === 0 ? { signal: AbortSignal.abort() } : {}) }),
    );
    for (const { reason, records } of results)
      expect([reason.message, records.length]).toEqual(["the caller aborted the run: on rank 0", 0]);
    const flows = await onRanks(2, (cluster) =>
      flow(net, data, {
        backend: "native",
        cluster,
        damping: 0.3,
        signal: cluster.rank === 1 ? AbortSignal.abort() : undefined,
      }),
    );
    for (const { reason, records } of flows)
      expect([reason.message, records.length]).toEqual(["the caller aborted the run: on rank 1", 0]);
  });

  it("the deadline is that of rank 0", async () => {
    const options = { ...endless, stop: { ...endless.stop, seconds: 0.2 } };
    const results = await onRanks(2, (cluster) =>
      train(net, data, { ...options, cluster, onRecord: () => (cluster.rank === 1 ? pause(5) : undefined) }),
    );
    const [first, second] = results;
    expect(first!.reason.code).toBe("seconds");
    expect(second!.reason).toEqual(first!.reason);
    expect(timelessRecords(second!.records)).toEqual(timelessRecords(first!.records));
  });

  it("a rank that computes otherwise ends all, with a checkpoint of what they had in common", async () => {
    const path = join(folder, "apart.json");
    const own = levenbergMarquardt();
    const faulty: typeof own = {
      ...own,
      propose: async (problem, state, point, previous, signal) => {
        const proposal = await own.propose(problem, state, point, previous, signal);
        if ("step" in proposal && iterations === 4) proposal.step[0]! *= 1 + Number.EPSILON;
        return proposal;
      },
    };
    let iterations = 0;
    const errors = await errorsOnRanks(2, (cluster) =>
      train(net, data, {
        ...endless,
        cluster,
        checkpoint: { path },
        method: cluster.rank === 1 ? faulty : own,
        onRecord: ({ iteration }) => {
          if (cluster.rank === 1) iterations = iteration;
        },
      }),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: "GAUSSFLOW_RANKS", details: { rank: 1 } });
      expect(error.message).toContain("the step to iteration 5 has other numbers on rank 1 than on rank 0");
    }
    expect(JSON.parse(await readFile(path, "utf8")).body.iteration).toBe(4);
  });

  it.each([
    ["options.seed", (rank: number) => ({ seed: 7 + rank }), /^rank 1 differs from rank 0: options\.seed is "8" there/],
    ["options.stop", (rank: number) => ({ stop: { patience: 7 + rank } }), /options\.stop\.patience is "8" there, and/],
    ["a checkpoint", (rank: number) => (rank === 0 ? { checkpoint: { path: "/tmp/x.json" } } : {}), /is false there/],
    ["weights", (rank: number) => ({ validation: waves(20, 3, 2, rank) }), /the digest of data, network and options/],
  ])("%s that differ are named", async (_, more, message) => {
    const errors = await errorsOnRanks(2, (cluster) => train(net, data, { ...base, cluster, ...more(cluster.rank) }));
    for (const error of errors) {
      expect(error).toMatchObject({ code: "GAUSSFLOW_RANKS" });
      expect(error.message).toMatch(message);
    }
  });

  it("data files: another row of the same size is found, another time of change is not held against a rank", async () => {
    const { featureNames, targetNames } = data;
    const rows = (change: number) =>
      Array.from({ length: data.sampleCount }, (_, i) => [
        ...data.inputs.subarray(3 * i, 3 * i + 3),
        data.targets[2 * i]! + (i === 80 ? change : 0),
        data.targets[2 * i + 1]!,
      ]);
    for (const [name, change] of [
      ["a", 0],
      ["b", 0],
      ["c", 1],
    ] as const)
      await writeDataFile(join(folder, `${name}.gfd`), { featureNames, targetNames }, rows(change));
    const open = (name: string) => openDataFile(join(folder, `${name}.gfd`));
    const checkpoint = { path: join(folder, "file.json") };
    const alone = await train(net, open("a"), { ...base, slots: 2 });
    const results = await onRanks(2, (cluster) =>
      train(net, open(cluster.rank === 0 ? "a" : "b"), { ...base, cluster, checkpoint }),
    );
    for (const result of results) expect(timeless(result)).toEqual(timeless(alone));
    const part = { ...base, stop: { ...stop, iterations: 3 } };
    await onRanks(2, (cluster) => train(net, open(cluster.rank === 0 ? "a" : "b"), { ...part, cluster, checkpoint }));
    for (const result of await onRanks(2, (cluster) =>
      train(net, open(cluster.rank === 0 ? "a" : "b"), { ...base, cluster, resume: checkpoint.path }),
    ))
      expect(timeless(result)).toEqual(timeless(alone));
    const errors = await errorsOnRanks(2, (cluster) =>
      train(net, open(cluster.rank === 0 ? "a" : "c"), { ...base, cluster }),
    );
    for (const error of errors) expect(error.message).toContain("the digest of the data file's header and units is");
  });

  it("a want of memory is an error, because a rank cannot know that the others met it", async () => {
    const refused = new GaussflowError("GAUSSFLOW_MEMORY", "there is none");
    const onRecord = () => {
      throw refused;
    };
    expect((await train(net, data, { ...base, onRecord })).reason.code).toBe("memory");
    expect(await errorsOnRanks(2, (cluster) => train(net, data, { ...base, cluster, onRecord }))).toEqual([
      refused,
      refused,
    ]);
  });

  it("a cluster has one run at a time", async () => {
    const busy = { code: "GAUSSFLOW_BUSY", message: expect.stringMatching(/^options\.cluster has a run under way/) };
    const results = await onRanks(2, async (cluster) => {
      const first = train(net, data, { ...base, cluster });
      await expect(train(net, data, { ...base, cluster })).rejects.toMatchObject(busy);
      await expect(flow(net, data, { backend: "native", cluster })).rejects.toMatchObject(busy);
      await first;
      await expect(train(net, data, { ...base, cluster, seed: -1 })).rejects.toThrow(/options\.seed/);
      return train(net, data, { ...base, cluster });
    });
    expect(results.map(({ ranks }) => ranks)).toEqual([2, 2]);
  });

  it("an error on one rank is one on all", async () => {
    const broken = { inputs: data.inputs, targets: data.targets.slice(1) };
    const errors = await errorsOnRanks(2, (cluster) =>
      train(net, cluster.rank === 0 ? data : broken, { ...base, cluster }),
    );
    expect(errors[0]!.message).toBe(`rank 1: ${errors[1]!.message}`);
    const missing = { path: join(folder, "none", "c.json") };
    const places = await errorsOnRanks(2, (cluster) => train(net, data, { ...base, cluster, checkpoint: missing }));
    expect(places[1]!.message).toBe(`rank 0: ${places[0]!.message}`);
    expect(places[0]).toMatchObject({ code: "GAUSSFLOW_FILE" });
  });

  it.each([
    [{ method: adam() }, /^options\.method must be one that sees all rows .* use levenbergMarquardt\(\)/],
    [{ batchStart: true }, /^options\.batchStart must be left out on 2 ranks/],
    [{ monitor: monitor() }, /^options\.monitor must be left out on 2 ranks/],
    [{ monitor: monitor(), slots: 1 }, /^options\.monitor must be left out on 2 ranks/],
    [{ route: "dual" }, /^options\.route must be "primal" or "matrix-free" .*: choose "matrix-free", or one process/],
    [{ backend: "typescript" }, /^options\.backend must be "native" on 2 ranks/],
  ] as const satisfies [TrainOptions, RegExp][])("refused with the reason: %j", async (more, message) => {
    const errors = await errorsOnRanks(2, (cluster) => train(net, data, { ...base, ...more, cluster }));
    for (const error of errors) expect(error.message.replace(/^rank \d: /, "")).toMatch(message);
  });

  it("more parameters than equations take the matrix-free route only where it is named", async () => {
    const small = waves(40, 3, 2, 5);
    const [cluster] = fakeClusters(2);
    expect(() => plan(wide, small, { ...base, cluster, validation: false })).toThrow(/because the matrix of the dual/);
    expect(plan(wide, small, { ...base, cluster, validation: false, route: "matrix-free" }).slots).toBe(2);
  });

  it("method auto chooses one that sees all rows", async () => {
    const [cluster] = fakeClusters(2);
    expect(plan(net, data, { backend: "native", cluster, method: "auto" }).because).toContain(
      "options.cluster shares sums",
    );
  });
});

it("jobs are trained by one process each", async () => {
  const [cluster] = fakeClusters(1);
  await expect(trainMany([{ network: net, data, options: { cluster } }])).rejects.toThrow(
    /^jobs\[0\]\.options\.cluster must be left out, because each job is trained by one process/,
  );
});

describe.skipIf(!loadNative().ok)("flows on ranks", () => {
  const options = { backend: "native", threads: 1, damping: 0.3, until: 0.5 } as const;

  it("as one process with as many slots, also from a checkpoint", async () => {
    const path = (rank: number) => join(folder, `flow-${rank}.json`);
    const alone = await flow(net, data, { ...options, slots: 2 });
    const results = await onRanks(2, (cluster) =>
      flow(net, data, { ...options, cluster, checkpoint: { path: path(cluster.rank), every: 2 } }),
    );
    for (const result of results) {
      expect(result).toMatchObject({ ranks: 2, slots: 2, reason: { code: "until" } });
      expect(result.last.parameters).toEqual(alone.last.parameters);
      expect(timelessRecords(result.records)).toEqual(timelessRecords(alone.records));
    }
    expect([0, 1].map((rank) => existsSync(path(rank)))).toEqual([true, false]);
    const further = await flow(net, data, { ...options, slots: 2, until: 0.8 });
    for (const result of await onRanks(3, (cluster) =>
      flow(net, data, { ...options, cluster, until: 0.8, resume: path(cluster.rank) }),
    ))
      expect(result.last.parameters).toEqual(further.last.parameters);
  });

  it("an abort and a deadline end all after the same step", async () => {
    const controller = new AbortController();
    const aborted = await onRanks(2, (cluster) =>
      flow(net, data, {
        ...options,
        cluster,
        signal: cluster.rank === 1 ? controller.signal : undefined,
        onRecord: ({ step }) => (step === 3 && cluster.rank === 1 ? controller.abort() : undefined),
      }),
    );
    for (const { reason, records } of aborted) {
      expect(reason).toEqual({ code: "aborted", message: "the caller aborted the run: on rank 1" });
      expect(records.at(-1)!.step).toBe(3);
    }
    const late = await onRanks(2, (cluster) =>
      flow(net, data, { ...options, cluster, stop: { seconds: 0.05 }, onRecord: () => pause(20) }),
    );
    expect(late[0]!.reason.code).toBe("seconds");
    expect(late[1]!.reason).toEqual(late[0]!.reason);
    expect(timelessRecords(late[1]!.records)).toEqual(timelessRecords(late[0]!.records));
  });

  it("other options and what is not summed are refused", async () => {
    const other = await errorsOnRanks(2, (cluster) =>
      flow(net, data, { ...options, cluster, until: 0.5 + cluster.rank }),
    );
    for (const error of other) expect(error.message).toContain('options.until is "1.5" there, and "0.5" on rank 0');
    const dual = await errorsOnRanks(2, (cluster) => flow(net, data, { ...options, cluster, route: "dual" }));
    for (const error of dual) expect(error.message).toContain('options.route must be "primal" or "matrix-free"');
  });
});
