// Defines the self-concordant functions of one weight that `ggnScore` smooths regularizers with: value, first and
// second derivative, a majorizing curvature, and the constants of the published step length. penalty.ts sums them over
// the weights.
//
//   mu, the smoothing parameter; s = sqrt(mu^2 + x^2), q = sqrt(mu^2 + 4 x^2)
//   pseudo-Huber        s - mu                                       of |x|
//   Ostrovskii-Bach     1/2 (q - mu + mu log(2 mu / (q + mu)))       of |x|
//   exponential         mu exp((l - x)/mu)                           of the bound x >= l
//   log-exp box         mu (log(1 + exp((l - x)/mu)) + log(1 + exp((x - u)/mu)))        of the bounds l <= x <= u
//   pseudo-Huber box    the pseudo-Huber function of the distance to [l, u]             of the bounds l <= x <= u
//
// A quadratic with the value and slope of h at x and the curvature `majorizer` lies above h everywhere (but for the
// exponential function, which no quadratic majorizes). With the second derivative in its place a step from |x| >> mu is
// too long by (x/mu)^2. Sources: Adeoye and Bemporad, "SCORE" (arXiv 2112.07344) and "Regularized Gauss-Newton ..."
// (arXiv 2404.14875); Ostrovskii and Bach 2021; Jaakkola and Jordan 2000 (the bound of log(1 + e^z)). The released code
// of both boxes has errors of sign; these are the definitions.

/** Value and derivatives of a smoothing function at one weight. */
export interface SmoothTerms {
  /** h(x). */
  value: number;
  /** h'(x). */
  gradient: number;
  /** h''(x), at least 0. */
  second: number;
  /** Curvature of a quadratic that touches h at x and lies above it, at least 0. */
  majorizer: number;
}

/** Lower and upper bound of each weight; a rule looks at those that it has. */
export interface Bounds {
  /** Least weight that costs nothing. */
  readonly lower: number;
  /** Largest weight that costs nothing. */
  readonly upper: number;
}

/** A smoothing function. */
export interface SmoothRule {
  /** Name in labels: "pseudo-Huber". */
  readonly label: string;
  /**
   * The constant M_h as published, in |h'''| <= M_h mu^(nu/2 - 2) h''^(nu/2). That of the pseudo-Huber function is too
   * small: the bound needs 3 sqrt(10) 11^(-0.55) = 2.54. Only the published step length uses it.
   */
  readonly constant: number;
  /** The exponent nu as published. */
  readonly exponent: number;
  /** What it smooths: |x|, or the bounds of x. */
  readonly of: "norm" | "lower bound" | "box";
  /** Whether `majorizer` is a majorizing curvature; else it is the second derivative. */
  readonly majorizes: boolean;
  /** Fills `out` for the weight x. An overflow of the function itself is Infinity; nothing is NaN for a finite x. */
  terms(x: number, mu: number, bounds: Bounds, out: SmoothTerms): void;
}

/** From this ratio on 1 + t^2 is t^2 in double precision, whose square could overflow. */
const FAR = 1e8;

/** sqrt(1 + t^2). */
function root(t: number): number {
  const size = Math.abs(t);
  return size > FAR ? size : Math.sqrt(1 + t * t);
}

function pseudoHuberTerms(x: number, mu: number, out: SmoothTerms): void {
  const t = x / mu;
  const s = root(t);
  // s - 1 = t^2 / (s + 1) keeps the digits that the difference would lose near 0.
  out.value = x * (t / (s + 1));
  out.gradient = t / s;
  out.second = 1 / (mu * s) / s / s;
  out.majorizer = 1 / (mu * s);
}

const pseudoHuber: SmoothRule = {
  label: "pseudo-Huber",
  constant: 2,
  exponent: 2.6,
  of: "norm",
  majorizes: true,
  terms: (x, mu, _, out) => pseudoHuberTerms(x, mu, out),
};

