// Splits the slots of the samples among the ranks, and says which ranks join their sums. A node of the tree has some slots and some ranks:
// the left half of the slots gets the larger half of the ranks, down to one rank, which owns all slots below. The sums therefore have the
// bits of one process with as many slots. mpi.ts gives the tree to the addon.

/** The part of one rank. */
export interface RankTree {
  /** The first slot of the rank, from 0. */
  readonly first: number;
  /** Number of its slots: a power of two. */
  readonly count: number;
  /** False for a rank beyond the slots: it repeats the slots of `parent`, and its sums are not used. */
  readonly contributes: boolean;
  /** Who receives the sums of this rank, and sends it those of all; -1 for rank 0. */
  readonly parent: number;
  /** Whose sums are added to those of this rank, as the right-hand side of a node, in this order. */
  readonly children: Int32Array;
  /** Who receives the sums of all from this rank and repeats its slots. */
  readonly copies: Int32Array;
}

/**
 * The part of a rank.
 * @param slots a power of two
 * @param size number of ranks
 * @param rank from 0
 */
export function rankTree(slots: number, size: number, rank: number): RankTree {
  const owners = Math.min(size, slots);
  if (rank >= owners) {
    const { first, count } = rankTree(slots, size, rank % owners);
    const none = new Int32Array(0);
    return { first, count, contributes: false, parent: rank % owners, children: none, copies: none };
  }
  let [first, count, leader, ranks, parent] = [0, slots, 0, owners, -1];
  const children: number[] = [];
  while (ranks > 1) {
    const left = Math.ceil(ranks / 2);
    const right = leader + left;
    count /= 2;
    if (rank < right) {
      if (rank === leader) children.unshift(right);
      ranks = left;
    } else {
      if (rank === right) parent = leader;
      first += count;
      leader = right;
      ranks -= left;
    }
  }
  const copies = Array.from({ length: Math.ceil((size - rank) / owners) - 1 }, (_, k) => rank + (k + 1) * owners);
  return {
    first,
    count,
    contributes: true,
    parent,
    children: Int32Array.from(children),
    copies: Int32Array.from(copies),
  };
}

/** Slots of a run on `size` ranks where nothing else is said: the smallest power of two with one for each rank. */
export function slotsFor(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}
