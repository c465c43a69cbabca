// Computes weighted means of the columns of a matrix whose rows come in blocks: for the start of output biases (train/start-bias.ts) and for the
// shares of classes in the advice after a training (train/advice-facts.ts). Both look at targets alone; column-moments.ts is for units.

/** Means over the rows shown so far. */
export class WeightedMeans {
  /** One a column; 0 before the first row of a weight above 0. */
  readonly means: Float64Array;
  readonly #weights: Float64Array | null;
  #total = 0;

  /** @param weights of all rows, at least 0; null = all 1 */
  constructor(columns: number, weights: Float64Array | null) {
    this.means = new Float64Array(columns);
    this.#weights = weights;
  }

  /** @param row number of the first row of `block`, whole rows */
  add(block: Float64Array, row: number): void {
    const columns = this.means.length;
    for (let k = 0, i = row; k < block.length; k += columns, i++) {
      const weight = this.#weights === null ? 1 : this.#weights[i]!;
      if (weight === 0) continue;
      this.#total += weight;
      // West's update: no sum of large numbers overflows.
      for (let j = 0; j < columns; j++) this.means[j]! += (weight / this.#total) * (block[k + j]! - this.means[j]!);
    }
  }
}
