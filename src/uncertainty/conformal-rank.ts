// Order statistics for conformal intervals (conformal.ts): the rank that a share needs, sorted lists of errors, and the k-th smallest of the
// union of several such lists, each shifted and stretched, which the folds of a cross-validation give for one input.

/** ceil((n + 1) share): 1 to n for shares up to n / (n + 1). */
export function neededRank(share: number, n: number): number {
  // The product of 0.9 and 10 is 9 and a rounding error.
  const exact = (n + 1) * share;
  const nearest = Math.round(exact);
  return Math.max(1, Math.abs(exact - nearest) <= 4 * Number.EPSILON * exact ? nearest : Math.ceil(exact));
}

/** The least n whose largest share n / (n + 1) is at least `share`, between 0 and 1. */
export function neededRows(share: number): number {
  // The quotient of 0.9 and 1 - 0.9 is 9 and a rounding error, which the difference makes larger.
  const rows = Math.max(1, Math.floor(share / (1 - share)));
  return share <= rows / (rows + 1) ? rows : rows + 1;
}

/** Finite numbers of at least 0, sorted. */
export class RankedList {
  readonly #values: Float64Array;

  /** @param values taken over and sorted */
  constructor(values: Float64Array) {
    this.#values = values.sort();
  }

  get length(): number {
    return this.#values.length;
  }

  /** The k-th smallest, k from 1. */
  at(k: number): number {
    return this.#values[k - 1]!;
  }

  /** How many are at most `bound`. */
  countUpTo(bound: number): number {
    let [low, high] = [0, this.#values.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle]! <= bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The numbers center + scale e, e in errors. */
export interface ShiftedList {
  readonly center: number;
  /** Above 0. */
  readonly scale: number;
  readonly errors: RankedList;
}

/** More halvings leave no number between the ends. */
const HALVINGS = 2200;

/**
 * The k-th smallest of the union of the lists, k from 1: exact for one list, else to the last digits, and never below it by more than the
 * rounding of the sums. NaN where a center or a scale is not finite.
 */
export function unionOrder(lists: readonly ShiftedList[], k: number): number {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only.center + only.scale * only.errors.at(k);
  // No bound counts the errors around such a center, and the search for one would not end.
  if (!lists.every(({ center, scale }) => Number.isFinite(center) && Number.isFinite(scale))) return Number.NaN;
  const count = (bound: number) =>
    lists.reduce((sum, { center, scale, errors }) => sum + errors.countUpTo((bound - center) / scale), 0);
  let low = Math.min(...lists.map(({ center }) => center));
  let high = Math.max(...lists.map(({ center, scale, errors }) => center + scale * errors.at(errors.length)));
  // The quotient of the largest sum may be below its error by rounding.
  for (let widen = Number.EPSILON; count(high) < k; widen *= 2)
    high += widen * Math.max(Math.abs(high), Number.MIN_VALUE);
  if (count(low) >= k) return low;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (count(middle) >= k) high = middle;
    else low = middle;
  }
  return high;
}
