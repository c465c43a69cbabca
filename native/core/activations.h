// Activations on contiguous vectors: value and derivative in one pass.
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
// activation'(z).
void Activate(Activation activation, size_t count, double* z, double* derivative);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ACTIVATIONS_H_
