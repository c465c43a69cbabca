// Computes the second derivatives of the activations (activations.h), for the geodesic acceleration
// in directional_derivatives.cc.
#include <cmath>

#include "activation_constants.h"
#include "activations.h"

namespace gaussflow {

namespace {

struct Pair {
  double slope;
  double curvature;
};

Pair Tanh(double, double h) {
  const double s = (1.0 - h) * (1.0 + h);
  return {s, -2.0 * h * s};
}
Pair Logistic(double, double h) {
  const double s = h * (1.0 - h);
  return {s, s * (1.0 - 2.0 * h)};
}
// h = ln(1 + e^z), so the slope e^z / (1 + e^z) is 1 - e^-h.
Pair Softplus(double, double h) {
  const double s = -std::expm1(-h);
  return {s, s * (1.0 - s)};
}
Pair Silu(double z, double h) {
  const double s = 1.0 / (1.0 + std::exp(-z));
  return {s + h * (1.0 - s), s * (1.0 - s) * (2.0 + z * (1.0 - 2.0 * s))};
}
Pair Gelu(double z, double) {
  const double density = kInvSqrt2Pi * std::exp(-0.5 * z * z);
  // (2 - z^2) density, with the product first: z^2 overflows where the density is 0.
  return {0.5 * std::erfc(-z * kInvSqrt2) + z * density, 2.0 * density - z * (z * density)};
}
Pair Erf(double z, double) {
  const double s = kTwoOverSqrtPi * std::exp(-z * z);
  return {s, -2.0 * (z * s)};
}
Pair Sin(double z, double h) { return {std::cos(z), -h}; }
Pair Identity(double, double) { return {1.0, 0.0}; }
Pair Relu(double z, double) { return {z > 0.0 ? 1.0 : 0.0 * z, 0.0}; }

template <Pair (*kFunction)(double, double)>
void Map(size_t count, const double* z, const double* h, double* slope, double* curvature) {
  for (size_t i = 0; i < count; ++i) {
    const Pair pair = kFunction(z[i], h[i]);
    slope[i] = pair.slope;
    curvature[i] = pair.curvature;
  }
}

}  // namespace

void Derivatives(Activation activation, size_t count, const double* z, const double* h,
                 double* slope, double* curvature) {
  switch (activation) {
    case Activation::kTanh:
      return Map<Tanh>(count, z, h, slope, curvature);
    case Activation::kLogistic:
      return Map<Logistic>(count, z, h, slope, curvature);
    case Activation::kSoftplus:
      return Map<Softplus>(count, z, h, slope, curvature);
    case Activation::kSilu:
      return Map<Silu>(count, z, h, slope, curvature);
    case Activation::kGelu:
      return Map<Gelu>(count, z, h, slope, curvature);
    case Activation::kErf:
      return Map<Erf>(count, z, h, slope, curvature);
    case Activation::kSin:
      return Map<Sin>(count, z, h, slope, curvature);
    case Activation::kIdentity:
      return Map<Identity>(count, z, h, slope, curvature);
    case Activation::kRelu:
      return Map<Relu>(count, z, h, slope, curvature);
  }
}

}  // namespace gaussflow
