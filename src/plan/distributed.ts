// Plans for a Gram matrix that the ranks of an MPI run hold together, each its blocks (native/core/curvature/distributed_gram.h): when it is
// so, and what it costs. plan.ts calls it.
import type { Architecture } from "../network/architecture.js";
import type { Work } from "./costs.js";
import { memoryOf, type Sizes } from "./memory-model.js";
import { BYTES_PER_SECOND } from "./ranks.js";
import type { Route } from "./route.js";

/** Numbers of a block of the Gram matrix that 32-bit libraries count, and so of what a rank can hold of it. */
const MOST_NUMBERS = 2 ** 31 - 1;

/** Numbers of a group of columns that is formed at a time: at least so many, and this part of what a rank holds (GroupsOf of distributed_gram.cc). */
const GROUP = { least: 2 ** 20, part: 1 / 32 };

/** The request with the ranks that hold the matrix of the route together, if they do: in double precision. */
export function withHolders<
  Request extends Sizes & {
    readonly memoryLimit: number;
    readonly distributed?: "auto" | boolean | undefined;
  },
>(route: Route, request: Request): Request {
  const { distributed = false, ranks = 1, slots = 1, architecture, memoryLimit } = request;
  if (route !== "primal" || ranks === 1 || slots === 1 || distributed === false) return request;
  if (distributed === "auto" && numbersOfRank(architecture, ranks) > MOST_NUMBERS) return request;
  const alone = distributed === "auto" && memoryOf(route, request).most <= memoryLimit;
  return alone ? request : { ...request, holders: ranks, single: false };
}

/** Least ranks that can hold the matrix: the part of one is counted by 32 bits. */
export function leastHolders({ parameterCount }: Architecture): number {
  return Math.ceil(parameterCount ** 2 / MOST_NUMBERS);
}

function numbersOfRank({ parameterCount: p }: Architecture, ranks: number): number {
  return p ** 2 / ranks;
}

/** The work of a rank: its share of the factorization, and the passes again for each group of columns. `work` where every rank has all. */
export function distributedWork(work: readonly Work[], net: Architecture, holders: number): readonly Work[] {
  if (holders === 0) return work;
  const group = Math.max(GROUP.least, GROUP.part * numbersOfRank(net, holders));
  const groups = Math.ceil(net.parameterCount ** 2 / 2 / group);
  const factors: Partial<Record<Work["operation"], number>> = { cholesky: 1 / holders, passes: 1 + groups };
  return work.map((one) => ({ ...one, flops: one.flops * (factors[one.operation] ?? 1) }));
}

/** Predicted seconds in which the ranks exchange the panels of the factorization. */
export function factorSeconds({ parameterCount: p }: Architecture, holders: number): number {
  return holders === 0 ? 0 : (8 * p ** 2) / Math.sqrt(holders) / BYTES_PER_SECOND;
}
