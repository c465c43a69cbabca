// Seconds from flops: each operation has its rates by size, measured by `npm run bench:costs` and kept in cost-table.ts, so that the same
// problem is planned the same way on every run and every machine.
import { COST_TABLE } from "./cost-table.js";
import type { Operation, Work } from "./workload.js";

/** Rates of one operation. */
export interface OperationCost {
  /**
   * [size, GF/s of one thread, what every further thread adds as a share of the first one], sizes ascending. Between two of them logarithms
   * of the rate and the shares are interpolated, beyond them the end holds.
   */
  readonly rates: readonly (readonly [number, number, number])[];
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

/** Flops up to which a call is done where it stands: kSynchronousFlops of native/core/cost.h. */
export const SYNCHRONOUS_FLOPS = 6e5;

export type EngineName = "native" | "typescript";

export function costsOf(engine: EngineName): EngineCosts {
  return COST_TABLE[engine];
}

/** GF/s at `size`. */
export function rateAt({ rates }: OperationCost, size: number, threads: number): number {
  const at = (rate: number, gain: number) => rate * (1 + (threads - 1) * gain);
  const next = rates.findIndex(([measured]) => measured >= size);
  if (next <= 0) {
    const [, rate, gain] = next === 0 ? rates[0]! : rates[rates.length - 1]!;
    return at(rate, gain);
  }
  const [[low, slow, little], [high, fast, much]] = [rates[next - 1]!, rates[next]!];
  const share = Math.log(size / low) / Math.log(high / low);
  return at(slow * (fast / slow) ** share, little + share * (much - little));
}

/** Predicted seconds of an iteration with this work on `threads` threads. */
export function secondsOf(work: readonly Work[], engine: EngineName, threads: number): number {
  const { callSeconds, hopSeconds, iterationSeconds, operations } = costsOf(engine);
  return work.reduce((sum, { operation, flops, size, calls }) => {
    const speed = 1e9 * rateAt(operations[operation], size, threads);
    const hop = flops > calls * SYNCHRONOUS_FLOPS ? hopSeconds : 0;
    return sum + calls * (callSeconds + hop) + flops / speed;
  }, iterationSeconds);
}
