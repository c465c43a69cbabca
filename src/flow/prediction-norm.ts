// Computes the norm of the local error of a flow, measured in the predictions; `flow-run.ts` gives it to the integrator. An error e of the
// parameters changes the weighted residuals by sqrt(s) alpha J e, and the rows sqrt(d) w of a weight decay by sqrt(d) e, so
//
//   |e| = rms(sqrt(s) alpha J e; sqrt(d) e) / (atol + rtol * sqrt(2 l_0)),   l_0 = mean loss at the start over samples and outputs
// with rms the root of the mean weighted by s: multiplying all weights by a number changes no step.
//
// Directions without effect on the predictions may be wrong without harm. With the error measured on w, the number of steps would depend on
// the conditioning of J. The last component of the state (the dissipated loss) is left out.
import { norm } from "../algebra/vectors.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { weighted } from "../loss/weighted.js";
import type { IntegratorSettings } from "../ode/integrator.js";
import { componentNorm } from "../ode/norm.js";
import type { ErrorNorm } from "../ode/types.js";

export interface PredictionNormOptions {
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  /** sqrt(2 l_0), l_0 the weighted mean loss at the start over samples and outputs: with squared error the weighted rms of y - psi_0. */
  readonly scale: number;
  /** 2 / (sum of weights * outputs): from half a sum of squares to the weighted mean. */
  readonly meanFactor: number;
  /** One a sample; null = all 1. */
  readonly weights: Float64Array | null;
  readonly decay: number;
  readonly signal: AbortSignal;
}

export function predictionNorm(engine: NetworkEngine, options: PredictionNormOptions): ErrorNorm {
  const { relativeTolerance, absoluteTolerance, scale, meanFactor, weights, decay, signal } = options;
  const { parameterCount: p, outputSize: c } = engine;
  const tolerance = absoluteTolerance + relativeTolerance * scale;
  const root = Math.sqrt(2 / meanFactor);
  const at = async (direction: Float64Array, state: Float64Array) => {
    const error = direction.slice(0, p);
    // J e of an error that is not finite is meaningless, and an engine may refuse it.
    if (!error.every((value) => Number.isFinite(value))) return Number.POSITIVE_INFINITY;
    const moved = await engine.jacobianProduct(state.slice(0, p), error, signal);
    return Math.hypot(norm(weighted(moved, weights, c)), Math.sqrt(decay) * norm(error)) / root / tolerance;
  };
  return {
    measure: (error, before) => at(error, before),
    size: () => scale / tolerance,
    derivativeSize: (derivative, state) => at(derivative, state),
  };
}

/** The error of each parameter against its own size, for comparison. */
export function parameterNorm(parameterCount: number, settings: IntegratorSettings): ErrorNorm {
  const { measure, size, derivativeSize } = componentNorm(settings);
  const own = (state: Float64Array) => state.subarray(0, parameterCount);
  return {
    measure: (error, before, after) => measure(own(error), before, after),
    size: (state) => size(own(state)),
    derivativeSize: (derivative, state) => derivativeSize(own(derivative), state),
  };
}

/**
 * Weighted norm of the error in the predictions that one step may make: rms by the root of all weights.
 * @param loss sum loss at the start of the flow
 * @param meanFactor as of `predictionNorm`
 */
export function predictionError(
  { relativeTolerance, absoluteTolerance }: { readonly relativeTolerance: number; readonly absoluteTolerance: number },
  loss: number,
  meanFactor: number,
): number {
  return relativeTolerance * Math.sqrt(2 * Math.abs(loss)) + absoluteTolerance * Math.sqrt(2 / meanFactor);
}
