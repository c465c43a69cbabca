// Fits the exponential rate of a positive quantity by a least-squares line through its logarithm (`fitRate`). report.ts fits the loss by
// it, the experiments their curves, and users their own.
//   log q(t) = a - rate t + e,   standard error of the rate = sqrt( sum e^2/(m-2) / sum (t - mean)^2 )
import { argumentError } from "../errors.js";
import { checkOptionNames } from "../options.js";
import type { RateFit } from "./monitor-report.js";

/** One point of a curve of losses. */
export interface RatePoint {
  /** Time or iteration. */
  readonly position: number;
  /** Excess loss, above 0. */
  readonly value: number;
}

/** Three points leave one degree of freedom for the standard error; fewer say nothing. */
const leastPoints = 3;

function checkPoints(points: readonly RatePoint[]): void {
  if (!Array.isArray(points)) throw argumentError("points", "must be an array of points", points);
  points.forEach((point: RatePoint, i) => {
    checkOptionNames(`points[${i}]`, point, ["position", "value"]);
    if (!Number.isFinite(point.position))
      throw argumentError(`points[${i}].position`, "must be a finite number", point.position);
    if (typeof point.value !== "number") throw argumentError(`points[${i}].value`, "must be a number", point.value);
  });
}

/** The fit through all points with a positive, finite value; null where fewer than `leastPoints` are left. */
export function fitRate(points: readonly RatePoint[]): RateFit | null {
  checkPoints(points);
  const usable = points.filter(({ value }) => value > 0 && value < Number.POSITIVE_INFINITY);
  const m = usable.length;
  if (m < leastPoints) return null;
  const logs = usable.map(({ value }) => Math.log(value));
  const meanTime = usable.reduce((sum, { position }) => sum + position, 0) / m;
  const meanLog = logs.reduce((sum, value) => sum + value, 0) / m;
  let [tt, ty, yy] = [0, 0, 0];
  usable.forEach(({ position }, i) => {
    const [t, y] = [position - meanTime, logs[i] - meanLog];
    tt += t * t;
    ty += t * y;
    yy += y * y;
  });
  if (tt === 0) return null;
  const slope = ty / tt;
  // The residuals themselves, not yy - slope ty: that difference cancels where the line is good.
  const squares = usable.reduce(
    (sum, { position }, i) => sum + (logs[i] - meanLog - slope * (position - meanTime)) ** 2,
    0,
  );
  return {
    measured: -slope,
    standardError: Math.sqrt(squares / (m - 2) / tt),
    rSquared: yy > 0 ? 1 - squares / yy : 1,
    points: m,
    from: usable[0].position,
    until: usable[m - 1].position,
  };
}
