// Draws further starts of a fit, for `starts` and for fits that do not end well. The draws depend on the seed and the number of the start alone.
import { Random } from "../random.js";
import type { FitSetup } from "./fit-setup.js";

/** Random stream of the starts. */
const STREAM = 41;
/** Standard deviation of the logarithm of a start's factor. */
const SPREAD = 1;
/** Ratio of positive bounds from which a start is drawn evenly in its logarithm. */
const WIDE = 100;

/**
 * Start `number` (from 1): evenly inside two bounds (in the logarithm where they span orders of magnitude), else the given start times a factor
 * around 1, or for a start of 0 around 0 in units of the typical size.
 */
export function drawnStart({ start, free, sizes, box }: FitSetup, seed: number, number: number): Float64Array {
  const random = new Random(seed, STREAM + number);
  const b = start.slice();
  for (const j of free) {
    const lower = box?.lower[j] ?? Number.NEGATIVE_INFINITY;
    const upper = box?.upper[j] ?? Number.POSITIVE_INFINITY;
    if (Number.isFinite(upper - lower)) {
      const t = random.uniform();
      b[j] = lower > 0 && upper / lower > WIDE ? lower * (upper / lower) ** t : lower + t * (upper - lower);
    } else {
      const step = SPREAD * random.normal();
      b[j] = start[j] === 0 ? sizes[j] * step : start[j] * Math.exp(step);
    }
    b[j] = Math.min(Math.max(b[j], lower), upper);
  }
  return b;
}
