// Computes mean and standard deviation of the columns of a matrix whose rows are read in blocks: for the units of a run on data in memory
// (`scaling.ts`), and for data files when their scaling is first needed (`data-file.ts`).
//
//   mean = sum s x / sum s,   deviation = sqrt( sum s (x - mean)^2 / sum s ),   s the sample weights (1 without)
//
// The deviations take a second pass, after the means, because sums of squares about zero cancel where the mean is large. Every sum runs
// over the rows in order, so its bits do not depend on how the rows are cut into blocks, nor on whether they are read from memory, from a
// file without interruption, or from a file in turns with the event loop.

/** One offset and one scale > 0 a column. */
export interface ColumnScaling {
  /** The number that is subtracted, one entry a column, in raw units. */
  readonly offset: Float64Array;
  /** The divisor, one positive entry a column, in raw units. */
  readonly scale: Float64Array;
}

/** Takes the next block of whole rows; `row` is the number of its first row. */
export type BlockReader = (block: Float64Array, row: number) => void;

/** Within these bounds, sums of a column do not overflow, and its values can be divided by its unit without rounding. */
const LARGEST_UNIT = 2 ** 400;
const SMALLEST_UNIT = 2 ** -400;
const SMALLEST_VALUE = 2 ** -600;

/** Extremes and plain sums of all columns, the result of a first pass. */
export class ColumnSummary {
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Sums of the values, without weights. */
  readonly sum: Float64Array;
  /** Rows that take part: those whose weight is not 0. */
  rows = 0;
  #tiny = false;

  constructor(columns: number) {
    this.min = new Float64Array(columns).fill(Infinity);
    this.max = new Float64Array(columns).fill(-Infinity);
    this.sum = new Float64Array(columns);
  }

  /** Rows of weight 0 take no part; `weights` are those of all rows. */
  add(block: Float64Array, row: number, weights: Float64Array | null): void {
    const { min, max, sum } = this;
    const columns = min.length;
    for (let k = 0, i = row; k < block.length; k += columns, i++) {
      if (weights !== null && weights[i] === 0) continue;
      this.rows++;
      for (let j = 0; j < columns; j++) {
        const value = block[k + j]!;
        if (value < min[j]!) min[j] = value;
        if (value > max[j]!) max[j] = value;
        if (value < SMALLEST_VALUE && value > -SMALLEST_VALUE && value !== 0) this.#tiny = true;
        sum[j]! += value;
      }
    }
  }

  /** True if the values of column j differ by rounding alone; `rows` are those of the whole matrix. */
  isConstant(j: number, rows = this.rows): boolean {
    const [min, max] = [this.min[j]!, this.max[j]!];
    // Halves, so that the difference cannot overflow.
    return max / 2 - min / 2 <= ((rows * Number.EPSILON) / 2) * Math.max(Math.abs(min), Math.abs(max));
  }

  /** A power of two near the largest magnitude of each column: dividing by it is exact, and no square or sum over- or underflows. */
  units(): Float64Array {
    return this.min.map((low, j) => {
      const high = this.max[j]!;
      return low === high ? 1 : 2 ** Math.floor(Math.log2(Math.max(Math.abs(low), Math.abs(high))));
    });
  }

  /** True where sum / unit has the bits of the sum of value / unit, in every column: nothing rounds or overflows on either way. */
  sumsAreExact(units: Float64Array): boolean {
    return !this.#tiny && units.every((unit) => unit >= SMALLEST_UNIT && unit <= LARGEST_UNIT);
  }
}

/**
 * The scaling of all columns. Yields a reader for every pass that it needs; the caller shows it all blocks, in order, before it goes on.
 * A constant column gets scale 1: one whose spread is at most what rounding leaves of a single value that was computed in several ways,
 * n eps max|x|. So does a spread too small to divide by (below 6e-309).
 * @param weights one a row, or null; rows of weight 0 take no part
 * @param known the result of an earlier pass, or null, which costs one pass more
 */
export function* columnScaling(
  columns: number,
  weights: Float64Array | null,
  known: ColumnSummary | null,
): Generator<BlockReader, ColumnScaling, void> {
  const summary = known ?? new ColumnSummary(columns);
  if (known === null) yield (block, row) => summary.add(block, row, weights);
  const { min, max } = summary;
  const unit = summary.units();
  const weightOf = relativeWeights(weights);
  let total = summary.rows;
  let sum = summary.sum.map((value, j) => value / unit[j]!);
  if (weights !== null || !summary.sumsAreExact(unit)) {
    [total, sum] = [0, new Float64Array(columns)];
    yield (block, row) => {
      for (let k = 0, i = row; k < block.length; k += columns, i++) {
        const weight = weightOf(i);
        if (weight === 0) continue;
        total += weight;
        for (let j = 0; j < columns; j++) sum[j]! += weight * (block[k + j]! / unit[j]!);
      }
    };
  }
  const mean = sum.map((value) => value / total);
  const squares = new Float64Array(columns);
  yield (block, row) => {
    for (let k = 0, i = row; k < block.length; k += columns, i++) {
      const weight = weightOf(i);
      if (weight === 0) continue;
      for (let j = 0; j < columns; j++) squares[j]! += weight * (block[k + j]! / unit[j]! - mean[j]!) ** 2;
    }
  };
  const offset = new Float64Array(columns);
  const scale = new Float64Array(columns).fill(1);
  for (let j = 0; j < columns; j++) {
    if (min[j] === max[j]) {
      offset[j] = min[j]!;
      continue;
    }
    offset[j] = mean[j]! * unit[j]!;
    if (summary.isConstant(j)) continue;
    const deviation = Math.sqrt(squares[j]! / total) * unit[j]!;
    if (deviation > 0 && Number.isFinite(1 / deviation)) scale[j] = deviation;
  }
  return { offset, scale };
}

/** Weights relative to the largest, so that their sum cannot overflow. */
function relativeWeights(weights: Float64Array | null): (row: number) => number {
  if (weights === null) return () => 1;
  let largest = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i]! > largest) largest = weights[i]!;
  return (row) => weights[row]! / largest;
}
