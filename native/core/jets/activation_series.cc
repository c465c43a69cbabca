// Implements the derivatives of the activations (activation_series.h). Value and first derivative
// are those of Activate; the higher ones follow from them without another exponential, but for
// gelu's.
#include "jets/activation_series.h"

#include <algorithm>
#include <cmath>

#include "activation_constants.h"
#include "simd.h"

namespace gaussflow {

namespace {

// d[1], d[2], d[3] as far as `order` goes, from z, the value h and the slope d[0] of each number.
template <typename Second, typename Third, typename Fourth>
[[gnu::always_inline]] inline void Map(size_t count, size_t order, const double* z, const double* h,
                                       double* const* d, const Second& second, const Third& third,
                                       const Fourth& fourth) {
  const double* slope = d[0];
  for (size_t i = 0; i < count; ++i) d[1][i] = second(z[i], h[i], slope[i]);
  if (order < 3) return;
  for (size_t i = 0; i < count; ++i) d[2][i] = third(z[i], h[i], slope[i]);
  if (order < 4) return;
  for (size_t i = 0; i < count; ++i) d[3][i] = fourth(z[i], h[i], slope[i]);
}

GAUSSFLOW_CLONES
void Tanh(size_t count, size_t order, const double* z, const double* h, double* const* d) {
  Map(
      count, order, z, h, d, [](double, double t, double s) { return -2.0 * t * s; },
      [](double, double t, double s) { return s * (6.0 * t * t - 2.0); },
      [](double, double t, double s) { return t * s * (16.0 - 24.0 * t * t); });
}

GAUSSFLOW_CLONES
void Logistic(size_t count, size_t order, const double* z, const double* h, double* const* d) {
  Map(
      count, order, z, h, d, [](double, double t, double s) { return s * (1.0 - 2.0 * t); },
      [](double, double, double s) { return s * (1.0 - 6.0 * s); },
      [](double, double t, double s) { return s * (1.0 - 2.0 * t) * (1.0 - 12.0 * s); });
}

// The slope is the logistic function.
GAUSSFLOW_CLONES
void Softplus(size_t count, size_t order, const double* z, const double* h, double* const* d) {
  Map(
      count, order, z, h, d, [](double, double, double s) { return s * (1.0 - s); },
      [](double, double, double s) { return s * (1.0 - s) * (1.0 - 2.0 * s); },
      [](double, double, double s) {
        const double a = s * (1.0 - s);
        return a * (1.0 - 6.0 * a);
      });
}

// In d[1] stands the logistic function of z, from which all follow; d[1] itself comes last.
GAUSSFLOW_CLONES
void Silu(size_t count, size_t order, const double* z, const double*, double* const* d) {
  const double* logistic = d[1];
  for (size_t i = 0; i < count && order > 3; ++i) {
    const double s = logistic[i], a = s * (1.0 - s), b = 1.0 - 2.0 * s;
    d[3][i] = 4.0 * a * (1.0 - 6.0 * a) + z[i] * (a * b * (1.0 - 12.0 * a));
  }
  for (size_t i = 0; i < count && order > 2; ++i) {
    const double s = logistic[i], a = s * (1.0 - s), b = 1.0 - 2.0 * s;
    d[2][i] = 3.0 * a * b + z[i] * (a * (1.0 - 6.0 * a));
  }
  for (size_t i = 0; i < count; ++i) {
    const double s = logistic[i], a = s * (1.0 - s);
    d[1][i] = 2.0 * a + z[i] * (a * (1.0 - 2.0 * s));
  }
}

// Products with the density come first: a power of z overflows where it is 0.
void Gelu(size_t count, size_t order, const double* z, double* const* d) {
  for (size_t i = 0; i < count; ++i) {
    const double x = z[i], density = kInvSqrt2Pi * std::exp(-0.5 * x * x);
    const double once = x * density, twice = x * once, thrice = x * twice;
    d[1][i] = 2.0 * density - twice;
    if (order > 2) d[2][i] = thrice - 4.0 * once;
    if (order > 3) d[3][i] = 7.0 * twice - 4.0 * density - x * thrice;
  }
}

GAUSSFLOW_CLONES
void Erf(size_t count, size_t order, const double* z, const double* h, double* const* d) {
  Map(
      count, order, z, h, d, [](double x, double, double s) { return -2.0 * (x * s); },
      [](double x, double, double s) { return 4.0 * (x * (x * s)) - 2.0 * s; },
      [](double x, double, double s) { return 12.0 * (x * s) - 8.0 * (x * (x * (x * s))); });
}

GAUSSFLOW_CLONES
void Sin(size_t count, size_t order, const double* z, const double* h, double* const* d) {
  Map(
      count, order, z, h, d, [](double, double t, double) { return -t; },
      [](double, double, double s) { return -s; }, [](double, double t, double) { return t; });
}

}  // namespace

void ActivationSeries(Activation activation, size_t count, size_t order, const double* z,
                      double* value, double* const* derivatives) {
  std::copy_n(z, count, value);
  Activate(activation, count, value, order > 0 ? derivatives[0] : nullptr);
  if (order < 2) return;
  switch (activation) {
    case Activation::kTanh:
      return Tanh(count, order, z, value, derivatives);
    case Activation::kLogistic:
      return Logistic(count, order, z, value, derivatives);
    case Activation::kSoftplus:
      return Softplus(count, order, z, value, derivatives);
    case Activation::kSilu:
      std::copy_n(z, count, derivatives[1]);
      Activate(Activation::kLogistic, count, derivatives[1], nullptr);
      return Silu(count, order, z, value, derivatives);
    case Activation::kGelu:
      return Gelu(count, order, z, derivatives);
    case Activation::kErf:
      return Erf(count, order, z, value, derivatives);
    case Activation::kSin:
      return Sin(count, order, z, value, derivatives);
    case Activation::kIdentity:
    case Activation::kRelu:
      for (size_t k = 1; k < order; ++k) std::fill_n(derivatives[k], count, 0.0);
      return;
  }
}

}  // namespace gaussflow
