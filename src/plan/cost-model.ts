// Converts flops to predicted seconds: plan.ts calls it for each route, and memory-model.ts takes the engine's rates and process size from
// it. Each operation has measured rates by size in `cost-table.ts`, so a problem is planned the same way on every run and every machine.
import { COST_TABLE } from "./cost-table.js";
import type { EngineCosts, EngineName, OperationCost, Work } from "./costs.js";

export function costsOf(engine: EngineName): EngineCosts {
  return COST_TABLE[engine];
}

/** Interpolates linearly in log x between the points; constant beyond them. */
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

/** Predicted seconds of an iteration with this work on `threads` threads; `beyond`: its seconds beyond the calls. */
export function secondsOf(
  work: readonly Work[],
  engine: EngineName,
  threads: number,
  beyond = costsOf(engine).iterationSeconds,
): number {
  const { callSeconds, hopSeconds, operations } = costsOf(engine);
  return work.reduce((sum, { operation, flops, size, calls, run, share = 1 }) => {
    const cost = operations[operation];
    const speed = 1e9 * rateAt(cost, size) * (run === "alone" ? 1 : speedupAt(cost, flops, threads));
    return sum + share * (calls * (callSeconds + (run === "elsewhere" ? hopSeconds : 0)) + flops / speed);
  }, beyond);
}

/** Predicted seconds of a step on a batch beyond its calls; `rowNumbers`: the numbers of the rows that its engines are given. */
export function stepSeconds(engine: EngineName, parameterCount: number, rowNumbers: number): number {
  const { fixed, parameter, rowNumber } = costsOf(engine).step;
  return fixed + parameter * parameterCount + rowNumber * rowNumbers;
}
