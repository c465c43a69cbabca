// Measures one point for the monitor, on the engine: spectrum, tangent and normal part of the residual, dissipation. monitor.ts calls it
// for each observed point of a run.
//
//   p <= n c   R of J~ = Q R up to `exactParameters` parameters (singular values exact, rank revealed), above that the Gram matrix
//   p > n c    the tangent kernel
//
//   tangent^2 = r^T P r = -gradient^T step with the undamped Gauss-Newton step. Where the matrix is singular to rounding, P projects
//   on the eigenvectors above the floor: the step is damped by the floor, which leaves 1/2 of a direction at it, 99% at a hundred floors.
//   normal = |r + J step| with that step, not the root of |r|^2 - tangent^2, which cancels where the network nearly interpolates.
//   A decay adds rows sqrt(decay) w to r and sqrt(decay) I to J. The cost is one linearization and O(order^3).
import { dot, norm } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { GaussflowError } from "../errors.js";
import { objectiveOf } from "../linearize/problem.js";
import { weighted } from "../loss/weighted.js";
import { measuredCurvature } from "../plan/observation.js";
import { type ExtremeEigenvalues, extremeEigenvalues } from "../spectrum/spectrum.js";
import type { MonitorSpectrum } from "./monitor-report.js";

export interface MeasureOptions {
  /** outputScale. */
  readonly alpha: number;
  readonly decay: number;
  readonly spectrum: boolean;
  readonly parts: boolean;
  /** mu of the step whose dissipation is wanted; null = none. */
  readonly damping: number | null;
  /** Whether the loss is squared error. */
  readonly sumOfSquares: boolean;
  readonly targets: Float64Array;
  readonly weights: Float64Array | null;
  readonly signal?: AbortSignal | undefined;
}

export interface Measured {
  readonly ok: true;
  readonly objective: number;
  readonly gradientNorm: number;
  readonly spectrum: MonitorSpectrum | null;
  /** Numerical rank of J. */
  readonly rank: number | null;
  readonly tangentNorm: number | null;
  readonly normalNorm: number | null;
  readonly dissipation: number | null;
}

/** How often the damping is raised if the matrix is singular to rounding, and by which factor. */
const raises = 4;
const raise = 8;

/** Measures the point; a failure if it is not finite or there is no memory for its curvature. */
export async function measure(
  engine: NetworkEngine,
  parameters: Float64Array,
  options: MeasureOptions,
): Promise<Measured | Failure> {
  const { alpha, decay, damping, signal } = options;
  const p = engine.parameterCount;
  const equations = engine.sampleCount * engine.outputSize;
  const needed = options.spectrum || options.parts || damping !== null;
  const curvature = needed ? measuredCurvature(p, equations) : "none";
  const point = await engine.linearize(parameters, { curvature, decay, scaling: null }, signal);
  if (failed(point)) return point;
  const objective = objectiveOf(point.loss, decay, parameters);
  const bare = { ok: true, objective, gradientNorm: norm(point.gradient) } as const;
  if (!needed) return { ...bare, spectrum: null, rank: null, tangentNorm: null, normalNorm: null, dissipation: null };
  const wanted = options.spectrum || (options.parts && curvature !== "orthogonal");
  const found = wanted ? await extremeEigenvalues(engine, { scale: alpha ** 2 }, signal) : null;
  let rank = found === null ? null : Math.min(p, equations) - found.below;
  const stepAt = async (mu: number) => {
    // A gradient of 0 has a step of 0, whatever the matrix: that of a network whose units are all dead is 0 too.
    if (bare.gradientNorm === 0 && curvature !== "orthogonal") return new Float64Array(p);
    const solved = await engine.solve({ damping: mu, decay, scaling: null }, signal);
    if (failed(solved)) {
      if (solved.code === "memory") throw new GaussflowError("GAUSSFLOW_MEMORY", solved.message);
      return null;
    }
    if (mu === 0 && decay === 0) rank ??= solved.rank?.rank ?? null;
    return solved.step;
  };
  const undampedStep = async () => {
    const floor = curvature === "orthogonal" || decay > 0 ? 0 : (found?.floor ?? 0) * alpha ** 2;
    let step = await stepAt(floor);
    for (let k = 1; step === null && floor > 0 && k <= raises; k++) step = await stepAt(floor * raise ** k);
    return step;
  };
  const slope = (step: Float64Array) => Math.max(0, -dot(point.gradient, step));
  const undamped = options.parts ? await undampedStep() : null;
  const damped = damping === null ? null : await stepAt(damping);
  const along = damped === null ? null : slope(damped);
  // step(mu) = (1 - rho) dw/dt with rho = mu/(alpha^2 + mu), so 1/(1 - rho) = 1 + mu/alpha^2.
  const dissipation = along === null || damping === null ? null : along * (1 + damping / alpha ** 2);
  return {
    ...bare,
    spectrum: options.spectrum && found !== null ? asSpectrum(found) : null,
    rank,
    tangentNorm: undamped === null ? null : Math.sqrt(slope(undamped)),
    // Last, because the products discard the curvature that the engine holds.
    normalNorm:
      undamped === null || !options.sumOfSquares ? null : await leftOver(engine, parameters, undamped, options),
    dissipation,
  };
}

/** |r + J step| of the weighted residual, with the rows of a decay. */
async function leftOver(
  engine: NetworkEngine,
  parameters: Float64Array,
  step: Float64Array,
  { decay, targets, weights, signal }: MeasureOptions,
): Promise<number> {
  const c = engine.outputSize;
  const psi = await engine.forward(parameters, signal);
  const moved = await engine.jacobianProduct(parameters, step, signal);
  const left = psi.map((value, k) => value - targets[k] + moved[k]);
  const rest = weighted(left, weights, c);
  return decay === 0
    ? norm(rest)
    : Math.hypot(norm(rest), Math.sqrt(decay) * norm(step.map((value, j) => value + parameters[j])));
}

function asSpectrum({ largest, smallest, below, bound, values }: ExtremeEigenvalues): MonitorSpectrum {
  let [sum, squares] = [0, 0];
  for (const value of values ?? []) {
    sum += value;
    squares += value ** 2;
  }
  const effectiveRank = values === null || squares === 0 ? null : sum ** 2 / squares;
  return Object.freeze({
    largest,
    smallest,
    below,
    condition: smallest > 0 ? largest / smallest : Number.POSITIVE_INFINITY,
    effectiveRank,
    bound,
  });
}
