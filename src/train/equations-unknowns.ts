// Estimates the standard errors of the unknowns of equations at the end of a training, for equations-train.ts.
//
// Each term has a noise of its own: equations hold as exactly as the network can make them, data to their error of measurement. To first order
// the unknowns move with the residuals by -(G + mu I)^-1 J^T, so that the variance of unknown u is, with x = (G + mu I)^-1 e_u,
//
//   sum over terms of s_t^2 |J_t x|^2,   s_t^2 = |r_t|^2 / (m_t - gamma_t),   gamma_t = sum over the rows j of the term of j^T (G + mu I)^-1 j
//
// mu is at the rounding level of G, so that directions in which G is singular in double precision do not count.
import { failed } from "../backend/engine.js";
import type { JetEngine } from "../backend/jet-engine.js";
import type { EquationProblem } from "../equations/equation-problem.js";
import { endedBy } from "../run/interrupt.js";

/** An unknown as the training found it. */
export interface UnknownEstimate {
  /** Its value at the end. */
  readonly value: number;
  /**
   * Its standard error: Infinity where equations and data do not determine it; null where it cannot be estimated: no more residuals than
   * parameters, or a singular G.
   */
  readonly standardError: number | null;
}

/** Rows of a term whose leverages are computed, evenly spaced; the rest is inferred from their mean. */
const LEVERAGE_ROWS = 256;
/**
 * Least degrees of freedom behind a noise. A term that the parameters fit exactly, as an initial condition at one point, has fewer: its residuals
 * count as they are.
 */
const LEAST_FREEDOM = 0.5;
/** Share of an unknown that only the shift holds in place, above which nothing determines it. */
const UNDETERMINED = 0.5;
/** Factors of the least shift that are tried until the matrix is positive definite. */
const SHIFTS = [1, 100, 1e4];

/**
 * Values and standard errors by name. An abort, or a G that cannot be factored, leaves the standard errors out.
 * @param parameters p numbers, with the unknowns at the end
 */
export async function estimateUnknowns(
  problem: EquationProblem,
  engine: JetEngine,
  parameters: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, UnknownEstimate>>> {
  const { unknowns } = problem;
  const first = parameters.length - unknowns.length;
  const none = unknowns.length === 0 || signal?.aborted === true;
  const variances = none
    ? null
    : await variancesOf(problem, engine, parameters, signal).catch((error: unknown) => {
        if (!endedBy(signal, error)) throw error;
        return null;
      });
  return Object.fromEntries(
    unknowns.map(({ name }, k) => {
      const variance = variances?.[k] ?? Number.NaN;
      const standardError = variance >= 0 ? Math.sqrt(variance) : null;
      return [name, { value: parameters[first + k], standardError }];
    }),
  );
}

/** A warning for each unknown that nothing determines. */
export function undeterminedUnknowns(unknowns: Readonly<Record<string, UnknownEstimate>>): readonly string[] {
  return Object.entries(unknowns)
    .filter(([, { standardError }]) => standardError === Number.POSITIVE_INFINITY)
    .map(
      ([name]) =>
        `nothing determines the unknown ${name}: its residuals do not depend on it at the end, as where the field is constant. Check that values near 1 are trained (transform: { u: "293 + 70*u" }), or give data that depend on it`,
    );
}

/** The variance of each unknown; null where G cannot be factored, or there are no more residuals than parameters. */
async function variancesOf(
  { jets, unknowns }: EquationProblem,
  engine: JetEngine,
  parameters: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Float64Array | null> {
  const shift = await factorize(engine, parameters, signal);
  if (shift === null) return null;
  const columns: Float64Array[] = [];
  for (let k = 0; k < unknowns.length; k++) {
    const unit = new Float64Array(parameters.length);
    unit[parameters.length - unknowns.length + k] = 1;
    const x = await engine.dampedInverse(unit, signal);
    if (!(x instanceof Float64Array)) return null;
    columns.push(x);
  }
  const residuals = await engine.residuals(parameters, signal);
  const variances = new Float64Array(unknowns.length);
  let [row, free] = [0, 0];
  for (const { points, residual } of jets.terms) {
    const count = points * residual.outputs.length;
    const freedom = count - (await leverageOf(engine, parameters, row, count, signal));
    const noise = squareOf(residuals.subarray(row, row + count)) / Math.max(LEAST_FREEDOM, freedom);
    const images = await imageSquares(engine, parameters, row, count, columns, signal);
    for (let k = 0; k < columns.length; k++) variances[k] += noise * images[k];
    row += count;
    free += freedom;
  }
  if (free < LEAST_FREEDOM) return null;
  const first = parameters.length - unknowns.length;
  // mu e^T (G + mu I)^-1 e is 1 where G has nothing along e, and mu / G_uu where it has all.
  return variances.map((variance, k) =>
    shift * columns[k][first + k] > UNDETERMINED ? Number.POSITIVE_INFINITY : variance,
  );
}

/** Factorizes G + mu I at the parameters, and answers mu; null where G is not positive definite with any of the shifts. */
async function factorize(
  engine: JetEngine,
  parameters: Float64Array,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  const diagonal = new Float64Array(parameters.length);
  const at = await engine.linearize(parameters, { curvature: "primal", decay: 0, scaling: diagonal }, signal);
  if (failed(at)) return null;
  const least = Number.EPSILON * diagonal.reduce((sum, value) => sum + value, 0);
  for (const factor of SHIFTS) {
    const solved = await engine.solve({ damping: factor * least, decay: 0, scaling: null }, signal);
    if (!failed(solved)) return factor * least;
  }
  return null;
}

/** gamma of the rows [first, first + count). */
async function leverageOf(
  engine: JetEngine,
  parameters: Float64Array,
  first: number,
  count: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const taken = Math.min(count, LEVERAGE_ROWS);
  let sum = 0;
  for (let i = 0; i < taken; i++) {
    const row = await engine.jacobian(parameters, first + Math.floor((i * count) / taken), 1, signal);
    const x = await engine.dampedInverse(row, signal);
    if (!(x instanceof Float64Array)) return Number.NaN;
    for (let j = 0; j < row.length; j++) sum += row[j] * x[j];
  }
  return (sum * count) / taken;
}

/** |J_t x|^2 of the rows [first, first + count) for each x. */
async function imageSquares(
  engine: JetEngine,
  parameters: Float64Array,
  first: number,
  count: number,
  columns: readonly Float64Array[],
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const p = parameters.length;
  const squares = new Float64Array(columns.length);
  const block = 256;
  for (let from = 0; from < count; from += block) {
    const rows = await engine.jacobian(parameters, first + from, Math.min(block, count - from), signal);
    columns.forEach((x, k) => {
      for (let at = 0; at < rows.length; at += p) {
        let along = 0;
        for (let j = 0; j < p; j++) along += rows[at + j] * x[j];
        squares[k] += along * along;
      }
    });
  }
  return squares;
}

function squareOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