const ostrovskiiBach: SmoothRule = {
  label: "Ostrovskii-Bach",
  constant: 2 * Math.SQRT2,
  exponent: 3,
  of: "norm",
  majorizes: true,
  terms: (x, mu, _, out) => {
    const t = (2 * x) / mu;
    const s = root(t);
    const above = t * (t / (s + 1));
    out.value = 0.5 * mu * (above - Math.log1p(0.5 * above));
    out.gradient = t / (s + 1);
    out.second = 2 / (mu * s) / (s + 1);
    out.majorizer = 2 / (mu * (s + 1));
  },
};

const exponential: SmoothRule = {
  label: "exponential",
  constant: 1,
  exponent: 2,
  of: "lower bound",
  majorizes: false,
  terms: (x, mu, { lower }, out) => {
    const e = Math.exp((lower - x) / mu);
    out.value = mu * e;
    out.gradient = -e;
    out.second = e / mu;
    out.majorizer = e / mu;
  },
};

const logExpBox: SmoothRule = {
  label: "log-exp box",
  constant: 1,
  exponent: 2,
  of: "box",
  majorizes: true,
  terms: (x, mu, { lower, upper }, out) => {
    out.value = 0;
    out.gradient = 0;
    out.second = 0;
    out.majorizer = 0;
    addSoftplus((lower - x) / mu, -1, mu, out);
    addSoftplus((x - upper) / mu, 1, mu, out);
  },
};

/** Adds mu log(1 + e^z) and its derivatives by x, dz/dx = direction / mu. */
function addSoftplus(z: number, direction: 1 | -1, mu: number, out: SmoothTerms): void {
  const e = Math.exp(-Math.abs(z));
  const [share, rest] = z > 0 ? [1 / (1 + e), e / (1 + e)] : [e / (1 + e), 1 / (1 + e)];
  out.value += mu * (Math.max(z, 0) + Math.log1p(e));
  out.gradient += direction * share;
  out.second += (share * rest) / mu;
  // tanh(z/2) / (2 z), and its limit 1/4.
  out.majorizer += (z === 0 ? 0.25 : Math.tanh(0.5 * z) / (2 * z)) / mu;
}

const pseudoHuberBox: SmoothRule = {
  label: "pseudo-Huber box",
  constant: 2,
  exponent: 2.6,
  of: "box",
  majorizes: true,
  terms: (x, mu, { lower, upper }, out) => {
    if (x < lower) return pseudoHuberTerms(x - lower, mu, out);
    if (x > upper) return pseudoHuberTerms(x - upper, mu, out);
    out.value = 0;
    out.gradient = 0;
    out.second = 0;
    // With the distance d beyond a bound, h <= min(d, d^2/(2 mu)), and 1/(mu + 2 distance) (d + distance)^2 / 2 is
    // above both.
    out.majorizer = 1 / (mu + 2 * Math.min(x - lower, upper - x));
  },
};

/** Name of a smoothing function. */
export type RegularizerName = "pseudo-huber" | "ostrovskii-bach" | "exponential" | "log-exp-box" | "pseudo-huber-box";

/** All smoothing functions by the name of the option. */
export const SMOOTH_RULES: Readonly<Record<RegularizerName, SmoothRule>> = {
  "pseudo-huber": pseudoHuber,
  "ostrovskii-bach": ostrovskiiBach,
  exponential,
  "log-exp-box": logExpBox,
  "pseudo-huber-box": pseudoHuberBox,
};

/**
 * The constant M_g of the published step length, for `count` weights: count^((3 - nu)/2) mu^(nu/2 - 2) M_h for nu at
 * most 3, else mu^(4 - 3 nu/2) M_h.
 */
export function selfConcordance({ constant, exponent: nu }: SmoothRule, mu: number, count: number): number {
  return nu <= 3 ? count ** ((3 - nu) / 2) * mu ** (nu / 2 - 2) * constant : mu ** (4 - 1.5 * nu) * constant;
}
