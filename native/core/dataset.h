// The engine's copy of the data, one contiguous row a feature (or output) so that loops over
// samples are contiguous.
#ifndef GAUSSFLOW_CORE_DATASET_H_
#define GAUSSFLOW_CORE_DATASET_H_

#include <cmath>
#include <cstddef>

#include "buffer.h"
#include "status.h"

namespace gaussflow {

struct Dataset {
  size_t sample_count = 0;
  Buffer inputs;        // [input][sample]
  Buffer targets;       // [output][sample]
  Buffer root_weights;  // sqrt of the sample weights; empty when all are 1

  // `inputs` n x d and `targets` n x c, row-major; `weights` n or null.
  Status Set(size_t n, size_t d, size_t c, const double* in, const double* out,
             const double* weights) {
    sample_count = n;
    if (!inputs.Reserve(n * d)) return Status::Memory(n * d * sizeof(double));
    if (!targets.Reserve(n * c)) return Status::Memory(n * c * sizeof(double));
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < d; ++k) inputs.data()[k * n + i] = in[i * d + k];
      for (size_t a = 0; a < c; ++a) targets.data()[a * n + i] = out[i * c + a];
    }
    if (weights != nullptr) {
      if (!root_weights.Reserve(n)) return Status::Memory(n * sizeof(double));
      for (size_t i = 0; i < n; ++i) root_weights.data()[i] = std::sqrt(weights[i]);
    }
    return Status::Ok();
  }

  const double* root_weight() const {
    return root_weights.size() > 0 ? root_weights.data() : nullptr;
  }
  size_t bytes() const { return inputs.bytes() + targets.bytes() + root_weights.bytes(); }
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_DATASET_H_
