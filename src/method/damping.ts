// Rules for the Levenberg-Marquardt damping mu: small objects from (gain ratio, mu, growth) to the next mu.
//
//   nielsen   accepted mu *= max(1/3, 1 - (2 ratio - 1)^3), growth = 2;     rejected mu *= growth, growth *= 2
//   hybrid    accepted mu *= 0.1 (ratio > 0.75), 0.5 (> 0.25), else 2;      rejected as nielsen
//
// Nielsen: IMM-REP-1999-05, and Madsen, Nielsen, Tingleff 2004; hybrid: ours, between Nielsen and the classic x0.1 rule.

/** What a rule remembers: the damping, and the factor of the next rejection. */
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

/** How the damping follows the gain ratio. */
export type DampingRuleName = "nielsen" | "hybrid";

/** The rules by name. */
export const dampingRules: Readonly<Record<DampingRuleName, DampingRule>> = { nielsen, hybrid };
