// Computes error metrics of predictions, one target at a time, in the units of the data. Users call `metrics`, `crossValidate`
// and the commands train and evaluate (cli/assess.ts) metricsInTurns.
//   RMSE = sqrt(sum s e^2 / sum s),  MAE = sum s |e| / sum s,  R^2 = 1 - sum s e^2 / sum s (y - ybar)^2,  ybar = sum s y / sum s
// with e = prediction - target and s the sample weights (1 without). Columns beyond 1e100 (or below 1e-100) are summed in units of a power
// of two near their largest value, so that squares stay in range. R^2 of a constant target is NaN, because there is no variance to explain.
import { argumentError } from "../errors.js";
import { type NumberArray, numbersOf } from "../options.js";

/** The figures of one target. */
export interface TargetMetrics {
  /** Name of the target. */
  readonly target: string;
  /** Root mean square error, units of the target. */
  readonly rmse: number;
  /** Mean absolute error, units of the target. */
  readonly mae: number;
  /** Share of the variance explained; NaN where the target is constant. */
  readonly r2: number;
  /** 1 - R^2, the share that is not explained, with all its digits where R^2 is nearly 1; NaN where the target is constant. */
  readonly unexplained: number;
}

/**
 * Metrics of `predictions` (n x c, row-major) against `targets` (n x c), one entry a target.
 *
 * @example metrics(net.predict(test.inputs), test.targets, test.targetNames)[0].rmse
 * @param weights n non-negative sample weights, or null for equal weights.
 * @throws GaussflowError GAUSSFLOW_ARGUMENT when the lengths disagree.
 */
export function metrics(
  predictions: NumberArray,
  targets: NumberArray,
  targetNames: readonly string[],
  weights: NumberArray | null = null,
): TargetMetrics[] {
  const block = checkedBlock(predictions, targets, targetNames, weights);
  return metricsOfBlocks(() => [block], targetNames);
}

/**
 * The arguments of a function of metrics as one block.
 * @throws GAUSSFLOW_ARGUMENT when the lengths disagree
 */
export function checkedBlock(
  predictions: NumberArray,
  targets: NumberArray,
  targetNames: readonly string[],
  weights: NumberArray | null,
): PredictedBlock {
  const taken = {
    predictions: doublesOf("predictions", predictions),
    targets: doublesOf("targets", targets),
    weights: weights === null ? null : numbersOf("weights", weights),
  };
  if (!Array.isArray(targetNames) || targetNames.some((name) => typeof name !== "string"))
    throw argumentError("targetNames", "must be an array of names", targetNames);
  const negative = taken.weights?.findIndex((weight) => weight < 0) ?? -1;
  if (negative >= 0) throw argumentError(`weights[${negative}]`, "must not be negative", taken.weights?.[negative]);
  const width = targetNames.length;
  if (predictions.length !== targets.length)
    throw argumentError("predictions", `must have the length of targets, ${targets.length}`, predictions);
  if (width === 0 || targets.length % width !== 0)
    throw argumentError("targetNames", `must divide the ${targets.length} target values into columns`, targetNames);
  const rows = targets.length / width;
  if (weights !== null && weights.length !== rows)
    throw argumentError("weights", `must have one entry a row, ${rows}`, weights);
  return taken;
}

/** The doubles unchecked, because predictions that are not finite have metrics too. */
export function doublesOf(name: string, values: NumberArray): Float64Array {
  return values instanceof Float64Array ? values : numbersOf(name, values);
}

/** Some rows: predictions and targets (n x c each), and n weights. */
export interface PredictedBlock {
  readonly predictions: Float64Array;
  /** Predicted standard deviations, n x c, of a network with the link "gaussian". */
  readonly deviations?: Float64Array | null;
  readonly targets: Float64Array;
  readonly weights: Float64Array | null;
}

/**
 * The same of rows that come block by block, to the bit: for data that do not fit in memory. `blocks` is called a second time where a
 * column needs a unit of its own.
 */
export function metricsOfBlocks(
  blocks: () => Iterable<PredictedBlock>,
  targetNames: readonly string[],
): TargetMetrics[] {
  const passes = metricPasses(targetNames);
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    for (const block of blocks()) for (const column of next.value) column.add(block);
  }
}

/** The same of blocks that take their time, such as those of a file. */
export async function metricsInTurns(
  blocks: () => AsyncIterable<PredictedBlock>,
  targetNames: readonly string[],
): Promise<TargetMetrics[]> {
  const passes = metricPasses(targetNames);
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    for await (const block of blocks()) for (const column of next.value) column.add(block);
  }
}

/** Yields the sums of each pass that is needed; all blocks are to be added to them before the next. */
function* metricPasses(targetNames: readonly string[]): Generator<readonly ColumnSums[], TargetMetrics[], void> {
  const sumsIn = (units: readonly number[]) => units.map((unit, column) => new ColumnSums(unit, column, units.length));
  let sums = sumsIn(targetNames.map(() => 1));
  yield sums;
  const units = sums.map(({ largest }) => unitOf(largest));
  if (units.some((unit) => unit !== 1)) {
    sums = sumsIn(units);
    yield sums;
  }
  return targetNames.map((target, column) => ({ target, ...sums[column]!.figures() }));
}

/** One target's sums. Mean and spread by West's weighted update: no cancellation when the mean is large against the spread. */
class ColumnSums {
  readonly #unit: number;
  readonly #column: number;
  readonly #width: number;
  #total = 0;
  #mean = 0;
  #squares = 0;
  #absolute = 0;
  #spread = 0;
  /** Of all values, weighted or not. */
  largest = 0;

  constructor(unit: number, column: number, width: number) {
    this.#unit = unit;
    this.#column = column;
    this.#width = width;
  }

  add({ predictions, targets, weights }: PredictedBlock): void {
    const unit = this.#unit;
    for (let row = 0, k = this.#column; k < targets.length; row++, k += this.#width) {
      this.largest = Math.max(this.largest, Math.abs(targets[k]!), Math.abs(predictions[k]!));
      const s = weights === null ? 1 : weights[row]!;
      if (s === 0) continue;
      const y = targets[k]! / unit;
      const error = predictions[k]! / unit - y;
      this.#squares += s * error * error;
      this.#absolute += s * Math.abs(error);
      this.#total += s;
      const shift = y - this.#mean;
      this.#mean += (s / this.#total) * shift;
      this.#spread += s * shift * (y - this.#mean);
    }
  }

  figures(): Omit<TargetMetrics, "target"> {
    const unexplained = this.#spread > 0 ? this.#squares / this.#spread : Number.NaN;
    return {
      rmse: Math.sqrt(this.#squares / this.#total) * this.#unit,
      mae: (this.#absolute / this.#total) * this.#unit,
      r2: 1 - unexplained,
      unexplained,
    };
  }
}

// A power of two near the largest value of the column, for columns so large or small that squares would leave the range of
// doubles (and 1 for all others).
function unitOf(largest: number): number {
  if (!Number.isFinite(largest) || largest === 0 || (largest > 1e-100 && largest < 1e100)) return 1;
  return 2 ** Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))));
}
