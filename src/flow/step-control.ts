// Step-size control: from the scaled errors of the last steps to the factor of the next step, and the first step.
//
//   factor = safety * err_n^-a * err_(n-1)^b * err_(n-2)^-c,     k = order of the error estimate + 1
//     integral  a = 1/k
//     pi        a = 1/k - 0.75 beta, b = beta, beta = 0.04   (Hairer, Norsett, Wanner IV.2, as in DOPRI5)
//     pid       (0.49, 0.34, 0.10)/k                         (Kennedy, Carpenter, Lewis 2000; Soderlind 2003)
import type { IntegratorSettings } from "./integrator.js";
import type { ErrorNorm } from "./ode.js";

const beta = 0.04;
/** An error of 0 would ask for an infinite step. */
const leastError = 1e-10;

/** @param errors scaled errors, newest first; the newest is that of the step just tried */
export function stepFactor(errors: readonly number[], errorOrder: number, settings: IntegratorSettings): number {
  const k = errorOrder + 1;
  const [now, before = now, last = before] = errors.map((error) => Math.max(error, leastError));
  const raw = (() => {
    switch (settings.control) {
      case "integral":
        return now ** (-1 / k);
      case "pi":
        return now ** (-1 / k + 0.75 * beta) * (errors.length > 1 ? before ** beta : 1);
      case "pid":
        return (
          now ** (-0.49 / k) * before ** (0.34 / k) * last ** (-0.1 / k) * (errors.length > 1 ? 1 : now ** (-0.75 / k))
        );
      default:
        settings.control satisfies never;
        throw new Error("unreachable");
    }
  })();
  return Math.min(settings.largestFactor, Math.max(settings.smallestFactor, settings.safety * raw));
}

/** The starting step of Hairer, Norsett, Wanner II.4: from the sizes of state, derivative and an estimate of the second derivative. */
export async function startingStep(
  order: number,
  norm: ErrorNorm,
  state: Float64Array,
  derivative: Float64Array,
  span: number,
  ahead: (h: number) => Promise<Float64Array | null>,
): Promise<number> {
  const d0 = await norm.size(state);
  const d1 = await norm.derivativeSize(derivative, state);
  const h0 = Math.min(span, d0 < 1e-5 || d1 < 1e-5 || !Number.isFinite(d0 / d1) ? 1e-6 : (0.01 * d0) / d1);
  const next = await ahead(h0);
  if (next === null) return h0;
  const change = next.map((value, j) => value - derivative[j]);
  const d2 = (await norm.derivativeSize(change, state)) / h0;
  const largest = Math.max(d1, d2);
  const h1 = largest <= 1e-15 ? Math.max(1e-6, h0 * 1e-3) : (0.01 / largest) ** (1 / (order + 1));
  return Math.min(span, 100 * h0, Number.isFinite(h1) ? h1 : h0);
}
