// Defines what callers pass to `leastSquares` and `curveFit`. fit-setup.ts checks and completes it.
import type { Loss } from "../loss/rules.js";
import type { Method } from "../method/method.js";
import type { TrainRecord } from "../run/record.js";
import type { StopOptions } from "../train/stop.js";

/** One number a parameter: in order, or by name. */
export type ParameterValues = ArrayLike<number> | Readonly<Record<string, number>>;

/** Lower and upper end; null (or an infinite number) where there is none. */
export type Bound = readonly [lower: number | null, upper: number | null];

/** What is the same for a fit of residuals and of a curve. */
export interface FitParameters {
  /**
   * Where the parameters start: an array, whose parameters are then called b1, b2, ..., or an object, whose keys name them in the order of
   * the object. A start of the right order of magnitude is enough for most models.
   */
  readonly start: ParameterValues;
  /** Bounds of each parameter, in order (null: none) or by name. They hold exactly, also while derivatives are taken. Default none. */
  readonly bounds?: readonly (Bound | null)[] | Readonly<Record<string, Bound>> | undefined;
  /** Parameters that keep their start exactly: names, or places from 0. Default none. */
  readonly fixed?: readonly (string | number)[] | undefined;
  /** Typical size of each parameter, above 0, for parameters that start at 0. Default: the size of the start, or 1 where that is 0. */
  readonly scale?: ParameterValues | undefined;
  /** Loss of each residual: `squaredError()`, `huber()`, `pseudoHuber()`, `logCosh()`. Without a delta those find it. Default squared error. */
  readonly loss?: Loss | undefined;
  /** Weight of each residual's loss, at least 0. Default 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /**
   * Parameters that enter linearly, names or places from 0: the fit begins with the others alone, for which those are solved exactly (variable
   * projection). Fixed parameters are not among them. Default: found by trial where a fit from the start does not end well.
   */
  readonly linear?: readonly (string | number)[] | undefined;
}

/** A sum of squares to minimize. */
export interface LeastSquaresProblem extends FitParameters {
  /** Number of residuals. */
  readonly count: number;
  /** Writes the residuals at the parameters b to `out`. It may return a promise. It must not keep or change b. */
  readonly residuals: (b: Float64Array, out: Float64Array) => void | Promise<void>;
  /** Writes the derivatives to `out`: count x p, row-major, p derivatives a residual. Default: differences. */
  readonly jacobian?: ((b: Float64Array, out: Float64Array) => void | Promise<void>) | undefined;
}

/** How a fit runs. */
export interface FitOptions {
  /** Default: Levenberg-Marquardt with MINPACK's scaling. */
  readonly method?: Method | undefined;
  /** Stop rules, as for `train`. Default: at most 1000 iterations, and the end is where double precision allows no better estimates. */
  readonly stop?: StopOptions | undefined;
  /** Ends the fit early with its best point. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every trial step, as for `train`. */
  readonly onRecord?: ((record: TrainRecord) => void | Promise<void>) | undefined;
  /**
   * Number of starts, the given one among them. The others are drawn inside the bounds where there are two, else around the start. Default 1, with a few
   * more only where a fit does not end well.
   */
  readonly starts?: number | undefined;
  /** Seed of the starts that are drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Probability of the intervals. Default 0.95. */
  readonly level?: number | undefined;
}
