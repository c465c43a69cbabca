// Implements the activations and their first derivatives (activations.h). Tanh, logistic,
// softplus, silu and sin are vectorized and compiled for several processors (simd.h); gelu and erf
// call the C library. ApplyLayer (forward.cc) calls Activate for every layer.
#include "activations.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "activation_constants.h"
#include "simd.h"

namespace gaussflow {

namespace {

struct Pair {
  double value;
  double slope;
};

// e^x for x <= 0 by x = k ln 2 + r, |r| <= ln 2 / 2: `power` = 2^k and `rest` = e^r - 1, so that
// e^x = power (1 + rest) and e^x - 1 = power rest + (power - 1), neither with cancellation. No
// branch and no call: the loops below are vectorized. A NaN stays one.
struct Exponential {
  double power;
  double tail;  // 2^-k' where k was too small for one factor, else 1
  double rest;
};

inline double PowerOfTwo(int64_t k) { return std::bit_cast<double>((k + 1023) << 52); }

inline Exponential Exp(double x) {
  constexpr double kRound = 0x1.8p52;  // adding it leaves the nearest whole number in the low bits
  constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  x = x < -746.0 ? -746.0 : x;  // e^-746 is 0
  const double shifted = x * 1.44269504088896340736 + kRound;
  const int64_t k = std::bit_cast<int64_t>(shifted) - std::bit_cast<int64_t>(kRound);
  const double whole = shifted - kRound;
  const double r = (x - whole * kLn2High) - whole * kLn2Low;
  // Taylor: the first term left out is r^13 / 14! = 1e-17 of r.
  double q = 1.0 / 6227020800.0;
  q = q * r + 1.0 / 479001600.0;
  q = q * r + 1.0 / 39916800.0;
  q = q * r + 1.0 / 3628800.0;
  q = q * r + 1.0 / 362880.0;
  q = q * r + 1.0 / 40320.0;
  q = q * r + 1.0 / 5040.0;
  q = q * r + 1.0 / 720.0;
  q = q * r + 1.0 / 120.0;
  q = q * r + 1.0 / 24.0;
  q = q * r + 1.0 / 6.0;
  q = q * r + 0.5;
  const int64_t low = k < -1000 ? -100 : 0;  // below, 2^k alone would not be a normal number
  return {PowerOfTwo(k - low), PowerOfTwo(low), r + r * r * q};
}

// e^-|z|.
inline double Decay(double z) {
  const Exponential e = Exp(-std::fabs(z));
  return (e.power + e.power * e.rest) * e.tail;
}

inline Pair Tanh(double z) {
  // -m / (m + 2) with m = e^-2|z| - 1, which is exact to the last bits near 0 too.
  const Exponential e = Exp(-2.0 * std::fabs(z));
  const double m = e.power * e.rest + (e.power - 1.0);
  const double t = std::copysign(-m / (m + 2.0), z);
  return {t, (1.0 - t) * (1.0 + t)};
}
inline Pair Logistic(double z) {
  const double e = Decay(z), sum = 1.0 + e;
  return {(z >= 0.0 ? 1.0 : e) / sum, e / (sum * sum)};
}
inline Pair Softplus(double z) {
  const double e = Decay(z);
  // ln(1 + e) = 2 artanh(s), s = e / (2 + e) <= 1/3; the first term left out is s^36 / 37.
  const double s = e / (2.0 + e), square = s * s;
  double series = 1.0 / 35.0;
  for (int odd = 33; odd >= 3; odd -= 2) series = series * square + 1.0 / odd;
  const double log = 2.0 * (s + s * square * series);
  return {(z > 0.0 ? z : 0.0 * z) + log, (z >= 0.0 ? 1.0 : e) / (1.0 + e)};
}
inline Pair Silu(double z) {
  const double e = Decay(z), sum = 1.0 + e;
  const double s = (z >= 0.0 ? 1.0 : e) / sum, other = (z >= 0.0 ? e : 1.0) / sum;
  return {z * s, s * (1.0 + z * other)};
}
Pair Gelu(double z) {
  const double phi = 0.5 * std::erfc(-z * kInvSqrt2);
  return {z * phi, phi + z * kInvSqrt2Pi * std::exp(-0.5 * z * z)};
}
Pair Erf(double z) { return {std::erf(z), kTwoOverSqrtPi * std::exp(-z * z)}; }
Pair LargeSin(double z) { return {std::sin(z), std::cos(z)}; }

// Sine and cosine for |z| <= kMostReduced: z = k pi/2 + r, |r| <= pi/4, where pi/2 is a sum of
// three numbers (Cody and Waite 1980), the first two with 20 zeros at the end, so that their
// products with k are exact; then the polynomials of fdlibm (Sun Microsystems 1993). No branch and
// no call.
constexpr double kMostReduced = 0x1p20;
inline Pair Sin(double z) {
  constexpr double kRound = 0x1.8p52;
  constexpr double kHigh = 0x1.921fb544p+0, kMiddle = 0x1.0b4611a6p-34,
                   kLow = 0x1.3198a2e037073p-69;
  const double shifted = z * 0x1.45f306dc9c883p-1 + kRound;
  // Unsigned: for large numbers, whose results MapSin replaces, the difference wraps.
  const uint64_t k = std::bit_cast<uint64_t>(shifted) - std::bit_cast<uint64_t>(kRound);
  const double whole = shifted - kRound;
  const double r = ((z - whole * kHigh) - whole * kMiddle) - whole * kLow;
  const double square = r * r;
  double p = 1.58969099521155010221e-10;
  p = p * square - 2.50507602534068634195e-08;
  p = p * square + 2.75573137070700676789e-06;
  p = p * square - 1.98412698298579493134e-04;
  p = p * square + 8.33333333332248946124e-03;
  p = p * square - 1.66666666666666324348e-01;
  const double sine = r + r * square * p;
  double q = -1.13596475577881948265e-11;
  q = q * square + 2.08757232129817482790e-09;
  q = q * square - 2.75573143513906633035e-07;
  q = q * square + 2.48015872894767294178e-05;
  q = q * square - 1.38888888888741095749e-03;
  q = q * square + 4.16666666666666019037e-02;
  const double half = 0.5 * square, near = 1.0 - half;
  const double cosine = near + (((1.0 - near) - half) + square * square * q);
  const double value = (k & 1) != 0 ? cosine : sine, slope = (k & 1) != 0 ? sine : cosine;
  return {(k & 2) != 0 ? -value : value, ((k + 1) & 2) != 0 ? -slope : slope};
}
Pair Identity(double z) { return {z, 1.0}; }
// A NaN must stay one: fmax would turn it into 0.
Pair Relu(double z) { return {z < 0.0 ? 0.0 : z, z > 0.0 ? 1.0 : 0.0}; }

template <Pair (*kFunction)(double)>
inline void Map(size_t count, double* z, double* derivative) {
  if (derivative == nullptr) {
    for (size_t i = 0; i < count; ++i) z[i] = kFunction(z[i]).value;
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const Pair pair = kFunction(z[i]);
    z[i] = pair.value;
    derivative[i] = pair.slope;
  }
}

// The functions of e^-|z| alone, one clone a processor.
GAUSSFLOW_CLONES
void MapTanh(size_t count, double* z, double* derivative) { Map<Tanh>(count, z, derivative); }
GAUSSFLOW_CLONES
void MapLogistic(size_t count, double* z, double* derivative) {
  Map<Logistic>(count, z, derivative);
}
GAUSSFLOW_CLONES
void MapSoftplus(size_t count, double* z, double* derivative) {
  Map<Softplus>(count, z, derivative);
}
GAUSSFLOW_CLONES
void MapSilu(size_t count, double* z, double* derivative) { Map<Silu>(count, z, derivative); }

GAUSSFLOW_CLONES
void MapSmallSin(size_t count, double* z, double* derivative) { Map<Sin>(count, z, derivative); }

// Numbers that are too large for MapSmallSin, or are not finite, are computed one by one.
void MapSin(size_t count, double* z, double* derivative) {
  constexpr size_t kBlock = 64;
  double before[kBlock];
  for (size_t i0 = 0; i0 < count; i0 += kBlock) {
    const size_t size = std::min(kBlock, count - i0);
    std::copy_n(z + i0, size, before);
    MapSmallSin(size, z + i0, derivative == nullptr ? nullptr : derivative + i0);
    for (size_t i = 0; i < size; ++i) {
      if (std::fabs(before[i]) <= kMostReduced) continue;
      const Pair pair = LargeSin(before[i]);
      z[i0 + i] = pair.value;
      if (derivative != nullptr) derivative[i0 + i] = pair.slope;
    }
  }
}

}  // namespace

void Activate(Activation activation, size_t count, double* z, double* derivative) {
  switch (activation) {
    case Activation::kTanh:
      return MapTanh(count, z, derivative);
    case Activation::kLogistic:
      return MapLogistic(count, z, derivative);
    case Activation::kSoftplus:
      return MapSoftplus(count, z, derivative);
    case Activation::kSilu:
      return MapSilu(count, z, derivative);
    case Activation::kGelu:
      return Map<Gelu>(count, z, derivative);
    case Activation::kErf:
      return Map<Erf>(count, z, derivative);
    case Activation::kSin:
      return MapSin(count, z, derivative);
    case Activation::kIdentity:
      return Map<Identity>(count, z, derivative);
    case Activation::kRelu:
      return Map<Relu>(count, z, derivative);
  }
}

}  // namespace gaussflow
