// How the slots of the samples are split among ranks: whatever the numbers, the sums are joined in the order of one process.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { rankTree, slotsFor } from "../../src/cluster/rank-tree.js";
import { levenbergMarquardt, network, plan } from "../../src/index.js";
import { largestPart } from "../../src/plan/ranks.js";
import { waves } from "../helpers/problems.js";

/** The sum over slots [first, first + count) as the tree of native/core/slots.h joins it. */
function joined(first: number, count: number): string {
  if (count === 1) return `${first}`;
  return `(${joined(first, count / 2)}+${joined(first + count / 2, count / 2)})`;
}

/** The sums of all ranks, as the addon joins and spreads them. */
function exchanged(slots: number, size: number): string[] {
  const trees = Array.from({ length: size }, (_, rank) => rankTree(slots, size, rank));
  const up = (rank: number): string =>
    [...trees[rank]!.children].reduce(
      (sum, child) => `(${sum}+${up(child)})`,
      joined(trees[rank]!.first, trees[rank]!.count),
    );
  const results: string[] = [];
  const down = (rank: number, sum: string) => {
    expect(results[rank]).toBeUndefined();
    results[rank] = sum;
    for (const other of [...trees[rank]!.children, ...trees[rank]!.copies]) {
      expect(trees[other]!.parent).toBe(rank);
      down(other, sum);
    }
  };
  down(0, up(0));
  return results;
}

describe("the tree of ranks", () => {
  it("gives every rank the sum of one process, for any numbers of slots and ranks", () => {
    for (const slots of [1, 2, 4, 8, 32])
      for (let size = 1; size <= 19; size++) {
        const sums = exchanged(slots, size);
        expect(sums).toHaveLength(size);
        expect(new Set(sums), `${slots} slots, ${size} ranks`).toEqual(new Set([joined(0, slots)]));
      }
  });

  it("gives each rank an aligned power of two of the slots, the larger half of the ranks first", () => {
    for (let size = 1; size <= 16; size++) {
      const parts = Array.from({ length: size }, (_, rank) => rankTree(16, size, rank));
      expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(16);
      for (const { first, count } of parts) expect([Math.log2(count) % 1, first % count]).toEqual([0, 0]);
    }
    const shares = (size: number) => Array.from({ length: size }, (_, rank) => rankTree(4, size, rank).count);
    expect(shares(3)).toEqual([1, 1, 2]);
    expect(shares(4)).toEqual([1, 1, 1, 1]);
  });

  it("lets ranks beyond the slots repeat those of rank modulo slots", () => {
    expect(rankTree(2, 5, 3)).toMatchObject({ first: 1, count: 1, contributes: false, parent: 1 });
    expect([...rankTree(2, 5, 0).copies]).toEqual([2, 4]);
    expect([...rankTree(2, 5, 1).copies]).toEqual([3]);
  });
});

