// Defines the public class Conformal and makes it from held-out rows (`conformal`): intervals of new observations that hold whatever the
// distribution of the noise and however wrong the model is, as long as new rows come from where the held-out rows came from
// (split conformal prediction: Vovk, Gammerman, Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, J. Am. Stat. Assoc. 113:1094).
// jobs/cross-conformal.ts makes one from a cross-validation, by CV+.
//
//   r_i = |y_i - f(x_i)| / s(x_i) of n held-out rows;   f(x) -+ s(x) r_(k),   r_(k) the k-th smallest, k = ceil((n + 1) level)
//
// A new observation is inside with a probability between level and level + 1/(n + 1), averaged over held-out sets. s is the deviation that the
// model predicts, where it does, so that intervals are wide where the noise is large; else 1.
import { type BackendOptions, chooseBackend, chooseThreads } from "../backend/create.js";
import { predictAsync, predictDistributionAsync } from "../backend/predict.js";
import type { Dataset } from "../data/dataset.js";
import { asDataset, type DatasetInput } from "../data/dataset-input.js";
import type { MatrixLike } from "../data/matrix.js";
import { argumentError, GaussflowError } from "../errors.js";
import { Ensemble } from "../network/ensemble.js";
import type { Link } from "../network/link.js";
import { checkNetwork, type Network } from "../network/network.js";
import { shareOfMarked } from "../network/row-marks.js";
import { checkOptionNames, checkSignal } from "../options.js";
import { neededRank, neededRows, RankedList, unionOrder } from "./conformal-rank.js";
import { uncertaintyOf } from "./uncertainty.js";

/** Options of `Conformal.predict`. */
export interface ConformalOptions extends BackendOptions {
  /** Share of new observations that the intervals are to hold, between 0 and 1. Default 0.9. */
  readonly intervals?: number | undefined;
  /** Stops the computation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Predictions with conformal intervals: n x k each, row-major, in raw units. */
export interface ConformalPrediction {
  /** The predictions of the model; from a cross-validation the mean over the folds. */
  readonly mean: Float64Array;
  /** Lower end of the interval of a new observation. */
  readonly lower: Float64Array;
  /** Upper end of it. */
  readonly upper: Float64Array;
  /** That the share inside rests on no distribution of the noise. */
  readonly distributionFree: true;
}

/** Predictions and the scale of their errors: n x k each. */
interface Scaled {
  readonly mean: Float64Array;
  /** null: 1 everywhere. */
  readonly scale: Float64Array | null;
}

/** A model, and its errors on rows that it has not seen. @internal */
export interface Calibrated {
  readonly model: Network | Ensemble;
  readonly held: Dataset;
}

/** Made by `conformal` and `crossConformal`. */
export class Conformal {
  /** "split": from held-out rows; "cross": from the folds of a cross-validation. */
  readonly kind: "split" | "cross";
  /** Rows that no network had seen whose errors make the intervals. */
  readonly samples: number;
  /** Largest share that intervals can have, samples / (samples + 1). */
  readonly most: number;
  /** Whether the intervals follow the deviation that the model predicts at each input. */
  readonly scaled: boolean;
  /** That the share inside rests on no distribution of the noise. */
  readonly distributionFree = true;
  /** Why the intervals may not hold, a sentence each. */
  readonly warnings: readonly string[];
  /** One a fold; one for a split. */
  readonly #models: readonly (Network | Ensemble)[];
  /** Of each model and target the sizes of its errors. */
  readonly #errors: readonly (readonly RankedList[])[];

  /** @internal */
  constructor(
    kind: "split" | "cross",
    models: readonly (Network | Ensemble)[],
    errors: readonly (readonly RankedList[])[],
    warnings: readonly string[],
  ) {
    this.kind = kind;
    this.#models = models;
    this.#errors = errors;
    this.samples = errors.reduce((sum, [first]) => sum + (first?.length ?? 0), 0);
    this.most = this.samples / (this.samples + 1);
    this.scaled = predictsScale(models[0] as Network | Ensemble);
    this.warnings = warnings;
    Object.freeze(this);
  }

