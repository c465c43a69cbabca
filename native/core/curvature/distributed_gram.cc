// Implements the Gram matrix in blocks on several ranks (distributed_gram.h).
#include "curvature/distributed_gram.h"

#include <algorithm>
#include <cmath>

#include "cost.h"
#include "curvature/measure.h"

namespace gaussflow {

std::vector<ColumnRange> DistributedGram::GroupsOf(const Architecture& net, size_t ranks) {
  // 8 MiB, or a thirty-second of what a rank holds: groups must not become many.
  constexpr size_t kLeast = size_t{1} << 20;
  const size_t held = DistributedMatrix::Count(net.parameter_count, ranks);
  return GramBuilder<double>::Groups(net, std::max(kLeast, held / 32));
}

size_t DistributedGram::PanelCount(const std::vector<ColumnRange>& groups) {
  size_t count = 0;
  for (const auto [first, end] : groups) count = std::max(count, Times(end - first, end));
  return count;
}

Curvature::Estimate DistributedGram::EstimateBytes(const Sizes& sizes) {
  const size_t p = sizes.net.parameter_count, ranks = sizes.holders;
  const std::vector<ColumnRange> groups = GroupsOf(sizes.net, ranks);
  Estimate estimate;
  estimate.storage = Storage::kDistributed;
  estimate.block = Tangents::BlockSize(sizes.net, sizes.samples);
  // Matrix and factor are the halves of one array.
  estimate.held.curvature = estimate.held.factor =
      0.5 * BytesOf<double>(DistributedMatrix::Count(p, ranks));
  estimate.held.workspaces =
      GramBuilder<double>::EstimateBytes(sizes.net, sizes.threads,
                                         std::min(estimate.block, sizes.cut().Largest()), groups) +
      BytesOf<double>(DistributedMatrix::VectorCount(p, ranks) + PanelCount(groups) + p);
  estimate.left = GramBuilder<double>::EstimateBytes(sizes.net, sizes.threads, 0, groups) +
                  BytesOf<double>(DistributedMatrix::VectorCount(p, ranks) + p);
  estimate.sums = PanelCount(groups);
  estimate.solve_flops = cost::FactorAndSolve(p) / static_cast<double>(ranks);
  estimate.passes = {Tangents::Pass::kSecondDerivative};
  return estimate;
}

Curvature::Traits DistributedGram::traits() const {
  return {.storage = Storage::kDistributed,
          .scaling_count = context_.net.parameter_count,
          .accelerates = true};
}

const char* DistributedGram::Refusal(Need need) const {
  switch (need) {
    case Need::kProduct:
      return nullptr;
    case Need::kView:
      return "the Gram matrix is held in blocks by the ranks, which have no spectrum and no copy "
             "of "
             "it: let every rank hold all of it";
    case Need::kInverse:
      return "the Gram matrix is held in blocks by the ranks, whose factor is of the damped system "
             "alone: let every rank hold all of it";
    case Need::kLayerFactors:
      break;
  }
  return kNoLayerFactors;
}

double DistributedGram::SolveFlops() const {
  const double ranks = static_cast<double>(context_.data.ranks().count());
  return cost::FactorAndSolve(order()) / ranks;
}

Status DistributedGram::Begin(const Request& /*request*/, const double* /*scaling*/) {
  const Architecture& net = context_.net;
  const Ranks& ranks = context_.data.ranks();
  factored_ = false;
  const size_t panel = PanelCount(GroupsOf(net, ranks.count()));
  if (!panel_.Reserve(panel)) return Status::Memory(panel * sizeof(double));
  shift_.assign(net.parameter_count, 0.0);
  return matrix_.Reserve(ranks, net.parameter_count, context_.threads);
}

// The matrix is formed group by group once the passes over all samples are over.
Status DistributedGram::AddBlock(const Block& /*block*/, const Cancel& /*cancel*/) {
  return Status::Ok();
}

Status DistributedGram::FormGroup(ColumnRange columns, const Cancel& cancel) {
  const auto [first, end] = columns;
  const size_t count = (end - first) * end;
  const ColumnsOf<double> panel = {panel_.data(), end, columns};
  std::fill_n(panel_.data(), count, 0.0);
  const auto add = [&](size_t, size_t) {
    const Status status = builder_.Add(context_.tangents, false, cancel, panel);
    // Here, on the rank that has the samples.
    for (size_t j = first; j < end && status.ok(); ++j)
      if (!std::isfinite(panel.column(j)[j])) return Status::NonFinite(2);
    return status;
  };
  const Status status = SumOverSamples(count, panel_.data(), cancel, add);
  if (status.ok()) matrix_.Take(panel);
  return status;
}

Status DistributedGram::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                               Linearization* result) {
  for (const ColumnRange& group : GroupsOf(context_.net, context_.data.ranks().count())) {
    const Status status = FormGroup(group, cancel);
    if (!status.ok()) return status;
  }
  return TakeDiagonal(pass, matrix_.diagonal().data(), 1, scaling, &result->gradient_cosine);
}

