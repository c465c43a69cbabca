// Checks and completes the options of `levenbergMarquardt` (levenberg-marquardt.ts), when a user or rebuild-method.ts
// makes the method.
import { argumentError } from "../../errors.js";
import { type ScalingKind, scalingKinds } from "../../linearize/problem.js";
import { checkBoolean, checkOptionNames, checkPositive, definedOptions } from "../../options.js";
import type { PrecisionChoice } from "../../step/precision.js";
import type { ResidualCurvature } from "../../step/secant.js";
import type { CurvatureSamples } from "../../step/subset.js";
import { type DampingRuleName, dampingRules } from "./damping.js";
import type { HessianChoice } from "./exact-hessian.js";

/** Options of `levenbergMarquardt`. */
export interface LevenbergMarquardtOptions {
  /**
   * D: the identity, the running maximum of diag G after More and MINPACK ("marquardt"; in the dual route one factor a
   * layer), or its square root ("root", the geometric mean of the two; in the dual route the identity). Default "root".
   */
  readonly scaling?: ScalingKind | undefined;
  /** Rule for the damping. Default "nielsen". */
  readonly damping?: DampingRuleName | undefined;
  /**
   * First damping, relative to the largest diagonal entry of the curvature in the units of D. "auto", the default: with
   * "root" 1 below 500 parameters, 0.03 from there on and 0.1 where it is the identity in effect (dual route); with
   * "marquardt" 1, and 1e-3 where that is the identity in effect (dual route with weight decay); 1e-3 with "identity".
   * A long first step of a small network on noisy data ends in a worse minimum; larger networks on the same data do not
   * (`node bench/uci.mjs`, also with `--hidden 32-32` and `--damping`).
   */
  readonly initialDamping?: number | "auto" | undefined;
  /**
   * Geodesic acceleration: one more solve with the same factor and a few passes an iteration; not in the matrix-free
   * route, nor where the factor is that of a subset of the samples, nor in a run that stalls (`residualCurvature`).
   * Default true.
   */
  readonly acceleration?: boolean | undefined;
  /**
   * Precision of the primal curvature: "auto" forms and factors it in float32 where that is faster and exact enough,
   * and refines the step to double precision (`step/precision.ts` has the rule; every record has the precision);
   * "double" never does. Default "auto".
   */
  readonly precision?: PrecisionChoice | undefined;
  /**
   * Samples behind the curvature: "auto" takes few of them far from the minimum where that is faster, on the primal
   * route in single precision (a preconditioner, the step is that of all samples) and on the matrix-free route
   * (`step/subset.ts` has the rule; every record has the number); "all" never does. The gradient is always that of all
   * samples. Default "auto".
   */
  readonly curvatureSamples?: CurvatureSamples | undefined;
  /**
   * The part of the Hessian that G leaves out, sum_i r_i (Hessian of psi_i), large where residuals stay large: "auto"
   * adds a secant correction for it, in the primal route, once three iterations in a row lower the objective by less
   * than 0.3% each (`step/secant.ts`; records show it), from then on in double precision and without acceleration.
   * "none" never does, nor does a run with condition estimates. Default "auto".
   */
  readonly residualCurvature?: ResidualCurvature | undefined;
  /**
   * Steps on the exact Hessian of the objective in place of G, by conjugate gradients that the factor of G
   * preconditions: "auto" takes them with every loss but squared error, from the first step on, where the curvature is
   * that of all samples (`exact-hessian.ts` has the rule; records show each in `hessian`). They are not accelerated.
   * "never" takes none: such runs converge slowly. Default "auto".
   */
  readonly hessian?: HessianChoice | undefined;
}

/** All options, with defaults filled in. Plain data: two methods with equal settings take equal steps. */
export type LevenbergMarquardtSettings = {
  readonly [Name in keyof LevenbergMarquardtOptions]-?: Exclude<LevenbergMarquardtOptions[Name], undefined>;
};

const defaults: LevenbergMarquardtSettings = {
  scaling: "root",
  damping: "nielsen",
  initialDamping: "auto",
  acceleration: true,
  precision: "auto",
  curvatureSamples: "auto",
  residualCurvature: "auto",
  hessian: "auto",
};

/** All names. */
export const STEP_OPTION_NAMES: readonly string[] = Object.keys(defaults);

/** What the options with a fixed choice may be, and the rule as an error says it. */
const choices: Readonly<Record<Chosen, { readonly allowed: readonly string[]; readonly rule: string }>> = {
  scaling: { allowed: scalingKinds, rule: `must be one of ${scalingKinds.join(", ")}` },
  damping: { allowed: Object.keys(dampingRules), rule: `must be one of ${Object.keys(dampingRules).join(", ")}` },
  precision: { allowed: ["auto", "double"], rule: 'must be "auto" or "double"' },
  curvatureSamples: { allowed: ["auto", "all"], rule: 'must be "auto" or "all"' },
  residualCurvature: { allowed: ["auto", "none"], rule: 'must be "auto" or "none"' },
  hessian: { allowed: ["auto", "never"], rule: 'must be "auto" or "never"' },
};

type Chosen = "scaling" | "damping" | "precision" | "curvatureSamples" | "residualCurvature" | "hessian";

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function completeOptions(options: LevenbergMarquardtOptions): LevenbergMarquardtSettings {
  checkOptionNames("options", options, STEP_OPTION_NAMES);
  const settings: LevenbergMarquardtSettings = { ...defaults, ...definedOptions(options) };
  for (const [name, { allowed, rule }] of Object.entries(choices))
    if (!allowed.includes(settings[name as Chosen]))
      throw argumentError(`options.${name}`, rule, settings[name as Chosen]);
  if (settings.initialDamping !== "auto") checkPositive("options.initialDamping", settings.initialDamping);
  checkBoolean("options.acceleration", settings.acceleration);
  return settings;
}
