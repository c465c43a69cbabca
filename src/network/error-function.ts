// Computes the error function and its complement to about one unit in the last place, for the activations erf and gelu (activations.ts):
// rational approximation on five intervals.
//   erf(x) = 2/sqrt(pi) int_0^x exp(-t^2) dt,   erfc(x) = 1 - erf(x) without cancellation for large x
// Source: coefficients and intervals of fdlibm's s_erf.c (Sun Microsystems, 1993; freely distributable with this notice).

import { polynomial } from "../polynomial.js";

// Lowest power first. PP/QQ: |x| < 0.84375; PA/QA: to 1.25; RA/SA: to 1/0.35; RB/SB: to 28.
// biome-ignore format: one polynomial a line
const { PP, QQ, PA, QA, RA, SA, RB, SB } = {
  PP: [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -0.000023763016656650163],
  QQ: [1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164, -0.000003960228278775368],
  PA: [-0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668, 0.035478304325618236, -0.002166375594868791],
  QA: [1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905, 0.011984499846799107],
  RA: [-0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347, -184.60509290671104, -81.2874355063066, -9.814329344169145],
  SA: [1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783, 108.63500554177944, 6.570249770319282, -0.0604244152148581],
  RB: [-0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896, -1025.0951316110772, -483.5191916086514],
  SB: [1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644, 474.52854120695537, -22.44095244658582],
};
/** erf(1) rounded to 24 bits: the anchor of the interval around 1. */
const ERF_AT_ONE = 0.8450629115104675;

/** erfc(x) for x >= 1.25, positive and without cancellation; 0 beyond 28, where it underflows. */
function tail(x: number): number {
  if (x >= 28) return 0;
  const s = 1 / (x * x);
  const ratio = x < 1 / 0.35 ? polynomial(RA, s) / polynomial(SA, s) : polynomial(RB, s) / polynomial(SB, s);
  // x^2 = z^2 + (x-z)(x+z) with z short enough that z*z is exact: exp would magnify a rounding error of x^2.
  const z = Math.fround(x);
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + ratio)) / x;
}

/** Error function of any number; odd, in [-1, 1]. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    const s = x * x;
    return x + x * (polynomial(PP, s) / polynomial(QQ, s));
  }
  if (size < 1.25) {
    const s = size - 1;
    const value = ERF_AT_ONE + polynomial(PA, s) / polynomial(QA, s);
    return x < 0 ? -value : value;
  }
  if (size >= 6) return x < 0 ? -1 : 1;
  if (Number.isNaN(x)) return x;
  const value = 1 - tail(size);
  return x < 0 ? -value : value;
}

/** Complementary error function 1 - erf(x), accurate relative to itself down to the underflow near x = 26.5. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    const s = x * x;
    const ratio = polynomial(PP, s) / polynomial(QQ, s);
    if (x < 0.25) return 1 - (x + x * ratio);
    return 0.5 - (x - 0.5 + x * ratio);
  }
  if (size < 1.25) {
    const s = size - 1;
    const ratio = polynomial(PA, s) / polynomial(QA, s);
    return x < 0 ? 1 + (ERF_AT_ONE + ratio) : 1 - ERF_AT_ONE - ratio;
  }
  if (Number.isNaN(x)) return x;
  return x < 0 ? 2 - tail(size) : tail(size);
}
