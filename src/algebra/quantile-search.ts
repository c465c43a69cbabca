// Finds a weighted quantile, such as the median, of numbers that are shown several times, block by block, and never held: by counting. The
// bits of non-negative doubles sort as the numbers do, so each pass counts 16 bits more of those numbers whose higher bits are the
// quantile's. Four passes find all 64 bits: the result is one of the numbers, exactly, and without equal bits in between no rounding can
// move it. train/first-fit.ts calls it for the scale of a loss, train/start-bias.ts for the start of a quantile loss.

/** Passes over the numbers that a search takes. */
export const SEARCH_PASSES = 4;
const BUCKETS = 1 << 16;

/**
 * The search for the lower weighted quantile: the least number with which the numbers up to it have at least this share of the weight. Show
 * all numbers by `add`, then call `endPass`, `SEARCH_PASSES` times. Order and blocks must be the same in every pass.
 */
export class QuantileSearch {
  readonly #share: number;
  /** Weight of the numbers of this pass, by their next 16 bits. */
  readonly #counts = new Float64Array(BUCKETS);
  /** The bits that are known, from the highest on. */
  readonly #known: number[] = [];
  /** Weight of the numbers below the known bits. */
  #below = 0;
  /** That share of the weight of all numbers. */
  #wanted = 0;

  /** @param share between 0 and 1: 0.5 for the median */
  constructor(share: number) {
    this.#share = share;
  }

  /**
   * @param values non-negative numbers; NaN counts as larger than all
   * @param weightOf weight of entry k of `values`; null = all 1
   */
  add(values: Float64Array, weightOf: ((k: number) => number) | null): void {
    const parts = new Uint16Array(values.buffer, values.byteOffset, 4 * values.length);
    const known = this.#known;
    const depth = known.length;
    for (let k = 0; k < values.length; k++) {
      // The highest 16 bits come last: Node.js runs on little-endian machines.
      const top = 4 * k + 3;
      let level = 0;
      while (level < depth && parts[top - level] === known[level]) level++;
      if (level === depth) this.#counts[parts[top - depth]!]! += weightOf === null ? 1 : weightOf(k);
    }
  }

  endPass(): void {
    const counts = this.#counts;
    if (this.#known.length === 0) this.#wanted = counts.reduce((sum, count) => sum + count, 0) * this.#share;
    // Weights are summed in another order in each pass: if rounding leaves the sum below the share, the last number is the one.
    let [found, before] = [0, this.#below];
    let sum = this.#below;
    for (let bucket = 0; bucket < BUCKETS && sum < this.#wanted; bucket++) {
      if (counts[bucket] === 0) continue;
      [found, before] = [bucket, sum];
      sum += counts[bucket]!;
    }
    this.#known.push(found);
    this.#below = before;
    counts.fill(0);
  }

  /** The quantile, after the last pass. */
  get value(): number {
    return new Float64Array(Uint16Array.from(this.#known).reverse().buffer)[0]!;
  }
}
