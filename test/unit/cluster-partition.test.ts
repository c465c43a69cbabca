// The parts of the slots that the ranks of a run sum.
import { describe, expect, it } from "vitest";
import { partOf, slotsFor } from "../../src/cluster/partition.js";

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 64, 100];

describe("the slots of a rank", () => {
  it.each([1, 2, 4, 8, 64])("%d slots: whole aligned subtrees, each slot once, in the order of the ranks", (slots) => {
    for (const size of SIZES) {
      const active = Math.min(size, slots);
      let next = 0;
      for (let rank = 0; rank < active; rank++) {
        const { first, count } = partOf(slots, size, rank);
        expect(first).toBe(next);
        expect(Number.isInteger(Math.log2(count)) && first % count === 0).toBe(true);
        next += count;
      }
      expect(next).toBe(slots);
      for (let rank = active; rank < size; rank++)
        expect(partOf(slots, size, rank)).toEqual(partOf(slots, size, rank % slots));
    }
  });

  it("the larger half of the ranks has the first slots", () => {
    expect([0, 1, 2].map((rank) => partOf(4, 3, rank))).toEqual([
      { first: 0, count: 1 },
      { first: 1, count: 1 },
      { first: 2, count: 2 },
    ]);
  });

  it("without a number there is at least one slot a rank", () => {
    expect([1, 2, 3, 4, 5, 8, 9].map(slotsFor)).toEqual([1, 2, 4, 4, 8, 8, 16]);
  });
});
