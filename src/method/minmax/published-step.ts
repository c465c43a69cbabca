// Computes the step of the Gauss-Newton method for min-max games as it is published (Mishra et al. 2024, arXiv
// 2404.07172), for `minmaxGaussNewton({ step: "published" })`. With v the gradients of both players in one vector
//
//   u = sqrt(rate/lambda) v       z = (sqrt(lambda) (I + u u^T))^-1 v = (1/sqrt(lambda)) (v - u (u^T v)/(1 + u^T u))      w <- w - rate (v - z)
//
// u is parallel to v, so that v - z = scalar v with
//
//   scalar = 1 - 1 / (sqrt(lambda) (1 + (rate/lambda) |v|^2))
//
// The step is a gradient step whose length the scalar sets. For lambda < 1 and a small |v| the scalar is negative: both
// players then climb their own losses. With lambda = 1 it is (rate |v|^2)/(1 + rate |v|^2), never negative, which is
// what the guard falls back to.

/** The length of a published step along the gradients. */
export interface PublishedScalar {
  /** Factor of v in v - z: the step is -rate * scalar * v. */
  readonly scalar: number;
  /** True where the published scalar was negative, and the one of lambda = 1 took its place. */
  readonly guarded: boolean;
}

/**
 * The scalar of a published step.
 * @param square |v|^2
 */
export function publishedScalar(square: number, rate: number, lambda: number, guard: boolean): PublishedScalar {
  const scalar = 1 - 1 / (Math.sqrt(lambda) * (1 + (rate / lambda) * square));
  if (!guard || scalar >= 0) return { scalar, guarded: false };
  const length = rate * square;
  return { scalar: length / (1 + length), guarded: true };
}

/** Weight of the old squares in the moving average of `normalize`. */
const KEPT = 0.99;
const FLOOR = 1e-7;

/**
 * The normalization of the authors' scripts for images, in place: squares <- 0.99 squares + 0.01 v^2, v <- v /
 * (sqrt(squares) + 1e-7), by entry and without a correction of the start.
 */
export function normalizeByRoots(v: Float64Array, squares: Float64Array): void {
  for (let j = 0; j < v.length; j++) {
    squares[j] = KEPT * squares[j] + (1 - KEPT) * v[j] ** 2;
    v[j] /= Math.sqrt(squares[j]) + FLOOR;
  }
}
