// Checks and completes the options of `ggnScore` (ggn-score.ts), when a user or rebuild-method.ts makes the method.
import { argumentError } from "../../errors.js";
import {
  checkBoolean,
  checkCount,
  checkNonNegative,
  checkOptionNames,
  checkPositive,
  definedOptions,
} from "../../options.js";
import type { BatchNeeds, BatchSizes } from "../batch-method.js";
import { type BatchSize, checkBatchSize, describeBatches, rowsOf } from "../batch-size.js";
import type { PenaltySettings } from "./penalty.js";
import { prefersRows } from "./row-form.js";
import { type RegularizerName, SMOOTH_RULES, type SmoothRule } from "./smooth-rules.js";

/** How long a step is, and with which curvature of the regularizer it is found. */
export type StepLength = "majorizing" | "published";

/** All of them. */
export const STEP_LENGTHS: readonly StepLength[] = ["majorizing", "published"];

/** Options of `ggnScore`. */
export interface GgnScoreOptions {
  /**
   * Strength of the regularizer, above 0: the objective is the sum loss divided by the rows, plus tau h(w). Sample
   * weights should have the mean 1. Default 1e-4.
   */
  readonly tau?: number | undefined;
  /** Smoothing parameter mu, above 0, in the units of the parameters: |w| below it is nearly 0. Default 1e-3. */
  readonly mu?: number | undefined;
  /**
   * The function h. "pseudo-huber" (the default) and "ostrovskii-bach" smooth the sum of |w|; "exponential" keeps
   * parameters above `lower`; "log-exp-box" and "pseudo-huber-box" keep them between `lower` and `upper`.
   */
  readonly regularizer?: RegularizerName | undefined;
  /** Lower bound of "exponential" (default 0) and of the boxes (default -1). */
  readonly lower?: number | undefined;
  /** Upper bound of the boxes, at least `lower`. Default 1. */
  readonly upper?: number | undefined;
  /**
   * Lengths of consecutive groups of parameters, whose members become small together, with "pseudo-huber" and
   * "ostrovskii-bach". `unitGroups(network)` gives the incoming weights of each unit. Default: every parameter by
   * itself.
   */
  readonly groups?: readonly number[] | undefined;
  /**
   * "majorizing", the default: curvature h'(w)/w, and the first of the lengths 1, 1/2, 1/4, ... that lowers the
   * objective of the batch (Armijo). "published": curvature h''(w), and the length min(1, length/(1 + M_g eta)). It
   * overflows where |w| is much larger than mu.
   */
  readonly step?: StepLength | undefined;
  /**
   * Steps at the start of a run in which the smoothing falls from `firstMu` to `mu`, by the same factor each. With a
   * small mu from the first step on, a weight that comes near 0 stays there, and trainings end in poor minima. Default
   * 100; with the published step 0: mu is fixed.
   */
  readonly continuation?: number | undefined;
  /**
   * Smoothing at the first step, where there is a continuation: about the size of the weights. Default 1, and at least
   * `mu`.
   */
  readonly firstMu?: number | undefined;
  /** The numerator of the published step length, in (0, 1]. Default 0.5. */
  readonly length?: number | undefined;
  /** Rows of a batch. Default "all", as "auto". */
  readonly batch?: BatchSize | undefined;
  /**
   * Soft thresholds tau * length * h''(w) after each step as in the released code, so that small parameters become
   * exactly 0 (boxes: the nearest point of the box). With the majorizing step thresholds that raise the loss with the
   * sum of |w| are not applied. Default false.
   */
  readonly proximal?: boolean | undefined;
  /**
   * Damping added to the curvature of the sum loss divided by the rows, at least 0. Default 0, and 1e-4 with the
   * functions of bounds, which are flat inside.
   */
  readonly damping?: number | undefined;
  /**
   * Form of the linear system of a step: "parameters" (p x p), "rows" (rows of the batch times outputs, for more
   * parameters than rows; not for all rows of a data file), or "auto", the default, by predicted time.
   */
  readonly system?: "auto" | "parameters" | "rows" | undefined;
  /** Parameters with |w| below it count as small in the report. Default 1e-3. */
  readonly threshold?: number | undefined;
}

/** All options, with defaults filled in. */
export interface GgnScoreSettings extends PenaltySettings {
  readonly tau: number;
  readonly regularizer: RegularizerName;
  readonly step: StepLength;
  readonly continuation: number;
  readonly firstMu: number;
  readonly length: number;
  readonly batch: BatchSize;
  readonly proximal: boolean;
  readonly damping: number;
  readonly system: "auto" | "parameters" | "rows";
  readonly threshold: number;
}

