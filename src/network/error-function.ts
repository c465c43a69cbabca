// The error function and its complement to about one unit in the last place, by rational approximation on five intervals.
//   erf(x) = 2/sqrt(pi) int_0^x exp(-t^2) dt,   erfc(x) = 1 - erf(x) without cancellation for large x
// Source: coefficients and intervals of fdlibm's s_erf.c (Sun Microsystems, 1993; freely distributable with this notice).

// Below: one polynomial an array, lowest power first. PP/QQ: |x| < 0.84375; PA/QA: to 1.25; RA/SA: to 1/0.35; RB/SB: to 28.
// biome-ignore format: one polynomial a line
const PP = [1.28379167095512558561e-1, -3.25042107247001499370e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3, -2.37630166566501626084e-5];
// biome-ignore format: as above
const QQ = [1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4, -3.96022827877536812320e-6];
// biome-ignore format: as above
const PA = [-2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.16637559486879084300e-3];
// biome-ignore format: as above
const QA = [1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.19844998467991074170e-2];
// biome-ignore format: as above
const RA = [-9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592];
// biome-ignore format: as above
const SA = [1, 1.96512716674392571292e1, 1.37657754143519042600e2, 4.34565877475229228821e2, 6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2];
// biome-ignore format: as above
const RB = [-9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2];
// biome-ignore format: as above
const SB = [1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1];
/** erf(1) rounded to 24 bits: the anchor of the interval around 1. */
const ERF_AT_ONE = 8.45062911510467529297e-1;

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i];
  return sum;
}

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
