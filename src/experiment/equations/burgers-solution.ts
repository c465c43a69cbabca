// Computes the exact solution of Burgers' equation that the experiment "equations" and bench/equations.mjs compare with.

/** Half-width and step of the trapezoidal rule: exp(-s^2) times a factor of at most exp(1 / (pi nu)), for nu from 0.003 on. */
const REACH = 14;
const STEP = 1 / 128;

/**
 * u(x, t) of u_t + u u_x = nu u_xx on the periodic line with u(x, 0) = -sin(pi x), after Cole (1951) and Hopf (1950):
 *
 *   u = - int sin(pi y) f(y) g ds / int f(y) g ds,   y = x - s sqrt(4 nu t),   f(y) = exp(-cos(pi y) / (2 pi nu)),   g = exp(-s^2)
 *
 * The integrands are entire and vanish at the ends, so that the trapezoidal rule is exact to rounding.
 */
export function burgersSolution(x: number, t: number, nu: number): number {
  if (t === 0) return -Math.sin(Math.PI * x);
  const width = Math.sqrt(4 * nu * t);
  const steps = Math.round(REACH / STEP);
  let [top, bottom] = [0, 0];
  for (let k = -steps; k <= steps; k++) {
    const s = k * STEP;
    const y = Math.PI * (x - s * width);
    // Relative to the largest value that f can have.
    const weight = Math.exp(-(1 + Math.cos(y)) / (2 * Math.PI * nu) - s * s);
    top += weight * Math.sin(y);
    bottom += weight;
  }
  return -top / bottom;
}
