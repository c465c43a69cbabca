// Estimates weight decay, noise and evidence of a fit from the spectrum of its Gauss-Newton matrix (MacKay 1992, Neural Computation 4:415;
// Foresee and Hagan 1997, ICNN). renew.ts calls it at an update, and for the result.
//
// Noise of variance 1/beta and a prior of precision alpha on every parameter make the objective beta (g + decay/2 |w|^2), decay = alpha/beta,
// g half the sum of squares. With the eigenvalues lambda of G, of N = n c equations:
//
//   gamma  = sum lambda / (lambda + decay)                    parameters that the data determine
//   alpha  = gamma / |w|^2,    beta = (N - gamma) / (2 g)      where the evidence is stationary
//   log evidence = -N/2 + N/2 log(N / (4 pi F)) - 1/2 sum log(1 + lambda / decay)
//
// F = g + decay/2 |w|^2, and beta is the N / (2 F) that maximizes the evidence at this decay; at the maximum it is that of the second line.
// K of the dual route has the same eigenvalues but zeros, which add nothing to a sum.
import type { Evidence } from "../regularization.js";

/** Eigenvalues of a curvature, or the nodes that stand for them. */
export interface Spectrum {
  /** Ascending, at least 0. */
  readonly values: Float64Array;
  /** How many eigenvalues each stands for; null = one each. */
  readonly weights: Float64Array | null;
}

/** What the estimates take of a point. */
export interface Fit {
  /** Sum loss g, half the sum of squares. */
  readonly loss: number;
  /** |w|^2. */
  readonly parameterSquare: number;
  /** N = n c. */
  readonly equations: number;
}

/** gamma, between 0 and the number of equations. */
export function effectiveParameters({ values, weights }: Spectrum, decay: number): number {
  return values.reduce((sum, value, k) => sum + (weights?.[k] ?? 1) * (value / (value + decay)), 0);
}

/** The evidence of a fit with this decay. */
export function evidenceOf(spectrum: Spectrum, fit: Fit, decay: number): Evidence {
  const { values, weights } = spectrum;
  const { loss, parameterSquare, equations } = fit;
  const gamma = effectiveParameters(spectrum, decay);
  const objective = loss + 0.5 * decay * parameterSquare;
  const occam = values.reduce((sum, value, k) => sum + (weights?.[k] ?? 1) * Math.log1p(value / decay), 0);
  const likelihood = -equations / 2 + (equations / 2) * Math.log(equations / (4 * Math.PI * objective));
  return {
    decay,
    effectiveParameters: gamma,
    noise: Math.sqrt((2 * loss) / restOf(equations, gamma)),
    logEvidence: likelihood - occam / 2,
  };
}

/** The decay for which the evidence would be stationary if gamma stayed as it is. */
export function nextDecay(gamma: number, { loss, parameterSquare, equations }: Fit): number {
  return (gamma * 2 * loss) / (restOf(equations, gamma) * parameterSquare);
}

/** N - gamma. Where the fit goes through the data it is 0 up to rounding, and so is the loss. */
function restOf(equations: number, gamma: number): number {
  return Math.max(equations - gamma, equations * Number.EPSILON);
}
