// What the monitor measures at a point, on the engine: spectrum, tangent and normal part of the residual, dissipation.
//
//   p <= n c   R of J~ = Q R up to `exactParameters` parameters (singular values exact, rank revealed), above that the Gram matrix
//   p > n c    the tangent kernel
//
//   tangent^2 = r^T P r = -gradient^T step with the undamped Gauss-Newton step; where the matrix is singular to rounding, P projects
//   on the eigenvectors above the floor: the step is damped by the floor, which leaves 1/2 of a direction at it, 99% at a hundred floors.
//   A decay joins r and J as rows sqrt(decay) w and sqrt(decay) I. All of it costs one linearisation and O(order^3).
import { type Engine, failed } from "../backend/engine.js";
import { exactParameters } from "../linearise/jacobian-rank.js";
import type { MonitorSpectrum } from "../linearise/observer.js";
import { dot, norm, objectiveOf } from "../linearise/problem.js";
import { type ExtremeEigenvalues, extremeEigenvalues } from "../linearise/spectrum.js";

export interface MeasureOptions {
  /** outputScale. */
  readonly alpha: number;
  readonly decay: number;
  readonly spectrum: boolean;
  readonly parts: boolean;
  /** mu of the step whose dissipation is wanted; null = none. */
  readonly damping: number | null;
  readonly signal?: AbortSignal | undefined;
}

export interface Measured {
  readonly objective: number;
  readonly gradientNorm: number;
  readonly spectrum: MonitorSpectrum | null;
  readonly tangentNorm: number | null;
  readonly normalNorm: number | null;
  readonly dissipation: number | null;
}

/** null where the point is not finite. */
export async function measure(
  engine: Engine,
  parameters: Float64Array,
  options: MeasureOptions,
): Promise<Measured | null> {
  const { alpha, decay, damping, signal } = options;
  const p = engine.parameterCount;
  const equations = engine.sampleCount * engine.outputSize;
  const needed = options.spectrum || options.parts || damping !== null;
  const curvature = !needed ? "none" : p > equations ? "dual" : p <= exactParameters ? "orthogonal" : "primal";
  const point = await engine.linearise(parameters, { curvature, decay, scaling: null }, signal);
  if (failed(point)) return null;
  const objective = objectiveOf(point.loss, decay, parameters);
  const bare = { objective, gradientNorm: norm(point.gradient) };
  if (!needed) return { ...bare, spectrum: null, tangentNorm: null, normalNorm: null, dissipation: null };
  const wanted = options.spectrum || (options.parts && curvature !== "orthogonal");
  const found = wanted ? await extremeEigenvalues(engine, { scale: alpha ** 2 }, signal) : null;
  const slope = async (mu: number) => {
    const solved = await engine.solve({ damping: mu, decay, scaling: null }, signal);
    return failed(solved) ? null : Math.max(0, -dot(point.gradient, solved.step));
  };
  const tangent = options.parts
    ? await slope(curvature === "orthogonal" || decay > 0 ? 0 : (found?.floor ?? 0) * alpha ** 2)
    : null;
  const along = damping === null ? null : await slope(damping);
  // step(mu) = (1 - rho) dw/dt with rho = mu/(alpha^2 + mu), so 1/(1 - rho) = 1 + mu/alpha^2.
  const dissipation = along === null || damping === null ? null : along * (1 + damping / alpha ** 2);
  return {
    ...bare,
    spectrum: options.spectrum && found !== null ? asSpectrum(found) : null,
    tangentNorm: tangent === null ? null : Math.sqrt(tangent),
    normalNorm: tangent === null ? null : Math.sqrt(Math.max(0, 2 * objective - tangent)),
    dissipation,
  };
}

function asSpectrum({ largest, smallest, below, bound, values }: ExtremeEigenvalues): MonitorSpectrum {
  let [sum, squares] = [0, 0];
  for (const value of values ?? []) {
    sum += value;
    squares += value ** 2;
  }
  const effectiveRank = values === null || squares === 0 ? null : sum ** 2 / squares;
  return Object.freeze({ largest, smallest, below, condition: largest / smallest, effectiveRank, bound });
}
