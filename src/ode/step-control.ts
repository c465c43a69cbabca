// Controls the step size: computes the factor of the next step from the scaled errors of the last steps, and the first step.
// `integration.ts` calls it at the start and after each trial step.
//
//   factor = safety * err_n^-a * err_(n-1)^b * err_(n-2)^-c,     k = order of the error estimate + 1
//     integral  a = 1/k
//     pi        a = 1/k - 0.75 beta, b = beta, beta = 0.04   (Hairer, Norsett, Wanner IV.2, as in DOPRI5)
//     pid       (a, b, c) = (0.49, 0.34, 0.10)/k             (Kennedy, Carpenter, Lewis 2000; Soderlind 2003)
//
// A rejected step and the first step use their own error alone: pi then has b = 0, and pid becomes the integral rule, because its a is
// meant to be supported by the other two (in a steady state it corrects by err^(-0.25/k) only). The second step of pid uses the first error
// for both earlier ones.
import type { IntegratorSettings } from "./integrator.js";
import type { ErrorNorm, Stage, StageFailure } from "./types.js";

const beta = 0.04;
/** Least error in the formula, because an error of 0 would give an infinite step. */
const leastError = 1e-10;
/** Least earlier error in the formula (as in DOPRI5): smaller ones come from steps that were far too small, and ratios to them are meaningless. */
const leastPast = 1e-4;

/** @param errors scaled errors, newest first; the newest is that of the step just tried */
export function stepFactor(errors: readonly number[], errorOrder: number, settings: IntegratorSettings): number {
  const raw = rawFactor(errors, errorOrder + 1, settings.control);
  return Math.min(settings.largestFactor, Math.max(settings.smallestFactor, settings.safety * raw));
}

function rawFactor(errors: readonly number[], k: number, control: IntegratorSettings["control"]): number {
  const now = Math.max(errors[0], leastError);
  const alone = errors.length === 1;
  const before = alone ? 1 : Math.max(errors[1], leastPast);
  const last = errors.length < 3 ? before : Math.max(errors[2], leastPast);
  switch (control) {
    case "integral":
      return now ** (-1 / k);
    case "pi":
      return now ** (-1 / k + 0.75 * beta) * before ** beta;
    case "pid":
      return alone ? now ** (-1 / k) : now ** (-0.49 / k) * before ** (0.34 / k) * last ** (-0.1 / k);
    default:
      control satisfies never;
      throw new Error("unreachable");
  }
}

/**
 * The starting step of Hairer, Norsett, Wanner II.4, from the sizes of state, derivative and an estimate of the second derivative:
 * h^(errorOrder+1) max(|y'|, |y''|) = 0.01, as the controlled error is that power of h.
 *
 * @param longest the step is at most that long, and looks ahead no further
 * @param ahead f after an Euler step of the given size; a failure there leaves the first guess, a fatal one is returned
 */
export async function startingStep(
  errorOrder: number,
  norm: ErrorNorm,
  state: Float64Array,
  derivative: Float64Array,
  longest: number,
  ahead: (h: number) => Stage | Promise<Stage>,
): Promise<number | StageFailure> {
  const d0 = await norm.size(state);
  const d1 = await norm.derivativeSize(derivative, state);
  const guess = (0.01 * d0) / d1;
  const usable = d0 >= 1e-5 && d1 >= 1e-5 && guess > 0 && guess < Number.POSITIVE_INFINITY;
  const h0 = Math.min(longest, usable ? guess : 1e-6);
  const next = await ahead(h0);
  if (!(next instanceof Float64Array)) return next.fatal ? next : h0;
  const change = next.map((value, j) => value - derivative[j]);
  const d2 = (await norm.derivativeSize(change, state)) / h0;
  const largest = Math.max(d1, d2);
  const h1 = largest <= 1e-15 ? Math.max(1e-6, h0 * 1e-3) : (0.01 / largest) ** (1 / (errorOrder + 1));
  return Math.min(longest, 100 * h0, h1 > 0 ? h1 : h0);
}
