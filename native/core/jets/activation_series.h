// Computes an activation with up to four derivatives on contiguous vectors: what the jets of a
// layer need for a pass forward, back, and along a direction. jet_pass.cc calls it for every layer.
#ifndef GAUSSFLOW_CORE_JETS_ACTIVATION_SERIES_H_
#define GAUSSFLOW_CORE_JETS_ACTIVATION_SERIES_H_

#include <cstddef>

#include "activations.h"

namespace gaussflow {

constexpr size_t kMostDerivatives = 4;

// value = activation(z), and derivatives[k] = its derivative of order k + 1 for k < order, `count`
// numbers each. `value` may not be z. The errors are a few eps max(1, |derivative|).
void ActivationSeries(Activation activation, size_t count, size_t order, const double* z,
                      double* value, double* const* derivatives);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_ACTIVATION_SERIES_H_
