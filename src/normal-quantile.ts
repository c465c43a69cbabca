// Computes the inverse of the standard normal distribution function, z = Phi^-1(p), with which random.ts makes normal random numbers:
// rational approximation with a relative error of about 1e-16. Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988)
// 477-484. The logarithm of the tails is implemented here (after fdlibm's e_log.c), because Math.log may differ in the last bit from one
// platform to another.

import { polynomial } from "./polynomial.js";

// Lowest power first.
// biome-ignore format: one polynomial a line
const { CENTER_TOP, CENTER_BOTTOM, MIDDLE_TOP, MIDDLE_BOTTOM, TAIL_TOP, TAIL_BOTTOM } = {
  CENTER_TOP: [3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227],
  CENTER_BOTTOM: [1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854],
  MIDDLE_TOP: [1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414],
  MIDDLE_BOTTOM: [1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9],
  TAIL_TOP: [6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7],
  TAIL_BOTTOM: [1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15],
};

/** Natural logarithm of a normal number x > 0, from exactly rounded operations alone; error below one unit in the last place. */
export function portableLog(x: number): number {
  // x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), found by exact halvings and doublings.
  let k = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    k--;
  }
  while (x > Math.SQRT2) {
    x /= 2;
    k++;
  }
  const f = x - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  const low = k * 1.9082149292705877e-10; // ln 2 = 0.6931471803691238 + this
  return k * 0.6931471803691238 - (half - (s * (half + (even + odd)) + low) - f);
}

/** z with Phi(z) = p, for p strictly between 0 and 1; infinite at the ends and NaN outside. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : Number.NaN;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTER_TOP, r)) / polynomial(CENTER_BOTTOM, r);
  }
  const r = Math.sqrt(-portableLog(q < 0 ? p : 1 - p));
  const size =
    r <= 5
      ? polynomial(MIDDLE_TOP, r - 1.6) / polynomial(MIDDLE_BOTTOM, r - 1.6)
      : polynomial(TAIL_TOP, r - 5) / polynomial(TAIL_BOTTOM, r - 5);
  return q < 0 ? -size : size;
}
