// Seconds from flops: each operation has its rates by size, measured by `npm run bench:costs` and kept in cost-table.ts, so that the same
// problem is planned the same way on every run and every machine.
import { COST_TABLE } from "./cost-table.js";
import type { Operation, Work } from "./workload.js";

/** Rates of one operation. */
export interface OperationCost {
  /** [size, GF/s of one thread], sizes ascending; between them its logarithm is linear in that of the size, beyond them the end holds. */
  readonly rates: readonly (readonly [number, number])[];
  /**
   * [flops of the operation, what every further thread adds as a share of the first one], flops ascending; between them linear in the
   * logarithm of the flops, beyond them the end holds. Empty: nothing.
   */
  readonly gains: readonly (readonly [number, number])[];
}

export interface EngineCosts {
  /** Seconds that one call takes beyond its arithmetic. */
  readonly callSeconds: number;
  /** Seconds that handing a call over to another thread and back takes, where it is too large to be done where it stands. */
  readonly hopSeconds: number;
  /** Seconds that an iteration of a training takes beyond its calls: the loop, the records. */
  readonly iterationSeconds: number;
  /** Resident bytes of a process that has loaded the library and trained a network of a few parameters. */
  readonly processBytes: number;
  readonly operations: Readonly<Record<Operation, OperationCost>>;
}

export interface CostTable {
  /** Where it was measured. */
  readonly machine: string;
  /** Threads that the choice of a route assumes, whatever a run has: the route must not depend on the machine. */
  readonly threads: number;
  readonly native: EngineCosts;
  readonly typescript: EngineCosts;
}

export type EngineName = "native" | "typescript";

export function costsOf(engine: EngineName): EngineCosts {
  return COST_TABLE[engine];
}

/** Value at `x` of what is linear in log x between the points, and constant beyond them. */
function interpolate(points: readonly (readonly [number, number])[], x: number): number {
  const next = points.findIndex(([at]) => at >= x);
  if (next <= 0) return points[next === 0 ? 0 : points.length - 1]![1];
  const [[low, from], [high, to]] = [points[next - 1]!, points[next]!];
  return from + ((to - from) * Math.log(x / low)) / Math.log(high / low);
}

/** GF/s of one thread at `size`. */
export function rateAt({ rates }: OperationCost, size: number): number {
  const logarithms = rates.map(([at, rate]) => [at, Math.log(rate)] as const);
  return Math.exp(interpolate(logarithms, size));
}

/** How many times as fast `threads` threads are as one, in so many flops. */
export function speedupAt({ gains }: OperationCost, flops: number, threads: number): number {
  return gains.length === 0 ? 1 : 1 + (threads - 1) * interpolate(gains, flops);
}

/** Predicted seconds of an iteration with this work on `threads` threads. */
export function secondsOf(work: readonly Work[], engine: EngineName, threads: number): number {
  const { callSeconds, hopSeconds, iterationSeconds, operations } = costsOf(engine);
  return work.reduce((sum, { operation, flops, size, calls, elsewhere }) => {
    const cost = operations[operation];
    // What is done where it stands is done by one thread.
    const speed = 1e9 * rateAt(cost, size) * (elsewhere ? speedupAt(cost, flops, threads) : 1);
    return sum + calls * (callSeconds + (elsewhere ? hopSeconds : 0)) + flops / speed;
  }, iterationSeconds);
}
