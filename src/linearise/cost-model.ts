// Seconds from flops: each operation has its rates by size, measured by `npm run bench:costs` and kept in cost-table.ts, so that the same
// problem is planned the same way on every run and every machine.
import { COST_TABLE } from "./cost-table.js";
import type { Operation, Work } from "./workload.js";

/** Rates of one operation. */
export interface OperationCost {
  /** [size, GF/s of one thread], sizes ascending; between them the logarithms are interpolated, beyond them the end's rate holds. */
  readonly rates: readonly (readonly [number, number])[];
  /** What every further thread adds, as a share of the first one. */
  readonly parallel: number;
}

export interface EngineCosts {
  /** Seconds that one call takes beyond its arithmetic. */
  readonly callSeconds: number;
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

/** GF/s of one thread at `size`. */
export function rateAt({ rates }: OperationCost, size: number): number {
  const next = rates.findIndex(([at]) => at >= size);
  if (next === 0) return rates[0]![1];
  if (next < 0) return rates[rates.length - 1]![1];
  const [[low, slow], [high, fast]] = [rates[next - 1]!, rates[next]!];
  const share = Math.log(size / low) / Math.log(high / low);
  return slow * (fast / slow) ** share;
}

/** Predicted seconds of an iteration with this work on `threads` threads. */
export function secondsOf(work: readonly Work[], engine: EngineName, threads: number): number {
  const { callSeconds, iterationSeconds, operations } = costsOf(engine);
  return work.reduce((sum, { operation, flops, size, calls }) => {
    const cost = operations[operation];
    const speed = rateAt(cost, size) * 1e9 * (1 + (threads - 1) * cost.parallel);
    return sum + calls * callSeconds + flops / speed;
  }, iterationSeconds);
}
