// Trains networks for the experiments on methods, and makes the curves of their charts. egn.ts, egn-classes.ts and
// cumulative.ts compare a method with Adam by it, after equal numbers of passes over the rows and at equal seconds.
import type { Dataset } from "../data/dataset.js";
import type { ChartSeries } from "../document.js";
import type { Network } from "../network/network.js";
import type { TrainRecord } from "../run/record.js";
import { train } from "../train/train.js";
import type { TrainOptions } from "../train/train-options.js";
import type { TrainResult } from "../train/train-result.js";
import type { ExperimentContext } from "./experiment.js";

/** Learning rates of Adam. Every comparison runs all of them, and the best counts. */
export const ADAM_RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2] as const;

/** A training on the engine of the context. An aborted training is no measurement, so that throws. */
export async function experimentTraining(
  { backend, threads, signal }: ExperimentContext,
  net: Network,
  data: Dataset,
  options: TrainOptions,
): Promise<TrainResult> {
  const result = await train(net, data, { backend, threads, signal, validation: false, ...options });
  signal?.throwIfAborted();
  return result;
}

/** Epochs of the first two pilots: the first compiles the code, the second is timed. */
const PILOT_EPOCHS = 2;
/** Share of the seconds that the last pilot takes: it is long enough for its fixed costs not to count. */
const PILOT_SHARE = 0.1;

/**
 * The number of epochs that a training takes about so many seconds for.
 * @param run trains for so many epochs
 */
export async function epochsWithin(
  seconds: number,
  run: (epochs: number) => Promise<{ readonly seconds: number }>,
): Promise<number> {
  await run(PILOT_EPOCHS);
  const estimate = async (epochs: number, share: number) =>
    Math.max(1, Math.round((share * seconds * epochs) / (await run(epochs)).seconds));
  return estimate(await estimate(PILOT_EPOCHS, PILOT_SHARE), 1);
}

/** A training that a chart shows. */
export interface TrainingCurve {
  readonly label: string;
  readonly records: readonly TrainRecord[];
}

/** One curve a training, over its seconds or epochs; values that are not finite are gaps. */
export function curvesOf(
  runs: readonly TrainingCurve[],
  x: "elapsed" | "epoch",
  y: "loss" | "validationLoss",
): ChartSeries[] {
  return runs.map(({ label, records }, hue) => ({
    label,
    x: records.map((record) => record[x] ?? 0),
    y: records.map((record) => (Number.isFinite(record[y]) ? record[y] : null)),
    hue,
  }));
}

/** The run with the least value; NaN is worse than any number. */
export function leastBy<Run>(runs: readonly Run[], value: (run: Run) => number): Run {
  return runs.reduce((one, other) => (value(other) < value(one) || Number.isNaN(value(one)) ? other : one));
}
