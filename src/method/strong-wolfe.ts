// Finds a step length that satisfies the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6), for
// lbfgs.ts:
//
//   f(t) <= f(0) + c1 t f'(0)     and     |f'(t)| <= c2 |f'(0)|,      c1 = 1e-4, c2 = 0.9
//
// The length is first multiplied until an interval is bracketed that holds such lengths, then the interval is narrowed
// by the minimum of the cubic through its ends. A point whose value is not finite counts as one far too high.
import { type Failure, failed } from "../backend/engine.js";

/** f and f' at a length. */
export interface LineValue {
  readonly ok: true;
  readonly length: number;
  readonly value: number;
  readonly slope: number;
}

const SUFFICIENT = 1e-4;
const CURVATURE = 0.9;
const GROWTH = 2;
/** Evaluations of a search at most. */
const MOST_EVALUATIONS = 25;
/** Share of the interval from its ends that the next length keeps. */
const INSIDE = 0.1;

/** The strong Wolfe search of one step; `evaluate` answers value and slope at a length. */
export class WolfeSearch {
  readonly #start: LineValue;
  readonly #evaluate: (length: number) => Promise<LineValue | Failure>;
  #left = MOST_EVALUATIONS;

  /** @param start at length 0, with a slope below 0 */
  constructor(start: LineValue, evaluate: (length: number) => Promise<LineValue | Failure>) {
    this.#start = start;
    this.#evaluate = evaluate;
  }

  /** Evaluations that the search has made. */
  get evaluations(): number {
    return MOST_EVALUATIONS - this.#left;
  }

  /**
   * @param first length that is tried first
   * @returns null where no such length was found
   */
  async find(first: number): Promise<LineValue | Failure | null> {
    let before = this.#start;
    for (let length = first; this.#left > 0; length *= GROWTH) {
      const at = await this.#at(length);
      if (failed(at)) return at;
      if (!this.#decreases(at) || (before !== this.#start && at.value >= before.value))
        return await this.#narrow(before, at);
      if (this.#isFlat(at)) return at;
      if (at.slope >= 0) return await this.#narrow(at, before);
      before = at;
    }
    return null;
  }

  /** @param low the end with the least value of those with a sufficient decrease; the slope there points to `high` */
  async #narrow(low: LineValue, high: LineValue): Promise<LineValue | Failure | null> {
    while (this.#left > 0) {
      const at = await this.#at(between(low, high));
      if (failed(at)) return at;
      if (!this.#decreases(at) || at.value >= low.value) high = at;
      else {
        if (this.#isFlat(at)) return at;
        if (at.slope * (high.length - low.length) >= 0) high = low;
        low = at;
      }
      // Lengths that differ by rounding alone: the decrease is all there is.
      if (Math.abs(high.length - low.length) <= 4 * Number.EPSILON * Math.abs(low.length)) break;
    }
    return low.length > 0 ? low : null;
  }

  async #at(length: number): Promise<LineValue | Failure> {
    this.#left--;
    const at = await this.#evaluate(length);
    if (!failed(at)) return at;
    return at.code === "non-finite" ? { ok: true, length, value: Number.POSITIVE_INFINITY, slope: 0 } : at;
  }

  #decreases({ length, value }: LineValue): boolean {
    return value <= this.#start.value + SUFFICIENT * length * this.#start.slope;
  }

  #isFlat({ slope }: LineValue): boolean {
    return Math.abs(slope) <= -CURVATURE * this.#start.slope;
  }
}

/**
 * Minimum of the cubic through both ends, within the interval and not next to an end; its middle where there is none.
 */
function between(a: LineValue, b: LineValue): number {
  const width = b.length - a.length;
  const middle = a.length + width / 2;
  if (!Number.isFinite(b.value)) return middle;
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.length - b.length);
  const root = d1 * d1 - a.slope * b.slope;
  if (!(root >= 0)) return middle;
  const d2 = Math.sign(width) * Math.sqrt(root);
  const at = b.length - (width * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
  const share = (at - a.length) / width;
  if (!Number.isFinite(share)) return middle;
  return a.length + width * Math.min(1 - INSIDE, Math.max(INSIDE, share));
}
