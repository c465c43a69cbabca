// Jobs on the ranks of a cluster, with ranks within this process (helpers/fake-cluster.ts); real ones are in jobs.test.ts.
import { describe, expect, it } from "vitest";
import {
  type Cluster,
  crossValidate,
  fitTable,
  type JobProgress,
  type JobResult,
  restarts,
  type TrainRecord,
  trainMany,
} from "../../src/index.js";
import { JobDeal } from "../../src/jobs/job-deal.js";
import { errorsOnRanks, onRanks } from "../helpers/fake-cluster.js";
import { smallJob, timeless, wave } from "../helpers/many-jobs.js";

const plainResults = (results: readonly JobResult[]) =>
  results.map(({ index, label, state, result, score }) => [index, label, state, result && timeless(result), score]);

describe("the deal", () => {
  it("gives job i to rank i mod size, and what is left of the longest list to a rank without one", () => {
    const deal = new JobDeal(8, 3); // 0 3 6, 1 4 7, 2 5
    expect([0, 1, 2, 0, 1].map((rank) => deal.take(rank))).toEqual([0, 1, 2, 3, 4]);
    expect([0, 0, 0, 2].map((rank) => deal.take(rank))).toEqual([6, 7, 5, null]);
  });

  it("gives each job once, whoever asks", () => {
    const deal = new JobDeal(50, 4);
    const taken = Array.from({ length: 50 }, (_, k) => deal.take((k * k) % 4));
    expect(taken.toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: 50 }, (_, k) => k));
    expect(deal.take(1)).toBeNull();
  });
});

