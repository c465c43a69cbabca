// Fits any residual function by least squares (`leastSquares`): checks what the caller passes, runs the fit (fit.ts), and makes its result. curve-fit.ts does
// the same for a model and data.
import { argumentError } from "../errors.js";
import { checkCount, checkFunction, checkObject, checkOptionNames, checkSignal, definedOptions } from "../options.js";
import { type StopOptions, type StopRules, stopRules } from "../train/stop.js";
import { type FitPlan, runAttempts } from "./fit.js";
import type { FitOptions, LeastSquaresProblem } from "./fit-options.js";
import { type FitData, type FitResult, fitResult } from "./fit-result.js";
import { type FitSetup, fitSetup, PARAMETER_OPTIONS, parameterNames } from "./fit-setup.js";
import type { ResidualFunction } from "./residual-function.js";

/** Names of the members of FitOptions. */
export const FIT_OPTIONS = ["method", "stop", "signal", "onRecord", "starts", "seed", "level"] as const;

/** A fit ends where no step lowers its sum of squares: measures relative to norms of raw parameters would end it before some are right. */
const stopDefaults: StopOptions = { iterations: 1000, gradient: 1e-13, step: 0, reduction: 0 };

/**
 * Fits parameters to residuals: minimizes the sum of their losses, by default of half their squares, and tells how sure the estimates are.
 *
 * @example
 * const { values, standardErrors } = await leastSquares({
 *   count: x.length,
 *   residuals: ([a, rate], out) => x.forEach((t, i) => { out[i] = a * Math.exp(-rate * t) - y[i]; }),
 *   start: { a: 1, rate: 0.1 },
 * });
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for a wrong argument, and for a start where a residual or a derivative is not finite. What the functions
 *   of the caller throw passes through.
 */
export async function leastSquares(problem: LeastSquaresProblem, options: FitOptions = {}): Promise<FitResult> {
  const began = performance.now();
  checkOptionNames("problem", problem, ["count", "residuals", "jacobian", ...PARAMETER_OPTIONS]);
  checkOptionNames("options", options, FIT_OPTIONS);
  const { count, residuals, jacobian } = problem;
  checkCount("problem.count", count, 1);
  checkFunction("problem.residuals", residuals);
  if (jacobian !== undefined) checkFunction("problem.jacobian", jacobian);
  const parameterCount = parameterNames("problem.start", problem.start).length;
  const columns = jacobian === undefined ? null : columnsOf(count, parameterCount, jacobian);
  const of: ResidualFunction = { count, parameterCount, residuals, columns };
  return runFit(fitSetup("problem", problem, of), fitPlan("options", options), began, {
    observations: null,
    sigma: null,
    level: levelOf("options", options),
  });
}

/** Runs a fit that is set up, and makes its result. */
export async function runFit(
  setup: FitSetup,
  plan: FitPlan,
  began: number,
  data: Omit<FitData, "seconds">,
): Promise<FitResult> {
  const fitted = await runAttempts(setup, plan);
  return fitResult(setup, plan, fitted, { ...data, seconds: (performance.now() - began) / 1000 });
}

/** @throws GAUSSFLOW_ARGUMENT naming the option */
export function fitPlan(path: string, options: FitOptions): FitPlan {
  const { method, stop = {}, signal, onRecord, starts = 1, seed = 0 } = options;
  if (method !== undefined) checkObject(`${path}.method`, method);
  checkSignal(`${path}.signal`, signal);
  if (onRecord !== undefined) checkFunction(`${path}.onRecord`, onRecord);
  checkCount(`${path}.starts`, starts, 1);
  checkCount(`${path}.seed`, seed, 0);
  checkObject(`${path}.stop`, stop);
  const rules: StopRules = stopRules({ ...stopDefaults, ...definedOptions(stop) }, `${path}.stop`);
  return { method, stop: rules, signal, onRecord, starts, seed };
}

/** Probability of the intervals. */
export function levelOf(path: string, { level = 0.95 }: FitOptions): number {
  if (typeof level !== "number" || !(level > 0 && level < 1))
    throw argumentError(`${path}.level`, "must be a number between 0 and 1", level);
  return level;
}

/** The columns that the engine takes, from rows of derivatives as callers write them. */
export function columnsOf(
  n: number,
  p: number,
  jacobian: (b: Float64Array, out: Float64Array) => void | Promise<void>,
): NonNullable<ResidualFunction["columns"]> {
  // An entry that the caller leaves unwritten is seen as a derivative that is not finite.
  const rows = new Float64Array(n * p).fill(Number.NaN);
  const transpose = (which: readonly number[], out: Float64Array) =>
    which.forEach((j, k) => {
      for (let i = 0; i < n; i++) out[k * n + i] = rows[i * p + j];
    });
  return (b, which, out) => {
    const wait = jacobian(b, rows);
    if (wait === undefined) return transpose(which, out);
    return Promise.resolve(wait).then(() => transpose(which, out));
  };
}
