// Computes Student's t distribution with real degrees of freedom v, upper tail and quantile, to 1e-12 relative or better: the factor between a
// standard error and an interval (src/uncertainty, src/fit). The quantile of F(1, v) is the square of the one of t.
//   density  f(t) = C (1 + t^2/v)^(-(v+1)/2)
//   tail     Q(t) = f(t) int_0^inf ((v + (t+s)^2) / (v + t^2))^(-(v+1)/2) ds, t >= 0
// All terms of the integral are positive, so that tails keep their relative accuracy. The integral is summed by the double exponential rule
// (Takahasi and Mori, Publ. RIMS Kyoto 9 (1974) 721-741), and C follows from Q(0) = 1/2 by the same rule. Close to 0, where
// 1/2 - Q(t) would cancel, the series of the incomplete beta function takes its place (DLMF 8.17.8). The quantile is
// a root of log Q in log t, which is concave and falls, so that Newton's iteration converges from any start.
import { argumentError } from "./errors.js";
import { normalQuantile } from "./normal-quantile.js";

/** Below it the algebraic tail leaves the range of double precision. */
const FEWEST_DEGREES = 0.1;
/** Step of the rule, and its last node: the error is below rounding for all degrees from 0.1 to infinity. */
const STEP = 1 / 24;
const LAST_NODE = 6.25;
/** Distance of a probability from 1/2 below which the central series is used: 1/2 - Q loses two digits there. */
const CENTRAL = 0.01;

/** The parts of the rule that do not depend on the integrand: s = exp(pi/2 sinh u) and ds/du. */
const NODES = (() => {
  const nodes: { readonly s: number; readonly weight: number }[] = [];
  for (let k = -Math.ceil(LAST_NODE / STEP); k <= LAST_NODE / STEP; k++) {
    const u = k * STEP;
    const s = Math.exp((Math.PI / 2) * Math.sinh(u));
    const weight = STEP * (Math.PI / 2) * Math.cosh(u) * s;
    if (s > 0 && Number.isFinite(weight)) nodes.push({ s, weight });
  }
  return nodes;
})();

/** log(1 + x y) for x, y >= 0 whose product may leave the range of numbers. */
function logOnePlusProduct(x: number, y: number): number {
  const product = x * y;
  return product < 1e300 ? Math.log1p(product) : Math.log(x) + Math.log(y);
}

/** Q(t) / f(t) for t >= 0. */
function tailOverDensity(t: number, degrees: number): number {
  const normal = degrees === Infinity;
  // A square root, because the square of a t beyond 1e154 is no number.
  const root = normal ? 1 : Math.hypot(Math.sqrt(degrees), t);
  const start = t / root;
  // Distance over which the integrand falls, in units of root: 1 over the slope of -log f at t, at most the width of the power law.
  const unit = normal ? Math.min(1, 1 / t) : Math.min(1 / start / (degrees + 1), 1 / Math.sqrt(Math.max(1, degrees)));
  let sum = 0;
  for (const { s: node, weight } of NODES) {
    const s = unit * node;
    const exponent = normal ? s * (t + s / 2) : ((degrees + 1) / 2) * logOnePlusProduct(s, 2 * start + s);
    // All further terms vanish beside the sum.
    if (exponent > 745) break;
    sum += weight * Math.exp(-exponent);
  }
  return root * unit * sum;
}

/** log of (1 + t^2/v)^(-(v+1)/2). */
function logShape(t: number, degrees: number): number {
  if (degrees === Infinity) return (-t * t) / 2;
  const ratio = t / Math.sqrt(degrees);
  return (-(degrees + 1) / 2) * logOnePlusProduct(ratio, ratio);
}

/** 1/2 - Q(t) for small t >= 0, from log C. */
function central(t: number, degrees: number, logConstant: number): number {
  const x = degrees === Infinity ? 0 : (t * t) / (degrees + t * t);
  let term = t * Math.exp(logConstant + logShape(t, degrees));
  let sum = term;
  for (let k = 0; term > sum * 1e-18; k++) {
    term *= degrees === Infinity ? (t * t) / (2 * k + 3) : (x * (degrees + 1 + 2 * k)) / (2 * k + 3);
    sum += term;
  }
  return sum;
}

