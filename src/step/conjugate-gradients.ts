// Solves A x = b by preconditioned conjugate gradients, A symmetric and given by products alone. matrix-free.ts and hessian-step.ts call it
// once for each step. The Gauss-Newton matrix is positive definite. The exact Hessian need not be: the iteration ends where a direction has
// negative curvature, at the last x before it, which still lowers the model (Dembo and Steihaug 1983).
//
//   model q(x) = 1/2 x^T A x - b^T x = -1/2 (b + r)^T x,   r = b - A x          (falls with every iteration)
//
// The iteration ends at a relative residual, or when the model stops falling: a damped Gauss-Newton system is solved for its step, and the
// value of a step is the decrease of the model (Nash and Sofer 1990; the test over a window after Martens 2010). Source: Hestenes and
// Stiefel 1952.
import { dot, norm } from "../algebra/vectors.js";
import type { InnerEnd } from "./inner-solve.js";

export interface ConjugateGradientOptions {
  /** y = A x. */
  readonly multiply: (x: Float64Array) => Promise<Float64Array>;
  /** z = P^-1 r, P positive definite. */
  readonly precondition: (r: Float64Array) => Float64Array | Promise<Float64Array>;
  /** Relative residual to reach. */
  readonly tolerance: number;
  readonly iterations: number;
  /** Whether A may be indefinite, so that a curvature of at most 0 is one of A and not one of rounding. Default false. */
  readonly indefinite?: boolean | undefined;
  /** The start, and A times it; null = 0. */
  readonly start: { readonly x: Float64Array; readonly product: Float64Array } | null;
}

export interface ConjugateGradientResult {
  readonly x: Float64Array;
  /** b - A x by the recurrence. */
  readonly r: Float64Array;
  readonly iterations: number;
  readonly residual: number;
  readonly end: InnerEnd;
}

/** Least relative decrease of the model, per iteration of the window, with which the iteration continues. */
const worthwhile = 5e-4;
const leastWindow = 10;

export async function conjugateGradients(
  b: Float64Array,
  { multiply, precondition, tolerance, iterations, indefinite = false, start }: ConjugateGradientOptions,
): Promise<ConjugateGradientResult> {
  const n = b.length;
  const x = start?.x.slice() ?? new Float64Array(n);
  const r = start === null ? b.slice() : b.map((value, j) => value - start.product[j]);
  const size = norm(b);
  const worth = Math.min(worthwhile, tolerance ** 2);
  const models: number[] = [];
  let z = await precondition(r);
  const p = z.slice();
  let rz = dot(r, z);
  let residual = size > 0 ? norm(r) / size : 0;
  for (let k = 0; ; k++) {
    let end: InnerEnd | null = null;
    if (residual <= tolerance) end = "residual";
    else if (stalled(models, worth)) end = "model";
    else if (k >= iterations) end = "iterations";
    else if (!(rz > 0)) end = "rounding";
    if (end !== null) return { x, r, iterations: k, residual, end };
    const product = await multiply(p);
    const curvature = dot(p, product);
    // Negative only by rounding where A is positive definite. Not finite if the products are not, and then neither is x.
    if (curvature <= 0) return { x, r, iterations: k, residual, end: indefinite ? "negative-curvature" : "rounding" };
    const alpha = rz / curvature;
    for (let j = 0; j < n; j++) {
      x[j] += alpha * p[j];
      r[j] -= alpha * product[j];
    }
    if (!Number.isFinite(alpha)) return { x: x.fill(Number.NaN), r, iterations: k + 1, residual, end: "rounding" };
    residual = norm(r) / size;
    models.push(-0.5 * (dot(b, x) + dot(r, x)));
    z = await precondition(r);
    const next = dot(r, z);
    const beta = next / rz;
    rz = next;
    for (let j = 0; j < n; j++) p[j] = z[j] + beta * p[j];
  }
}

/** True if the model fell by less than `worth` an iteration over the last window. */
function stalled(models: readonly number[], worth: number): boolean {
  const k = models.length;
  const window = Math.max(leastWindow, Math.floor(0.1 * k));
  if (k <= window) return false;
  const now = models[k - 1];
  return now < 0 && models[k - 1 - window] - now < -worth * window * now;
}
