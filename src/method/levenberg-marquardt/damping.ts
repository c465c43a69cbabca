// Computes the Levenberg-Marquardt damping mu: its first value (levenberg-marquardt.ts), the rules from (gain ratio,
// mu, growth) to the next one, and its limits (judge.ts, after every trial).
//
//   nielsen   accepted mu *= max(1/3, 1 - (2 ratio - 1)^3), growth = 2;     rejected mu *= growth, growth *= 2
//   hybrid    accepted mu *= 0.1 (ratio > 0.75), 0.5 (> 0.25), else 2;      rejected as nielsen
//
// Nielsen: IMM-REP-1999-05, and Madsen, Nielsen, Tingleff 2004; hybrid lies between Nielsen and the classic x0.1 rule.
import type { ScalingKind } from "../../linearize/problem.js";

/** The state of a rule: the damping, and the factor of the next rejection. */
export interface DampingState {
  readonly damping: number;
  readonly growth: number;
}

export interface DampingRule {
  readonly name: string;
  accepted(ratio: number, state: DampingState): DampingState;
  rejected(state: DampingState): DampingState;
}

/** Growth of the damping at the first rejection after an accepted step. */
export const firstGrowth = 2;

function grow(state: DampingState): DampingState {
  return { damping: state.damping * state.growth, growth: state.growth * 2 };
}

const nielsen: DampingRule = {
  name: "nielsen",
  accepted: (ratio, state) => ({
    // Above a ratio of 1 the cubic leaves [1/3, 2]; the max keeps it, and a ratio near 0 doubles the damping.
    damping: state.damping * Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3),
    growth: firstGrowth,
  }),
  rejected: grow,
};

const hybrid: DampingRule = {
  name: "hybrid",
  accepted: (ratio, state) => ({
    damping: state.damping * (ratio > 0.75 ? 0.1 : ratio > 0.25 ? 0.5 : 2),
    growth: firstGrowth,
  }),
  rejected: grow,
};

/** Name of the rule by which the damping follows the gain ratio. */
export type DampingRuleName = "nielsen" | "hybrid";

/** The rules by name. */
export const dampingRules: Readonly<Record<DampingRuleName, DampingRule>> = { nielsen, hybrid };

/** Parameter count from which the smaller first damping is safe. */
const large = 500;

/**
 * The first damping relative to the size of the curvature in the units of D.
 * @param scaling the requested scaling
 * @param effect the scaling in effect on the route
 */
export function firstDamping(scaling: ScalingKind, effect: ScalingKind, parameterCount: number): number {
  if (effect === "identity") return scaling === "root" ? 0.1 : 1e-3;
  if (effect === "marquardt") return 1;
  return parameterCount < large ? 1 : 0.03;
}

/** Largest damping as a multiple of the curvature's size; more would only shorten a step that is already rounding. */
const saturation = 1e16;
/** Below this multiple of it the damping has no effect in double precision. */
const floor = 1e-30;

/**
 * Largest damping of a run whose curvature is of size `scale`. It stays finite for a curvature near the end of the
 * double range.
 */
export function mostDamping(scale: number): number {
  return Math.min(saturation * scale, Number.MAX_VALUE);
}

/** The damping of the rule, kept in range. */
export function bounded(damping: number, scale: number): number {
  return Math.min(Math.max(damping, floor * scale), Number.MAX_VALUE);
}