Status DistributedGram::Factor(const Damping& damping, const Cancel& cancel) {
  if (damping.condition) return Status::Misuse();
  factored_ = false;
  const auto [count, left, right] = damping.correction;
  left_.assign(left, left + count * order());
  right_.assign(right, right + count * order());
  for (size_t i = 0; i < order(); ++i)
    shift_[i] =
        damping.decay + damping.mu * (damping.scaling == nullptr ? 1.0 : damping.scaling[i]);
  if (cancel.Raised()) return Status::Canceled();
  const Status status = matrix_.Factor(shift_, {count, left_.data(), right_.data()});
  factored_ = status.ok();
  return status;
}

Status DistributedGram::Solve(const RightSide& side, const Cancel& /*cancel*/, double* x,
                              Solution* solution) {
  if (!factored_) return Status::Misuse();
  const size_t n = order();
  solution->condition = std::nan("");
  for (size_t i = 0; i < n; ++i) x[i] = -side.sum[i];
  Status status = matrix_.SolveFactor(x);
  std::vector<double> rest(n);
  if (status.ok()) status = matrix_.Multiply(x, rest.data());
  if (!status.ok()) return status;
  double top = 0.0, bottom = 0.0;
  for (size_t i = 0; i < n; ++i) rest[i] = -side.sum[i] - shift_[i] * x[i] - rest[i];
  SubtractProduct({left_.size() / n, left_.data(), right_.data()}, n, x, rest.data());
  for (size_t i = 0; i < n; ++i) {
    top = std::max(top, std::fabs(rest[i]));
    bottom = std::max(bottom, std::fabs(side.sum[i]));
  }
  solution->residual = bottom > 0.0 ? top / bottom : 0.0;
  status = matrix_.SolveFactor(rest.data());
  if (!status.ok()) return status;
  for (size_t i = 0; i < n; ++i) {
    x[i] += rest[i];
    if (!std::isfinite(x[i])) return Status::NonFinite(3);
  }
  return status;
}

Status DistributedGram::ApplyFactor(const double* v, const Cancel& /*cancel*/, double* x) {
  if (!factored_) return Status::Misuse();
  std::copy_n(v, order(), x);
  return matrix_.SolveFactor(x);
}

Status DistributedGram::Multiply(size_t count, const double* vectors, const Cancel& cancel,
                                 double* out) {
  const size_t n = order();
  for (size_t v = 0; v < count; ++v) {
    if (cancel.Raised()) return Status::Canceled();
    const Status status = matrix_.Multiply(vectors + v * n, out + v * n);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

void DistributedGram::Release() {
  factored_ = false;
  builder_.Release();
  matrix_.Release();
  panel_.Release();
}

size_t DistributedGram::bytes() const {
  const size_t vectors = shift_.capacity() + left_.capacity() + right_.capacity();
  return builder_.bytes() + matrix_.bytes() + panel_.bytes() + vectors * sizeof(double);
}

}  // namespace gaussflow
