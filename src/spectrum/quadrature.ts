// Estimates traces of functions of a symmetric positive semidefinite operator that is given by its products: the eigenvalues' place is taken
// by nodes with weights, by Lanczos from random signs (stochastic Lanczos quadrature: Ubaru, Chen, Saad 2017, SIAM J. Matrix Anal. Appl.
// 38:1075). method/bayesian calls it where the order is too large for all eigenvalues, or where there is no matrix.
//
//   tr f(A) ~ (order / probes) sum_probes sum_k tau_k^2 f(theta_k),    theta_k, tau_k of each probe's tridiagonal matrix
//
// Directions are not orthogonalized again: copies of converged values share the weight of one (Golub and Meurant 2010, section 4), and three
// vectors a probe are held. The probes are the same in every call, so that two points of a run differ by what they are and not by the draw.
import { tridiagonalEigen } from "../algebra/symmetric-eigen.js";
import { Pace } from "../event-loop-yield.js";
import { Random } from "../random.js";

/** Nodes, and how many eigenvalues each stands for; together as many as the order. */
export interface Quadrature {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/** Random vectors: the relative error of a trace of t is about (2 / (PROBES t))^(1/2). */
export const PROBES = 16;
/** Products of each. */
export const LANCZOS_STEPS = 40;
const SEED = 1;

/**
 * The nodes of the operator of this order.
 * @param product of a block of vectors, row after row, in the same form
 */
export async function quadrature(
  order: number,
  product: (vectors: Float64Array) => Promise<Float64Array>,
  signal?: AbortSignal,
): Promise<Quadrature> {
  const steps = Math.min(LANCZOS_STEPS, order);
  const diagonal = Array.from({ length: PROBES }, () => new Float64Array(steps));
  const beside = Array.from({ length: PROBES }, () => new Float64Array(steps));
  const taken = new Int32Array(PROBES).fill(steps);
  const random = new Random(SEED, order);
  let now = Float64Array.from({ length: PROBES * order }, () => (random.uniform() < 0.5 ? -1 : 1) / Math.sqrt(order));
  let before = new Float64Array(PROBES * order);
  const pace = new Pace(signal);
  for (let m = 0; m < steps; m++) {
    const next = (await product(now)).slice();
    for (let k = 0; k < PROBES; k++) {
      if (m >= taken[k]) continue;
      const part = [next, now, before].map((block) => block.subarray(k * order, (k + 1) * order));
      const [share, rest] = recurrence(part, m === 0 ? 0 : beside[k][m - 1]);
      diagonal[k][m] = share;
      beside[k][m] = rest;
      // Only rounding is left: the directions so far span a space that the operator maps to itself.
      if (rest <= order * Number.EPSILON * Math.abs(diagonal[k][0])) taken[k] = m + 1;
    }
    [before, now] = [now, next];
    await pace.turn();
  }
  return nodesOf(order, diagonal, beside, taken, pace);
}

/** The next direction in place of the product, of unit length: a step of the three-term recurrence. Returns both entries of the tridiagonal matrix. */
function recurrence([next, now, before]: readonly Float64Array[], coupling: number): readonly [number, number] {
  let share = 0;
  for (let i = 0; i < next.length; i++) {
    next[i] -= coupling * before[i];
    share += next[i] * now[i];
  }
  let square = 0;
  for (let i = 0; i < next.length; i++) {
    next[i] -= share * now[i];
    square += next[i] ** 2;
  }
  const rest = Math.sqrt(square);
  if (rest > 0) for (let i = 0; i < next.length; i++) next[i] /= rest;
  return [share, rest];
}

async function nodesOf(
  order: number,
  diagonal: readonly Float64Array[],
  beside: readonly Float64Array[],
  taken: Int32Array,
  pace: Pace,
): Promise<Quadrature> {
  const nodes: { readonly value: number; readonly weight: number }[] = [];
  for (let k = 0; k < PROBES; k++) {
    const m = taken[k];
    const { values, vectors } = await tridiagonalEigen(diagonal[k].subarray(0, m), beside[k], "all", pace);
    for (let j = 0; j < m; j++)
      nodes.push({ value: Math.max(0, values[j]), weight: (order / PROBES) * vectors[j * m] ** 2 });
  }
  nodes.sort((a, b) => a.value - b.value);
  return {
    values: Float64Array.from(nodes, ({ value }) => value),
    weights: Float64Array.from(nodes, ({ weight }) => weight),
  };
}
