// Finds where the profile of a parameter crosses a level on one side of its estimate: steps outwards until it does, then closes in.
// profile.ts calls it for both sides.

/** A point of a profile: the fit with one parameter held. */
export interface ProfilePoint {
  /** Value of the parameter. */
  readonly value: number;
  /** sqrt((S(value) - S(estimate)) / s^2), at least 0; infinite where the model has no finite residuals. */
  readonly root: number;
  /** All p parameters of the refit. */
  readonly estimates: Float64Array;
}

/**
 * How a side of an interval ended: `found` at the level, `bound` at a bound that lies inside of the level, or `open` where the deviance
 * does not reach the level as far out as was looked.
 */
export type ProfileEnd = "found" | "bound" | "open";

/** One side of a profile. */
export interface ProfileSide {
  /** End of the interval: infinite where it is open. */
  readonly limit: number;
  readonly end: ProfileEnd;
  /** The refits, from the estimate outwards; the estimate itself is not among them. */
  readonly points: readonly ProfilePoint[];
}

/** What a side is looked for with. */
export interface SideSearch {
  readonly estimate: ProfilePoint;
  /** -1 or 1. */
  readonly direction: number;
  /** The level: a quantile of Student's t. */
  readonly level: number;
  /** Standard error of the linearized fit; where it is not usable the search starts from the size of the estimate. */
  readonly standardError: number;
  /** The bound of this side, infinite where there is none. */
  readonly bound: number;
  readonly refit: (value: number, start: Float64Array) => Promise<ProfilePoint>;
}

/** Distances grow by at most this factor from one refit to the next. */
const GROWTH = 4;
/** Refits outwards: the last one is about GROWTH^MOST_OUTWARDS = 1e12 standard errors away. */
const MOST_OUTWARDS = 20;
const MOST_INWARDS = 60;
/** The end is found where the root is the level to this relative error: far below what standard errors are known to. */
const TOLERANCE = 1e-8;

export async function profileSide(search: SideSearch): Promise<ProfileSide> {
  const { estimate, direction, level, bound } = search;
  const points: ProfilePoint[] = [];
  const size = Math.abs(estimate.value) || 1;
  // One that is 0 in the digits of the estimate, or far beyond it, says nothing about the profile.
  const usable = search.standardError > 1e-14 * size && search.standardError < 1e6 * size;
  let distance = level * (usable ? search.standardError : 0.1 * size);
  let inner = estimate;
  for (let k = 0; k < MOST_OUTWARDS; k++) {
    const aimed = estimate.value + direction * distance;
    const atBound = direction * (aimed - bound) >= 0;
    const point = await search.refit(atBound ? bound : aimed, inner.estimates);
    points.push(point);
    if (point.root >= level) return closeIn(search, inner, point, points);
    if (atBound) return { limit: bound, end: "bound", points };
    inner = point;
    distance *= point.root > 0 ? Math.min(GROWTH, Math.max(1.2, (1.1 * level) / point.root)) : GROWTH;
  }
  return { limit: direction * Number.POSITIVE_INFINITY, end: "open", points };
}

/** Regula falsi with the Illinois rule between a point inside of the level and one outside; halving where the outer one is infinite. */
async function closeIn(search: SideSearch, inside: ProfilePoint, outside: ProfilePoint, points: ProfilePoint[]) {
  const { level, direction, estimate } = search;
  let [inner, outer] = [inside, outside];
  let [low, high] = [inner.root - level, outer.root - level];
  let last: "inner" | "outer" | null = null;
  for (let k = 0; k < MOST_INWARDS && outer.root - level > TOLERANCE * level; k++) {
    const share = Number.isFinite(high) ? Math.min(0.99, Math.max(0.01, -low / (high - low))) : 0.5;
    const value = inner.value + share * (outer.value - inner.value);
    if (value === inner.value || value === outer.value) break;
    const near = Math.abs(value - inner.value) < Math.abs(outer.value - value) || !Number.isFinite(outer.root);
    const point = await search.refit(value, near ? inner.estimates : outer.estimates);
    points.push(point);
    if (Math.abs(point.root - level) <= TOLERANCE * level) {
      outer = point;
      break;
    }
    // An end that is replaced twice in a row would leave the other one where it is: its height is halved.
    if (point.root < level) {
      inner = point;
      low = point.root - level;
      if (last === "inner") high /= 2;
      last = "inner";
    } else {
      outer = point;
      high = point.root - level;
      if (last === "outer") low /= 2;
      last = "outer";
    }
  }
  points.sort((a, b) => Math.abs(a.value - estimate.value) - Math.abs(b.value - estimate.value));
  // Bounds are never crossed: rounding of the last step could.
  const limit = direction > 0 ? Math.min(outer.value, search.bound) : Math.max(outer.value, search.bound);
  return { limit, end: "found" as const, points };
}
