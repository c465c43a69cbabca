// Measures how much of a flow's velocity dw/dt is rounding: flow/field.ts and rounding-watch.ts call it while a flow's steps are rejected,
// and `recommendOutputScale` and the monitor take the parameters with a changed last digit from it. The parameters are known only to their
// last digit, so the velocities at w and at w with changed last digits are equally right. Where they differ much, no integrator can take
// long steps, because its error estimate compares velocities. Causes are a J whose smallest singular values are lost in rounding, a
// difference alpha (f - f_0) that cancels, or an eigenvalue that appears and disappears at the rounding floor.
import { norm } from "../algebra/vectors.js";
import { Random } from "../random.js";

/** Relative change of the velocity from which on rounding sets the step size. */
export const noisyVelocity = 0.01;

/** The parameters with every last digit changed up or down, by a fixed pattern. */
export function lastDigitMoved(parameters: Float64Array): Float64Array {
  const draw = new Random(1, 7);
  return parameters.map((value) => value * (1 + (draw.uniform() < 0.5 ? -1 : 1) * Number.EPSILON));
}

/** |moved - velocity| / |velocity|. */
export function relativeNoise(velocity: Float64Array, moved: Float64Array): number {
  const size = norm(velocity);
  return size === 0 ? 0 : norm(moved.map((value, j) => value - velocity[j])) / size;
}

export function roundingSentence(noise: number): string {
  return `rounding limits the flow: moving the parameters by their last digit changes dw/dt by ${(100 * noise).toPrecision(2)}%, so the smallest singular values of J, or differences of predictions, are lost in rounding; a constant damping above 0 cures it, a larger outputScale makes it worse`;
}
