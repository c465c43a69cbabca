// Implements the triangle of the orthogonal route as a curvature (triangle.h), by
// orthogonal_system.h.
#include "curvature/triangle.h"

#include <algorithm>
#include <cmath>

#include "curvature/measure.h"

namespace gaussflow {

namespace {

// The rounding of Q^T z is eps |z|, whatever the rows that a large entry of z belongs to. A sample
// that is sure and wrong at the logit L has z^2 = exp(L), a loss of L and hardly a row: above this
// multiple of twice the loss, which is |z|^2 of squared error, steps are solved for from the
// gradient. Below it at most three digits are lost.
constexpr double kLargestSquare = 1e6;

}  // namespace

Curvature::Estimate Triangle::EstimateBytes(const Sizes& sizes) {
  const size_t p = sizes.net.parameter_count;
  Estimate estimate;
  estimate.block = BlockSize(sizes.net, sizes.samples);
  const SlotCut slots = sizes.cut();
  const size_t rows =
      std::max(estimate.block * sizes.net.output_size, TriangleTree::Rows(slots, sizes.ranked, p));
  estimate.held = OrthogonalSystem::EstimateBytes(p, rows, sizes.threads);
  estimate.held.workspaces += BytesOf<double>(TriangleTree::Count(slots, sizes.ranked, p));
  estimate.solve_flops = SolveFlops(p);
  estimate.held.workspaces += BytesOf<double>(p);  // shift_
  return estimate;
}

Curvature::Traits Triangle::traits() const {
  return {.scaling_count = context_.net.parameter_count};
}

const char* Triangle::Refusal(Need need) const {
  if (need == Need::kView) return nullptr;
  if (need == Need::kLayerFactors) return kNoLayerFactors;
  return "the orthogonal route holds no matrix: linearize with primal or dual first";
}

double Triangle::SolveFlops(size_t order) {
  // A rank-revealing factorization, where R is not clearly regular.
  const double p = static_cast<double>(order);
  return 40.0 * p * p * p;
}

size_t Triangle::BlockSize(const Architecture& net, size_t samples) {
  // Blocks of about half as many rows as columns: the block stays below the triangle in size.
  const size_t rows = std::max<size_t>(256, net.parameter_count / 2);
  return std::min(Tangents::BlockSize(net, samples), std::max<size_t>(1, rows / net.output_size));
}

Status Triangle::Begin(const Request& /*request*/, const double* /*scaling*/) {
  factored_ = false;
  const size_t p = context_.net.parameter_count;
  const SlotCut slots = context_.data.slots();
  const bool ranked = !context_.data.ranks().alone();
  const size_t block = BlockSize(slots.samples()) * context_.net.output_size;
  const Status status = tree_.Reserve(slots, ranked, p);
  return status.ok() ? system_.Reset(p, std::max(block, TriangleTree::Rows(slots, ranked, p)))
                     : status;
}

Status Triangle::AddBlock(const Block& block, const Cancel& cancel) {
  // Before the triangle, where the same overflow would have the curvature's name.
  for (const double value : block.gradient)
    if (!std::isfinite(value)) return Status::NonFinite(1);
  const size_t rows = block.count * context_.net.output_size;
  double* columns = system_.block();
  context_.tangents.WriteColumns(columns);
  double* last = columns + context_.net.parameter_count * rows;
  const Panel residual = context_.tangents.Residual();
  if (!context_.tangents.has_residual())
    std::fill_n(last, rows, 0.0);  // steps are solved for from the gradient
  else
    for (size_t a = 0; a < context_.net.output_size; ++a)
      std::copy_n(residual.row(a), block.count, last + a * block.count);
  return system_.Absorb(rows, cancel);
}

Status Triangle::EndSlot(size_t slot, const Cancel& cancel) {
  return tree_.Close(slot, cancel, &system_);
}

Status Triangle::JoinRanks() {
  const Ranks& ranks = context_.data.ranks();
  if (ranks.alone()) return Status::Ok();
  system_.SetEquations(context_.data.slots().total() * context_.net.output_size);
  return tree_.JoinRanks(ranks, &system_);
}

Status Triangle::Finish(const Pass& pass, const Cancel& /*cancel*/, double* scaling,
                        Linearization* result) {
  by_gradient_ = !context_.net.loss.sum_of_squares() &&
                 !(result->residual_square <= kLargestSquare * 2.0 * result->loss);
  std::vector<double> squares(system_.p());
  for (size_t j = 0; j < squares.size(); ++j) squares[j] = system_.ColumnSquare(j);
  return TakeDiagonal(pass, squares.data(), 1, scaling, &result->gradient_cosine);
}

Status Triangle::Factor(const Damping& damping, const Cancel& /*cancel*/) {
  factored_ = false;
  if (damping.correction.count > 0) return Status::Misuse();
  const double* scaling = damping.scaling;
  const bool damped = damping.mu > 0.0 || damping.decay > 0.0;
  shift_.resize(damped ? system_.p() : 0);
  for (size_t j = 0; j < shift_.size(); ++j)
    shift_[j] = damping.decay + damping.mu * (scaling == nullptr ? 1.0 : scaling[j]);
  condition_ = damping.condition;
  factored_ = true;
  return Status::Ok();
}

Status Triangle::Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) {
  const double* shift = shift_.empty() ? nullptr : shift_.data();
  Status status;
  if (by_gradient_) {
    status =
        system_.SolveByGradient(shift, side.sum, cancel, x, &solution->residual, &solution->rank);
  } else {
    std::vector<double> offset;
    if (side.offset > 0.0) {
      offset = context_.parameters;
      for (double& value : offset) value *= side.offset;
    }
    status = system_.Solve(shift, offset.empty() ? nullptr : offset.data(), cancel, x,
                           &solution->residual, &solution->rank);
    // The gradient of other losses is more accurate than that of the triangle, R^T Q^T z.
    if (status.ok() && !context_.net.loss.sum_of_squares())
      solution->residual = system_.GradientResidual(shift, side.sum, x);
  }
  const Rank& rank = solution->rank;
  const double ratio = rank.smallest > 0.0 ? rank.largest / rank.smallest : HUGE_VAL;
  solution->condition = condition_ ? ratio * ratio : std::nan("");
  return status;
}

Status Triangle::Eigen(const Cancel& cancel, double* values, double* vectors) const {
  const Status status = system_.SingularValues(values, vectors);
  return cancel.Raised() ? Status::Canceled() : status;
}

Status Triangle::EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const {
  std::vector<double> squares(system_.p());
  const Status status = system_.SingularValues(squares.data(), nullptr);
  *count = 0;
  for (const double square : squares) *count += square < bound ? 1 : 0;
  return cancel.Raised() ? Status::Canceled() : status;
}

}  // namespace gaussflow
