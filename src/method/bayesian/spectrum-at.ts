// Finds the spectrum of the curvature of the last linearize for the estimates of `evidence.ts`: all eigenvalues of a matrix of moderate order,
// which give the traces of every decay at once, and nodes of a quadrature for products and large orders. renew.ts calls it.
import type { Problem } from "../../linearize/problem.js";
import { quadrature } from "../../spectrum/quadrature.js";
import type { Spectrum } from "./evidence.js";

/** Largest order whose eigenvalues are computed: 0.4 s at 2,000 on two cores, against 640 products of the quadrature. */
const EIGENVALUES_UP_TO = 2000;

/** The curvature is that of all samples in double precision, without scaling on the dual route. */
export async function spectrumAt({ engine, route }: Problem, signal: AbortSignal | undefined): Promise<Spectrum> {
  const order = route === "dual" ? engine.sampleCount * engine.outputSize : engine.parameterCount;
  if (engine.eigen === undefined || route === "matrix-free" || order > EIGENVALUES_UP_TO)
    return quadrature(order, (vectors) => engine.curvatureProduct(vectors, signal), signal);
  const { values } = await engine.eigen(false, signal);
  // Rounding makes some of the zeros negative.
  return { values: values.map((value) => Math.max(0, value)), weights: null };
}
