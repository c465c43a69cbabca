// Householder reflections and the QR factorization with column pivoting, for the orthogonal route of the reference engine: orthogonal.ts,
// jacobi.ts and semi-normal.ts call them (Golub and Van Loan, 5.1, 5.2 and 5.4.2).

import { norm } from "../../algebra/vectors.js";
import type { Pace } from "../../event-loop-yield.js";

/** Entries far below this length are denormal: they have too few digits for an H that is orthogonal to rounding. */
const TINY = 2 ** -900;
/** They are raised by a power of two, which is exact. */
const RAISE = 2 ** 600;

/**
 * H = I - tau v v^T with v = (1, rest) that turns (head, rest) into (kept, 0); `rest` is overwritten by that of v. Null where it is 0
 * already. No square of an entry is formed alone, so that columns of 1e-200 are reflected as well as those of 1.
 */
export function reflect(head: number, rest: Float64Array): { readonly kept: number; readonly tau: number } | null {
  const length = norm(rest);
  if (length === 0) return null;
  if (Math.hypot(head, length) < TINY) {
    for (let i = 0; i < rest.length; i++) rest[i] *= RAISE;
    const raised = reflect(head * RAISE, rest);
    return raised && { kept: raised.kept / RAISE, tau: raised.tau };
  }
  const kept = head > 0 ? -Math.hypot(head, length) : Math.hypot(head, length);
  for (let i = 0; i < rest.length; i++) rest[i] /= head - kept;
  return { kept, tau: (kept - head) / kept };
}

/**
 * Householder QR with column pivoting, in place: a[k][i] becomes R_ik for i <= k. Returns the order of the columns.
 * @param most reflections: where the rank cannot exceed it, the rows below are what rounding has left
 */
export async function pivotedQr(
  a: Float64Array[],
  right: Float64Array,
  pace: Pace,
  most = a.length,
): Promise<number[]> {
  const order = a.map((_, j) => j);
  for (let j = 0; j < most; j++) {
    const lengths = a.map((column, k) => (k < j ? -1 : norm(column.subarray(j))));
    const pivot = lengths.indexOf(Math.max(...lengths));
    [a[j], a[pivot]] = [a[pivot], a[j]];
    [order[j], order[pivot]] = [order[pivot], order[j]];
    const v = a[j].slice(j + 1);
    const reflection = reflect(a[j][j], v);
    if (reflection === null) continue;
    for (const column of [...a.slice(j + 1), right]) {
      let dot = column[j];
      for (let i = 0; i < v.length; i++) dot += v[i] * column[j + 1 + i];
      const factor = reflection.tau * dot;
      column[j] -= factor;
      for (let i = 0; i < v.length; i++) column[j + 1 + i] -= factor * v[i];
    }
    a[j][j] = reflection.kept;
    a[j].fill(0, j + 1);
    if (pace.due()) await pace.turn();
  }
  return order;
}
