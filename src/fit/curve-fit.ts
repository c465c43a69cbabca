// Fits a model to observations (`curveFit`): a model and data become residuals (curve-model.ts), which are fitted as `leastSquares` fits any.
import { argumentError } from "../errors.js";
import { checkFunction, checkOptionNames, isObject } from "../options.js";
import { type CurvePoints, columnsByName, functionResiduals, type Observed, textResiduals } from "./curve-model.js";
import type { FitOptions, FitParameters } from "./fit-options.js";
import type { FitResult } from "./fit-result.js";
import { fitSetup, numbersOf, PARAMETER_OPTIONS, parameterNames } from "./fit-setup.js";
import { FIT_OPTIONS, fitPlan, levelOf, runFit } from "./least-squares.js";
import type { ResidualFunction } from "./residual-function.js";

/** A model of a curve: the value at a point (a number, or a row of numbers) for parameters b. */
export type CurveModel<Point> = (x: Point, b: Float64Array) => number;

/** Options of `curveFit`. */
export interface CurveFitOptions<Point = number> extends FitParameters, FitOptions {
  /**
   * Known standard deviation of each observation (or of all): residuals are divided by it, and standard errors do not use the spread of the residuals.
   * Where only ratios are known use `weights`.
   */
  readonly sigma?: number | ArrayLike<number> | undefined;
  /** Writes the derivatives of the model by the parameters at a point to `out`, p numbers. Default: differences; exact ones for text. */
  readonly jacobian?: ((x: Point, b: Float64Array, out: Float64Array) => void) | undefined;
  /** For a model that is text: names of the columns of x. Default "x", or "x1", "x2", ... for rows. */
  readonly variables?: readonly string[] | undefined;
}

const OPTIONS = ["sigma", "jacobian", "variables", ...PARAMETER_OPTIONS, ...FIT_OPTIONS] as const;

/**
 * Fits the parameters of a model to observations y at points x by least squares.
 *
 * @param model a function (x, b) => number, or a formula such as "b1*(1 - exp(-b2*x))" whose other names are parameters
 * @param x n points: numbers, rows of numbers, or for a formula an object of columns
 * @param y n observations
 * @example
 * const fit = await curveFit("a*exp(-rate*x)", x, y, { start: { a: 1, rate: 0.1 } });
 * fit.values.rate; fit.standardErrors; fit.reason.message;
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for a wrong argument, and for a start where the model is not finite, with the row
 */
export async function curveFit<Point = number>(
  model: CurveModel<Point> | string,
  x: CurvePoints<Point>,
  y: ArrayLike<number>,
  options: CurveFitOptions<Point>,
): Promise<FitResult> {
  const began = performance.now();
  checkOptionNames("options", options, OPTIONS);
  const names = parameterNames("options.start", options.start);
  const count = (y as ArrayLike<number> | undefined)?.length;
  if (!count) throw argumentError("y", "must be an array of at least one number", y);
  const observed: Observed = { y: numbersOf("y", y, count), sigma: sigmaOf(options.sigma, count) };
  const of = await residualsOf(model, x, observed, names, options);
  return runFit(fitSetup("options", options, of), fitPlan("options", options), began, {
    observations: observed.y,
    sigma: observed.sigma,
    level: levelOf("options", options),
  });
}

async function residualsOf<Point>(
  model: CurveModel<Point> | string,
  x: CurvePoints<Point>,
  observed: Observed,
  names: readonly string[],
  { jacobian, variables }: CurveFitOptions<Point>,
): Promise<ResidualFunction> {
  const count = observed.y.length;
  if (typeof model === "string") {
    if (jacobian !== undefined)
      throw argumentError("options.jacobian", "must be left out with a formula, whose derivatives are exact", jacobian);
    const columns = columnsByName(x, variables);
    for (const values of columns.values()) checkCountOf(values, count);
    return textResiduals(model, columns, observed, names);
  }
  checkFunction("model", model);
  if (jacobian !== undefined) checkFunction("options.jacobian", jacobian);
  if (variables !== undefined)
    throw argumentError(
      "options.variables",
      "must be left out with a function, which sees the points as they are",
      variables,
    );
  if (isObject(x)) throw argumentError("x", "must be an array of points for a model that is a function", x);
  const points = x as ArrayLike<Point>;
  checkCountOf(points, count);
  return functionResiduals(model, points, observed, names.length, jacobian);
}

function checkCountOf(points: ArrayLike<unknown>, count: number): void {
  if (points?.length !== count)
    throw argumentError("x", `must have as many points as y has observations, ${count}`, points);
}

function sigmaOf(sigma: CurveFitOptions["sigma"], count: number): Float64Array | null {
  if (sigma === undefined) return null;
  const values =
    typeof sigma === "number" ? new Float64Array(count).fill(sigma) : numbersOf("options.sigma", sigma, count);
  const bad = values.findIndex((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (bad >= 0) throw argumentError(`options.sigma[${bad}]`, "must be a finite number above 0", values[bad]);
  return values;
}
