// Finds the threshold of a robust loss that was given without one, as src/train/first-fit.ts does for trainings: 1.345 * 1.4826 times the median of the
// residuals' sizes, of a fit by squared error and then of fits by the Huber loss itself, until it no longer falls by a fifth. fit.ts calls it first.
import { argumentError } from "../errors.js";
import { DELTA_MULTIPLE, scaleOfMedian } from "../loss/found-scale.js";
import { huber } from "../loss/huber.js";
import { type Loss, missesScale, withScale } from "../loss/rules.js";
import { squaredError } from "../loss/squared-error.js";
import { type LegSettings, runLeg } from "./fit-leg.js";
import type { FitSetup } from "./fit-setup.js";

const MOST_FITS = 6;
/** A new threshold above this share of the last one ends the search. */
const SETTLED = 0.8;
/** A median residual of at most this share of the largest is no noise, but an exact fit. */
const EXACT = 2 ** -40;

/**
 * The loss with its threshold.
 * @throws GAUSSFLOW_ARGUMENT where more than half of the residuals are fitted exactly, so that there is no scale to find
 */
export async function settledLoss(setup: FitSetup, settings: LegSettings): Promise<Loss> {
  const { loss, weights } = setup;
  if (!missesScale(loss)) return loss;
  let delta: number | null = null;
  let start = setup.start;
  for (let round = 0; round < MOST_FITS; round++) {
    const now: Loss = delta === null ? squaredError() : huber({ delta });
    const { onRecord: _, ...silent } = settings;
    const leg = await runLeg(setup, start, now, { ...silent, onRecord: undefined });
    // The caller's start is at fault, and the fit itself says how.
    if (!Number.isFinite(leg.objective)) return withScale(loss, 1);
    const residuals = new Float64Array(setup.function.count);
    await setup.function.residuals(leg.b, residuals);
    const sizes = residuals
      .filter((_, i) => weights === null || weights[i] > 0)
      .map(Math.abs)
      .sort();
    const median = sizes[Math.floor(sizes.length / 2)];
    if (!(median > EXACT * sizes[sizes.length - 1])) {
      if (delta !== null) break;
      throw argumentError(
        "loss.delta",
        "must be given, because the first fit meets half of the residuals exactly",
        median,
      );
    }
    const found = scaleOfMedian(DELTA_MULTIPLE, median);
    if (delta !== null && found > SETTLED * delta) {
      delta = Math.min(found, delta);
      break;
    }
    delta = found;
    start = leg.b;
  }
  return withScale(loss, delta as number);
}
