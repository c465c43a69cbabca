// Computes the extreme eigenvalues of the curvature that an engine holds: flow/field.ts calls it for spectral damping, and the monitor
// (monitor/measure.ts) at each observed point. Eigenvalues up to order * eps * largest are rounding noise (hundreds of duplicate samples
// make hundreds of them): the smallest is taken above that floor, and the ones below are counted (docs/theory.md). Small orders use the
// eigensolver. Large orders use Lanczos, and the eigensolver only if Lanczos cannot prove its answer.
import type { NetworkEngine } from "../backend/network-engine.js";
import { lanczosSteps } from "../plan/observation.js";
import { lanczos, lanczosTolerance } from "./lanczos.js";
import { smallestAbove } from "./smallest-eigenvalue.js";

export interface ExtremeEigenvalues {
  readonly largest: number;
  /** Smallest above the floor; 0 where there is none. */
  readonly smallest: number;
  readonly floor: number;
  /** How many lie at or below the floor. */
  readonly below: number;
  /** Absolute error bound of `smallest`. */
  readonly bound: number;
  /** All, ascending; null where only the extremes were computed. */
  readonly values: Float64Array | null;
  readonly method: "eigensolver" | "lanczos";
}

export interface SpectrumOptions {
  /** Divides the values: alpha^2, to come from the engine's J~ = alpha J to K = J J^T. Default 1. */
  readonly scale?: number;
  /** Largest order for the eigensolver. */
  readonly limit?: number;
}

/**
 * By measurement on two cores, seconds at order 500 / 1000 / 2000 / 3000: eigensolver 0.01 / 0.06 / 0.4 / 2.3; Lanczos 0.01 / 0.04 /
 * 0.16 / 0.5 on a regular kernel, 0.02 / 0.06-0.15 / 0.5-1.1 / 1.6-3.6 with values below the floor; one damped solve 0.005 / 0.02 /
 * 0.06 / 0.15. From here on Lanczos gains on regular kernels, in the end four times, and loses at most a factor of two on others, where
 * that is still small; up to here the eigensolver is as fast and gives all values.
 */
const eigensolverLimit = 512;

/**
 * Extremes of the curvature of the last linearize, which must have had scaling null. The orthogonal route's values are squared
 * singular values of R, whose rounding is (max(n c, p) eps)^2 * largest: that is their floor, and they always take the eigensolver.
 */
export async function extremeEigenvalues(
  engine: NetworkEngine,
  { scale = 1, limit = eigensolverLimit }: SpectrumOptions = {},
  signal?: AbortSignal,
): Promise<ExtremeEigenvalues> {
  const order = engine.held === "dual" ? engine.sampleCount * engine.outputSize : engine.parameterCount;
  const iterate = order > limit && (engine.held === "primal" || engine.held === "dual");
  const found = (iterate ? await byLanczos(engine, order, signal) : null) ?? (await byEigensolver(engine, signal));
  return {
    ...found,
    largest: found.largest / scale,
    smallest: found.smallest / scale,
    floor: found.floor / scale,
    bound: found.bound / scale,
    values: found.values?.map((value) => value / scale) ?? null,
  };
}

async function byEigensolver(engine: NetworkEngine, signal: AbortSignal | undefined): Promise<ExtremeEigenvalues> {
  const { values } = await engine.eigen(false, signal);
  const largest = values[values.length - 1];
  const rows = Math.max(engine.sampleCount * engine.outputSize, engine.parameterCount);
  const relative = engine.held === "orthogonal" ? (rows * Number.EPSILON) ** 2 : values.length * Number.EPSILON;
  const floor = relative * largest;
  const first = values.findIndex((value) => value > floor);
  const below = first < 0 ? values.length : first;
  const smallest = values[first] ?? 0;
  // A singular value sigma is off by rows eps sigma_max, its square by 2 sigma times that.
  const bound =
    engine.held === "orthogonal" ? floor + 2 * rows * Number.EPSILON * Math.sqrt(smallest * largest) : floor;
  return { largest, smallest, floor, below, bound, values, method: "eigensolver" };
}

async function byLanczos(
  engine: NetworkEngine,
  order: number,
  signal: AbortSignal | undefined,
): Promise<ExtremeEigenvalues | null> {
  const top = await lanczos(order, (vector) => engine.curvatureProduct(vector, signal), {
    steps: lanczosSteps,
    wanted: (values) => values.length - 1,
    enough: ({ value, bound }) => bound <= lanczosTolerance * value,
    signal,
  });
  if (top === null || !top.enough) return null;
  const largest = Math.max(0, top.value);
  const floor = order * Number.EPSILON * largest;
  const shared = { largest, floor, values: null, method: "lanczos" } as const;
  if (largest === 0) return { ...shared, smallest: 0, below: order, bound: 0 };
  const found = await smallestAbove(engine, order, largest, floor, signal);
  return found && { ...shared, ...found };
}