/** log C. */
const logConstantOf = (degrees: number) => -Math.log(2 * tailOverDensity(0, degrees));

function checkDegrees(degrees: number): void {
  if (!(degrees >= FEWEST_DEGREES))
    throw argumentError("degrees", `must be at least ${FEWEST_DEGREES} (Infinity: the normal distribution)`, degrees);
}

/**
 * Probability that |T| is above t, for T of Student's t distribution: the p-value of a two-sided test.
 * @param t any number; its sign does not matter
 * @param degrees degrees of freedom v, real, at least 0.1; Infinity: the normal distribution
 * @throws GAUSSFLOW_ARGUMENT
 */
export function studentTwoSided(t: number, degrees: number): number {
  checkDegrees(degrees);
  if (Number.isNaN(t)) throw argumentError("t", "must be a number", t);
  const size = Math.abs(t);
  if (size === Infinity) return 0;
  const logConstant = logConstantOf(degrees);
  return Math.min(1, 2 * Math.exp(logConstant + logShape(size, degrees)) * tailOverDensity(size, degrees));
}

/**
 * Distribution function P(T <= t) of Student's t distribution.
 * @param t any number
 * @param degrees degrees of freedom v, real, at least 0.1; Infinity: the normal distribution
 * @throws GAUSSFLOW_ARGUMENT
 */
export function studentCdf(t: number, degrees: number): number {
  const outside = studentTwoSided(t, degrees) / 2;
  return t < 0 ? outside : 1 - outside;
}

/**
 * Quantile of Student's t distribution: t with P(T <= t) = p.
 * @param p probability, from 0 to 1; infinite at the ends
 * @param degrees degrees of freedom v, real, at least 0.1; Infinity: the normal distribution
 * @throws GAUSSFLOW_ARGUMENT
 * @example studentQuantile(0.975, 10) // 2.2281...
 */
export function studentQuantile(p: number, degrees: number): number {
  checkDegrees(degrees);
  if (!(p >= 0 && p <= 1)) throw argumentError("p", "must be a probability, from 0 to 1", p);
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p === 0.5) return 0;
  if (degrees === Infinity) return normalQuantile(p);
  const size = p < 0.5 ? upperRoot(p, 0.5 - p, degrees) : upperRoot(1 - p, p - 0.5, degrees);
  return p < 0.5 ? -size : size;
}

/** t > 0 with Q(t) = tail, where tail = 1/2 - center. */
function upperRoot(tail: number, center: number, degrees: number): number {
  const logConstant = logConstantOf(degrees);
  if (center < CENTRAL) return centralRoot(center, degrees, logConstant);
  let u = Math.log(-normalQuantile(tail));
  for (let k = 0; k < 200; k++) {
    const t = Math.exp(u);
    if (t === Infinity) return t;
    const logDensity = logConstant + logShape(t, degrees);
    const ratio = tailOverDensity(t, degrees);
    // d log Q / d log t = -t f / Q
    const change = ((logDensity + Math.log(ratio) - Math.log(tail)) * ratio) / t;
    u += change;
    if (Math.abs(change) < 1e-15 * Math.max(1, Math.abs(u))) break;
  }
  return Math.exp(u);
}

/** t > 0 with 1/2 - Q(t) = center, by Newton's iteration from below on a concave function. */
function centralRoot(center: number, degrees: number, logConstant: number): number {
  let t = center * Math.exp(-logConstant);
  for (let k = 0; k < 50; k++) {
    const density = Math.exp(logConstant + logShape(t, degrees));
    const change = (center - central(t, degrees, logConstant)) / density;
    t += change;
    if (Math.abs(change) <= 1e-16 * t) break;
  }
  return t;
}
