// Implements the copy of the samples of a subset and the passes over them (subset.h).
#include "curvature/subset.h"

#include <algorithm>
#include <cmath>

namespace gaussflow {

Status Subset::Begin(const std::vector<uint32_t>& indices, const double* scaling) {
  const size_t p = context_.net.parameter_count;
  indices_ = &indices;
  taken_ = 0;
  every_ = {};
  if (scaling != nullptr && std::find(scaling, scaling + p, 0.0) != scaling + p)
    every_.assign(p, 0.0);
  return data_.ReserveSubset(context_.data, indices.size());
}

Status Subset::AddBlock(const Block& block, const Cancel& cancel) {
  if (!every_.empty()) {
    const Status status = context_.tangents.AddDiagonal(cancel, every_.data());
    if (!status.ok()) return status;
  }
  const size_t from = taken_, end = block.first + block.count;
  while (taken_ < indices_->size() && (*indices_)[taken_] < end) ++taken_;
  data_.Take(context_.data, indices_->data() + from, taken_ - from, from);
  return Status::Ok();
}

Status Subset::ForEachBlock(const Cancel& cancel, double* squares, const Add& add) {
  const size_t n = data_.sample_count, block = Tangents::BlockSize(context_.net, n);
  for (size_t first = 0; first < n; first += block) {
    Status status = tangents_.Compute(context_.parameters.data(), first, std::min(block, n - first),
                                      true, cancel);
    if (status.ok()) status = tangents_.AddDiagonal(cancel, squares);
    if (status.ok()) status = add(tangents_, first == 0);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

double Subset::EstimateBytes(const Sizes& sizes) {
  const size_t count = sizes.formed.subset;
  using Pass = Tangents::Pass;
  return Dataset::EstimateSubsetBytes(sizes.net, count) +
         Tangents::EstimateBytes(sizes.net, sizes.threads, {count, 1},
                                 Tangents::BlockSize(sizes.net, count), {Pass::kDiagonal});
}

Status Subset::RaiseScaling(double* scaling) {
  for (size_t j = 0; j < every_.size(); ++j) {
    if (!std::isfinite(every_[j])) return Status::NonFinite(2);
    scaling[j] = std::max(scaling[j], every_[j]);
  }
  every_ = {};
  return Status::Ok();
}

}  // namespace gaussflow
