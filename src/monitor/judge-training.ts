// Collects the facts for the verdict on a training: the reduction that the damped linear model predicted at each step, its share of the
// undamped model's prediction, and how much of it the steps achieved. report.ts calls it at the end of a training by squared error
// (other-losses.ts judges the others), and `predictions` for the rates of single records; verdict.ts turns the facts into the verdict.

import type { Reason, ReasonCode } from "../method/reason.js";
import { isSmooth } from "../network/activations.js";
import type { ObservedRun } from "../run/observer.js";
import type { TrainRecord } from "../run/record.js";
import type { Judged } from "./judge-flow.js";
import type { MonitorReport, RateFit } from "./monitor-report.js";
import { deadNetwork, type Observations } from "./observation.js";
import { promisedDecrement } from "./promised.js";
import { trainVerdict } from "./verdict.js";

/**
 * Predicted reduction of each iteration (actual / gain ratio), and the objective before it. Iterations with a secant correction are left out,
 * because their prediction is not that of the damped linear model.
 */
export function predictions(
  train: readonly TrainRecord[],
): ReadonlyMap<number, { readonly predicted: number; readonly before: number }> {
  const found = new Map<number, { predicted: number; before: number }>();
  train.forEach(({ iteration, gainRatio, objective, secant }, i) => {
    if (i === 0 || gainRatio === null || !(gainRatio > 0) || secant !== undefined) return;
    const before = train[i - 1].objective;
    found.set(iteration, { predicted: (before - objective) / gainRatio, before });
  });
  return found;
}

/** Ends after which the rate is still meaningful. */
const ownEnds: readonly ReasonCode[] = ["gradient", "step", "reduction", "loss", "no-progress"];

function ended(reason: Reason | null): string | null {
  if (reason === null || ownEnds.includes(reason.code)) return null;
  return reason.code === "patience"
    ? "validation ended the run before the minimum of the training loss, as it should"
    : `it ended because ${reason.message}`;
}

function excluded({ observations }: Observations, { architecture }: ObservedRun): string | null {
  if (!architecture.layers.every(({ activation }) => isSmooth(activation)))
    return "an activation of the network is not smooth";
  return observations.at(-1)?.rank === 0 ? deadNetwork : null;
}

export function judgeTraining(
  input: Observations,
  run: ObservedRun,
  optimum: MonitorReport["optimum"],
  missedOptimum: string | null,
  fit: RateFit | null,
): Judged {
  const steps = input.train.filter(({ iteration }) => fit !== null && iteration > fit.from && iteration <= fit.until);
  const predicted = predictions(input.train);
  /** Reduction that the undamped linear model predicted at the start of an iteration: tangent^2/2. */
  const hopes = new Map(
    input.observations.map(({ position, tangentNorm }) => [position + 1, tangentNorm && tangentNorm ** 2 / 2]),
  );
  const mean = (value: (record: TrainRecord) => number | null) => {
    const there = steps.map(value).filter((one) => one !== null);
    return there.length === 0 ? null : there.reduce((sum, one) => sum + one, 0) / there.length;
  };
  const promised = mean(({ iteration }) => {
    const step = predicted.get(iteration);
    return step === undefined || optimum === null
      ? null
      : promisedDecrement(step.predicted, step.before - optimum.value);
  });
  const share = mean(({ iteration }) => {
    const [step, hope] = [predicted.get(iteration), hopes.get(iteration)];
    return step === undefined || !hope ? null : Math.min(1, step.predicted / hope);
  });
  const verdict = trainVerdict({
    excluded: excluded(input, run),
    optimumKnown: optimum !== null,
    missedOptimum,
    ended: ended(input.reason),
    fit,
    promised,
    share,
    gainRatio: mean(({ gainRatio }) => gainRatio),
    damping: steps.at(-1)?.damping ?? 0,
  });
  return { verdict, promised, attainable: null };
}
