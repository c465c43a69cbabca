// What the ranks of a run decide together: ends, errors, what they compare.
import { describe, expect, it } from "vitest";
import { Agreement, isAgreed } from "../../src/cluster/agreement.js";
import { GaussflowError } from "../../src/index.js";
import { errorsOnRanks, onRanks } from "../helpers/fake-cluster.js";

const step = { index: 3, loss: 0.5, computed: [Float64Array.of(1, 2)], elapsed: 1, over: false };

describe("work that each rank does alone", () => {
  it("gives every rank its own answer", async () => {
    const answers = await onRanks(3, (cluster) => new Agreement(cluster, undefined).together(() => cluster.rank));
    expect(answers).toEqual([0, 1, 2]);
  });

  it("fails on all ranks where it fails on one, with the code and the rank", async () => {
    const errors = await errorsOnRanks(3, (cluster) =>
      new Agreement(cluster, undefined).together(() => {
        if (cluster.rank === 1) throw new GaussflowError("GAUSSFLOW_FILE", "x.gfd: there is no such file");
      }),
    );
    const [other, own] = ["rank 1: x.gfd: there is no such file", "x.gfd: there is no such file"];
    expect(errors.map(({ message }) => message)).toEqual([other, own, other]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "GAUSSFLOW_FILE" });
      expect(isAgreed(error)).toBe(true);
    }
    expect(isAgreed(new Error("of one rank"))).toBe(false);
  });

  it("rank 0's text reaches all, and so does its error", async () => {
    const texts = await onRanks(2, (cluster) =>
      new Agreement(cluster, undefined).byFirst(async () => `of rank ${cluster.rank}, \u00e4`),
    );
    expect(texts).toEqual(["of rank 0, \u00e4", "of rank 0, \u00e4"]);
    const errors = await errorsOnRanks(2, (cluster) =>
      new Agreement(cluster, undefined).byFirst(async () => {
        throw new GaussflowError("GAUSSFLOW_FILE", "full");
      }),
    );
    expect(errors.map(({ message }) => message)).toEqual(["full", "rank 0: full"]);
  });

  it("takes up an abort once the run listens", async () => {
    const aborted = AbortSignal.abort(new Error("Ctrl-C"));
    const unheard = await onRanks(2, async (cluster) => {
      const agreement = new Agreement(cluster, cluster.rank === 1 ? aborted : undefined);
      await agreement.together(() => {});
      return agreement.signal.aborted;
    });
    expect(unheard).toEqual([false, false]);
    const errors = await errorsOnRanks(2, async (cluster) => {
      const agreement = new Agreement(cluster, cluster.rank === 1 ? aborted : undefined);
      agreement.listen();
      await agreement.together(() => {});
    });
    expect(errors.map(({ message }) => message)).toEqual(["on rank 1: Ctrl-C", "on rank 1: Ctrl-C"]);
  });
});

describe("the meeting of an iteration", () => {
  it("passes ranks that have computed the same bits", async () => {
    const call = (loss: number) => onRanks(2, (cluster) => new Agreement(cluster, undefined).turn({ ...step, loss }));
    expect(await call(0.5)).toEqual([null, null]);
    expect(await call(Number.NaN)).toEqual([null, null]);
  });

  it("ends all ranks where one has another loss, with both", async () => {
    const other = 0.5 + 2 ** -53;
    const errors = await errorsOnRanks(3, (cluster) =>
      new Agreement(cluster, undefined).turn({ ...step, loss: cluster.rank === 2 ? other : 0.5 }),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: "GAUSSFLOW_RANKS", details: { rank: 2, losses: [0.5, other] } });
      expect(error.message).toContain(`the loss before iteration 3 is 0.5 on rank 0 and ${other} on rank 2`);
    }
  });

  it("ends all ranks where one has another step", async () => {
    const errors = await errorsOnRanks(2, (cluster) =>
      new Agreement(cluster, undefined).turn({ ...step, computed: [Float64Array.of(1, 2 + cluster.rank / 2 ** 51)] }),
    );
    for (const error of errors) expect(error.message).toContain("the step to iteration 3 has other numbers on rank 1");
  });

  it("the clock of rank 0 alone decides", async () => {
    const turn = (late: number) =>
      onRanks(2, (cluster) =>
        new Agreement(cluster, undefined).turn({ ...step, elapsed: 7 + cluster.rank, over: cluster.rank === late }),
      );
    expect(await turn(0)).toEqual([7, 7]);
    expect(await turn(1)).toEqual([null, null]);
  });

  it("aborts the signal of every rank, and names the first", async () => {
    const reasons = await onRanks(3, async (cluster) => {
      const agreement = new Agreement(cluster, cluster.rank > 0 ? AbortSignal.abort() : undefined);
      await agreement.turn(step);
      return agreement.signal.reason.message;
    });
    expect(reasons).toEqual(["on rank 1", "on rank 1", "on rank 1"]);
  });

  it("ranks at different places of the run end", async () => {
    const errors = await errorsOnRanks(2, async (cluster) => {
      const agreement = new Agreement(cluster, undefined);
      await (cluster.rank === 0 ? agreement.turn(step) : agreement.together(() => {}));
    });
    for (const error of errors) expect(error.message).toMatch(/^rank 1 is at another place of the run/);
  });
});

describe("what ranks compare", () => {
  it("names the rank and what differs", async () => {
    const errors = await errorsOnRanks(3, (cluster) =>
      new Agreement(cluster, undefined).compare(
        [
          ["options.seed", 3],
          ["options.slots", cluster.rank === 2 ? 8 : 4],
        ],
        "give them the same options",
      ),
    );
    for (const error of errors)
      expect(error.message).toBe(
        "rank 2 differs from rank 0: options.slots is 8 there, and 4 on rank 0; give them the same options",
      );
  });

  it("also what one of them lacks", async () => {
    const errors = await errorsOnRanks(2, (cluster) =>
      new Agreement(cluster, undefined).compare(cluster.rank === 0 ? [] : [["options.delta", 1]], "why"),
    );
    for (const error of errors) expect(error.message).toContain("options.delta is 1 there, and absent on rank 0");
  });

  it("the least number", async () => {
    expect(await onRanks(3, (cluster) => new Agreement(cluster, undefined).least(5 - cluster.rank))).toEqual([3, 3, 3]);
  });
});
