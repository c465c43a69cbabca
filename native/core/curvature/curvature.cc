// Implements the default answers of a curvature (curvature.h): refusals of what its class does not
// support.
#include "curvature/curvature.h"

#include <algorithm>

namespace gaussflow {

Status Context::Panels(size_t first, size_t count, const Cancel& cancel) const {
  if (tangents.held() != data.sample_count)
    return tangents.Compute(parameters.data(), first, count, true, cancel);
  tangents.Select(first, count);
  return Status::Ok();
}

size_t Curvature::BlockSize(size_t samples) const {
  return Tangents::BlockSize(context_.net, samples);
}

Status Curvature::RunPasses(const Cancel&, double*, Linearization*) { return Status::Misuse(); }

Status Curvature::EndSlot(size_t, const Cancel&) { return Status::Ok(); }

Status Curvature::JoinRanks() { return Status::Ok(); }

Status Curvature::SumOverSamples(size_t length, double* sum, const Cancel& cancel,
                                 const Add& add) const {
  const size_t n = context_.data.sample_count, most = BlockSize(n);
  const SlotCut slots = context_.data.slots();
  Status status = context_.sums.Reserve(slots, length, context_.threads);
  for (size_t slot = 0; slot < slots.count(); ++slot) {
    const SampleRange samples = slots.At(slot);
    for (size_t first = samples.first; first < samples.end(); first += most) {
      const size_t count = std::min(most, samples.end() - first);
      if (status.ok()) status = context_.Panels(first, count, cancel);
      if (status.ok()) status = add(first, count);
      if (!status.ok()) return status;
    }
    context_.sums.Close(slot, sum);
  }
  if (most == n) status = context_.Panels(0, n, cancel);
  return status.ok() ? context_.data.ranks().Sum(sum, length) : status;
}

Status Curvature::Factor(const Damping&, const Cancel&) { return Status::Misuse(); }

Status Curvature::Solve(const RightSide&, const Cancel&, double*, Solution*) {
  return Status::Misuse();
}

Status Curvature::ApplyFactor(const double*, const Cancel&, double*) { return Status::Misuse(); }

Status Curvature::Multiply(size_t, const double*, const Cancel&, double*) {
  return Status::Misuse();
}

Status Curvature::Inverse(const double*, double, const Cancel&, double*) {
  return Status::Misuse();
}

Status Curvature::RestoreAverage(const double*) { return Status::Misuse(); }

Status Curvature::LayerFactors(const Cancel&, double*) { return Status::Misuse(); }

}  // namespace gaussflow