const NAMES = [
  "tau",
  "mu",
  "regularizer",
  "lower",
  "upper",
  "groups",
  "step",
  "continuation",
  "firstMu",
  "length",
  "batch",
  "proximal",
  "damping",
  "system",
  "threshold",
] as const satisfies readonly (keyof GgnScoreOptions)[];

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function ggnScoreSettings(options: GgnScoreOptions): GgnScoreSettings {
  checkOptionNames("options", options, NAMES);
  const given = definedOptions(options);
  const { tau = 1e-4, mu = 1e-3, regularizer = "pseudo-huber", step = "majorizing", length = 0.5 } = given;
  const { batch = "all", proximal = false, system = "auto", threshold = 1e-3, groups = null } = given;
  const { continuation = step === "published" ? 0 : 100 } = given;
  checkOneOf("options.regularizer", regularizer, Object.keys(SMOOTH_RULES));
  checkOneOf("options.step", step, STEP_LENGTHS);
  checkOneOf("options.system", system, ["auto", "parameters", "rows"]);
  checkPositive("options.tau", tau);
  checkPositive("options.mu", mu);
  checkPositive("options.threshold", threshold);
  checkCount("options.continuation", continuation, 0);
  const { firstMu = Math.max(1, mu) } = given;
  checkPositive("options.firstMu", firstMu);
  if (given.firstMu !== undefined && continuation === 0)
    throw argumentError(
      "options.firstMu",
      "must be left out with options.continuation 0, whose smoothing is options.mu at every step",
      firstMu,
    );
  if (firstMu < mu) throw argumentError("options.firstMu", `must be at least options.mu, which is ${mu}`, firstMu);
  if (!(typeof length === "number" && length > 0 && length <= 1))
    throw argumentError("options.length", "must be a number above 0 and at most 1", length);
  if (given.length !== undefined && step !== "published")
    throw argumentError(
      "options.length",
      'must be left out unless options.step is "published": the majorizing step searches its length',
      length,
    );
  checkBatchSize(batch);
  checkBoolean("options.proximal", proximal);
  const rule = SMOOTH_RULES[regularizer];
  if (groups !== null) checkGroups(groups, rule.of);
  const { damping = rule.of === "norm" ? 0 : 1e-4 } = given;
  checkNonNegative("options.damping", damping);
  const bounds = boundsOf(given, rule.of);
  return {
    rule,
    tau,
    mu,
    regularizer,
    bounds,
    groups,
    step,
    continuation,
    firstMu,
    length,
    batch,
    proximal,
    damping,
    system,
    threshold,
  };
}

function checkOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (!(allowed as readonly unknown[]).includes(value))
    throw argumentError(name, `must be one of ${allowed.join(", ")}`, value);
}

type Kind = SmoothRule["of"];

function checkGroups(groups: unknown, of: Kind): void {
  if (of !== "norm")
    throw argumentError("options.groups", "must not be given with bounds: a bound is that of one parameter", groups);
  if (!Array.isArray(groups) || groups.length === 0)
    throw argumentError("options.groups", "must be an array of lengths", groups);
  for (const [k, length] of groups.entries()) checkCount(`options.groups[${k}]`, length, 1);
}

function boundsOf({ lower, upper }: Pick<GgnScoreOptions, "lower" | "upper">, of: Kind): PenaltySettings["bounds"] {
  if (of === "norm" && (lower ?? upper) !== undefined)
    throw argumentError(
      lower === undefined ? "options.upper" : "options.lower",
      "must not be given with this regularizer: exponential, log-exp-box and pseudo-huber-box have bounds",
      lower ?? upper,
    );
  if (of === "lower bound" && upper !== undefined)
    throw argumentError("options.upper", "must not be given with exponential: a box has an upper bound", upper);
  const bounds = { lower: lower ?? (of === "box" ? -1 : 0), upper: upper ?? 1 };
  for (const [name, bound] of Object.entries(bounds))
    if (!Number.isFinite(bound)) throw argumentError(`options.${name}`, "must be a finite number", bound);
  if (of === "box" && bounds.lower > bounds.upper)
    throw argumentError("options.lower", `must be at most options.upper, which is ${bounds.upper}`, bounds.lower);
  return bounds;
}

/** The options in use as plain data: `ggnScore` makes the same method of it. */
export function plainSettings(settings: GgnScoreSettings): Readonly<Record<string, string | number | boolean>> {
  const { rule, bounds, groups, firstMu, length, ...others } = settings;
  return {
    ...others,
    ...(others.continuation === 0 ? {} : { firstMu }),
    ...(others.step === "published" ? { length } : {}),
    ...(rule.of === "norm" ? {} : { lower: bounds.lower }),
    ...(rule.of === "box" ? { upper: bounds.upper } : {}),
    ...(groups === null ? {} : { groups: groups.join(",") }),
  };
}

/** Smoothing of step k, from 1. */
export function smoothingAt({ mu, continuation, firstMu }: GgnScoreSettings, k: number): number {
  return k > continuation ? mu : firstMu * (mu / firstMu) ** ((k - 1) / continuation);
}

/**
 * The form of the system of a batch.
 * @param rows those of the batch
 * @param inMemory whether they are in memory, as the rows of the Jacobian have to be weighted with them
 */
export function formOf(
  { system }: GgnScoreSettings,
  { rows, outputSize, parameterCount }: Omit<BatchSizes, "loss">,
  inMemory: boolean,
): "parameters" | "rows" {
  if (!inMemory && system === "rows")
    throw argumentError(
      "options.method.system",
      'must be "parameters" or "auto" where every step sees all rows of a data file: with a number of rows as options.method.batch it may be "rows"',
      system,
    );
  if (!inMemory) return "parameters";
  if (system !== "auto") return system;
  return prefersRows(rows * outputSize, parameterCount) ? "rows" : "parameters";
}

/** What a run of these sizes needs. */
export function needsOf(settings: GgnScoreSettings, sizes: BatchSizes): BatchNeeds {
  const rows = rowsOf(settings.batch, sizes.rows, sizes);
  const form = formOf(settings, { ...sizes, rows }, !sizes.inFile || rows < sizes.rows);
  const byRows = form === "rows";
  return {
    rows,
    engines: [{ rows, curvature: byRows ? "none" : "primal" }],
    route: byRows ? "dual" : "primal",
    rate: { schedule: "constant", rate: 1, finalRate: 0, rateFactor: 0.1, rateEpochs: 10 },
    // Gradients, curvatures, direction and the proximal step; the row form holds J, and its kernel is no larger.
    vectors: 8 + (byRows ? 2 * rows * sizes.outputSize : 0),
    evaluations: settings.step === "majorizing" ? 1 : 0,
    described: `${describeBatches(rows, sizes)}, the system in the form of its ${form}`,
  };
}
