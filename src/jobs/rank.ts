// Ranks the jobs of `trainMany`, whose losses compare only where all jobs minimize the same one. Jobs that differ in it are scored by the
// mean absolute error on the rows that decide, and such losses must be for the mean or median of real targets. Quantile losses of one tau,
// which may differ in the smoothing that each has found, are scored by the pinball loss. Where all have a Bayesian evidence and no validation
// part, that ranks them. train-many.ts calls `checkComparable` before the
// jobs begin, and `scored` and `ranked` after the last has ended.
import { predictAsync } from "../backend/predict.js";
import type { Dataset } from "../data/dataset.js";
import { isClassified } from "../data/dataset-input.js";
import { argumentError } from "../errors.js";
import { finishInTurns, Pace, STEP } from "../event-loop-yield.js";
import { defaultLoss } from "../loss/default-loss.js";
import { pinballOf } from "../loss/quantile-metrics.js";
import { isLossKind, type Loss, lossRule } from "../loss/rules.js";
import { cut } from "../train/begin.js";
import { trainOptionSteps } from "../train/train-options.js";
import type { TrainResult } from "../train/train-result.js";
import type { JobResult, PreparedJob, TrainJob } from "./job.js";

/** What scores are: the loss of each job, or the mean absolute error or pinball loss in the units of training, or minus the log evidence. */
export type ScoreKind = "loss" | "absolute-error" | "pinball" | "evidence";

/** Refuses losses for probabilities, counts and quantiles beside other losses, before hours of training. @throws GAUSSFLOW_ARGUMENT */
export function checkComparable(jobs: readonly TrainJob[]): void {
  let first: { readonly loss: Loss; readonly k: number } | null = null;
  for (const [k, { data, options }] of jobs.entries()) {
    const { loss = defaultLoss(isClassified(data)) } = options ?? {};
    // What is no loss is an error of the job itself.
    if (!isLossKind(loss?.kind)) continue;
    first ??= { loss, k };
    const central = [first.loss, loss].every((one) => lossRule(one).targets === "real" && one.kind !== "quantile");
    if (nameOf(loss) !== nameOf(first.loss) && !central)
      throw argumentError(
        `jobs[${k}].options.loss`,
        `must be ${nameOf(first.loss)}, as that of jobs[${first.k}], because their scores do not compare: call trainMany once for each loss, and compare the networks by metrics()`,
        nameOf(loss),
      );
  }
}

/** What scores of the same name measure: the kind of the loss, which quantile, and how smooth labels are. */
function nameOf(loss: Loss): string {
  if (loss.kind === "quantile") return `quantile with tau ${loss.tau}`;
  return loss.kind === "softmax-cross-entropy" && loss.smoothing > 0
    ? `softmax-cross-entropy with smoothing ${loss.smoothing}`
    : loss.kind;
}

/**
 * The results with scores that compare.
 * @param prepared the job with its data as data sets
 * @param threads of predictions
 */
export async function scored(
  results: readonly JobResult[],
  prepared: (job: TrainJob) => PreparedJob,
  threads: number,
): Promise<{ readonly results: readonly JobResult[]; readonly scoredBy: ScoreKind }> {
  const evidence = results.flatMap(({ result }) => (result === null ? [] : [evidenceOf(result)]));
  if (evidence.length > 0 && evidence.every((one) => one !== null))
    return {
      results: results.map((entry) => ({
        ...entry,
        score: -((entry.result && evidenceOf(entry.result)) ?? Number.NaN),
      })),
      scoredBy: "evidence",
    };
  // Weight decay is no part of the mean loss.
  const losses = results.flatMap(({ result }) =>
    result === null ? [] : JSON.stringify({ ...result.lossUsed, decay: 0 }),
  );
  if (new Set(losses).size <= 1) return { results, scoredBy: "loss" };
  const list: JobResult[] = [];
  for (const entry of results)
    list.push(
      entry.result === null ? entry : { ...entry, score: await meanError(entry.result, prepared(entry.job), threads) },
    );
  const quantiles = list.some(({ result }) => result?.lossUsed.kind === "quantile");
  return { results: list, scoredBy: quantiles ? "pinball" : "absolute-error" };
}

/** The log evidence of a training that held no rows out: its loss says how far it followed the data, not how well it predicts. */
function evidenceOf({ evidence, validationLoss }: TrainResult): number | null {
  return validationLoss === null && evidence !== null ? evidence.logEvidence : null;
}

/**
 * Weighted mean of |psi - y|, or of the pinball loss of a quantile loss, of the network that was kept: on the validation part, or without one
 * on the rows that were fitted.
 */
async function meanError(
  kept: Pick<TrainResult, "network" | "lossUsed">,
  { network, data, options = {} }: PreparedJob,
  threads: number,
): Promise<number> {
  const pace = new Pace(undefined);
  const completed = await finishInTurns(trainOptionSteps(options, data, network), pace);
  const { fit, validation } = await finishInTurns(cut(data, completed, options.validation), pace);
  // The parts of a data set in memory are in memory.
  const { inputs, outputSize: c, targets, weights } = (validation ?? fit) as Dataset;
  const predictions = await predictAsync(kept.network, inputs, { backend: options.backend, threads });
  const scale = kept.network.scaling?.targets.scale;
  const sizeOf = errorSize(kept.lossUsed);
  let [sum, total] = [0, 0];
  for (let k = 0; k < targets.length; k++) {
    const weight = weights === null ? 1 : weights[Math.floor(k / c)]!;
    sum += (weight * sizeOf(predictions[k]! - targets[k]!)) / (scale?.[k % c] ?? 1);
    total += weight;
    if (k % STEP === STEP - 1) await pace.turn();
  }
  return sum / total;
}

/** What counts of an error prediction - target where the scales of losses differ: its absolute value, or with `quantile` its pinball loss. */
export function errorSize(loss: Loss): (error: number) => number {
  return loss.kind === "quantile" ? (error) => pinballOf(error, loss.tau) : Math.abs;
}

/** Best score first; scores that are not finite, failed and idle jobs last; equal ones in the order of the jobs. */
export function ranked(results: readonly JobResult[]): JobResult[] {
  const finite = (entry: JobResult) => (Number.isFinite(entry.score) ? entry.score : Number.POSITIVE_INFINITY);
  const place = { trained: 0, failed: 1, idle: 2 } as const;
  return results.toSorted((a, b) => {
    const [x, y] = [finite(a), finite(b)];
    // Equal infinities are compared first, because their difference would be NaN.
    return (x === y ? 0 : x - y) || place[a.state] - place[b.state] || a.index - b.index;
  });
}
