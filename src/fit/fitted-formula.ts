// Defines FittedFormula: a model given as text with its estimates and their covariance, as plain data, which predicts with intervals. fit-file.ts
// saves it; gaussflow fit and gaussflow predict use it.
//
// The standard error of the curve at x is sqrt(g^T C g), g the gradient of the model by its parameters there; a new observation adds s^2.
import type { TableEncoding } from "../data/encoding.js";
import { column, scalarsOf } from "../expression/columns.js";
import { compile } from "../expression/compile.js";
import { TapeEvaluator } from "../expression/evaluate.js";
import { parseExpression } from "../expression/parse.js";
import { normalQuantile } from "../normal-quantile.js";
import { studentQuantile } from "../student-quantile.js";

/** A variable of a formula and the column of a table that holds it. */
export interface FormulaVariable {
  readonly name: string;
  readonly column: string;
}

/** A fitted model as data. */
export interface FittedFormula {
  /** The right side, such as "b1*(1-exp(-b2*x))". */
  readonly formula: string;
  /** Name of what it predicts. */
  readonly target: string;
  readonly variables: readonly FormulaVariable[];
  /** Names of the p parameters. */
  readonly names: readonly string[];
  readonly estimates: Float64Array;
  /** p x p; infinite on the diagonal of parameters that the data do not determine. */
  readonly covariance: Float64Array;
  /** Standard deviation of an observation of weight 1, or null where it is not known. */
  readonly residualDeviation: number | null;
  /** n - rank; infinite where the sigmas were known. */
  readonly degreesOfFreedom: number;
  /** How the table of the fit was read. */
  readonly encoding: TableEncoding;
}

/** Predictions of m rows. */
export interface FormulaPrediction {
  readonly values: Float64Array;
  /** Standard errors of the values. */
  readonly standardErrors: Float64Array;
  /** Interval of the curve. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Interval of a new observation of weight 1; null where its noise is not known. */
  readonly observation: { readonly lower: Float64Array; readonly upper: Float64Array } | null;
}

/**
 * Predicts with intervals.
 *
 * @param values one array of m numbers a variable
 * @param level probability of the intervals
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for a formula that cannot be read
 */
export async function predictFormula(
  fitted: FittedFormula,
  values: readonly Float64Array[],
  level: number,
): Promise<FormulaPrediction> {
  const { names, estimates, residualDeviation, degreesOfFreedom } = fitted;
  const p = names.length;
  const symbols = [...fitted.variables.map(({ name }) => name), ...names];
  const evaluator = new TapeEvaluator(
    compile([await parseExpression(fitted.formula, { names: symbols }, "formula")], symbols),
  );
  const m = values[0]?.length ?? 0;
  const [predicted, gradients] = [new Float64Array(m), new Float64Array(m * p)];
  const wanted = evaluator.wanted(names.map((_, j) => values.length + j));
  evaluator.partials([...values.map(column), ...scalarsOf(estimates)], m, wanted, predicted, gradients);
  const standardErrors = predicted.map((_, i) =>
    standardError(gradients.subarray(i * p, (i + 1) * p), fitted.covariance),
  );
  const tail = 0.5 + level / 2;
  const known = degreesOfFreedom > 0 && Number.isFinite(degreesOfFreedom);
  const quantile = known ? studentQuantile(tail, degreesOfFreedom) : normalQuantile(tail);
  const ends = (width: (i: number) => number) => ({
    lower: predicted.map((value, i) => value - quantile * width(i)),
    upper: predicted.map((value, i) => value + quantile * width(i)),
  });
  return {
    values: predicted,
    standardErrors,
    ...ends((i) => standardErrors[i]),
    observation: residualDeviation === null ? null : ends((i) => Math.hypot(standardErrors[i], residualDeviation)),
  };
}

/** sqrt(g^T C g); infinite where a parameter that the data do not determine has a part in it. */
function standardError(gradient: Float64Array, covariance: Float64Array): number {
  const p = gradient.length;
  let variance = 0;
  for (let i = 0; i < p; i++) {
    if (gradient[i] === 0) continue;
    if (covariance[i * p + i] === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    for (let j = 0; j < p; j++) if (gradient[j] !== 0) variance += gradient[i] * gradient[j] * covariance[i * p + j];
  }
  // Rounding can leave a negative rest where the parts cancel.
  return Math.sqrt(Math.max(0, variance));
}
