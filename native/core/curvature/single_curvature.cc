// Implements the damped solves with a float factor as preconditioner (single_curvature.h).
#include "curvature/single_curvature.h"

#include <algorithm>
#include <cmath>

#include "cost.h"
#include "curvature/measure.h"
#include "curvature/single_system.h"

namespace gaussflow {

const char* SingleCurvature::Refusal(Need need) const {
  if (need == Need::kProduct) return nullptr;
  if (need == Need::kLayerFactors) return kNoLayerFactors;
  return "the curvature is held in single precision: linearize in double precision first";
}

Curvature::Estimate SingleCurvature::EstimateShared(const Sizes& sizes, size_t* block) {
  using Pass = Tangents::Pass;
  Estimate estimate;
  estimate.block = Tangents::BlockSize(sizes.net, sizes.samples);
  estimate.solve_flops = cost::FactorAndSolve(sizes.net.parameter_count);
  estimate.passes = {Pass::kDiagonal, Pass::kSecondDerivative};
  // The exact operator has all samples.
  Sizes all = sizes;
  all.formed.subset = 0;
  estimate.products = Products::EstimateBytes(all, true);
  estimate.loaded = Products::BlockSize(all);
  if (sizes.formed.subset > 0) estimate.subset = Subset::EstimateBytes(sizes);
  *block = std::min(Tangents::BlockSize(sizes.net, sizes.used()),
                    sizes.formed.subset > 0 ? sizes.used() : sizes.cut().Largest());
  estimate.held.workspaces =
      BytesOf<double>(SlotTree::Count(sizes.cut(), sizes.net.parameter_count));
  return estimate;
}

double SingleCurvature::SolveFlops() const { return cost::FactorAndSolve(order()); }

Status SingleCurvature::Begin(const Request& request, const double* scaling) {
  factored_ = false;
  context_.products.SetParameters(context_.parameters.data());
  if (request.subset == nullptr) {
    // A run that goes over to all samples must not hold the subset.
    subset_.reset();
    const Status status = squares_.Reserve(context_.data.slots(), order(), context_.threads);
    return status.ok() ? Reserve(context_.data.sample_count) : status;
  }
  if (subset_ == nullptr) subset_ = std::make_unique<Subset>(context_);
  const Status status = subset_->Begin(*request.subset, scaling);
  return status.ok() ? Reserve(request.subset->size()) : status;
}

Status SingleCurvature::AddBlock(const Block& block, const Cancel& cancel) {
  if (subset_ != nullptr) return subset_->AddBlock(block, cancel);
  Status status = context_.tangents.AddDiagonal(cancel, Squares());
  if (status.ok() && block.first == 0) status = Measure(context_.tangents);
  return status.ok() ? Add(context_.tangents, block.begins_slot, cancel) : status;
}

Status SingleCurvature::EndSlot(size_t slot, const Cancel& cancel) {
  if (subset_ != nullptr) return Status::Ok();
  squares_.Close(slot, Squares());
  const Status status = FiniteHere(context_, Squares(), 1);
  return status.ok() ? CloseSlot(slot, cancel) : status;
}

Status SingleCurvature::JoinRanks() {
  const Status status = context_.data.ranks().SumPart(Squares(), order());
  return status.ok() ? JoinParts() : status;
}

Status SingleCurvature::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                               Linearization* result) {
  if (subset_ != nullptr) {
    Status status = subset_->ForEachBlock(cancel, Squares(), [&](Tangents& tangents, bool first) {
      const Status measured = first ? Measure(tangents) : Status::Ok();
      return measured.ok() ? Add(tangents, first, cancel) : measured;
    });
    if (status.ok()) status = subset_->RaiseScaling(scaling);
    if (!status.ok()) return status;
  }
  return TakeDiagonal(pass, Squares(), 1, scaling, &result->gradient_cosine);
}

Status SingleCurvature::Factor(const Damping& damping, const Cancel& cancel) {
  factored_ = false;
  if (damping.correction.count > 0) return Status::Misuse();
  tolerance_ = damping.tolerance;
  const double uniform = damping.scaling == nullptr ? damping.mu + damping.decay : damping.decay;
  const Status status = FactorSystem(uniform, damping.mu, damping.scaling, cancel);
  factored_ = status.ok();
  return status;
}

Status SingleCurvature::Solve(const RightSide& side, const Cancel& cancel, double* x,
                              Solution* solution) {
  if (!factored_) return Status::Misuse();
  std::vector<double> right(side.sum, side.sum + order());
  for (double& value : right) value = -value;
  solution->condition = std::nan("");
  const auto gram = [&](const double* v, double* out) {
    return context_.products.Gram(1, v, cancel, out);
  };
  const size_t most =
      subset_ != nullptr ? SingleSystem::kMostSubsetSteps : SingleSystem::kMostSteps;
  return SolveSystem(right.data(), gram, tolerance_, most, x, solution);
}

Status SingleCurvature::ApplyFactor(const double* v, const Cancel& /*cancel*/, double* x) {
  if (!factored_) return Status::Misuse();
  Precondition(v, x);
  return Status::Ok();
}

Status SingleCurvature::Multiply(size_t count, const double* vectors, const Cancel& cancel,
                                 double* out) {
  return context_.products.Gram(count, vectors, cancel, out);
}

}  // namespace gaussflow
