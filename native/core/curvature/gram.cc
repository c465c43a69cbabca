// Implements the Gram matrix of the primal route as a curvature (gram.h): adds blocks by
// gram_builder.h, and leaves factors and solves to its base class matrix_curvature.h.
#include "curvature/gram.h"

#include <algorithm>

#include "cost.h"
#include "curvature/measure.h"

namespace gaussflow {

Curvature::Estimate Gram::EstimateBytes(const Sizes& sizes) {
  Estimate estimate;
  estimate.storage = kStorage;
  estimate.block = Tangents::BlockSize(sizes.net, sizes.samples);
  estimate.order = sizes.net.parameter_count;
  estimate.held.workspaces =
      GramBuilder<double>::EstimateBytes(sizes.net, sizes.threads,
                                         std::min(estimate.block, sizes.cut().Largest())) +
      BytesOf<double>(GramTree::Count(sizes.cut(), estimate.order));
  estimate.left = GramBuilder<double>::EstimateBytes(sizes.net, sizes.threads, 0);
  estimate.solve_flops = cost::FactorAndSolve(estimate.order);
  estimate.passes = {Tangents::Pass::kSecondDerivative};
  return estimate;
}

Curvature::Traits Gram::traits() const {
  return {.storage = kStorage, .scaling_count = context_.net.parameter_count, .accelerates = true};
}

Status Gram::Begin(const Request& /*request*/, const double* /*scaling*/) {
  const size_t p = context_.net.parameter_count;
  const Status status = tree_.Reserve(context_.data.slots(), p);
  return status.ok() ? ReserveMatrix(p, p) : status;
}

Status Gram::AddBlock(const Block& block, const Cancel& cancel) {
  return builder_.Add(context_.tangents, block.begins_slot, cancel, &system_.matrix());
}

Status Gram::EndSlot(size_t slot, const Cancel& cancel) {
  return tree_.Close(slot, context_.threads, cancel, &system_.matrix());
}

Status Gram::Finish(const Pass& pass, const Cancel& /*cancel*/, double* scaling,
                    Linearization* result) {
  return TakeDiagonal(pass, system_.matrix().upper(), system_.matrix().n() + 1, scaling,
                      &result->gradient_cosine);
}

Status Gram::Factor(const Damping& damping, const Cancel& cancel) {
  if (damping.correction.count > 0 && damping.condition) return Status::Misuse();
  const bool uniform = damping.scaling == nullptr;
  return FactorMatrix(uniform ? damping.mu + damping.decay : damping.decay, damping.scaling,
                      damping, cancel);
}

Status Gram::Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) {
  std::vector<double> right(side.sum, side.sum + order());
  for (double& value : right) value = -value;
  return SolveMatrix(right.data(), cancel, x, solution);
}

Status Gram::ApplyFactor(const double* v, const Cancel& cancel, double* x) {
  std::copy_n(v, order(), x);
  return system_.SolveFactor(x, cancel);
}

void Gram::Release() {
  builder_.Release();
  tree_.Release();
  MatrixCurvature::Release();
}

}  // namespace gaussflow
