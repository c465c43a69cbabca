// trainMany as seen from its caller. The library runs from its sources here, where a worker's file is not there: every lane works in
// this thread. Threads are in test/lifecycle/train-many.test.ts.
import { describe, expect, it } from "vitest";
import {
  dataset,
  huber,
  type JobProgress,
  levenbergMarquardt,
  network,
  restarts,
  sweep,
  train,
  trainMany,
  trainManySteps,
} from "../../src/index.js";
import { MemoryBudget } from "../../src/jobs/memory-budget.js";
import { smallJob, timeless, wave } from "../helpers/many-jobs.js";

describe("trainMany", () => {
  it("gives what train gives for each job alone, in the order of the jobs, whatever runs at the same time", async () => {
    const jobs = restarts(smallJob(), 5);
    const alone = [];
    for (const job of jobs) alone.push(timeless(await train(job.network, job.data, job.options)));
    for (const concurrency of [1, 3, 8]) {
      const { results } = await trainMany(jobs, { concurrency });
      expect(results.map(({ result }) => timeless(result!))).toEqual(alone);
      expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it("ranks by validation loss, by training loss without, and puts what is not finite last", async () => {
    const [first, second, third] = restarts(smallJob(), 3);
    // 1e200 squared overflows: the run ends as "non-finite" with a loss that no job can be worse than.
    const broken = {
      network: network({ layers: [1, 2, 1] }),
      data: dataset({ inputs: [[0], [1], [2]], targets: [1e200, -1e200, 1e200] }),
      options: { standardize: false },
    };
    const wrong = { ...smallJob(), data: dataset({ inputs: [[1], [2]], targets: [1, 2] }) };
    const { ranked, best, results } = await trainMany([wrong, broken, first!, second!, third!]);
    const scores = ranked.map(({ score }) => score);
    expect(scores.slice(0, 3)).toEqual(scores.slice(0, 3).toSorted((a, b) => a - b));
    expect(ranked.slice(3).map(({ index }) => index)).toEqual([1, 0]);
    expect(results[1]!.result!.reason.code).toBe("non-finite");
    expect(best!.score).toBe(best!.result.validationLoss);
    const plain = await trainMany(restarts({ ...smallJob(), options: { validation: false } }, 2));
    expect(plain.best!.score).toBe(Math.min(...plain.results.map(({ result }) => result!.loss)));
  });

  it("refuses jobs that would write one checkpoint over the other", async () => {
    const job = { ...smallJob(), options: { checkpoint: { path: "one.json" } } };
    await expect(trainMany(restarts(job, 2))).rejects.toThrow(
      /^jobs\[1\]\.options\.checkpoint\.path must be another file than jobs\[0\]\.options\.checkpoint\.path/,
    );
  });

  it("converts a validation set that jobs share once", async () => {
    const { network: net, data } = smallJob();
    const held = wave(12);
    let conversions = 0;
    const validation = {
      get inputs() {
        conversions++;
        return held.inputs;
      },
      targets: held.targets,
      inputSize: 2,
    };
    const jobs = restarts({ network: net, data, options: { validation, stop: { iterations: 2 } } }, 4);
    const { results } = await trainMany(jobs, { concurrency: 2 });
    expect(conversions).toBe(1);
    const alone = await train(jobs[3]!.network, data, { ...jobs[3]!.options, validation: held });
    expect(timeless(results[3]!.result!)).toEqual(timeless(alone));
  });

  it("keeps the error of one job in its result", async () => {
    const good = smallJob();
    const bad = { ...good, options: { stop: { iterations: -1 } } };
    const { results, best } = await trainMany([bad, good]);
    expect(results[0]).toMatchObject({ state: "failed", result: null, score: Number.NaN });
    expect(results[0]!.error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT", message: /options.stop.iterations/ });
    expect(timeless(best!.result)).toEqual(timeless(await train(good.network, good.data, good.options)));
  });

  it("tells every accepted iteration of every job, and its end, in one stream", async () => {
    const jobs = restarts(smallJob(4), 3);
    const seen: JobProgress[] = [];
    const { results } = await trainMany(jobs, { onProgress: (progress) => void seen.push(progress), concurrency: 2 });
    for (const { index, label, result } of results) {
      const own = seen.filter(({ job }) => job === index);
      const accepted = result!.records.filter((record) => record.accepted);
      expect(own.slice(0, -1).map(({ iteration }) => iteration)).toEqual(accepted.map(({ iteration }) => iteration));
      expect(own.slice(0, -1).map(({ loss }) => loss)).toEqual(accepted.map(({ loss }) => loss));
      expect(own.at(-1)).toMatchObject({ state: "trained", label, loss: result!.loss });
    }
    expect(seen.filter(({ state }) => state === "trained").map(({ ended }) => ended)).toEqual([1, 2, 3]);
    const steps = trainManySteps(jobs, { concurrency: 1 });
    const yielded: JobProgress[] = [];
    for await (const progress of steps) yielded.push(progress);
    expect(yielded.map(({ job, loss }) => [job, loss])).toEqual(
      seen.toSorted((a, b) => a.job - b.job).map(({ job, loss }) => [job, loss]),
    );
  });

  it("stops the running jobs with their best so far and starts no more", async () => {
    const controller = new AbortController();
    const jobs = restarts(smallJob(1000), 4).map((job) => ({
      ...job,
      options: { ...job.options, stop: { iterations: 1000, patience: 1000, gradient: 0, step: 0, reduction: 0 } },
    }));
    const { results, aborted, best } = await trainMany(jobs, {
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ job, iteration }) => {
        if (job === 1 && iteration === 3) controller.abort();
      },
    });
    expect(aborted).toBe(true);
    expect(results.map(({ state }) => state)).toEqual(["trained", "trained", "idle", "idle"]);
    expect(results[1]!.result).toMatchObject({ reason: { code: "aborted" }, iterations: 3 });
    expect(best!.index).toBeLessThan(2);
    const none = await trainMany(jobs, { signal: AbortSignal.abort() });
    expect([none.best, none.results.map(({ state }) => state)]).toEqual([null, ["idle", "idle", "idle", "idle"]]);
  });

  it("a job's own signal stops that job alone", async () => {
    const controller = new AbortController();
    const [first, second] = restarts(smallJob(8), 2);
    const stopped = { ...first!, options: { ...first!.options, signal: controller.signal } };
    const { results } = await trainMany([stopped, second!], {
      onProgress: ({ job, iteration }) => {
        if (job === 0 && iteration === 2) controller.abort();
      },
    });
    expect(results[0]!.result!.reason.code).toBe("aborted");
    expect(results[1]!.result!.reason.code).not.toBe("aborted");
  });

  it("rejects with what onProgress throws, and an early end of the stream stops the jobs", async () => {
    const jobs = restarts(smallJob(), 3);
    const fault = new Error("mine");
    const throwing = () => {
      throw fault;
    };
    await expect(trainMany(jobs, { onProgress: throwing })).rejects.toBe(fault);
    const told: number[] = [];
    const watched = jobs.map((job, k) => ({
      ...job,
      options: { ...job.options, onRecord: () => void told.push(k) },
    }));
    for await (const _ of trainManySteps(watched, { concurrency: 1 })) break;
    expect(new Set(told)).toEqual(new Set([0]));
  });

  it("runs a method of the caller's own, and calls a job's onRecord", async () => {
    const base = levenbergMarquardt();
    let proposals = 0;
    const counting = {
      ...base,
      propose: (...given: Parameters<typeof base.propose>) => {
        proposals++;
        return base.propose(...given);
      },
    };
    let records = 0;
    const job = smallJob();
    const options = { ...job.options, method: counting, onRecord: () => void records++ };
    const { best } = await trainMany([{ ...job, options }], { threads: 2 });
    expect(proposals).toBeGreaterThan(0);
    expect(records).toBe(best!.result.records.length);
  });

  it("names the job and the rule where the call itself is wrong", async () => {
    const job = smallJob();
    for (const [jobs, options, message] of [
      [[], {}, /jobs must be an array of at least one job/],
      [[job, { ...job, network: {} }], {}, /jobs\[1\]\.network must be made by network/],
      [[{ ...job, option: {} }], {}, /jobs\[0\].*options/],
      [[job], { concurrency: 0 }, /options.concurrency must be an integer of at least 1; received 0/],
      [[job], { memoryLimit: -1 }, /options.memoryLimit/],
      [[job], { onProgres: () => {} }, /onProgress/],
    ] as const)
      await expect(trainMany(jobs as never, options as never)).rejects.toThrow(message);
  });
});

describe("lists of jobs", () => {
  it("restarts differ by seed alone and hold out the same rows", () => {
    const jobs = restarts(smallJob(), 3, 7);
    expect(jobs.map((job) => job.network.options.drawn?.seed)).toEqual([7, 8, 9]);
    expect(jobs.map((job) => job.options?.seed)).toEqual([3, 3, 3]);
    expect(jobs.map((job) => job.label)).toEqual(["seed 7", "seed 8", "seed 9"]);
    expect(jobs[1]!.network.parameters).toEqual(network({ layers: [2, 5, 1], seed: 8 }).parameters);
    expect(() => restarts(smallJob(), 0)).toThrow(/count must be an integer of at least 1/);
  });

  it("a sweep changes what its variants name, also the number of layers", () => {
    const job = { ...smallJob(), network: network({ layers: [2, 5, 1], activation: "silu", seed: 3 }) };
    const jobs = sweep(job, [
      { network: { layers: [2, 4, 4, 1] } },
      { network: { activation: "tanh" }, options: { stop: { iterations: 5 } }, label: "tanh" },
    ]);
    expect(jobs[0]!.network.options).toMatchObject({
      layers: [2, 4, 4, 1],
      activation: ["silu", "silu"],
      drawn: { seed: 3 },
    });
    expect(jobs[0]!.options).toEqual({ ...job.options, seed: 3 });
    expect(jobs[1]!.options).toEqual({ stop: { iterations: 5 }, seed: 3 });
    expect(jobs.map(({ label }) => label)).toEqual(["variant 1: 2-4-4-1", "tanh"]);
    expect(() => sweep(job, [{ layers: [2, 1] } as never])).toThrow(/variants\[0\]/);
  });

  it("a variant's network is named where it is wrong", () => {
    const bad = (network: object) => () => sweep(smallJob(), [{}, { network }] as never);
    expect(bad({ initialisation: "ntk" })).toThrow(/^variants\[1\]\.network has no option .*"initialization"/);
    expect(bad({ seed: -1 })).toThrow(/^variants\[1\]\.network\.seed must be/);
    expect(bad({ centered: 1 })).toThrow(/^variants\[1\]\.network\.centered must be/);
    expect(bad({ layers: [2] })).toThrow(/^variants\[1\]\.network\.layers must be/);
  });

  it("options of a variant that are undefined leave those of the job", () => {
    const job = {
      ...smallJob(),
      network: network({ layers: [2, 5, 1], activation: "silu", seed: 3 }),
      options: { ...smallJob().options, loss: huber({ delta: 1 }) },
    };
    const [varied] = sweep(job, [
      { network: { activation: undefined, seed: undefined }, options: { loss: undefined, seed: undefined } },
    ]);
    expect(varied!.network.parameters).toEqual(job.network.parameters);
    expect(varied!.network.options).toEqual(job.network.options);
    expect(varied!.options).toEqual({ ...job.options, seed: 3 });
  });
});

describe("the memory limit", () => {
  it("is never exceeded by jobs together, and lets one too large run alone", async () => {
    const budget = new MemoryBudget(10);
    let used = 0;
    let most = 0;
    const sizes = [4, 5, 7, 3, 12, 1, 9, 2];
    const started: number[] = [];
    await Promise.all(
      sizes.map(async (size) => {
        await budget.take(size);
        started.push(size);
        used += size;
        if (size <= 10) expect(used).toBeLessThanOrEqual(10);
        else expect(used).toBe(size);
        most = Math.max(most, used);
        await new Promise((resolve) => setTimeout(resolve, 1));
        used -= size;
        budget.give(size);
      }),
    );
    expect(started).toEqual(sizes);
    expect(most).toBe(12);
  });

  it("jobs that do not fit together run one after the other", async () => {
    const jobs = restarts({ ...smallJob(3), data: wave(50) }, 3);
    let [running, most] = [0, 0];
    const watched = jobs.map((job) => ({
      ...job,
      options: {
        ...job.options,
        onRecord: ({ iteration }: { iteration: number }) => {
          if (iteration === 0) running++;
          most = Math.max(most, running);
        },
      },
    }));
    const { results } = await trainMany(watched, {
      concurrency: 3,
      memoryLimit: 1,
      onProgress: ({ state }) => {
        if (state !== "running") running--;
      },
    });
    expect(most).toBe(1);
    expect(results.every(({ state }) => state === "trained")).toBe(true);
    await trainMany(watched, { concurrency: 3 });
    expect(most).toBeGreaterThan(1);
  });
});
