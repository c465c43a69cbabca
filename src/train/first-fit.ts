// Finds the scale of a loss that was given without one (loss/found-scale.ts): a multiple of 1.4826 median |e|, with the errors e of a first
// fit in the units of training. begin.ts calls it before a training with `huber()`, `pseudoHuber()` or `quantile({ tau })`.
//
// The first fit minimizes squared error for 20 iterations from the start of the network. Outliers pull it away from the other rows, so that
// its median is too large: for 20% outliers on one side, by a factor of 17. Therefore Huber fits of 10 iterations with the delta found so
// far follow, whatever the loss that is to be trained, until delta falls by less than a fifth, at most five of them. Each begins at the original start, as the training itself does
// afterwards. Continuing from the last fit was tried, and ended at 1.2 to 3 times the error of the restart, because the earlier fits have
// bent the network toward the outliers. With 5 to 20% outliers of 50 to 200 standard deviations of the noise, this delta gave errors
// against the clean function within 1.5 times those of the delta from the known noise; a single fit gave up to three times those.
//
// All outputs have one delta, from the errors of all of them together: a run standardizes the targets, and so makes them comparable. With
// sample weights the median is the weighted one, because a weight counts equal samples.
import { QuantileSearch, SEARCH_PASSES } from "../algebra/quantile-search.js";
import { argumentError } from "../errors.js";
import { DELTA_MULTIPLE, scaleOfMedian } from "../loss/found-scale.js";
import { huber } from "../loss/huber.js";
import { LOSS_FORMS, type Loss, type LossScale } from "../loss/rules.js";
import { squaredError } from "../loss/squared-error.js";
import { absoluteErrors } from "./absolute-errors.js";
import { SHARE_OF_SECONDS, type ShortFit, shortFit } from "./short-fit.js";

const FIRST_ITERATIONS = 20;
const REFRESH_ITERATIONS = 10;
const MOST_REFRESHES = 5;
/** A new delta above this share of the last one ends the search. */
const SETTLED = 0.8;
/** A median error of at most this share of the largest target is no noise, but an exact fit: the root of the rounding unit. */
const EXACT = 2 ** -26;

/**
 * The scale, from fits that hold out no validation part and whose records nobody sees.
 * @throws GAUSSFLOW_ARGUMENT where more than half of the targets are fitted exactly, and the signal's reason once it has been aborted
 */
export async function findScale(run: ShortFit, { parameter, multiple }: LossScale): Promise<number> {
  const delta = await findDelta(run, parameter);
  // The Huber loss itself takes the bits of the delta that the fits had.
  return multiple === DELTA_MULTIPLE ? delta : (multiple / DELTA_MULTIPLE) * delta;
}

/** The delta of Huber fits. */
async function findDelta(run: ShortFit, parameter: string): Promise<number> {
  const { loss, stop, agreement } = run.completed;
  const { decay } = loss;
  const deadline = performance.now() + 1000 * SHARE_OF_SECONDS * stop.seconds;
  let delta: number | null = null;
  for (let round = 0; round <= MOST_REFRESHES; round++) {
    const left = String((deadline - performance.now()) / 1000);
    // The clock of rank 0 decides.
    const seconds = Number(agreement === null ? left : await agreement.byFirst(async () => left));
    if (delta !== null && seconds <= 0) return delta;
    const now: Loss = delta === null ? squaredError({ decay }) : huber({ delta, decay });
    const parameters = await shortFit(run, now, delta === null ? FIRST_ITERATIONS : REFRESH_ITERATIONS, seconds);
    const { median, largest } = await medianError(run, parameters);
    // The training ends at its start with the reason, because its loss is not finite for any delta.
    if (!Number.isFinite(median)) return delta ?? 1;
    if (median <= EXACT * largest) {
      if (delta !== null) return delta;
      throw argumentError(
        `options.loss.${parameter}`,
        `must be given as ${LOSS_FORMS[loss.kind].function}({ ${Object.keys(LOSS_FORMS[loss.kind].parameters).join(", ")} }), because the first fit meets half of the targets exactly, so that its errors do not show the noise`,
        `a median error of ${median.toExponential(2)} in the units of training`,
      );
    }
    const found = scaleOfMedian(DELTA_MULTIPLE, median);
    if (delta !== null && found > SETTLED * delta) return Math.min(found, delta);
    delta = found;
  }
  return delta as number;
}

/** The weighted median of |psi - y| over rows and outputs, and the largest |y|: at least 1 in standardized units, also for constant targets. */
async function medianError(
  { start, fit, data, backend, signal }: ShortFit,
  parameters: Float64Array,
): Promise<{ readonly median: number; readonly largest: number }> {
  const search = new QuantileSearch(0.5);
  const { weights, outputSize: c } = fit;
  let largest = start.scaling === null ? 0 : 1;
  for (let pass = 0; pass < SEARCH_PASSES; pass++) {
    for await (const { errors, targets, row } of absoluteErrors(
      start.architecture,
      parameters,
      fit,
      data,
      backend,
      signal,
    )) {
      search.add(errors, weights === null ? null : (k) => weights[row + Math.floor(k / c)]!);
      if (pass === 0) for (let k = 0; k < targets.length; k++) largest = Math.max(largest, Math.abs(targets[k]!));
    }
    search.endPass();
  }
  return { median: search.value, largest };
}
