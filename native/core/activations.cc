#include "activations.h"

#include <cmath>

namespace gaussflow {

namespace {

constexpr double kInvSqrt2 = 0.70710678118654752440;
constexpr double kInvSqrt2Pi = 0.39894228040143267794;
constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

struct Pair {
  double value;
  double slope;
};

// Both branches avoid exp of a large positive number.
double Sigmoid(double z) {
  if (z >= 0.0) return 1.0 / (1.0 + std::exp(-z));
  const double e = std::exp(z);
  return e / (1.0 + e);
}

Pair Tanh(double z) {
  const double t = std::tanh(z);
  return {t, (1.0 - t) * (1.0 + t)};
}
Pair Logistic(double z) {
  const double s = Sigmoid(z);
  return {s, s * Sigmoid(-z)};
}
Pair Softplus(double z) {
  return {std::fmax(z, 0.0) + std::log1p(std::exp(-std::fabs(z))), Sigmoid(z)};
}
Pair Silu(double z) {
  const double s = Sigmoid(z);
  return {z * s, s * (1.0 + z * Sigmoid(-z))};
}
Pair Gelu(double z) {
  const double phi = 0.5 * std::erfc(-z * kInvSqrt2);
  return {z * phi, phi + z * kInvSqrt2Pi * std::exp(-0.5 * z * z)};
}
Pair Erf(double z) { return {std::erf(z), kTwoOverSqrtPi * std::exp(-z * z)}; }
Pair Sin(double z) { return {std::sin(z), std::cos(z)}; }
Pair Identity(double z) { return {z, 1.0}; }
// A NaN must stay one: fmax would turn it into 0.
Pair Relu(double z) { return {z < 0.0 ? 0.0 : z, z > 0.0 ? 1.0 : 0.0}; }

template <Pair (*kFunction)(double)>
void Map(size_t count, double* z, double* derivative) {
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

}  // namespace

void Activate(Activation activation, size_t count, double* z, double* derivative) {
  switch (activation) {
    case Activation::kTanh:
      return Map<Tanh>(count, z, derivative);
    case Activation::kLogistic:
      return Map<Logistic>(count, z, derivative);
    case Activation::kSoftplus:
      return Map<Softplus>(count, z, derivative);
    case Activation::kSilu:
      return Map<Silu>(count, z, derivative);
    case Activation::kGelu:
      return Map<Gelu>(count, z, derivative);
    case Activation::kErf:
      return Map<Erf>(count, z, derivative);
    case Activation::kSin:
      return Map<Sin>(count, z, derivative);
    case Activation::kIdentity:
      return Map<Identity>(count, z, derivative);
    case Activation::kRelu:
      return Map<Relu>(count, z, derivative);
  }
}

}  // namespace gaussflow
