// Computes the area under the ROC curve of every class against the rest, for class-metrics.ts: the probability that a row of the class has a
// larger predicted probability of it than a row of another class, where ties count half (Mann and Whitney 1947).
//
//   AUC_a = sum over rows i, j of u_ia v_ja ([p_ia > p_ja] + [p_ia = p_ja] / 2) / (sum_i u_ia sum_j v_ja)
//
// with the weights u_ia = s_i y_ia of row i as one of class a, and v_ia = s_i (1 - y_ia) as one of the others. The rows come block by block,
// twice: the first pass keeps the probability of its own class for each row (`OwnProbabilities`), the second looks up every row among
// those of each class (`RankingAreas`). That takes n c log(n / c) comparisons and n numbers, where sorting n rows for each of c classes would
// take c/log(c) times as long.
import { STEP, type Steps } from "../event-loop-yield.js";

/** Some rows: probabilities and targets (n x c each), and n weights. */
export interface ClassBlock {
  readonly probabilities: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array | null;
}

/** The predicted probabilities of a class for the rows that belong to it, class by class. */
export class OwnProbabilities {
  readonly #lists: Float64Array[];
  readonly #lengths: Uint32Array;

  constructor(classCount: number) {
    this.#lists = Array.from({ length: classCount }, () => new Float64Array(8));
    this.#lengths = new Uint32Array(classCount);
  }

  add(a: number, probability: number): void {
    const length = this.#lengths[a]!;
    let list = this.#lists[a]!;
    if (length === list.length) {
      const longer = new Float64Array(2 * length);
      longer.set(list);
      this.#lists[a] = longer;
      list = longer;
    }
    list[length] = probability;
    this.#lengths[a] = length + 1;
  }

  /** Ascending and without repetitions, class by class. */
  *distinct(): Steps<Float64Array[]> {
    const all: Float64Array[] = [];
    for (const [a, list] of this.#lists.entries()) {
      const sorted = yield* sortedSteps(list.subarray(0, this.#lengths[a]!));
      let kept = 0;
      for (let k = 0; k < sorted.length; k++) {
        if (k === 0 || sorted[k] !== sorted[kept - 1]) sorted[kept++] = sorted[k]!;
        if (k % STEP === STEP - 1) yield;
      }
      all.push(sorted.slice(0, kept));
      this.#lists[a] = new Float64Array(0);
      yield;
    }
    return all;
  }
}

/** Sorts in place, in pieces: runs of STEP numbers, which are then merged pairwise. */
function* sortedSteps(values: Float64Array): Steps<Float64Array> {
  const n = values.length;
  for (let first = 0; first < n; first += STEP) {
    values.subarray(first, first + STEP).sort();
    yield;
  }
  let [from, to]: [Float64Array, Float64Array] = [values, new Float64Array(n > STEP ? n : 0)];
  for (let width = STEP; width < n; width *= 2) {
    for (let first = 0, k = 0; first < n; first += 2 * width) {
      const middle = Math.min(n, first + width);
      const end = Math.min(n, first + 2 * width);
      for (let left = first, right = middle; k < end; k++) {
        to[k] = right >= end || (left < middle && from[left]! <= from[right]!) ? from[left++]! : from[right++]!;
        if (k % STEP === STEP - 1) yield;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Sums of the second pass. */
export class RankingAreas {
  readonly #distinct: readonly Float64Array[];
  /** By class and distinct probability: weights of the class there, of others there, and of others between it and the one before. */
  readonly #own: readonly Float64Array[];
  readonly #tied: readonly Float64Array[];
  readonly #below: readonly Float64Array[];

  constructor(distinct: readonly Float64Array[]) {
    this.#distinct = distinct;
    this.#own = distinct.map(({ length }) => new Float64Array(length));
    this.#tied = distinct.map(({ length }) => new Float64Array(length));
    // One more: what lies above all of them.
    this.#below = distinct.map(({ length }) => new Float64Array(length + 1));
  }

  add({ probabilities, targets, weights }: ClassBlock): void {
    const c = this.#distinct.length;
    for (let i = 0, at = 0; at < targets.length; i++, at += c) {
      const s = weights === null ? 1 : weights[i]!;
      if (s !== 0) this.#addRow(probabilities, targets, at, s);
    }
  }

  #addRow(probabilities: Float64Array, targets: Float64Array, at: number, s: number): void {
    for (let a = 0; a < this.#distinct.length; a++) {
      const list = this.#distinct[a]!;
      const p = probabilities[at + a]!;
      const y = targets[at + a]!;
      let [low, high] = [0, list.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (list[middle]! < p) low = middle + 1;
        else high = middle;
      }
      if (y > 0) this.#own[a]![low]! += s * y;
      if (y < 1) (list[low] === p ? this.#tied : this.#below)[a]![low]! += s * (1 - y);
    }
  }

  /** AUC of each class; NaN for a class that no row or every row belongs to. */
  areas(): number[] {
    return this.#distinct.map((list, a) => {
      const [own, tied, below] = [this.#own[a]!, this.#tied[a]!, this.#below[a]!];
      let [pairs, rows, others] = [0, 0, 0];
      for (let k = 0; k < list.length; k++) {
        others += below[k]!;
        pairs += own[k]! * (others + tied[k]! / 2);
        others += tied[k]!;
        rows += own[k]!;
      }
      others += below[list.length]!;
      return rows > 0 && others > 0 ? pairs / (rows * others) : Number.NaN;
    });
  }
}