describe.skipIf(!loadNative().ok)("the plan of each of several ranks", () => {
  const data = waves(4000, 8, 1, 3);
  const net = network({ layers: [8, 32, 32, 1], seed: 1 });
  const options = { backend: "native", threads: 1, validation: false, slots: 4 } as const;

  it("has its rows, and less data and work than one process", () => {
    const alone = plan(net, data, options);
    expect(alone).toMatchObject({ ranks: 1, rankRows: 4000 });
    const two = plan(net, data, { ...options, ranks: 2 });
    expect(two).toMatchObject({ ranks: 2, rankRows: 2000, route: alone.route, sampleCount: 4000 });
    expect(two.chosen.bytes.data).toBeLessThan(0.6 * alone.chosen.bytes.data);
    expect(two.chosen.bytes.copies).toBe(alone.chosen.bytes.copies);
    expect(two.chosen.flops).toBeLessThan(0.7 * alone.chosen.flops);
    // The rank with the most slots is that of the smaller half.
    expect(plan(net, data, { ...options, ranks: 3 }).rankRows).toBe(2000);
    expect(plan(net, data, { ...options, ranks: 64 }).rankRows).toBe(1000);
  });

  it("has the sums between the ranks", () => {
    const { chosen } = plan(net, data, { ...options, ranks: 64 });
    const wide = plan(network({ layers: [8, 128, 128, 1], seed: 1 }), waves(40_000, 8, 1, 3), {
      ...options,
      ranks: 64,
      route: "primal",
    });
    // Half of p^2 numbers up and down two levels of the tree, at 1.25e9 bytes a second.
    const p = wide.parameterCount;
    const sum = (4 * 8 * (p * (p + 1))) / 2 / 1.25e9;
    expect(wide.chosen.seconds).toBeGreaterThan(sum);
    expect(chosen.seconds).toBeGreaterThan(0);
  });

  describe("that hold the Gram matrix together", () => {
    const wide = network({ layers: [8, 64, 64, 1], seed: 1 });
    const many = waves(6000, 8, 1, 3);
    const alone = { ...options, method: levenbergMarquardt({ precision: "double" }), route: "primal" } as const;
    const numbers = wide.parameterCount * (wide.parameterCount + 1);

    it("has its blocks of the matrix, and its share of the factorization", () => {
      const whole = plan(wide, many, { ...alone, ranks: 4 });
      expect(whole.chosen.distributed).toBeUndefined();
      expect(whole.chosen.bytes.curvature + whole.chosen.bytes.factor).toBe(8 * numbers);
      const part = plan(wide, many, { ...alone, ranks: 4, distributed: true });
      expect(part.chosen.distributed).toBe(true);
      expect(part.because).toMatch(/the ranks hold its matrix together/);
      const bytes = part.chosen.bytes.curvature + part.chosen.bytes.factor;
      // Two blocks of 64 more a side at most: the blocks of a rank are whole.
      expect(bytes / (8 * numbers)).toBeGreaterThan(0.25);
      expect(bytes / (8 * numbers)).toBeLessThan(0.28);
      expect(part.bytes).toBeLessThan(whole.bytes);
    });

    it("is chosen where a rank has no room for all of it, and only then", () => {
      const whole = plan(wide, many, { ...alone, ranks: 4 }).chosen.bytes.most;
      const part = plan(wide, many, { ...alone, ranks: 4, distributed: true }).chosen.bytes.most;
      const within = (memoryLimit: number, distributed?: boolean) =>
        plan(wide, many, { ...alone, ranks: 4, memoryLimit, distributed }).chosen;
      expect(within(whole)).toMatchObject({ fits: true });
      expect(within(whole).distributed).toBeUndefined();
      const between = Math.round((whole + part) / 2);
      expect(within(between)).toMatchObject({ distributed: true, fits: true });
      expect(within(between, false)).toMatchObject({ fits: false });
      expect(within(Math.floor(0.9 * part))).toMatchObject({ distributed: true, fits: false });
    });

    it("means nothing to one process, and is refused with what has no such matrix", () => {
      expect(plan(wide, many, { ...alone, distributed: true }).chosen.distributed).toBeUndefined();
      const refused = (more: object) => () => plan(wide, many, { ...alone, ranks: 2, distributed: true, ...more });
      expect(refused({ distributed: 1 })).toThrow(/^options\.distributed must be true or false/);
      expect(refused({ route: "matrix-free" })).toThrow(/^options\.distributed must be left out with the matrix-free/);
      expect(refused({ slots: 1 })).toThrow(/^options\.distributed must be left out with options\.slots 1/);
      expect(refused({ condition: true })).toThrow(/^options\.distributed must be left out with options\.condition/);
      const asked = refused({ cluster: { size: 2, scalapack: false, gather: () => {} } });
      expect(asked).toThrow(/options\.distributed needs ScaLAPACK.*Remedy: install ScaLAPACK/);
    });
  });

  it("checks their number", () => {
    expect(() => plan(net, data, { ...options, ranks: 0 })).toThrow(/^options\.ranks must be/);
    expect(() => plan(net, data, { ...options, ranks: 2, route: "dual" })).toThrow(/on 2 ranks/);
  });
});

describe("the slots of several ranks", () => {
  it("the default has a slot for each rank, and the last rank has the most slots", () => {
    expect([1, 2, 3, 4, 5, 8, 9].map(slotsFor)).toEqual([1, 2, 4, 4, 8, 8, 16]);
    for (const slots of [1, 2, 4, 8, 32])
      for (let ranks = 1; ranks < 40; ranks++) {
        const counts = Array.from({ length: ranks }, (_, rank) => rankTree(slots, ranks, rank).count);
        expect(largestPart(slots, ranks).count).toBe(Math.max(...counts));
      }
  });
});
