// Implements the Gram matrix of the primal route as a curvature (gram.h): adds blocks by
// gram_builder.h, and leaves factors and solves to its base class matrix_curvature.h.
#include "curvature/gram.h"

#include <algorithm>
#include <cmath>

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
      BytesOf<double>(GramTree::Count(sizes.cut(), sizes.ranked, estimate.order));
  const double average = sizes.formed.average ? BytesOf<double>(AverageCount(estimate.order)) : 0.0;
  estimate.held.workspaces += average;
  estimate.left = GramBuilder<double>::EstimateBytes(sizes.net, sizes.threads, 0) + average;
  estimate.solve_flops = cost::FactorAndSolve(estimate.order);
  estimate.passes = {Tangents::Pass::kSecondDerivative};
  return estimate;
}

Curvature::Traits Gram::traits() const {
  return {.storage = kStorage,
          .scaling_count = context_.net.parameter_count,
          .accelerates = true,
          .factor_alone = true};
}

Status Gram::ReserveAverage() {
  const size_t count = AverageCount(context_.net.parameter_count);
  if (average_.size() == count) return Status::Ok();
  if (!average_.Reserve(count)) return Status::Memory(count * sizeof(double));
  std::fill_n(average_.data(), count, 0.0);
  return Status::Ok();
}

Status Gram::Begin(const Request& request, const double* /*scaling*/) {
  const size_t p = context_.net.parameter_count;
  averages_ = request.average != nullptr;
  if (averages_) shares_ = *request.average;
  Status status = averages_ ? ReserveAverage() : Status::Ok();
  if (status.ok()) status = tree_.Reserve(context_.data.slots(), context_.data.ranks(), p);
  // With several slots a partial sum is kept in the place of the factor. A rank of one slot has
  // none, but does what one process with all slots does.
  const bool keeps = averages_ && context_.data.slots().all() == 1;
  return status.ok() ? ReserveMatrix(p, p, keeps) : status;
}

Status Gram::AddBlock(const Block& block, const Cancel& cancel) {
  return builder_.Add(context_.tangents, block.begins_slot, cancel, system_.matrix().columns());
}

Status Gram::EndSlot(size_t slot, const Cancel& cancel) {
  SymmetricMatrix& g = system_.matrix();
  const Status status = tree_.Close(slot, context_.threads, cancel, &g);
  return status.ok() ? FiniteHere(context_, g.upper(), g.n() + 1) : status;
}

Status Gram::JoinRanks() {
  const Ranks& ranks = context_.data.ranks();
  return ranks.alone() ? Status::Ok() : tree_.JoinRanks(ranks, &system_.matrix());
}

Status Gram::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                    Linearization* result) {
  const Status status = TakeDiagonal(pass, system_.matrix().upper(), system_.matrix().n() + 1,
                                     scaling, &result->gradient_cosine);
  return status.ok() && averages_ ? Join(cancel) : status;
}

Status Gram::Join(const Cancel& cancel) {
  const size_t p = order();
  SymmetricMatrix& g = system_.matrix();
  const auto [keep, add] = shares_;
  const auto column = [this](size_t j) { return average_.data() + AverageCount(j); };
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(keep * column(j)[j] + add * g.at(j, j))) return Status::NonFinite(2);
  if (cancel.Raised()) return Status::Canceled();
  // From here on to its end: half of an average would be neither the old nor the new one.
  constexpr size_t kColumns = 32;
  ThreadPool::Instance().Run(
      context_.threads, Parts(p, kColumns), Cancel{},
      [&, keep = keep, add = add](size_t task, int) {
        for (size_t j = task * kColumns; j < std::min(p, (task + 1) * kColumns); ++j)
          for (size_t i = 0; i <= j; ++i)
            g.at(i, j) = column(j)[i] = keep * column(j)[i] + add * g.at(i, j);
      });
  return Status::Ok();
}

Status Gram::RestoreAverage(const double* matrix) {
  const Status status = ReserveAverage();
  if (!status.ok()) return status;
  const size_t p = context_.net.parameter_count;
  for (size_t j = 0; j < p; ++j)
    std::copy_n(matrix + j * p, j + 1, average_.data() + AverageCount(j));
  return status;
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
  return solver_.ApplyFactor(v, cancel, x);
}

void Gram::Release() {
  builder_.Release();
  tree_.Release();
  MatrixCurvature::Release();
}

}  // namespace gaussflow
