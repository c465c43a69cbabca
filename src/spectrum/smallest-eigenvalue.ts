// Finds the smallest eigenvalue of a large symmetric positive semidefinite curvature M above its rounding floor, called by `spectrum.ts`. It
// runs Lanczos on (M + shift I)^-1: theta = 1 / (lambda + shift), so the smallest eigenvalues of M are the largest of theta and well separated.
//
//   shift      At first the floor. If M has values below the floor, they are the largest thetas and hide the others, the more the further
//              apart they are. Then counts by inertia bracket the value, and the shift becomes as large as the value, where both are far
//              above rounding: an error of eps in theta is an error of (lambda + shift) / shift * eps |M| in lambda
//   bound      |M y - value y| for the unit Ritz vector y, or for y after one more inverse product, which removes the shares of large
//              eigenvalues: then it equals (bound of theta) / theta^2. The bound is measured, so it holds for any course of the iteration.
//              The floor, the effect of rounding on M, is added to it
//   proof      inertia counts no eigenvalue between the floor and value - bound
import { dot, norm } from "../algebra/vectors.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { GaussflowError } from "../errors.js";
import { lanczosSteps } from "../plan/observation.js";
import { lanczos, lanczosTolerance } from "./lanczos.js";

export interface SmallestEigenvalue {
  readonly smallest: number;
  readonly bound: number;
  /** How many lie at or below the floor. */
  readonly below: number;
}

interface Found {
  readonly smallest: number;
  readonly bound: number;
}

/** Largest error bound, relative, with which a value is accepted after all steps. */
const acceptable = 1e-3;
/** How often an indefinite M + shift I raises the shift, and by which factor. Rounding exceeds the floor for tiny orders only. */
const raises = 4;
const raise = 8;

/** Null where it cannot be found or proved: then all eigenvalues have to be computed. */
export async function smallestAbove(
  engine: NetworkEngine,
  order: number,
  largest: number,
  floor: number,
  signal: AbortSignal | undefined,
): Promise<SmallestEigenvalue | null> {
  const counted = (bound: number) => engine.eigenvaluesBelow(bound, signal);
  const clear = ({ smallest, bound }: Found) => counted(Math.max(floor, smallest - bound));

  const first = await nextAbove(engine, order, floor, Number.NEGATIVE_INFINITY, floor, signal);
  if (first !== null && first.smallest > floor && (await clear(first)) === 0) return { ...first, below: 0 };

  const below = await counted(floor);
  // An error of eps in theta is one of high / low * eps * largest in lambda at the lower end as shift: narrow is where that is below the
  // floor, or far below the tolerance.
  const noise = Number.EPSILON * largest;
  const narrow = Math.max(16, order / 4);
  let [low, high] = [floor, largest];
  while (high > narrow * low && noise > 0.1 * lanczosTolerance * low) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if ((await counted(middle)) > below) high = middle;
    else low = middle;
  }
  const second = await nextAbove(engine, order, low, low > floor ? low / 2 : floor, floor, signal);
  return second !== null && second.smallest > floor && (await clear(second)) === below ? { ...second, below } : null;
}

/** The smallest eigenvalue above `least` that Lanczos finds with a shift, which an indefinite matrix raises. */
async function nextAbove(
  engine: NetworkEngine,
  order: number,
  wantedShift: number,
  least: number,
  floor: number,
  signal: AbortSignal | undefined,
): Promise<Found | null> {
  const solve = async (vector: Float64Array, shift: number) => {
    const answer = await engine.curvatureInverse(vector, shift, signal);
    if (answer instanceof Float64Array) return answer;
    if (answer.code === "memory") throw new GaussflowError("GAUSSFLOW_MEMORY", answer.message, { bytes: answer.bytes });
    return null;
  };
  let shift = wantedShift;
  for (let times = 0; (await solve(new Float64Array(order).fill(1), shift)) === null; times++) {
    if (times === raises) return null;
    shift *= raise;
  }
  const inverse = (vector: Float64Array) => solve(vector, shift);
  const back = (theta: number) => 1 / theta - shift;
  const found = await lanczos(order, inverse, {
    steps: lanczosSteps,
    wanted: (values) => values.findLastIndex((theta) => theta > 0 && back(theta) > least),
    enough: ({ value: theta, bound }) => {
      const value = back(theta);
      const error = theta > bound ? bound / theta / (theta - bound) : Number.POSITIVE_INFINITY;
      return value + error <= floor || error <= lanczosTolerance * value + floor / 10;
    },
    signal,
  });
  const cleared = found && (await inverse(found.vector));
  if (found === null || cleared === null) return null;
  // The other way round where the value sought is large against the shift: there the product raises what lies below it.
  const [one, other] = [await rayleigh(engine, found.vector, signal), await rayleigh(engine, cleared, signal)];
  const { value: smallest, miss } = one.miss < other.miss ? one : other;
  return miss <= acceptable * smallest + floor ? { smallest, bound: miss + floor } : null;
}

/** The Rayleigh quotient of a direction, and |M y - quotient y| for its unit vector y. */
async function rayleigh(
  engine: NetworkEngine,
  direction: Float64Array,
  signal: AbortSignal | undefined,
): Promise<{ readonly value: number; readonly miss: number }> {
  const length = norm(direction);
  const y = direction.map((entry) => entry / length);
  const product = await engine.curvatureProduct(y, signal);
  const value = dot(y, product);
  return { value, miss: norm(product.map((entry, k) => entry - value * y[k])) };
}
