// The curvature of the samples that stand for all.
#include <algorithm>

#include "engine.h"

namespace gaussflow {

Status Engine::FormSubset(const double* parameters, Curvature curvature, const Cancel& cancel) {
  if (curvature == Curvature::kMatrixFree) {
    subset_products_.SetParameters(parameters);
    return Status::Ok();
  }
  const size_t n = subset_.sample_count, block = BlockSize(n);
  double loss = 0.0;
  for (size_t first = 0; first < n; first += block) {
    Status status = subset_tangents_.Compute(parameters, first, std::min(block, n - first), true,
                                             cancel, &loss);
    if (status.ok()) status = subset_tangents_.AddDiagonal(cancel, single_.diagonal());
    if (status.ok())
      status = single_gram_.Add(subset_tangents_, first == 0, cancel, &single_.matrix());
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

}  // namespace gaussflow
