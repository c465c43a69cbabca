// Cuts the slots of a sum over samples (backend/slots.ts) into the parts of the ranks, for Cluster.slots, `train`, `flow` and `plan`. Slots are
// joined by a binary tree, and a part is a whole subtree of it, so that every number of ranks joins the same sums in the same order.

/** The slots of one rank. */
export interface Part {
  /** The first of them, from 0. */
  readonly first: number;
  /** Their number, a power of two. */
  readonly count: number;
}

/**
 * The slots that `rank` of `size` ranks sums. At each node of the tree the left half of the slots goes to the larger half of the ranks, until one
 * rank is left. Ranks beyond the slots repeat the part of rank modulo slots.
 */
export function partOf(slots: number, size: number, rank: number): Part {
  let ranks = Math.min(size, slots);
  let [first, count, own] = [0, slots, rank % ranks];
  while (ranks > 1) {
    count /= 2;
    const left = Math.ceil(ranks / 2);
    if (own < left) ranks = left;
    else {
      first += count;
      own -= left;
      ranks -= left;
    }
  }
  return { first, count };
}

/** Slots of a run on `size` ranks where nothing else is said: the smallest power of two with one for each rank. */
export function slotsFor(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}
