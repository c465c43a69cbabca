// Adds geodesic acceleration to a damped step (Transtrum and Sethna 2012, arXiv 1201.5885). Levenberg-Marquardt's propose.ts calls it for
// every trial unless the option is off or the run stalls. With the velocity v and the correction a from (G + decay I + mu D) a = -J~^T
// psi~_vv, the step becomes v + a/2 if 2 |a|_D <= 0.75 |v|_D.
import { plainVectors } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import type { Point, Problem } from "../linearize/problem.js";
import { scaledNormSquared } from "./damped-step.js";
import type { DampedStep } from "./step-model.js";

/** Largest ratio 2 |a| / |v| at which the second-order model is trusted (alpha in the paper). */
const mostAcceleration = 0.75;

/** A damped step that can be accelerated, with the acceleration that it holds. */
export interface Accelerable extends DampedStep {
  /** 2 |a|_D / |v|_D where the step holds the acceleration a, else null. */
  readonly acceleration: number | null;
}

/**
 * The step with its acceleration, or the unchanged step if the ratio is too large or a is not finite. The predicted reduction stays that of
 * the velocity. The acceleration needs the factor of the solve that made the step. The matrix-free route has none and returns the velocity,
 * because another run of conjugate gradients costs as much as a further step. A factor of a subset of the samples returns the velocity too:
 * it contains too few directions, and the ratio was too large wherever it was tried.
 */
export async function accelerated<T extends Accelerable>(
  problem: Problem,
  point: Point,
  velocity: T,
  signal?: AbortSignal,
): Promise<T | Failure> {
  if (problem.route === "matrix-free" || point.subset !== null) return velocity;
  const { engine, spare } = problem;
  const answer = await engine.accelerate(velocity.step, point.scaling, signal, spare?.take());
  if (failed(answer)) return answer.code === "memory" ? answer : velocity;
  spare?.borrow(answer.acceleration);
  const length = scaledNormSquared(problem, point.scaling, velocity.step);
  const ratio = 2 * Math.sqrt(scaledNormSquared(problem, point.scaling, answer.acceleration) / length);
  const seconds = velocity.seconds + answer.seconds;
  if (!(ratio <= mostAcceleration)) return { ...velocity, seconds };
  // Written to the array of the acceleration, which nobody else uses: with many parameters every vector counts.
  const { addScaled } = engine.vectors ?? plainVectors;
  const step = addScaled(velocity.step, 0.5, answer.acceleration, answer.acceleration);
  return { ...velocity, step, acceleration: ratio, seconds };
}
