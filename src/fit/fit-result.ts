// Makes the result of a fit from its last point: estimates by place and by name, the statistics (statistics.ts), profile likelihood intervals, and how
// the fit ended. least-squares.ts and curve-fit.ts call it once.
import { argumentError } from "../errors.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import { checkCount, checkOptionNames } from "../options.js";
import type { TrainRecord } from "../run/record.js";
import { type FitAttempt, type FitPlan, type Fitted, refitHeld } from "./fit.js";
import type { FitSetup } from "./fit-setup.js";
import { type ParameterProfile, profileParameter } from "./profile.js";
import type { Evaluations } from "./residual-engine.js";
import { type FitPoint, type FitStatistics, fitStatistics, type ParameterState } from "./statistics.js";

/** What `leastSquares` and `curveFit` resolve with. Arrays stand in the order of the parameters. */
export interface FitResult {
  /** Names of the parameters: those of the start, or b1, b2, ... */
  readonly names: readonly string[];
  /** p estimates, fixed parameters among them. */
  readonly estimates: Float64Array;
  /** The estimates by name. */
  readonly values: Readonly<Record<string, number>>;
  /** Whether each parameter is free, fixed, or at a bound that it would cross. */
  readonly states: readonly ParameterState[];
  /** Standard errors, of the linearized model; those of `statistics`. */
  readonly standardErrors: Float64Array;
  /** Intervals, covariance, correlation, degrees of freedom, residual deviation, R^2, AIC and BIC. */
  readonly statistics: FitStatistics;
  /** Why the fit ended. */
  readonly reason: Reason;
  /** Whether that is convergence: the gradient vanishes, or no step can lower the sum in double precision. */
  readonly converged: boolean;
  /**
   * Length of the part of the residuals that a further step could remove in the linearized model, relative to all of it (Bates and Watts 1981). It is far
   * below 1 at a minimum, whatever the scales of the parameters.
   */
  readonly relativeOffset: number;
  /** Sum of the losses: half the weighted sum of squares, or that of a robust loss. */
  readonly objective: number;
  /** The loss that was minimized; a robust one with the threshold that was found. */
  readonly lossUsed: Loss;
  /** Residuals as the problem writes them; of a curve (model - observation) / sigma. */
  readonly residuals: Float64Array;
  /** What the statistics were computed from: weighted residuals, their derivatives, weights. */
  readonly point: FitPoint;
  /** Accepted steps of the minimization that ended here. */
  readonly iterations: number;
  /** Its trials, the start first. */
  readonly records: readonly TrainRecord[];
  /** All minimizations, the best first. One, unless `starts` asks for more, or the first did not end well. */
  readonly attempts: readonly FitAttempt[];
  /** Calls of the function for residuals and for derivatives, of all minimizations. */
  readonly evaluations: Evaluations;
  /** Seconds of the whole fit. */
  readonly seconds: number;
  /**
   * Profile likelihood interval of a parameter (name or place from 0): the others are fitted again for values beside the estimate, so that it holds
   * for curved models too.
   *
   * @throws GAUSSFLOW_ARGUMENT for a parameter that is not free, or an unknown option
   */
  profile(parameter: string | number, options?: ProfileOptions): Promise<ParameterProfile>;
}

/** Options of `FitResult.profile`. */
export interface ProfileOptions {
  /** Probability of the interval. Default that of the fit. */
  readonly level?: number | undefined;
  /** Refits for a smooth curve on each side, beside those of the search. Default 0. */
  readonly curvePoints?: number | undefined;
}

/** What the result needs beside the fit. */
export interface FitData {
  /** Observations, for R^2; null where the residuals are not those of a model. */
  readonly observations: Float64Array | null;
  /** Standard deviations of the observations, which the residuals are in units of; null where they are not known. */
  readonly sigma: Float64Array | null;
  /** Probability of intervals. */
  readonly level: number;
  readonly seconds: number;
}

/** Relative offset at which a run that found no lower point has converged. */
const CONVERGED = 1e-6;

export async function fitResult(setup: FitSetup, plan: FitPlan, fitted: Fitted, data: FitData): Promise<FitResult> {
  const { leg, loss, attempts, evaluations } = fitted;
  const { names } = setup;
  const { reason, iterations, records } = leg.result;
  const { residuals, jacobian, relativeOffset } = await leg.engine.finish(leg.b);
  const states = statesOf(setup, leg.b, leg.engine.held);
  const point = fitPoint(setup, loss, leg.b, states, { residuals, jacobian }, data);
  let statistics: FitStatistics | null = null;
  const statisticsOf = () => (statistics ??= fitStatistics(point, data.level));
  const stalled = reason.code === "no-progress" || reason.code === "damping-saturated";
  const result: FitResult = {
    names,
    estimates: leg.b,
    values: Object.fromEntries(names.map((name, j) => [name, leg.b[j]])),
    states,
    get standardErrors() {
      return statisticsOf().standardErrors;
    },
    get statistics() {
      return statisticsOf();
    },
    reason,
    converged:
      ["gradient", "step", "reduction", "loss"].includes(reason.code) || (stalled && relativeOffset <= CONVERGED),
    relativeOffset,
    objective: leg.objective,
    lossUsed: loss,
    residuals,
    point,
    iterations,
    records,
    attempts: [...attempts].sort((a, b) => a.objective - b.objective),
    evaluations,
    seconds: data.seconds,
    profile: (parameter, options) => profileOf(setup, plan, point, statisticsOf(), parameter, options),
  };
  RESULTS.add(result);
  return Object.freeze(result);
}

