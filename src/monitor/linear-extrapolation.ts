// Follows the undamped linearized path from the start of a flow to the targets and tests whether J keeps its rank and size along it.
// output-scale.ts calls it for each output scale that `recommendOutputScale` tries, and monitor.ts for the scale of the run before it
// recommends less damping.
import { norm } from "../algebra/vectors.js";
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { weighted } from "../loss/weighted.js";
import type { ObservedRun } from "../run/observer.js";
import { type JacobianRank, jacobianRank } from "../spectrum/jacobian-rank.js";
import { percent } from "./percent.js";

/** Largest relative distance of psi from its linear prediction, and smallest share of sigma_min, at the end of the way. */
const mostCurved = 0.1;
const leastKept = 0.5;

export interface WayEnd {
  /** |psi - its linear prediction| / |linear prediction|. */
  readonly curved: number;
  /** sigma_min there over sigma_min at the start; null where J is singular from the start, and 0 where `curved` was too much to look. */
  readonly kept: number | null;
}

export interface Way {
  readonly engine: NetworkEngine;
  readonly end: Float64Array;
  /** Weighted J d, and the weighted change of psi at the end of the way. */
  readonly linear: Float64Array;
  readonly change: Float64Array;
  readonly start: JacobianRank;
  /** outputScale of the engine. */
  readonly alpha: number;
}

export async function endOfWay(way: Way, signal?: AbortSignal): Promise<WayEnd> {
  const { engine, end, linear, change, start, alpha } = way;
  const curved = norm(change.map((value, i) => value - linear[i])) / norm(linear);
  if (start.rank < start.of) return { curved, kept: null };
  const now = curved <= mostCurved ? await jacobianRank(engine, end, alpha, signal) : null;
  return { curved, kept: now === null ? 0 : now.smallest / start.smallest };
}

/** True if psi and J stay close enough to linear along the whole path. */
export function survives({ curved, kept }: WayEnd): boolean {
  return curved <= mostCurved && (kept === null || kept >= leastKept);
}

/** Why the undamped flow from the start of the run would leave the linear theory at its output scale, as a phrase; null where it would not. */
export async function undampedWay({
  engine,
  architecture,
  start,
  weights,
  signal,
}: ObservedRun): Promise<string | null> {
  const alpha = architecture.outputScale;
  const first = await jacobianRank(engine, start, alpha, signal);
  if (first === null) return null;
  const wide = engine.parameterCount > engine.sampleCount * engine.outputSize;
  if (first.rank < first.of)
    return `but J is singular at the start (rank ${first.rank} of ${first.of}): keep a damping`;
  const curvature = wide ? "dual" : "orthogonal";
  const point = await engine.linearize(start, { curvature, decay: 0, scaling: null }, signal);
  if (failed(point)) return null;
  const damping = wide ? (first.tolerance * first.largest * alpha) ** 2 : 0;
  const solved = await engine.solve({ damping, decay: 0, scaling: null }, signal);
  if (failed(solved)) return null;
  const c = engine.outputSize;
  const linear = weighted(await engine.jacobianProduct(start, solved.step, signal), weights, c);
  if (norm(linear) === 0) return null;
  const end = start.map((value, j) => value + solved.step[j]);
  const [before, after] = [await engine.forward(start, signal), await engine.forward(end, signal)];
  const change = weighted(
    after.map((value, k) => value - before[k]),
    weights,
    c,
  );
  const way = await endOfWay({ engine, end, linear, change, start: first, alpha }, signal);
  if (survives(way)) return null;
  const what =
    way.curved > mostCurved
      ? `psi would end ${percent(way.curved)} off its linear prediction`
      : `J would keep ${percent(way.kept ?? 0)} of its smallest singular value`;
  return `but not at this outputScale of ${alpha}, at which ${what}: raise it first (recommendOutputScale), or the flow runs into a singular J`;
}
