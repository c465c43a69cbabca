// The quadratic model of the objective with its exact Hessian: products, predicted reductions, and how far down its systems are solved.
// hessian-step.ts (primal and dual routes) and matrix-free.ts call it for steps of Levenberg-Marquardt on losses other than squared error.
//
//   model(s) = gradient.s + 1/2 s^T (F'' + decay I) s
//
// The relative residual to reach falls with the gradient, which makes convergence superlinear (Dembo, Eisenstat and Steihaug 1982):
//   min(0.1, sqrt(relative gradient))
import { addScaled, dot } from "../algebra/vectors.js";
import type { Engine } from "../backend/engine.js";
import type { Problem } from "../linearize/problem.js";

/** An engine with second derivatives. */
export type HessianEngine = Engine & Required<Pick<Engine, "hessianProduct" | "dampedInverse">>;

/** Least and largest relative residual. */
const [finest, coarsest] = [1e-8, 0.1];

/** The relative residual to reach at a point whose gradient is this, relative to that at the start of the run. */
export function hessianTolerance(relativeGradient: number): number {
  return Math.min(coarsest, Math.max(finest, Math.sqrt(relativeGradient)));
}

/** (F'' + decay I) s. */
export async function hessianImage(
  { engine, decay }: Problem,
  s: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const image = await (engine as HessianEngine).hessianProduct(s, signal);
  return decay > 0 ? addScaled(image, decay, s, image) : image;
}

/** -model(s) of a step that was not solved for in this model, for one more product. */
export async function exactPrediction(
  problem: Problem,
  { step, slope }: { readonly step: Float64Array; readonly slope: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  return -slope - 0.5 * dot(step, await hessianImage(problem, step, signal));
}
