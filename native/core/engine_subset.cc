// The curvature of the samples that stand for all.
#include <algorithm>
#include <cmath>

#include "engine.h"

namespace gaussflow {

Status Engine::FormSubset(const double* parameters, Curvature curvature, const Cancel& cancel,
                          double* squares) {
  const bool free = curvature == Curvature::kMatrixFree;
  if (free) {
    subset_products_.SetParameters(parameters);
    exact_subset_products_.Release();
    ranged_ = true;
  }
  const size_t n = subset_.sample_count, block = BlockSize(n);
  double loss = 0.0;
  for (size_t first = 0; first < n; first += block) {
    Status status = subset_tangents_.Compute(parameters, first, std::min(block, n - first), true,
                                             cancel, &loss);
    if (status.ok()) status = subset_tangents_.AddDiagonal(cancel, squares);
    if (status.ok() && !free)
      status = single_gram_.Add(subset_tangents_, first == 0, cancel, &single_.matrix());
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status Engine::SubsetProduct(size_t count, const double* vectors, const Cancel& cancel,
                             double* out) {
  if (ranged_) {
    const Status status = subset_products_.Gram(count, vectors, cancel, out);
    if (!status.ok()) return status;
    double* end = out + count * net_.parameter_count;
    if (std::all_of(out, end, [](double value) { return std::isfinite(value); })) return status;
    ranged_ = false;
    exact_subset_products_.SetParameters(parameters_.data());
  }
  return exact_subset_products_.Gram(count, vectors, cancel, out);
}

}  // namespace gaussflow
