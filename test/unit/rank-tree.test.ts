// How the slots of the samples are split among ranks: whatever the numbers, the sums are joined in the order of one process.
import { describe, expect, it } from "vitest";
import { rankTree } from "../../src/cluster/rank-tree.js";

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
