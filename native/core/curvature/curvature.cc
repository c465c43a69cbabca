// The default answers of a curvature: refusals of what its class does not support.
#include "curvature/curvature.h"

namespace gaussflow {

Status Context::Panels(size_t first, size_t count, const Cancel& cancel) const {
  if (count == data.sample_count) return Status::Ok();
  double loss = 0.0;
  return tangents.Compute(parameters.data(), first, count, true, cancel, &loss);
}

size_t Curvature::BlockSize(size_t samples) const {
  return Tangents::BlockSize(context_.net, samples);
}

Status Curvature::Factor(const Damping&, const Cancel&) { return Status::Misuse(); }

Status Curvature::Solve(const RightSide&, const Cancel&, double*, Solution*) {
  return Status::Misuse();
}

Status Curvature::Multiply(size_t, const double*, const Cancel&, double*) {
  return Status::Misuse();
}

Status Curvature::Inverse(const double*, double, const Cancel&, double*) {
  return Status::Misuse();
}

Status Curvature::LayerFactors(const Cancel&, double*) { return Status::Misuse(); }

}  // namespace gaussflow
