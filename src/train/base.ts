// Linearizes the point from which the trials of an iteration start, as exactly as the method requests. The loop (minimize.ts) calls it at
// the start of each iteration.
import { type Failure, failed } from "../backend/engine.js";
import { linearizeAt, type Point, type Problem } from "../linearize/problem.js";
import { exactFidelity, type Fidelity, type RunSizes, slottedFidelity, withTolerance } from "../step/fidelity.js";
import { firstPoint } from "./first-point.js";
import type { MinimizeOptions } from "./minimize-options.js";
import type { RunState } from "./run-state.js";
import type { Base } from "./trial.js";

/** The method's choice for the next linearization, as far as the engine and sums by slots allow it. */
export function nextFidelity({ method }: MinimizeOptions, sizes: RunSizes, run: RunState): Fidelity {
  if (sizes.exactOnly === true) return {};
  const position = { state: run.method, iteration: run.iteration, records: run.records };
  const chosen = method.fidelity?.next(sizes, position) ?? exactFidelity(sizes, run.records);
  return (sizes.slots ?? 1) > 1 ? slottedFidelity(chosen, sizes) : chosen;
}

/** Linearizes the present point of the run. The first time it also starts the method, possibly at another point (`startBeside`). */
export async function baseOf(
  problem: Problem,
  options: MinimizeOptions,
  run: RunState,
  fidelity: Fidelity,
  signal: AbortSignal,
): Promise<Base | Failure> {
  if (run.method !== null)
    return asBase(await linearizeAt(problem, run.parameters, run.scaling, null, signal, fidelity), fidelity);
  const first = await firstPoint(problem, options, run.parameters, run.scaling, fidelity, signal);
  if (failed(first)) return first;
  run.parameters = first.point.parameters;
  run.method = first.state;
  return asBase(first.point, fidelity);
}

function asBase(point: Point | Failure, fidelity: Fidelity): Base | Failure {
  if (failed(point)) return point;
  return { ok: true, point: withTolerance(point, fidelity), fidelity, fallback: null, seconds: point.seconds };
}
