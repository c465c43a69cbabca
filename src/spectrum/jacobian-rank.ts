// Computes the extreme singular values of J and its numerical rank: for `checkAssumptions`, for `recommendOutputScale`, and when an
// undamped flow cannot continue, at its start and its end (flow-run.ts). For p <= n c they are the singular values of R in J = QR, exact to
// eps sigma_max; eigenvalues of J^T J would be exact only to sqrt(eps) sigma_max. For p > n c they are the roots of the kernel's
// eigenvalues. For large triangles they come from the rank report of a solve: pivoted QR, with extremes by iterations, rarely off by more
// than a quarter.

import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { exactParameters } from "../plan/observation.js";

export interface JacobianRank {
  readonly largest: number;
  readonly smallest: number;
  /** Smallest above the tolerance; null if there is none, or if it is unknown because J is large and rank-deficient. */
  readonly smallestAbove: number | null;
  /** Values above tolerance * largest, of `of` = min(p, n c). */
  readonly rank: number;
  readonly of: number;
  /** Relative: max(n c, p) eps by QR; the root of n c eps by the kernel, whose eigenvalues are squares. */
  readonly tolerance: number;
}

/**
 * null where J is not finite there. Needs one linearization and O(min(p, n c)^3) at most.
 * @param scale divides the values: outputScale, to come from the engine's alpha J to J
 */
export async function jacobianRank(
  engine: NetworkEngine,
  parameters: Float64Array,
  scale: number,
  signal?: AbortSignal,
): Promise<JacobianRank | null> {
  const p = engine.parameterCount;
  const equations = engine.sampleCount * engine.outputSize;
  const curvature = p <= equations ? "orthogonal" : "dual";
  if (failed(await engine.linearize(parameters, { curvature, decay: 0, scaling: null }, signal))) return null;
  if (curvature === "orthogonal" && p > exactParameters) return estimated(engine, scale, signal);
  const values = (await engine.eigen(false, signal)).values.map((square) => Math.sqrt(Math.max(0, square)) / scale);
  const largest = values[values.length - 1];
  const tolerance = curvature === "orthogonal" ? equations * Number.EPSILON : Math.sqrt(equations * Number.EPSILON);
  const above = values.filter((value) => value > tolerance * largest);
  return {
    largest,
    smallest: values[0],
    smallestAbove: above[0] ?? null,
    rank: above.length,
    of: values.length,
    tolerance,
  };
}

async function estimated(
  engine: NetworkEngine,
  scale: number,
  signal: AbortSignal | undefined,
): Promise<JacobianRank | null> {
  const solved = await engine.solve({ damping: 0, decay: 0, scaling: null }, signal);
  if (failed(solved) || solved.rank === undefined) return null;
  const { rank, tolerance } = solved.rank;
  const [largest, smallest] = [solved.rank.largest / scale, solved.rank.smallest / scale];
  const of = engine.parameterCount;
  return { largest, smallest, smallestAbove: rank === of ? smallest : null, rank, of, tolerance };
}
