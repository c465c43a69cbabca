// Defines the damping rho in [0, 1] of a flow as a function of time, state and spectrum: the schedules that users and the experiments pass
// to `flow`, and the check of their values, which `field.ts` calls at every right-hand side (docs/theory.md).
//
//   constant         rho                        0 = Gauss-Newton, 1 = gradient flow
//   spectral         c lambda / (1 + c lambda)  lambda the smallest eigenvalue of K now, above the rounding floor: the slowest
//                                               mode of the loss then decays at 2 (1 + c lambda)/(1 + c) (derived here, after Cayci)
//   loss-proportional  min(1, rho_0 g/g(0))     for comparison: it promises no rate

import { argumentError } from "../errors.js";
import { asThrown } from "../ode/thrown.js";
import { checkOptionNames } from "../options.js";

/** The spectrum of K = J J^T (alpha not in it), as far as a schedule may need it. */
export interface ScheduleSpectrum {
  /** Smallest eigenvalue above the rounding floor. */
  readonly smallest: number;
  /** The largest eigenvalue. */
  readonly largest: number;
  /** How many lie at or below the floor. */
  readonly below: number;
}

/** The quantities that a schedule may use at one right-hand side. */
export interface ScheduleView {
  /** Time of the flow. */
  readonly time: number;
  /** A copy at every access. */
  readonly parameters: Float64Array;
  /** Sum objective at this point. */
  readonly objective: number;
  /** Sum objective at the start of the flow. */
  readonly initialObjective: number;
  /** Only for schedules with `needsSpectrum`, such as `dampingFunction(f, true)`; else null. */
  readonly spectrum: ScheduleSpectrum | null;
}

/** The damping rho of a flow at each of its points. */
export interface DampingSchedule {
  /** Name in reports and checkpoints. */
  readonly name: string;
  /** All options as plain data, for checkpoints and reports. */
  readonly settings: Readonly<Record<string, number>>;
  /** True if `rho` reads the spectrum of the kernel, which is then computed at every right-hand side. */
  readonly needsSpectrum: boolean;
  /** The damping at a point, at least 0. */
  readonly rho: (view: ScheduleView) => number;
}

/** The same rho at all times. @throws GAUSSFLOW_ARGUMENT outside [0, 1] */
export function constantDamping(rho: number): DampingSchedule {
  if (typeof rho !== "number" || !(rho >= 0 && rho <= 1))
    throw argumentError("damping", "must be a number rho from 0 to 1, or a schedule", rho);
  return Object.freeze({ name: "constant", settings: { rho }, needsSpectrum: false, rho: () => rho });
}

/**
 * rho = c lambda/(1 + c lambda). Up to the order `eigensolverLimit`, lambda is computed at every right-hand side, so that rho is a continuous
 * function of the state. Above that order an eigenvalue costs as much as the step: lambda is computed by Lanczos once an accepted step, and
 * held through the stages of the next one.
 */
export function spectralDamping(options: { readonly c?: number | undefined } = {}): DampingSchedule {
  checkOptionNames("options", options, ["c"]);
  const { c = 1 } = options;
  if (!(typeof c === "number" && c > 0 && c < Number.POSITIVE_INFINITY))
    throw argumentError("options.c", "must be a positive finite number", c);
  return Object.freeze({
    name: "spectral",
    settings: { c },
    needsSpectrum: true,
    rho: ({ spectrum }: ScheduleView) => {
      const product = c * (spectrum?.smallest ?? Number.NaN);
      // A product that overflows is no NaN: rho is 1 to rounding long before.
      return product < 1 ? product / (1 + product) : 1 / (1 + 1 / product);
    },
  });
}

/** rho = min(1, rho_0 g/g(0)), a common Levenberg-Marquardt rule. It does not give the promised rate and serves for comparison. */
export function lossProportionalDamping(options: { readonly initial?: number | undefined } = {}): DampingSchedule {
  checkOptionNames("options", options, ["initial"]);
  const { initial = 0.1 } = options;
  if (!(typeof initial === "number" && initial > 0 && initial <= 1))
    throw argumentError("options.initial", "must be a number above 0 and at most 1", initial);
  return Object.freeze({
    name: "loss-proportional",
    settings: { initial },
    needsSpectrum: false,
    rho: ({ objective, initialObjective }: ScheduleView) =>
      // An objective below 0 has no share of that at the start.
      initialObjective > 0 && objective >= 0 ? Math.min(1, (initial * objective) / initialObjective) : initial,
  });
}

/** Any function of time, state and loss. */
export function dampingFunction(rho: (view: ScheduleView) => number, needsSpectrum = false): DampingSchedule {
  if (typeof rho !== "function") throw argumentError("rho", "must be a function", rho);
  return Object.freeze({ name: "function", settings: {}, needsSpectrum, rho });
}

/** A number, a function or a schedule, as a schedule. @throws GAUSSFLOW_ARGUMENT where it is none of them */
export function asSchedule(given: number | DampingSchedule | ((view: ScheduleView) => number)): DampingSchedule {
  if (typeof given === "function") return dampingFunction(given);
  if (typeof given !== "object" || given === null) return constantDamping(given);
  const { name, settings, needsSpectrum, rho } = given;
  const rule = (holds: boolean, field: string, words: string, received: unknown) => {
    if (!holds) throw argumentError(`options.damping.${field}`, words, received);
  };
  rule(typeof rho === "function", "rho", "must be a function of the flow's view", rho);
  rule(typeof name === "string", "name", "must be a string (a function alone is a schedule too)", name);
  rule(typeof needsSpectrum === "boolean", "needsSpectrum", "must be true or false", needsSpectrum);
  rule(typeof settings === "object" && settings !== null, "settings", "must be an object of numbers", settings);
  for (const [key, value] of Object.entries(settings))
    rule(typeof value === "number", `settings.${key}`, "must be a number", value);
  return given;
}

/**
 * rho of the schedule, checked.
 * @throws GAUSSFLOW_ARGUMENT where a schedule breaks its contract; the reason of `signal` where that is what it threw
 */
export function scheduledRho(schedule: DampingSchedule, view: ScheduleView, signal?: AbortSignal): number {
  let rho: number;
  try {
    rho = schedule.rho(view);
  } catch (cause) {
    const blind = cause instanceof TypeError && !schedule.needsSpectrum;
    const hint = blind ? ", whose view.spectrum is null but for dampingFunction(f, true)," : "";
    throw asThrown(`the damping schedule "${schedule.name}"${hint}`, "damping", view.time, cause, signal);
  }
  if (typeof rho !== "number" || !(rho >= 0 && rho <= 1))
    throw argumentError(`damping schedule "${schedule.name}" at time ${view.time}`, "must return rho from 0 to 1", rho);
  return rho;
}