describe("trainMany on ranks", () => {
  it("gives all ranks the results of one process, and ranks them alike", async () => {
    const wrong = { ...smallJob(), options: { slots: 3 } };
    const jobs = [...restarts(smallJob(), 5), wrong];
    const alone = await trainMany(jobs, { concurrency: 1 });
    const trained: number[][] = [[], [], []];
    const on = await onRanks(3, (cluster) => {
      // Each rank has jobs of its own, which it tells us of.
      const own = jobs.map((job, k) => ({
        ...job,
        options: {
          ...job.options,
          onRecord: ({ iteration }: TrainRecord) => void (iteration === 0 && trained[cluster.rank]!.push(k)),
        },
      }));
      return trainMany(own, { concurrency: 1, cluster });
    });
    for (const { results, ranked, best, scoredBy, ranks, concurrency } of on) {
      expect(plainResults(results)).toEqual(plainResults(alone.results));
      expect(ranked.map(({ index }) => index)).toEqual(alone.ranked.map(({ index }) => index));
      expect(results[5]!.error).toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
      expect([best?.index, scoredBy, ranks, concurrency]).toEqual([alone.best?.index, alone.scoredBy, 3, 3]);
    }
    expect(trained.every((list) => list.length > 0)).toBe(true);
    expect(new Set(trained.flat())).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it("tells rank 0 of the progress of all, and no other rank", async () => {
    const told: JobProgress[][] = [[], []];
    await onRanks(2, (cluster) =>
      trainMany(restarts(smallJob(), 4), {
        concurrency: 1,
        cluster,
        onProgress: (one) => void told[cluster.rank]!.push(one),
      }),
    );
    expect(told[1]).toEqual([]);
    const ends = told[0]!.filter(({ state }) => state === "trained");
    expect(ends.map(({ job }) => job).toSorted()).toEqual([0, 1, 2, 3]);
    expect(ends.map(({ ended, jobs }) => [ended, jobs])).toEqual([1, 2, 3, 4].map((ended) => [ended, 4]));
    for (const job of [0, 1, 2, 3]) {
      const steps = told[0]!.filter((one) => one.job === job && one.state === "running");
      expect(steps.map(({ iteration }) => iteration)).toEqual(steps.map((_, k) => k));
      expect(steps.length).toBeGreaterThan(3);
    }
  });

  it.each([0, 1, 2])("stops all jobs where rank %d is aborted", async (who) => {
    const stop = new AbortController();
    const jobs = restarts({ ...smallJob(), options: { stop: { iterations: 100_000 }, onRecord: () => {} } }, 9);
    const on = await onRanks(3, (cluster) => {
      if (cluster.rank === who) setTimeout(() => stop.abort(new Error("enough")), 30);
      return trainMany(jobs, { concurrency: 1, cluster, ...(cluster.rank === who ? { signal: stop.signal } : {}) });
    });
    for (const { aborted, results } of on) {
      expect(aborted).toBe(true);
      expect(plainResults(results)).toEqual(plainResults(on[0]!.results));
    }
    expect(on[0]!.results.filter(({ result }) => result?.reason.code === "aborted").length).toBeGreaterThan(0);
  });

  it("ends on all ranks where onProgress of rank 0 throws, and the ranks can go on with other jobs", async () => {
    const both = await onRanks(2, async (cluster) => {
      const fails = {
        onProgress: () => {
          throw new Error("no screen");
        },
      };
      const error = await trainMany(restarts(smallJob(), 6), { concurrency: 1, cluster, ...fails }).catch(String);
      const { results } = await trainMany(restarts(smallJob(), 2), { concurrency: 1, cluster });
      return [error, results.length];
    });
    expect(both).toEqual([
      ["Error: no screen", 2],
      ["Error: onProgress of rank 0 failed: Error: no screen", 2],
    ]);
  });

  it("refuses other numbers of jobs on ranks, two runs at once, and what is no cluster", async () => {
    const counts = await errorsOnRanks(2, (cluster) =>
      trainMany(restarts(smallJob(), 1 + cluster.rank), { cluster, concurrency: 1 }),
    );
    for (const { message } of counts)
      expect(message).toMatch(/^jobs must be the same on all ranks; rank 0 has 1 of them and rank 1 2; received/);
    const [busy] = await onRanks(2, async (cluster) => {
      const first = trainMany(restarts(smallJob(), 3), { cluster, concurrency: 1 });
      const error = await trainMany(restarts(smallJob(), 3), { cluster, concurrency: 1 }).catch(String);
      await first;
      return error;
    });
    expect(busy).toMatch(/the ranks of options\.cluster are training other jobs: await the call before/);
    await expect(trainMany([smallJob()], { cluster: {} as Cluster })).rejects.toThrow(
      /^options\.cluster must be made by mpi\(\)/,
    );
  });
});

describe("folds and searches on ranks", () => {
  it("are those of one process", async () => {
    const alone = await crossValidate(smallJob(), { folds: 3, concurrency: 1 });
    for (const { metrics, predictions } of await onRanks(2, (cluster) =>
      crossValidate(smallJob(), { folds: 3, concurrency: 1, cluster }),
    )) {
      expect(metrics).toEqual(alone.metrics);
      expect(predictions).toEqual(alone.predictions);
    }
    const options = { hidden: [3], folds: 2, train: { stop: { iterations: 5 } }, concurrency: 1, restarts: 2 } as const;
    const one = await fitTable(wave(60), options);
    for (const { search, result } of await onRanks(2, (cluster) => fitTable(wave(60), { ...options, cluster }))) {
      expect([search.decay, search.because]).toEqual([one.search.decay, one.search.because]);
      expect(timeless(result)).toEqual(timeless(one.result));
    }
  });

  it("that one rank aborts end on all", async () => {
    const ended = await onRanks(2, (cluster) =>
      fitTable(wave(60), {
        hidden: [3],
        decay: 0.1,
        train: { stop: { iterations: 100_000 } },
        concurrency: 1,
        cluster,
        ...(cluster.rank === 1 ? { signal: AbortSignal.abort(new Error("enough")) } : {}),
      }),
    );
    for (const { result } of ended) expect(result.reason.code).toBe("aborted");
  });
});