/** All results: what is shown as one must be one. */
const RESULTS = new WeakSet<object>();

/** Whether a value is a result of `leastSquares` or `curveFit`. */
export function isFitResult(value: unknown): value is FitResult {
  return typeof value === "object" && value !== null && RESULTS.has(value);
}

function statesOf({ free, box, start }: FitSetup, b: Float64Array, held: readonly boolean[]): ParameterState[] {
  const states: ParameterState[] = Array.from(start, () => "fixed");
  free.forEach((j, k) => {
    states[j] = !held[k] || box === null ? "free" : b[j] <= box.lower[j] ? "lower bound" : "upper bound";
  });
  return states;
}

function fitPoint(
  { names, weights }: FitSetup,
  loss: Loss,
  estimates: Float64Array,
  states: readonly ParameterState[],
  { residuals, jacobian }: { readonly residuals: Float64Array; readonly jacobian: Float64Array },
  { observations, sigma }: FitData,
): FitPoint {
  const p = names.length;
  const roots = weights?.map(Math.sqrt) ?? null;
  const weighted = roots === null ? residuals : residuals.map((value, i) => roots[i] * value);
  const derivatives = roots === null ? jacobian : jacobian.map((value, at) => roots[Math.floor(at / p)] * value);
  const total = sigma === null ? weights : sigma.map((value, i) => (weights?.[i] ?? 1) / value ** 2);
  return {
    names,
    estimates,
    states,
    jacobian: derivatives,
    residuals: weighted,
    weights: total,
    observations,
    absoluteSigma: sigma !== null,
    robust: loss.kind === "squared-error" ? null : robustAt(loss, residuals, roots),
  };
}

/** Slope and curvature of a robust loss at every weighted residual. */
function robustAt(loss: Loss, residuals: Float64Array, roots: Float64Array | null): NonNullable<FitPoint["robust"]> {
  const n = residuals.length;
  const rule = lossRule(loss);
  const block = {
    count: n,
    outputSize: 1,
    predictions: residuals,
    targets: new Float64Array(n),
    roots: null,
    first: 0,
  };
  const slope = new Float64Array(n);
  rule.apply(block, { factor: new Float64Array(n), z: new Float64Array(n), gradient: slope });
  const curvature = new Float64Array(n).fill(1);
  rule.applyHessian(block, curvature);
  return { slope: roots === null ? slope : slope.map((value, i) => roots[i] * value), curvature };
}

async function profileOf(
  setup: FitSetup,
  plan: FitPlan,
  point: FitPoint,
  statistics: FitStatistics,
  parameter: string | number,
  options: ProfileOptions = {},
): Promise<ParameterProfile> {
  checkOptionNames("options", options, ["level", "curvePoints"]);
  const { level = statistics.level, curvePoints = 0 } = options;
  checkCount("options.curvePoints", curvePoints, 0);
  if (!(level > 0 && level < 1)) throw argumentError("options.level", "must be a number between 0 and 1", level);
  const index = typeof parameter === "number" ? parameter : setup.names.indexOf(parameter);
  if (point.states[index] !== "free")
    throw argumentError("parameter", `must be a free parameter among ${setup.names.join(", ")}`, parameter);
  if (point.robust !== null)
    throw argumentError(
      "parameter",
      "has a profile only in a fit of squared error, whose rise is that of a likelihood",
      parameter,
    );
  const variance = point.absoluteSigma ? 1 : (statistics.residualDeviation ?? 0) ** 2;
  if (!(variance > 0))
    throw argumentError("parameter", "has no profile, because the residuals leave no standard deviation", parameter);
  const { quantile } = level === statistics.level ? statistics : fitStatistics(point, level);
  return profileParameter({
    index,
    name: setup.names[index]!,
    estimates: point.estimates,
    standardError: statistics.standardErrors[index]!,
    sumOfSquares: statistics.sumOfSquares,
    variance,
    level,
    quantile,
    bounds: [setup.box?.lower[index] ?? Number.NEGATIVE_INFINITY, setup.box?.upper[index] ?? Number.POSITIVE_INFINITY],
    curvePoints,
    refit: (held, _value, start) => refitHeld(setup, plan, held, start),
  });
}
