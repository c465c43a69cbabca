// Computes the length of a step in the scaling D of the primal and matrix-free routes, one factor a parameter, for `damped-step.ts`.
//
//   (J~^T J~ + decay I + mu D) s = -gradient
//
// On the primal route the engine solves this system with n c p^2 + p^3/3 flops and p^2 numbers: the route for p <= n c.

/** s^T D s with D = diag(scaling). */
export function diagonalNormSquared(scaling: Float64Array, step: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < step.length; j++) sum += scaling[j] * step[j] ** 2;
  return sum;
}
