// Computes profile likelihood intervals: a parameter is held at values beside its estimate and the others are fitted again, each time from the fit
// before, until the sum of squares S has risen by what a t test at the level allows:
//   root(value) = sign(value - estimate) sqrt((S(value) - S) / s^2),  the interval is |root| <= t(n - r)
// Of a linear model the root is the line (value - estimate) / standard error, and the interval is the usual one. least-squares.ts calls it.
// Source: Bates and Watts, Nonlinear Regression Analysis and Its Applications (1988), section 6.1.
import { type ProfileEnd, type ProfilePoint, type ProfileSide, profileSide } from "./profile-side.js";

/** Fits with one parameter held. */
export interface ProfileRefit {
  /** Sum of the squared weighted residuals; infinite where they are not finite. */
  readonly sumOfSquares: number;
  /** All p parameters. */
  readonly estimates: Float64Array;
}

/** What a profile is made from. */
export interface ProfileSource {
  /** Place of the parameter among all. */
  readonly index: number;
  readonly name: string;
  /** All p estimates. */
  readonly estimates: Float64Array;
  readonly standardError: number;
  /** Sum of the squared weighted residuals at the estimates. */
  readonly sumOfSquares: number;
  /** s^2, or 1 where the sigmas are known; above 0. */
  readonly variance: number;
  /** Probability of the interval. */
  readonly level: number;
  /** The quantile that belongs to the level. */
  readonly quantile: number;
  /** Least and largest value; infinite where there is none. */
  readonly bounds: readonly [number, number];
  /** Refits for a smooth curve, on each side, beside those of the search. */
  readonly curvePoints: number;
  /** Fits all other parameters, from `start`. */
  readonly refit: (index: number, value: number, start: Float64Array) => Promise<ProfileRefit>;
}

/** The profile of one parameter. */
export interface ParameterProfile {
  /** Name of the parameter. */
  readonly parameter: string;
  /** Probability of the interval. */
  readonly level: number;
  /** Lower end of the interval; -Infinity where the data give none. */
  readonly lower: number;
  /** Upper end of the interval; Infinity where the data give none. */
  readonly upper: number;
  /** How the lower end was found. */
  readonly lowerEnd: ProfileEnd;
  /** How the upper end was found. */
  readonly upperEnd: ProfileEnd;
  /** Values of the parameter at which the others were fitted, ascending; the estimate is among them. */
  readonly values: Float64Array;
  /** sign(value - estimate) sqrt((S(value) - S) / s^2) at these values. A straight line means that the linearized interval holds. */
  readonly roots: Float64Array;
  /** All p parameters at these values, one row a value. */
  readonly traces: Float64Array;
  /** A point with a smaller sum of squares than the fit, which was not its minimum; null as it should be. */
  readonly better: ProfileRefit | null;
}

/** A sum of squares is smaller than the fit's where it is so by more than this share: refits end within less of their minimum. */
const SMALLER = 1e-8;

/** Profiles one parameter. */
export async function profileParameter(source: ProfileSource): Promise<ParameterProfile> {
  const { index, estimates, sumOfSquares, variance } = source;
  let better: ProfileRefit | null = null;
  const estimate: ProfilePoint = { value: estimates[index], root: 0, estimates };
  const refit = async (value: number, start: Float64Array): Promise<ProfilePoint> => {
    const held = start.slice();
    held[index] = value;
    const fit = await source.refit(index, value, held);
    if (fit.sumOfSquares < (better?.sumOfSquares ?? sumOfSquares * (1 - SMALLER))) better = fit;
    const root = Math.sqrt(Math.max(0, (fit.sumOfSquares - sumOfSquares) / variance));
    return { value, root, estimates: fit.estimates };
  };
  const side = (direction: number) =>
    profileSide({
      estimate,
      direction,
      level: source.quantile,
      standardError: source.standardError,
      bound: source.bounds[direction < 0 ? 0 : 1],
      refit,
    });
  const lower = await side(-1);
  const upper = await side(1);
  const extra = [...(await curve(estimate, lower, source, refit)), ...(await curve(estimate, upper, source, refit))];
  const points = [...lower.points, ...upper.points, ...extra, estimate]
    .filter(({ root }) => Number.isFinite(root))
    .sort((a, b) => a.value - b.value);
  return {
    parameter: source.name,
    level: source.level,
    lower: lower.limit,
    upper: upper.limit,
    lowerEnd: lower.end,
    upperEnd: upper.end,
    values: Float64Array.from(points, ({ value }) => value),
    roots: Float64Array.from(points, ({ value, root }) => Math.sign(value - estimate.value) * root),
    traces: Float64Array.from(points.flatMap((point) => Array.from(point.estimates))),
    better,
  };
}

/** Refits at even distances between the estimate and the end of a side, where that is finite. */
async function curve(
  estimate: ProfilePoint,
  { limit }: ProfileSide,
  { curvePoints }: ProfileSource,
  refit: (value: number, start: Float64Array) => Promise<ProfilePoint>,
): Promise<ProfilePoint[]> {
  const points: ProfilePoint[] = [];
  if (!Number.isFinite(limit) || limit === estimate.value) return points;
  let start = estimate.estimates;
  for (let k = 1; k <= curvePoints; k++) {
    const point = await refit(estimate.value + ((limit - estimate.value) * k) / (curvePoints + 1), start);
    points.push(point);
    start = point.estimates;
  }
  return points;
}
