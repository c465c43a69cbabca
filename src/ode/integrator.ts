// Makes the integrators that a user passes to `flow` and `integrate`: `euler`, `rungeKutta4`, `dormandPrince` (the default) and
// `tsitouras`, each a tableau with the settings of its steps. The loop of drive.ts works by them.

import { argumentError } from "../errors.js";
import { checkOptionNames } from "../options.js";
import { DORMAND_PRINCE, EULER, RUNGE_KUTTA_4, type Tableau, TSITOURAS } from "./tableau.js";

/** Options of integrators without an error estimate. */
export interface FixedStepOptions {
  /** Step size in units of time, > 0. */
  readonly step: number;
  /** Most steps. Default 100,000. */
  readonly steps?: number | undefined;
}

/** Options of integrators with an error estimate. */
export interface AdaptiveOptions {
  /** Default 1e-6. */
  readonly relativeTolerance?: number | undefined;
  /** Default 1e-9. */
  readonly absoluteTolerance?: number | undefined;
  /** Step-size control (Hairer, Norsett, Wanner II.4 and IV.2; Soderlind 2003). Default "pi". */
  readonly control?: "integral" | "pi" | "pid" | undefined;
  /** Defaults 0.9, 0.2, 10. */
  readonly safety?: number | undefined;
  /** Least ratio of a step to the one before it. Default 0.2. */
  readonly smallestFactor?: number | undefined;
  /** Largest ratio of a step to the one before it. Default 10. */
  readonly largestFactor?: number | undefined;
  /** Default: the starting-step rule. */
  readonly firstStep?: number | undefined;
  /** Longest step. Default: no bound. */
  readonly largestStep?: number | undefined;
  /** Fixed steps of this size instead of control. */
  readonly step?: number | undefined;
  /** Most trial steps, accepted or not. Default 100,000. */
  readonly steps?: number | undefined;
  /** Flows only: the error is that of the predictions (default) or of the parameters. */
  readonly norm?: "prediction" | "parameters" | undefined;
}

/** The settings of an integrator, all filled in. */
export interface IntegratorSettings {
  /** Relative tolerance of the local error. */
  readonly relativeTolerance: number;
  /** Absolute tolerance of the local error. */
  readonly absoluteTolerance: number;
  /** Rule of the step sizes. */
  readonly control: "integral" | "pi" | "pid";
  /** Safety factor on the step size computed from the error, between 0 and 1. */
  readonly safety: number;
  /** Least ratio of a step to the one before it. */
  readonly smallestFactor: number;
  /** Largest ratio of a step to the one before it. */
  readonly largestFactor: number;
  /** 0 = by rule; step 0 = controlled. */
  readonly firstStep: number;
  /** Longest step; Infinity = no bound. */
  readonly largestStep: number;
  /** Size of fixed steps; 0 = the error controls them. */
  readonly step: number;
  /** Most trial steps, accepted or not. */
  readonly steps: number;
  /** The quantity in which the error of a flow is measured. */
  readonly norm: "prediction" | "parameters";
}

/** A Runge-Kutta method with its settings. Made by `dormandPrince`, `tsitouras`, `rungeKutta4` or `euler`. */
export interface Integrator {
  /** Name in checkpoints. */
  readonly name: string;
  /** Description in reports. */
  readonly label: string;
  /** Coefficients of the method. */
  readonly tableau: Tableau;
  /** All settings, filled in. */
  readonly settings: IntegratorSettings;
}

/** Objects made by `make`; the settings of any other object have not been checked. */
const made = new WeakSet<object>();

export const isIntegrator = (value: unknown): value is Integrator => made.has(value as object);

const NAMES = [
  "relativeTolerance",
  "absoluteTolerance",
  "control",
  "safety",
  "smallestFactor",
  "largestFactor",
  "firstStep",
  "largestStep",
  "step",
  "steps",
  "norm",
];

function make(tableau: Tableau, options: AdaptiveOptions, names: readonly string[]): Integrator {
  checkOptionNames("options", options, names);
  const { relativeTolerance = 1e-6, absoluteTolerance = 1e-9, control = "pi", norm = "prediction" } = options;
  const { safety = 0.9, smallestFactor = 0.2, largestFactor = 10, steps = 100_000 } = options;
  const { firstStep = 0, largestStep = Number.POSITIVE_INFINITY, step = 0 } = options;
  const settings: IntegratorSettings = {
    relativeTolerance,
    absoluteTolerance,
    control,
    safety,
    smallestFactor,
    largestFactor,
    firstStep,
    largestStep,
    step,
    steps,
    norm,
  };
  const rule = (name: keyof IntegratorSettings, holds: (value: number) => boolean, words: string) => {
    const value = settings[name];
    if (options[name] !== undefined && !(typeof value === "number" && holds(value)))
      throw argumentError(`options.${name}`, words, value);
  };
  const finite = (value: number) => value > 0 && value < Number.POSITIVE_INFINITY;
  rule("relativeTolerance", finite, "must be a positive finite number");
  rule("absoluteTolerance", finite, "must be a positive finite number");
  rule("safety", (value) => value > 0 && value < 1, "must be between 0 and 1");
  rule("smallestFactor", (value) => value > 0 && value < 1, "must be between 0 and 1");
  rule("largestFactor", (value) => value > 1 && value < Number.POSITIVE_INFINITY, "must be a finite number above 1");
  rule("firstStep", finite, "must be a positive finite number");
  rule("largestStep", (value) => value > 0, "must be positive");
  rule("step", finite, "must be a positive finite number");
  rule("steps", (value) => Number.isSafeInteger(value) && value >= 1, "must be a whole number of at least 1");
  if (!["integral", "pi", "pid"].includes(control))
    throw argumentError("options.control", 'must be "integral", "pi" or "pid"', control);
  if (norm !== "prediction" && norm !== "parameters")
    throw argumentError("options.norm", 'must be "prediction" or "parameters"', norm);
  if (tableau.error === null && step === 0)
    throw argumentError("options.step", "must be given: the method has no error estimate", options.step);
  for (const name of ["firstStep", "largestStep"] as const)
    if (step > 0 && options[name] !== undefined)
      throw argumentError(
        `options.${name}`,
        `must not be given beside step ${step}, which fixes all steps`,
        options[name],
      );
  const how = step > 0 ? `step ${step}` : `${control} control, tolerance ${relativeTolerance}`;
  const integrator = Object.freeze({ name: tableau.name, label: `${tableau.name} (${how})`, tableau, settings });
  made.add(integrator);
  return integrator;
}

/** Explicit Euler, order 1: with step 1 and rho = 0 it is the Gauss-Newton method. */
export const euler = (options: FixedStepOptions): Integrator => make(EULER, options, ["step", "steps"]);

/** The classical Runge-Kutta method of order 4 at a fixed step. */
export const rungeKutta4 = (options: FixedStepOptions): Integrator => make(RUNGE_KUTTA_4, options, ["step", "steps"]);

/** Dormand-Prince 5(4): the default. */
export const dormandPrince = (options: AdaptiveOptions = {}): Integrator => make(DORMAND_PRINCE, options, NAMES);

/** Tsitouras 5(4). */
export const tsitouras = (options: AdaptiveOptions = {}): Integrator => make(TSITOURAS, options, NAMES);
