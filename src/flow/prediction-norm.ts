// The local error of a flow where it matters: in the predictions. An error e of the parameters moves them by alpha J e, so
//
//   |e| = rms(alpha J e) / (atol + rtol * rms(y - psi_0))                                             (method.md 2, item 4)
//
// Directions that J hardly sees may be wrong without harm; with the error measured on w the step count would follow the
// conditioning of J. The last component of the state (the dissipated loss) is not judged.
import type { Engine } from "../backend/engine.js";
import { norm } from "../linearise/problem.js";
import type { ErrorNorm } from "./ode.js";

export interface NormOptions {
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  /** rms(y - psi_0). */
  readonly scale: number;
  readonly signal: AbortSignal;
}

export function predictionNorm(engine: Engine, options: NormOptions): ErrorNorm {
  const { relativeTolerance, absoluteTolerance, scale, signal } = options;
  const tolerance = absoluteTolerance + relativeTolerance * scale;
  const root = Math.sqrt(engine.sampleCount * engine.outputSize);
  const at = async (direction: Float64Array, state: Float64Array) => {
    const p = engine.parameterCount;
    const error = direction.slice(0, p);
    // J e of an error that is not finite says nothing, and an engine may refuse it.
    if (!error.every((value) => Number.isFinite(value))) return Number.POSITIVE_INFINITY;
    return norm(await engine.jacobianProduct(state.slice(0, p), error, signal)) / root / tolerance;
  };
  return {
    measure: (error, before) => at(error, before),
    size: () => scale / tolerance,
    derivativeSize: (derivative, state) => at(derivative, state),
  };
}

/** The error of each parameter against its own size, for comparison. */
export function parameterNorm(parameterCount: number, options: NormOptions): ErrorNorm {
  const { relativeTolerance, absoluteTolerance } = options;
  const rms = (values: Float64Array, a: Float64Array, b: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < parameterCount; j++)
      sum += (values[j] / (absoluteTolerance + relativeTolerance * Math.max(Math.abs(a[j]), Math.abs(b[j])))) ** 2;
    return Math.sqrt(sum / parameterCount);
  };
  return {
    measure: rms,
    size: (state) => rms(state, state, state),
    derivativeSize: (derivative, state) => rms(derivative, state, state),
  };
}
