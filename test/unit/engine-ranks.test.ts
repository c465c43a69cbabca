// The ranks of an engine: which rows are its own, what it is made with, and who refuses it. What engines under ranks compute is tested where there
// is an exchange between them: native/test/ranks_test.cc, test/cluster.
import { describe, expect, it } from "vitest";
import { estimateBytes } from "../../src/backend/estimate.js";
import { loadNative } from "../../src/backend/native/load.js";
import { checkRanked, rowsHere } from "../../src/backend/ranks.js";
import type { RankSlots } from "../../src/cluster/cluster.js";
import { createEngine, network, squaredError } from "../../src/index.js";

const { architecture } = network({ layers: [1, 3, 1], seed: 1 });
const values = Float64Array.from({ length: 21 }, (_, i) => Math.sin(i));
const ranksOf = (ranks: unknown, backend: "native" | "typescript", slots = 4) => {
  const data = { sampleCount: 21, inputs: values, targets: values, slots, ranks: ranks as RankSlots };
  return () => createEngine(architecture, data, { backend, threads: 1 });
};
const argument = (message: RegExp) =>
  expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(message) });
const native = loadNative().ok;

describe("the ranks of an engine", () => {
  it("are an aligned part of the slots of the data", () => {
    const whole = { slots: 4, first: 2, count: 2, exchange: {} };
    const refused = (change: object | null, message: RegExp) =>
      expect(ranksOf(change === null ? 3 : { ...whole, ...change }, "typescript")).toThrow(argument(message));
    refused(null, /^data\.ranks must be what slots\(\) of a cluster returns; received 3$/);
    refused({ slots: 2 }, /^data\.ranks\.slots must be that of the data, 4; received 2$/);
    for (const count of [0, 3, 8, 1.5, "1"])
      refused({ count }, /^data\.ranks\.count must be a power of two of at most 4/);
    for (const first of [1, 4, -2, 0.5]) refused({ first }, /^data\.ranks\.first must be a multiple of 2 below 4/);
    refused({ other: 1 }, /other/);
  });

  it("are refused by the TypeScript engine, which has no exchange", () => {
    const ranks = { slots: 4, first: 2, count: 2, exchange: {} };
    expect(ranksOf(ranks, "typescript")).toThrow(
      argument(/^options\.backend must be "native" with data\.ranks; received "typescript"$/),
    );
  });

  it.skipIf(!native)("have an exchange that the addon knows: another object is refused before it is read", () => {
    for (const exchange of [{}, 1, null, values])
      expect(ranksOf({ slots: 4, first: 2, count: 2, exchange }, "native")).toThrow(
        argument(/^ranks must have exchange, as the slots of a cluster have it$/),
      );
  });

  it("have the rows of their slots, one part after the other", () => {
    for (const [slots, counts] of [
      [4, [1, 1, 2]],
      [8, [4, 2, 1, 1]],
      [2, [2]],
    ] as const) {
      let [slot, row] = [0, 0];
      for (const count of counts) {
        const rows = rowsHere({ slots, first: slot, count }, 21);
        expect(rows.first).toBe(row);
        [slot, row] = [slot + count, row + rows.count];
      }
      expect(row).toBe(21);
    }
    expect(rowsHere(undefined, 21)).toEqual({ first: 0, count: 21 });
  });

  it("refuse curvatures of pairs of samples, and subsets", () => {
    for (const curvature of ["dual", "sampled"] as const)
      expect(() => checkRanked(true, { curvature })).toThrow(
        argument(/^curvature must be .* with data\.ranks, because the kernel/),
      );
    const subset = Uint32Array.of(1);
    expect(() => checkRanked(true, { curvature: "matrix-free", subset })).toThrow(argument(/^subset must be null/));
    for (const curvature of ["none", "primal", "matrix-free"] as const) checkRanked(true, { curvature });
    checkRanked(false, { curvature: "dual" });
  });

  it.skipIf(!native)("plan the bytes of a rank: those of its rows, and room for a part of the Gram matrix", () => {
    const sizes = {
      architecture,
      loss: squaredError(),
      sampleCount: 80000,
      weighted: true,
      fileWidth: 0,
      threads: 1,
      slots: 4,
    };
    const primal = [{ curvature: "primal" }] as const;
    const all = estimateBytes("native", sizes, primal);
    const half = estimateBytes("native", { ...sizes, ranks: { slots: 4, first: 2, count: 2 } }, primal);
    expect(half.data).toBe(all.data / 2);
    expect(half.curvature).toBe(all.curvature);
    // Every rank holds all of the matrix, and sends it in parts that this small one is one of.
    const quarter = estimateBytes("native", { ...sizes, ranks: { slots: 4, first: 2, count: 1 } }, primal);
    expect(quarter.data).toBe(all.data / 4);
    const p = architecture.parameterCount;
    const whole = estimateBytes("native", { ...sizes, slots: 1 }, primal);
    const alone = estimateBytes("native", { ...sizes, slots: 1, ranks: { slots: 1, first: 0, count: 1 } }, primal);
    expect(alone.workspaces - whole.workspaces).toBe((8 * p * (p + 1)) / 2);
  });
});
