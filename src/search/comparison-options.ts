// The options of the trainings that a search compares (search.ts), from those of the last training.
import { isBatchMethod } from "../method/batch-method.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { StopOptions } from "../train/stop.js";
import type { TrainOptions } from "../train/train-options.js";

/** Trainings of the search end where further iterations hardly change the held-out loss. */
const SEARCH_STOP = { iterations: 100, reduction: 1e-5 };

/** Networks are compared by a method that sees all rows: the choice does not depend on batches. */
export function comparisonOptions(train: TrainOptions): TrainOptions {
  // The parts of sums change the last digits alone, and a fold may have fewer rows than parts.
  const { checkpoint: _c, monitor: _m, onRecord: _r, slots: _s, ...repeated } = train;
  const { method } = repeated;
  if (method !== "auto" && !isBatchMethod(method)) return { ...repeated, stop: searchStop(repeated.stop) };
  // These count the steps on batches, or are relative to another start.
  const { epochs: _e, validateEvery: _v, iterations: _i, gradient: _g, ...stop } = repeated.stop ?? {};
  return { ...repeated, method: levenbergMarquardt(), stop: searchStop(stop) };
}

/** The clock decides nothing here. */
function searchStop({ seconds: _, ...stop }: StopOptions = {}): StopOptions {
  return {
    ...stop,
    iterations: Math.min(stop.iterations ?? SEARCH_STOP.iterations, SEARCH_STOP.iterations),
    reduction: Math.max(stop.reduction ?? SEARCH_STOP.reduction, SEARCH_STOP.reduction),
  };
}
