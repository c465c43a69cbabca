// Implements the Gram matrix in float as a curvature (single_gram.h), by gram_builder.h and
// single_system.h.
#include "curvature/single_gram.h"

#include <algorithm>

namespace gaussflow {

Curvature::Estimate SingleGram::EstimateBytes(const Sizes& sizes) {
  const size_t p = sizes.net.parameter_count;
  size_t block = 0;
  Estimate estimate = EstimateShared(sizes, &block);
  estimate.storage = kStorage;
  // Matrix and factor are the halves of one array.
  estimate.held.curvature = 0.5 * BytesOf<float>(SymmetricMatrixOf<float>::Count(p));
  estimate.held.factor = estimate.held.curvature;
  const double vectors = SingleSystem::EstimateVectorBytes(p);
  const auto builder = [&](size_t count) {
    return GramBuilder<float>::EstimateBytes(sizes.net, sizes.threads, count);
  };
  estimate.held.workspaces += builder(block) + vectors;
  const SlotCut slots = sizes.formed.subset > 0 ? SlotCut(sizes.formed.subset, 1) : sizes.cut();
  estimate.held.workspaces += BytesOf<float>(GramTreeOf<float>::Count(slots, sizes.ranked, p));
  estimate.left = builder(0) + vectors;
  return estimate;
}

Curvature::Traits SingleGram::traits() const {
  return {.storage = kStorage, .scaling_count = order(), .accelerates = true};
}

Status SingleGram::Reserve(size_t /*samples*/) {
  const Status status = tree_.Reserve(context_.data.slots(), context_.data.ranks(), order());
  return status.ok() ? system_.Reserve(order()) : status;
}

Status SingleGram::Measure(const Tangents& tangents) {
  const Ranks& ranks = context_.data.ranks();
  const bool here = context_.data.slots().begin() == 0;
  if (here) builder_.Measure(tangents);
  if (ranks.alone()) return Status::Ok();
  std::vector<double> scales = builder_.scales();
  if (!here) std::fill(scales.begin(), scales.end(), 0.0);
  const Status status = ranks.Sum(scales.data(), scales.size());
  if (status.ok()) builder_.set_scales(scales);
  return status;
}

Status SingleGram::Add(const Tangents& tangents, bool first, const Cancel& cancel) {
  return builder_.Add(tangents, first, cancel, system_.matrix().columns());
}

Status SingleGram::CloseSlot(size_t slot, const Cancel& cancel) {
  return tree_.Close(slot, context_.threads, cancel, &system_.matrix());
}

Status SingleGram::JoinParts() {
  const Ranks& ranks = context_.data.ranks();
  return ranks.alone() ? Status::Ok() : tree_.JoinRanks(ranks, &system_.matrix());
}

Status SingleGram::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                          Linearization* result) {
  const Status status = SingleCurvature::Finish(pass, cancel, scaling, result);
  if (status.ok()) builder_.Scales(system_.scales());
  return status;
}

Status SingleGram::FactorSystem(double uniform, double mu, const double* scaling,
                                const Cancel& cancel) {
  return system_.Factor(uniform, mu, scaling, cancel);
}

Status SingleGram::SolveSystem(const double* b, const Operator& gram, double tolerance, size_t most,
                               double* x, Solution* solution) {
  return system_.Solve(b, gram, tolerance, most, x, &solution->residual, &solution->steps);
}

void SingleGram::Release() {
  SingleCurvature::Release();
  builder_.Release();
  tree_.Release();
  system_.Release();
}

size_t SingleGram::bytes() const {
  return SingleCurvature::bytes() + builder_.bytes() + tree_.bytes() + system_.bytes();
}

}  // namespace gaussflow
