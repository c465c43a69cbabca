// Geodesic acceleration of a damped step (Transtrum and Sethna 2012, arXiv 1201.5885): with the velocity v and
// the correction a, (G + decay I + mu D) a = -J~^T psi~_vv, the step v + a/2 where 2 |a|_D <= 0.75 |v|_D.
import { plainVectors } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import type { Point, Problem } from "../linearize/problem.js";
import { scaledNormSquared } from "./damped-step.js";
import type { DampedStep } from "./step-model.js";

/** Beyond this ratio 2 |a| / |v| the second-order model is not to be trusted (their alpha). */
const mostAcceleration = 0.75;

/** What a step needs to be accelerated, and what comes of it. */
export interface Accelerable extends DampedStep {
  /** 2 |a|_D / |v|_D where the step holds the acceleration a, else null. */
  readonly acceleration: number | null;
}

/**
 * The step with its acceleration; the step as it was where the ratio is too large or a is not finite. The model's promise
 * stays that of the velocity. Needs the factor of the solve that made the step: the matrix-free route has none and takes the
 * velocity, since another run of conjugate gradients for a correction costs as much as a further step. So it is where the factor
 * is that of a subset of the samples; with that factor alone, which knows too few directions, the ratio was too large wherever it was tried.
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
  // In the acceleration's own array, which is ours: with many parameters every vector counts.
  const { addScaled } = engine.vectors ?? plainVectors;
  const step = addScaled(velocity.step, 0.5, answer.acceleration, answer.acceleration);
  return { ...velocity, step, acceleration: ratio, seconds };
}
