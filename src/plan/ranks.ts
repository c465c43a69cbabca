// Plans for the ranks of an MPI run: the slots and rows of the rank that has the most, by which memory and time are predicted, and the seconds of
// the sums between the ranks. plan.ts and memory-model.ts call it.
import { firstOfSlot } from "../backend/slots.js";
import { type RankTree, rankTree } from "../cluster/rank-tree.js";
import type { Architecture } from "../network/architecture.js";
import type { StepRoute } from "./route.js";
import { PLANNED_PRODUCTS } from "./workload.js";

/** What is assumed of the network between the ranks: 10 Gbit/s, and 50 microseconds a message. `gaussflow doctor --mpi` measures the real ones. */
export const BYTES_PER_SECOND = 1.25e9;
const MESSAGE_SECONDS = 5e-5;

/** Sums of p numbers of an iteration beside that of the matrix: gradient, diagonal, the right side of an acceleration. */
const VECTOR_SUMS = 3;

/** The slots of the rank that has the most: the last one with some, because the smaller half of the ranks is always the right one. */
export function largestPart(slots: number, ranks: number): RankTree {
  return rankTree(slots, ranks, Math.min(slots, ranks) - 1);
}

/** Fitted rows of that rank. */
export function largestRows(slots: number, ranks: number, rows: number): number {
  const { first, count } = largestPart(slots, ranks);
  return firstOfSlot(first + count, slots, rows) - firstOfSlot(first, slots, rows);
}

/** Predicted seconds of the sums of an iteration: up the tree of the ranks and back to all of them. */
export function sumSeconds(
  route: StepRoute,
  { parameterCount: p }: Architecture,
  slots: number,
  ranks: number,
): number {
  const depth = Math.ceil(Math.log2(Math.min(slots, ranks)));
  const sums = VECTOR_SUMS + (route === "matrix-free" ? PLANNED_PRODUCTS : 0);
  const numbers = sums * p + (route === "primal" ? (p * (p + 1)) / 2 : 0);
  return 2 * depth * ((sums + 1) * MESSAGE_SECONDS + (8 * numbers) / BYTES_PER_SECOND);
}
