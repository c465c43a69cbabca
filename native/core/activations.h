// Computes the activations on contiguous vectors, value and derivative in one pass. ApplyLayer
// (forward.cc) calls Activate for every layer, and directional_derivatives.cc the second
// derivatives; src/network/activations.ts has the formulas.
#ifndef GAUSSFLOW_CORE_ACTIVATIONS_H_
#define GAUSSFLOW_CORE_ACTIVATIONS_H_

#include <cstddef>

namespace gaussflow {

// The order is part of the binding: src/network/activations.ts lists the names in it.
enum class Activation : int {
  kTanh = 0,
  kLogistic = 1,
  kSoftplus = 2,
  kSilu = 3,
  kGelu = 4,
  kErf = 5,
  kSin = 6,
  kIdentity = 7,
  kRelu = 8,
};
constexpr int kActivationCount = 9;

// z (count values) becomes activation(z), in place; `derivative` (may be null) receives
// activation'(z). Errors: values at most 4 units in the last place (gelu and silu: 4 eps max(1,
// |value|)), derivatives at most 4 eps max(1, |derivative|); tested against 60 digits.
void Activate(Activation activation, size_t count, double* z, double* derivative);

// First and second derivatives at z, given the values h = activation(z): tanh and its like cost no
// exponential. Absolute errors of a few eps max(1, |derivative|).
void Derivatives(Activation activation, size_t count, const double* z, const double* h,
                 double* slope, double* curvature);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ACTIVATIONS_H_
