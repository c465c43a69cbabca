// Computes singular values and right singular vectors by one-sided Jacobi rotations: A V = U S, where V is a product of plane rotations that
// make the columns of A orthogonal. fit/covariance.ts calls it to find which combinations of parameters the data determine.
// Small singular values have small relative errors where a scaling of the columns makes A well conditioned, which methods that first
// reduce A to a bidiagonal do not achieve. Source: Demmel and Veselic, Jacobi's method is more accurate than QR, SIAM J. Matrix Anal. 13
// (1992) 1204-1245. The Jacobi rotations of the reference engine are for matrices so large that they must take turns with the event loop.
import { dotAt } from "../algebra/vectors.js";
import { GaussflowError } from "../errors.js";

/** The singular values, descending, and the right singular vectors, one row of n numbers each. */
export interface SingularValues {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Sweeps needed are 5 to 10; more than this has never been seen for finite matrices. */
const SWEEPS = 60;

/**
 * Singular values and right singular vectors.
 *
 * @param columns the n columns of A one after the other, each of m numbers of order one; overwritten
 */
export function singularValues(columns: Float64Array, m: number, n: number): SingularValues {
  const v = new Float64Array(n * n);
  for (let k = 0; k < n; k++) v[k * n + k] = 1;
  for (let sweep = 0, rotated = true; rotated; sweep++) {
    if (sweep === SWEEPS)
      throw new GaussflowError("GAUSSFLOW_INTERNAL", `Jacobi rotations did not converge in ${SWEEPS} sweeps`);
    rotated = false;
    for (let a = 0; a < n - 1; a++)
      for (let b = a + 1; b < n; b++) {
        const turn = rotation(columns.subarray(a * m, (a + 1) * m), columns.subarray(b * m, (b + 1) * m));
        if (turn === null) continue;
        rotated = true;
        rotate(columns, a * m, b * m, m, turn);
        rotate(v, a * n, b * n, n, turn);
      }
  }
  const sizes = Float64Array.from({ length: n }, (_, k) => Math.sqrt(dotAt(columns, k * m, columns, k * m, m)));
  const order = Array.from(sizes.keys()).sort((i, j) => sizes[j] - sizes[i]);
  const vectors = new Float64Array(n * n);
  for (const [to, from] of order.entries()) vectors.set(v.subarray(from * n, (from + 1) * n), to * n);
  return { values: Float64Array.from(order, (k) => sizes[k]), vectors };
}

interface Turn {
  readonly cosine: number;
  readonly sine: number;
}

/** The rotation that makes two columns orthogonal; null where they are, to rounding. */
function rotation(x: Float64Array, y: Float64Array): Turn | null {
  const m = x.length;
  const xx = dotAt(x, 0, x, 0, m);
  const yy = dotAt(y, 0, y, 0, m);
  const xy = dotAt(x, 0, y, 0, m);
  const negligible = Number.EPSILON * m * Math.sqrt(xx) * Math.sqrt(yy);
  if (Math.abs(xy) <= negligible || xx === 0 || yy === 0) return null;
  const zeta = (yy - xx) / (2 * xy);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  return { cosine, sine: cosine * tangent };
}

function rotate(values: Float64Array, a: number, b: number, count: number, { cosine, sine }: Turn): void {
  for (let i = 0; i < count; i++) {
    const x = values[a + i];
    const y = values[b + i];
    values[a + i] = cosine * x - sine * y;
    values[b + i] = sine * x + cosine * y;
  }
}
