// Computes (J^T J)^-1 of a fit, without the product J^T J, whose condition number is the square of J's, and also where J has not full
// rank: directions in which the residuals do not change get infinite variance. statistics.ts calls it.
//
// With column norms D and J D^-1 = Q R, R = U S V^T: (J^T J)^-1 = D^-1 V S^-2 V^T D^-1. Where r singular values are not zero, variances and
// correlations are the limits for vanishing values in place of the zeros: N holds the right singular vectors of the zeros, and a parameter whose row
// of N is not zero is undetermined.
import { factorColumns, reflectionsOf } from "./householder.js";
import { type SingularValues, singularValues } from "./singular-values.js";

/** (J^T J)^-1 and what it is made of. The arrays hold q parameters, those that are free. */
export interface UnscaledCovariance {
  /** Number of directions that the residuals determine. */
  readonly rank: number;
  /** Ratio of the largest to the smallest singular value of J with columns of norm one; infinite below full rank. */
  readonly condition: number;
  /** q x q: entries of undetermined parameters are infinite, or 0 where they have no limit and the correlation is 0. */
  readonly matrix: Float64Array;
  /** q x q, ones on the diagonal. */
  readonly correlation: Float64Array;
  /** Places of the parameters whose value the residuals do not determine, ascending. */
  readonly undetermined: readonly number[];
}

/** A component of a unit vector below this is rounding: the vectors of zero singular values are known to about eps / gap. */
const COMPONENT = Math.sqrt(Number.EPSILON);

/**
 * @param jacobian n x p, row-major: derivatives of the weighted residuals
 * @param free places of the q parameters that are estimated, ascending
 * @param error relative error of the entries of J: rounding for exact derivatives, more for differences. Singular values below the
 * largest times this and max(n, q) are zero.
 */
export function unscaledCovariance(
  jacobian: Float64Array,
  parameters: number,
  free: readonly number[],
  error: number = Number.EPSILON,
): UnscaledCovariance {
  const n = jacobian.length / parameters;
  const q = free.length;
  const { columns, norms } = normalizedColumns(jacobian, n, parameters, free);
  const decomposed = n > q ? singularValues(triangleOf(columns, n, q), q, q) : singularValues(columns, n, q);
  const smallest = (decomposed.values[0] ?? 0) * Math.max(n, q) * error;
  const rank = decomposed.values.filter((value) => value > smallest).length;
  const finite = spread(decomposed, 0, rank, (value) => 1 / value);
  const infinite = spread(decomposed, rank, q, () => 1);
  const undetermined = Array.from({ length: q }, (_, j) => j).filter((j) => infinite[j * q + j] > COMPONENT ** 2);
  return {
    rank,
    condition: rank < q ? Number.POSITIVE_INFINITY : q === 0 ? 1 : decomposed.values[0] / decomposed.values[q - 1],
    ...limits(finite, infinite, norms, undetermined),
    undetermined,
  };
}

/** The columns of R, q numbers each, of n > q rows. */
function triangleOf(columns: Float64Array, n: number, q: number): Float64Array {
  const factor = reflectionsOf(n, q);
  factor.matrix.set(columns);
  factorColumns(factor);
  const triangle = new Float64Array(q * q);
  for (let j = 0; j < q; j++) triangle.set(factor.matrix.subarray(j * n, j * n + j + 1), j * q);
  return triangle;
}

/** Columns of J of norm one, one after the other, and the norms; a column of zeros stays and has the norm 1. */
function normalizedColumns(jacobian: Float64Array, n: number, parameters: number, free: readonly number[]) {
  const columns = new Float64Array(n * free.length);
  const norms = free.map((column, j) => {
    const target = columns.subarray(j * n, (j + 1) * n);
    let most = 0;
    for (let i = 0; i < n; i++) most = Math.max(most, Math.abs(jacobian[i * parameters + column]));
    if (most === 0) return 1;
    let sum = 0;
    // Divided by the largest entry first, so that no square over- or underflows.
    for (let i = 0; i < n; i++) {
      target[i] = jacobian[i * parameters + column] / most;
      sum += target[i] ** 2;
    }
    const norm = Math.sqrt(sum);
    for (let i = 0; i < n; i++) target[i] /= norm;
    return norm * most;
  });
  return { columns, norms };
}

/** Sum over the values `from` ... `to` - 1 of scale(value)^2 v v^T. */
function spread({ values, vectors }: SingularValues, from: number, to: number, scale: (value: number) => number) {
  const q = values.length;
  const sum = new Float64Array(q * q);
  for (let k = from; k < to; k++) {
    const factor = scale(values[k]);
    for (let i = 0; i < q; i++)
      for (let j = 0; j < q; j++) sum[i * q + j] += factor * vectors[k * q + i] * (factor * vectors[k * q + j]);
  }
  return sum;
}

/** The matrix and its correlation as the vanishing singular values go to zero. */
function limits(
  finite: Float64Array,
  infinite: Float64Array,
  norms: readonly number[],
  undetermined: readonly number[],
) {
  const q = norms.length;
  const open = new Set(undetermined);
  const matrix = new Float64Array(q * q);
  const correlation = new Float64Array(q * q);
  for (let i = 0; i < q; i++)
    for (let j = 0; j < q; j++) {
      const at = i * q + j;
      const both = open.has(i) && open.has(j);
      const source = both ? infinite : finite;
      const size = Math.sqrt(source[i * q + i]) * Math.sqrt(source[j * q + j]);
      // A determined parameter beside an undetermined one: a finite covariance over an infinite deviation.
      const mixed = open.has(i) !== open.has(j);
      correlation[at] = i === j ? 1 : mixed || size === 0 ? 0 : clamp(source[at] / size);
      if (!both) matrix[at] = finite[at] / norms[i] / norms[j];
      else if (Math.abs(correlation[at]) > COMPONENT)
        matrix[at] = Math.sign(correlation[at]) * Number.POSITIVE_INFINITY;
    }
  return { matrix, correlation };
}

function clamp(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