  /**
   * Predictions with intervals of new observations, in raw units.
   * @param inputs n rows of d numbers in raw units, or the same flat; they must not change while the promise is pending
   * @throws GAUSSFLOW_ARGUMENT where the inputs cannot be used, and for a share that the rows are too few for; GAUSSFLOW_NO_NATIVE,
   * GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
   * @example const { lower, upper } = await intervals.predict(rows, { intervals: 0.95 });
   */
  async predict(inputs: MatrixLike, options: ConformalOptions = {}): Promise<ConformalPrediction> {
    const { intervals = 0.9, signal, backend, threads } = options;
    checkOptionNames("options", options, ["intervals", "signal", "backend", "threads"]);
    if (!(typeof intervals === "number" && intervals > 0 && intervals <= this.most))
      throw argumentError(
        "options.intervals",
        `must be a share above 0 and at most ${this.most.toPrecision(4)}, because ${this.samples} held-out rows say nothing of larger errors than theirs: hold out at least ${rowsFor(intervals)} for it`,
        intervals,
      );
    checkSignal("options.signal", signal);
    const run = { backend: chooseBackend(backend), threads: chooseThreads(threads), signal };
    const found: Scaled[] = [];
    for (const model of this.#models) found.push(await scaledPredictions(model, inputs, run));
    return this.#ends(found, neededRank(intervals, this.samples));
  }

  /** The ends of all intervals: of a split plain sums, of folds an order statistic of the union of what each fold says. */
  #ends(found: readonly Scaled[], rank: number): ConformalPrediction {
    const [first] = found as [Scaled];
    const k = this.#errors[0]!.length;
    const { length } = first.mean;
    const [mean, lower, upper] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
    for (let j = 0; j < length; j++) {
      const lists = found.map(({ mean: center, scale }, fold) => ({
        center: center[j]!,
        scale: scale?.[j] ?? 1,
        errors: this.#errors[fold]![j % k]!,
      }));
      mean[j] = lists.reduce((sum, { center }) => sum + center, 0) / lists.length;
      upper[j] = unionOrder(lists, rank);
      lower[j] = -unionOrder(
        lists.map((list) => ({ ...list, center: -list.center })),
        rank,
      );
    }
    return { mean, lower, upper, distributionFree: true };
  }
}

/** Held-out rows for the share to be possible, as a phrase. */
function rowsFor(share: unknown): string {
  return typeof share === "number" && share > 0 && share < 1 ? `${neededRows(share)}` : "some";
}

/**
 * Conformal intervals of a trained model from rows that it has not seen: neither fitted, nor held out to decide when to stop.
 * @param model a network, or an ensemble, that predicts numbers
 * @param heldOut rows with their targets in raw units; those of weight 0 do not count, and other weights neither
 * @throws GAUSSFLOW_ARGUMENT for a model of probabilities, GAUSSFLOW_DATA for rows that do not fit it or whose errors are not finite, and what
 * `predictAsync` throws
 * @example
 * const { train: fit, test } = data.split({ test: 0.3 });
 * const { network } = await train(net, fit);
 * const { mean, lower, upper } = await (await conformal(network, test)).predict(rows, { intervals: 0.9 });
 */
export async function conformal(
  model: Network | Ensemble,
  heldOut: Dataset | DatasetInput,
  options: Omit<ConformalOptions, "intervals"> = {},
): Promise<Conformal> {
  if (!(model instanceof Ensemble)) checkNetwork("model", model);
  checkOptionNames("options", options, ["signal", "backend", "threads"]);
  checkSignal("options.signal", options.signal);
  const { inputSize, targetSize: outputSize, classes } = firstOf(model);
  const held = asDataset(heldOut, "heldOut", { inputSize, outputSize, classes });
  const { backend, threads, signal } = options;
  const run = { backend: chooseBackend(backend), threads: chooseThreads(threads), signal };
  const errors = await errorsOf({ model, held }, run);
  const seen = await shareOfMarked(
    membersOf(model).map(({ summary }) => summary?.rowMarks),
    held,
  );
  return new Conformal("split", [model], [errors], seenWarnings(seen));
}

/** What predictions are made with. @internal */
export interface ConformalRun extends BackendOptions {
  readonly signal: AbortSignal | undefined;
}

/** The sizes of a model's errors on its held-out rows, one list a target. @internal */
export async function errorsOf({ model, held }: Calibrated, run: ConformalRun): Promise<readonly RankedList[]> {
  checkNumbers(firstOf(model));
  const { inputs, targets, outputSize: k, weights, sampleCount, inputSize } = held;
  const { inputSize: d, targetSize } = firstOf(model);
  if (inputSize !== d || k !== targetSize)
    throw argumentError(
      "heldOut",
      `must have ${d} inputs and ${targetSize} targets, as the model`,
      `${inputSize} and ${k}`,
    );
  const { mean, scale } = await scaledPredictions(model, inputs, run);
  const lists = Array.from({ length: k }, () => new Float64Array(sampleCount));
  let count = 0;
  for (let i = 0; i < sampleCount; i++) {
    if (weights !== null && weights[i] === 0) continue;
    for (let a = 0; a < k; a++) {
      const at = i * k + a;
      const error = Math.abs(targets[at]! - mean[at]!) / (scale?.[at] ?? 1);
      if (!Number.isFinite(error)) throw notFinite(held.rows?.[i] ?? i + 1);
      lists[a]![count] = error;
    }
    count++;
  }
  if (count === 0)
    throw new GaussflowError("GAUSSFLOW_DATA", "the held-out rows must have a row with a weight above 0");
  return lists.map((list) => new RankedList(list.subarray(0, count)));
}

function notFinite(row: number): GaussflowError {
  return new GaussflowError(
    "GAUSSFLOW_DATA",
    `the error of the model in row ${row} of the held-out rows is not a finite number, so that it has no rank among the others: compare the inputs of that row with those of the training, and leave it out if they are wrong`,
    { row },
  );
}

/** Whether a model predicts how far the targets are from its predictions, input by input. */
function predictsScale(model: Network | Ensemble): boolean {
  const { link, posterior } = firstOf(model);
  return link === "gaussian" || (!(model instanceof Ensemble) && (posterior?.noise?.every((one) => one > 0) ?? false));
}

async function scaledPredictions(model: Network | Ensemble, inputs: MatrixLike, run: ConformalRun): Promise<Scaled> {
  if (firstOf(model).link === "gaussian") {
    const { mean, deviation } = await predictDistributionAsync(model, inputs, run);
    return { mean, scale: deviation };
  }
  if (model instanceof Ensemble) return { mean: (await predictAsync(model, inputs, run)).mean, scale: null };
  if (!predictsScale(model)) return { mean: await predictAsync(model, inputs, run), scale: null };
  // Any multiple of the deviation of a new observation does: here the half width of an interval.
  const { mean, upper } = await uncertaintyOf(model).predict(inputs, run);
  return { mean, scale: upper.map((end, j) => end - mean[j]!) };
}

const NUMBERS: readonly Link[] = ["identity", "gaussian", "exp"];

/** @throws GAUSSFLOW_ARGUMENT */
function checkNumbers({ link }: Network): void {
  if (!NUMBERS.includes(link))
    throw argumentError(
      "model",
      "must predict numbers: a probability has no interval of new observations",
      `one with the link "${link}"`,
    );
}

function seenWarnings(share: number): readonly string[] {
  if (share === 0) return [];
  const shown = share === 1 ? "all" : `about ${Math.max(1, Math.round(100 * share))}%`;
  return [
    `${shown} of the rows that the model was trained on are among the held-out rows: its errors on new rows are larger, and the intervals too narrow`,
  ];
}

function membersOf(model: Network | Ensemble): readonly Network[] {
  return model instanceof Ensemble ? model.networks : [model];
}

function firstOf(model: Network | Ensemble): Network {
  return membersOf(model)[0] as Network;
}
