// Makes the smoothed regularizer h(w) of `ggnScore` from a smoothing function (smooth-rules.ts): its sum over the
// weights, or over groups of weights, whose members shrink to 0 together.
//
//   sum          h = sum_j h(w_j)
//   groups       h = sum_g sqrt(m_g) h(|w_g|), m_g the members of group g (group lasso, Yuan and Lin 2006)
//
// The Hessian of a group, a (I - v v^T) + b v v^T with a = h'(r)/r, b = h''(r), v = w_g/r, is not diagonal: `curvature`
// has its diagonal. Its majorizing curvature a is diagonal, because h(sqrt t) is concave.
import { argumentError } from "../../errors.js";
import { type Bounds, type SmoothRule, type SmoothTerms, selfConcordance } from "./smooth-rules.js";

/** Which curvature of the regularizer a step uses. */
export type CurvatureKind = "second" | "majorizer";

/** A smoothed regularizer of p weights. */
export interface Penalty {
  /** The constant M_g of the published step length. */
  readonly selfConcordance: number;
  /** h(w); Infinity where it overflows. */
  value(w: Float64Array): number;
  /** Writes grad h and the diagonal of the chosen curvature, p entries each, and returns h(w). */
  fill(w: Float64Array, kind: CurvatureKind, gradient: Float64Array, curvature: Float64Array): number;
  /**
   * The function that h smooths, of parameters that are within their bounds: the sum of |w| or of the lengths of
   * groups; 0 with bounds.
   */
  limit(w: Float64Array): number;
  /**
   * The proximal operator in place: soft thresholds of the weights (or of the lengths of the groups), or the nearest
   * point of the box.
   * @param threshold p entries, at least 0; of a group the mean of its members
   */
  proximal(w: Float64Array, threshold: Float64Array): void;
}

/** What a penalty is made of. */
export interface PenaltySettings {
  readonly rule: SmoothRule;
  readonly mu: number;
  readonly bounds: Bounds;
  /** Lengths of consecutive groups of weights; null = every weight by itself. */
  readonly groups: readonly number[] | null;
}

/** @throws GAUSSFLOW_ARGUMENT where the groups do not have p members together */
export function penaltyOf(settings: PenaltySettings, p: number): Penalty {
  const { rule, mu, groups } = settings;
  if (groups !== null) {
    const members = groups.reduce((sum, length) => sum + length, 0);
    if (members !== p)
      throw argumentError(
        "options.groups",
        `must be lengths that sum to the ${p} parameters of the network (unitGroups(network) makes them)`,
        members,
      );
  }
  const constant = selfConcordance(rule, mu, p);
  return groups === null ? sumOfWeights(settings, constant) : sumOfGroups(settings, groups, constant);
}

function emptyTerms(): SmoothTerms {
  return { value: 0, gradient: 0, second: 0, majorizer: 0 };
}

function sumOfWeights({ rule, mu, bounds }: PenaltySettings, constant: number): Penalty {
  const one = emptyTerms();
  return {
    selfConcordance: constant,
    value(w) {
      let sum = 0;
      for (let j = 0; j < w.length; j++) {
        rule.terms(w[j]!, mu, bounds, one);
        sum += one.value;
      }
      return sum;
    },
    fill(w, kind, gradient, curvature) {
      let sum = 0;
      for (let j = 0; j < w.length; j++) {
        rule.terms(w[j]!, mu, bounds, one);
        sum += one.value;
        gradient[j] = one.gradient;
        curvature[j] = one[kind];
      }
      return sum;
    },
    limit: (w) => (rule.of === "norm" ? w.reduce((sum, x) => sum + Math.abs(x), 0) : 0),
    proximal(w, threshold) {
      for (let j = 0; j < w.length; j++)
        w[j] =
          rule.of === "norm"
            ? Math.sign(w[j]!) * Math.max(Math.abs(w[j]!) - threshold[j]!, 0)
            : Math.min(Math.max(w[j]!, bounds.lower), rule.of === "box" ? bounds.upper : Number.POSITIVE_INFINITY);
    },
  };
}

function sumOfGroups({ rule, mu, bounds }: PenaltySettings, groups: readonly number[], constant: number): Penalty {
  const one = emptyTerms();
  /**
   * Calls `each` with the terms of every group in `one`, its first member and the one after its last, and its length
   * |w_g|.
   */
  const walk = (w: Float64Array, each: (from: number, to: number, radius: number, weight: number) => void): number => {
    let [sum, from] = [0, 0];
    for (const length of groups) {
      const to = from + length;
      let square = 0;
      for (let j = from; j < to; j++) square += w[j]! * w[j]!;
      const radius = Math.sqrt(square);
      rule.terms(radius, mu, bounds, one);
      const weight = Math.sqrt(length);
      sum += weight * one.value;
      each(from, to, radius, weight);
      from = to;
    }
    return sum;
  };
  return {
    selfConcordance: constant,
    value: (w) => walk(w, () => {}),
    fill(w, kind, gradient, curvature) {
      return walk(w, (from, to, radius, weight) => {
        const { second, majorizer } = one;
        for (let j = from; j < to; j++) {
          gradient[j] = weight * majorizer * w[j]!;
          const share = radius === 0 ? 0 : (w[j]! / radius) ** 2;
          curvature[j] = weight * (kind === "majorizer" ? majorizer : majorizer * (1 - share) + second * share);
        }
      });
    },
    limit(w) {
      let sum = 0;
      walk(w, (_from, _to, radius, weight) => {
        sum += weight * radius;
      });
      return sum;
    },
    proximal(w, threshold) {
      walk(w, (from, to, radius, weight) => {
        let mean = 0;
        for (let j = from; j < to; j++) mean += threshold[j]! / (to - from);
        const factor = radius > weight * mean ? 1 - (weight * mean) / radius : 0;
        for (let j = from; j < to; j++) w[j]! *= factor;
      });
    },
  };
}
