// The curvature of the samples that stand for all.
#include <algorithm>
#include <cmath>

#include "engine.h"

namespace gaussflow {

Status Engine::FormSubset(const double* parameters, Curvature curvature, const Cancel& cancel,
                          double* squares) {
  const bool free = curvature == Curvature::kMatrixFree;
  if (free) {
    subset_->products.SetParameters(parameters);
    subset_->exact_products.Release();
    subset_->ranged = true;
  }
  const size_t n = subset_->data.sample_count, block = BlockSize(n);
  double loss = 0.0;
  for (size_t first = 0; first < n; first += block) {
    Status status = subset_->tangents.Compute(parameters, first, std::min(block, n - first), true,
                                              cancel, &loss);
    if (status.ok()) status = subset_->tangents.AddDiagonal(cancel, squares);
    if (status.ok() && !free)
      status = BySamples()
                   ? samples_.Add(subset_->tangents, first == 0, cancel)
                   : single_gram_.Add(subset_->tangents, first == 0, cancel, &single_.matrix());
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

bool Engine::BySamples() const {
  return precision_ == Precision::kSingle && subset_ != nullptr &&
         SampleSystem::Pays(subset_->data.sample_count * net_.output_size, net_.parameter_count);
}

Status Engine::SubsetProduct(size_t count, const double* vectors, const Cancel& cancel,
                             double* out) {
  if (subset_->ranged) {
    const Status status = subset_->products.Gram(count, vectors, cancel, out);
    if (!status.ok()) return status;
    double* end = out + count * net_.parameter_count;
    if (std::all_of(out, end, [](double value) { return std::isfinite(value); })) return status;
    subset_->ranged = false;
    subset_->exact_products.SetParameters(parameters_.data());
  }
  return subset_->exact_products.Gram(count, vectors, cancel, out);
}

}  // namespace gaussflow
