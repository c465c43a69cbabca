// The first point of a run that is not resumed, and the state that the method starts with: the size of the curvature is known only there.
import { type Failure, failed } from "../backend/engine.js";
import { freshScaling, linearizeAt, type Point, type Problem } from "../linearize/problem.js";
import { checkState } from "../method/check-method.js";
import type { MethodState } from "../method/method.js";
import type { Effort } from "../step/step-policy.js";
import type { MinimizeOptions } from "./minimize-options.js";
import { curvatureScale } from "./outcome.js";

/**
 * @param maximum the running maximum of diag G, still 0; null with identity scaling
 * @returns the point, at `startBeside(point)` where that answers parameters, and the method's first state
 */
export async function firstPoint(
  problem: Problem,
  { method, startBeside }: Pick<MinimizeOptions, "method" | "startBeside">,
  parameters: Float64Array,
  maximum: Float64Array | null,
  effort: Effort,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly point: Point; readonly state: MethodState } | Failure> {
  const { decay, scaling, route } = problem;
  const probe = maximum === null && route !== "dual" ? freshScaling(problem) : null;
  const at = (where: Float64Array) => linearizeAt(problem, where, maximum, probe, signal, effort);
  let point = await at(parameters);
  const beside = failed(point) ? null : (startBeside?.(point) ?? null);
  if (beside !== null) {
    // What diag G was at the point left behind is no part of the run.
    maximum?.fill(0);
    probe?.fill(0);
    point = await at(beside);
  }
  if (failed(point)) return point;
  const scale = curvatureScale(point, decay, probe, scaling === "root");
  const state = method.start(scale, scaling, point.parameters.length);
  checkState("options.method.start", state);
  return { ok: true, point, state };
}
