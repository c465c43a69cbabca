// Says what an engine does under the ranks of an MPI run (`EngineData.ranks`): which rows it holds, and what it refuses because its answer is of
// single samples, or of pairs of them, that stand on different ranks. check-engine.ts, check-request.ts, estimate.ts and native/ call it.
import type { RankSlots } from "../cluster/cluster.js";
import { argumentError, GaussflowError } from "../errors.js";
import { checkOptionNames, isObject } from "../options.js";
import type { LinearizeRequest } from "./engine.js";
import { firstOfSlot } from "./slots.js";

/** @throws GAUSSFLOW_ARGUMENT unless `ranks` is an aligned part of the `slots` of the data */
export function checkRanks(name: string, ranks: RankSlots, slots: number): void {
  if (!isObject(ranks)) throw argumentError(name, "must be what slots() of a cluster returns", ranks);
  checkOptionNames(name, ranks, ["slots", "first", "count", "exchange", "distributed"]);
  const { first, count } = ranks;
  if (ranks.slots !== slots) throw argumentError(`${name}.slots`, `must be that of the data, ${slots}`, ranks.slots);
  if (!Number.isInteger(count) || count < 1 || slots % count !== 0)
    throw argumentError(`${name}.count`, `must be a power of two of at most ${slots}`, count);
  if (!Number.isInteger(first) || first < 0 || first % count !== 0 || first + count > slots)
    throw argumentError(`${name}.first`, `must be a multiple of ${count} below ${slots}`, first);
}

/** A range of rows. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** The rows of n that an engine holds: those of its slots. */
export function rowsHere(ranks: Pick<RankSlots, "slots" | "first" | "count"> | undefined, n: number): RowRange {
  if (ranks === undefined) return { first: 0, count: n };
  const first = firstOfSlot(ranks.first, ranks.slots, n);
  return { first, count: firstOfSlot(ranks.first + ranks.count, ranks.slots, n) - first };
}

/**
 * What an engine does not form under ranks.
 * @throws GAUSSFLOW_ARGUMENT naming what must be otherwise
 */
export function checkRanked(
  ranked: boolean,
  { curvature, subset = null }: Pick<LinearizeRequest, "curvature" | "subset">,
): void {
  if (!ranked) return;
  if (curvature === "dual" || curvature === "sampled")
    throw argumentError(
      "curvature",
      'must be "primal", "orthogonal", "matrix-free" or "none" with data.ranks, because the kernel has an entry for each pair of samples and they stand on different ranks; one process has them all',
      curvature,
    );
  if (subset !== null)
    throw argumentError("subset", "must be null with data.ranks, because a subset is not cut into slots", subset);
}

/**
 * For calls whose answer, or whose argument, is of single samples.
 * @throws GAUSSFLOW_STATE under ranks
 */
export function refuseRanked(engine: { readonly ranked: boolean }, call: string): void {
  if (!engine.ranked) return;
  throw new GaussflowError(
    "GAUSSFLOW_STATE",
    `engine.${call} is of single samples, which stand on different ranks: create an engine without data.ranks for it`,
    { call },
  );
}
