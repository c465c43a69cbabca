// Computes the default norm of the local error, that of Hairer, Norsett, Wanner II.4: rms of e_i / (atol + rtol max(|y_i|, |y'_i|)).
// `integration.ts` uses it if the caller gives none; flows have a norm of their own (flow/prediction-norm.ts) and use this one on the
// parameters if the integrator's setting `norm` is "parameters".
import type { IntegratorSettings } from "./integrator.js";
import type { ErrorNorm } from "./types.js";

export function componentNorm(settings: IntegratorSettings): ErrorNorm {
  const { relativeTolerance, absoluteTolerance } = settings;
  const measure = (values: Float64Array, a: Float64Array, b: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < values.length; j++)
      sum += (values[j] / (absoluteTolerance + relativeTolerance * Math.max(Math.abs(a[j]), Math.abs(b[j])))) ** 2;
    return Math.sqrt(sum / values.length);
  };
  return {
    measure,
    size: (state) => measure(state, state, state),
    derivativeSize: (derivative, state) => measure(derivative, state, state),
  };
}
