// Makes the randomized Nystrom preconditioner of the matrix-free route, for `make-preconditioner.ts` once a linearization: A restricted to
// the span of A Omega for a random Omega of r vectors, computed by one block product with G.
//
//   Y = A Omega,  A ~ Y (Omega^T Y)^-1 Y^T = U Lambda U^T,   P^-1 = (lambda_r + mu) U (Lambda + mu)^-1 U^T + (I - U U^T)
//
// Source: Frangella, Tropp and Udell, SIAM J. Matrix Anal. Appl. 44 (2023), algorithms 2.1 and 5.1. A vector is one row here.

import { symmetricEigen } from "../algebra/symmetric-eigen.js";
import { dot } from "../algebra/vectors.js";
import { Pace } from "../event-loop-yield.js";
import type { Problem } from "../linearize/problem.js";
import { Slot } from "../linearize/workspace.js";
import { multiplyTransposed } from "../network/dense.js";
import { Random } from "../random.js";
import type { Preconditioner } from "./preconditioner.js";

/** Seed of the test vectors: the same ones at every linearization, so that a resumed run has them too. */
const seed = 1;
const testVectors = new Slot<Float64Array>("Nystrom test vectors");

export async function nystrom(
  problem: Problem,
  asked: number,
  root: Float64Array | null,
  signal: AbortSignal | undefined,
): Promise<Preconditioner> {
  const { engine, decay } = problem;
  const p = engine.parameterCount;
  const rank = Math.min(asked, p);
  const omega = problem.workspace?.get(testVectors) ?? orthonormal(rank, p);
  problem.workspace?.set(testVectors, omega);
  const at = (row: number) => row * p;
  const y = await engine.curvatureProduct(root === null ? omega : scaleRows(omega.slice(), root), signal);
  if (root !== null) scaleRows(y, root);
  if (decay > 0)
    for (let k = 0, j = 0; k < y.length; k++, j = j + 1 === p ? 0 : j + 1)
      y[k] += decay * omega[k] * (root === null ? 1 : root[j] ** 2);
  // A shift at rounding level keeps the small matrix definite; it is subtracted from the eigenvalues afterwards.
  const shift = Number.EPSILON * Math.sqrt(p) * Math.sqrt(dot(y, y));
  for (let k = 0; k < y.length; k++) y[k] += shift * omega[k];
  const core = new Float64Array(rank * rank);
  multiplyTransposed(omega, 0, rank, y, 0, rank, p, core, 0, rank);
  const kept = choleskyRows(core, rank, y, p);
  const gram = new Float64Array(kept * kept);
  multiplyTransposed(y, 0, kept, y, 0, kept, p, gram, 0, kept);
  const pace = new Pace(signal, () => {});
  const { values, vectors } = await symmetricEigen(gram, kept, true, pace);
  // Largest first; rows of U. Values at rounding level have vectors that are not orthogonal: they are left out.
  const top = values[kept - 1];
  const lambda: number[] = [];
  const u = new Float64Array(kept * p);
  for (let k = kept - 1; k >= 0 && values[k] > kept * Number.EPSILON * top; k--) {
    const row = u.subarray(at(lambda.length), at(lambda.length + 1));
    for (let i = 0; i < kept; i++) {
      const weight = (vectors as Float64Array)[k * kept + i] / Math.sqrt(values[k]);
      for (let j = 0; j < p; j++) row[j] += weight * y[i * p + j];
    }
    lambda.push(Math.max(0, values[k] - shift));
    await pace.turn();
  }
  return {
    at: async (damping) => {
      const last = (lambda.at(-1) ?? 0) + damping;
      if (!(last > 0)) return (r) => r.slice();
      return (r) => {
        const out = r.slice();
        for (let k = 0; k < lambda.length; k++) {
          const row = u.subarray(at(k), at(k + 1));
          const share = (last / (lambda[k] + damping) - 1) * dot(row, r);
          for (let j = 0; j < p; j++) out[j] += share * row[j];
        }
        return out;
      };
    },
  };
}

/** Every row times D^(-1/2), in place. */
function scaleRows(rows: Float64Array, root: Float64Array): Float64Array {
  for (let k = 0, j = 0; k < rows.length; k++, j = j + 1 === root.length ? 0 : j + 1) rows[k] *= root[j];
  return rows;
}

/** `rank` orthonormal random rows of p entries: normal numbers, made orthogonal by their own Cholesky factor, twice. */
function orthonormal(rank: number, p: number): Float64Array {
  const random = new Random(seed, rank);
  const rows = Float64Array.from({ length: rank * p }, () => random.normal());
  for (let pass = 0; pass < 2; pass++) {
    const gram = new Float64Array(rank * rank);
    multiplyTransposed(rows, 0, rank, rows, 0, rank, p, gram, 0, rank);
    choleskyRows(gram, rank, rows, p);
  }
  return rows;
}

/**
 * rows <- C^-1 rows with C C^T = `core`, row after row. Ends where a pivot is lost in rounding: the rows before it are returned as
 * their number.
 */
function choleskyRows(core: Float64Array, n: number, rows: Float64Array, p: number): number {
  const c = new Float64Array(n * n);
  let top = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, core[i * n + i]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0.5 * (core[i * n + j] + core[j * n + i]);
      for (let k = 0; k < j; k++) sum -= c[i * n + k] * c[j * n + k];
      if (i > j) c[i * n + j] = sum / c[j * n + j];
      else if (!(sum > n * Number.EPSILON ** 2 * top)) return i;
      else c[i * n + i] = Math.sqrt(sum);
    }
    const row = rows.subarray(i * p, (i + 1) * p);
    for (let k = 0; k < i; k++) {
      const weight = c[i * n + k];
      const from = rows.subarray(k * p, (k + 1) * p);
      for (let j = 0; j < p; j++) row[j] -= weight * from[j];
    }
    for (let j = 0; j < p; j++) row[j] /= c[i * n + i];
  }
  return n;
}
