// Projects a point onto a ball in the metric of a positive definite H, the projection of Cayci's method (arXiv
// 2511.03972); cumulative.ts calls it where the option `radius` is given.
//
//   v = argmin (v - u)^T H (v - u)  subject to |v - c| <= r        (H + theta I)(v - c) = H (u - c),  theta >= 0
//
// |v - c| falls with theta. Newton's method on 1/|v - c|, which is concave in theta, goes up to the root from theta = 0
// and never beyond it (Conn, Gould and Toint, Trust-Region Methods, 2000, section 7.3).
import { dot, norm } from "../../algebra/vectors.js";

/** Products with H and with the inverses of its shifts; F is what a solve can answer besides a vector. */
export interface MetricSolver<F> {
  /** H x. */
  product(x: Float64Array): Promise<Float64Array>;
  /** Factors H + theta I; null, or why it cannot be. */
  factor(theta: number): Promise<F | null>;
  /** (H + theta I)^-1 x with the last factor. */
  inverse(x: Float64Array): Promise<Float64Array | F>;
}

/** Relative distance from the sphere at which the search for theta ends, and the most it takes. */
const TOLERANCE = 1e-13;
const MOST = 60;

/** v - c for the given u - c. */
export async function projectOntoBall<F extends { readonly code: string }>(
  offset: Float64Array,
  radius: number,
  metric: MetricSolver<F>,
): Promise<Float64Array | F> {
  if (norm(offset) <= radius) return offset;
  const image = await metric.product(offset);
  let at = offset;
  let theta = 0;
  for (let count = 0; count < MOST; count++) {
    const length = norm(at);
    if (length <= radius * (1 + TOLERANCE)) break;
    const broken = await metric.factor(theta);
    if (broken !== null) return broken;
    const slope = await metric.inverse(at);
    if (!(slope instanceof Float64Array)) return slope;
    theta += ((length * length) / dot(at, slope)) * (length / radius - 1);
    const failure = await metric.factor(theta);
    if (failure !== null) return failure;
    const next = await metric.inverse(image);
    if (!(next instanceof Float64Array)) return next;
    at = next;
  }
  // The last digits: onto the sphere along the ray.
  const factor = Math.min(1, radius / norm(at));
  return at.map((value) => factor * value);
}
