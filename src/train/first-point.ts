// Linearizes the first point of a run that is not resumed and makes the first state of the method, which depends on the size of the
// curvature there. base.ts calls it once, in the first iteration.
import { addScaled, dot } from "../algebra/vectors.js";
import { type Engine, type Failure, failed } from "../backend/engine.js";
import { freshScaling, linearizeAt, type Point, type Problem } from "../linearize/problem.js";
import { checkState } from "../method/check-method.js";
import type { MethodState } from "../method/method.js";
import type { Fidelity } from "../step/fidelity.js";
import type { MinimizeOptions } from "./minimize-options.js";

/**
 * @param maximum the running maximum of diag G, still 0; null with identity scaling
 * @returns the point, at `startBeside(point)` where that answers parameters, and the method's first state
 */
export async function firstPoint(
  problem: Problem,
  { method, startBeside }: Pick<MinimizeOptions, "method" | "startBeside">,
  parameters: Float64Array,
  maximum: Float64Array | null,
  fidelity: Fidelity,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly point: Point; readonly state: MethodState } | Failure> {
  const { decay, scaling, route } = problem;
  const probe = maximum === null && route !== "dual" ? freshScaling(problem) : null;
  const at = (where: Float64Array) => linearizeAt(problem, where, maximum, probe, signal, fidelity);
  let point = await at(parameters);
  const beside = failed(point) ? null : (startBeside?.(point) ?? null);
  if (beside !== null) {
    // diag G and the gradient of the first point are not part of the run.
    if (problem.gradientStart) problem.gradientStart.value = null;
    maximum?.fill(0);
    probe?.fill(0);
    point = await at(beside);
  }
  if (failed(point)) return point;
  const kernel = route === "dual" && problem.gradientStart !== undefined && maximum === null;
  const scale = kernel
    ? await kernelScale(problem.engine, signal)
    : curvatureScale(point, decay, probe, scaling === "root");
  const state = method.start(scale, scaling, point.parameters.length);
  checkState("options.method.start", state);
  return { ok: true, point, state };
}

/**
 * Size of the kernel K of a loss other than squared error: a Rayleigh quotient after a power iteration. The quotient of z would be as good as
 * 0 where a prediction is sure and wrong, because its entry of z is huge and its row of K is next to nothing.
 */
async function kernelScale(engine: Engine, signal: AbortSignal): Promise<number> {
  const order = engine.sampleCount * engine.outputSize;
  // Any vector that no symmetry of the problem makes orthogonal to the large eigenvalues.
  const start = Float64Array.from({ length: order }, (_, i) => 1 + Math.sin(i + 1) / 2);
  const image = await engine.curvatureProduct(start, signal);
  const scale = dot(image, await engine.curvatureProduct(image, signal)) / dot(image, image);
  return scale > 0 && Number.isFinite(scale) ? scale : 1;
}

/** Size of the curvature in the units of D, max_j G_jj / D_j, for the first damping. */
function curvatureScale(point: Point, decay: number, probe: Float64Array | null, rooted: boolean): number {
  let scale = 0;
  if (point.scaling !== null) {
    if (!rooted) return 1;
    for (const value of point.scaling) scale = Math.max(scale, value); // G_jj = D_j^2 at the start
    return scale;
  }
  if (probe !== null) for (const value of probe) scale = Math.max(scale, value);
  // Dual route: z.K z / z.z, a Rayleigh quotient of the kernel that costs nothing: z.K z = |J~^T z|^2.
  else if (point.residualSquare > 0) {
    const slope = decay === 0 ? point.gradient : addScaled(point.gradient, -decay, point.parameters);
    scale = dot(slope, slope) / point.residualSquare;
  }
  return scale > 0 && Number.isFinite(scale) ? scale : 1;
}
