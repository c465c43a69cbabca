// Implements the Gram matrix in float as a curvature (single_gram.h), by gram_builder.h and
// single_system.h.
#include "curvature/single_gram.h"

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
  estimate.held.workspaces = builder(block) + vectors;
  estimate.left = builder(0) + vectors;
  return estimate;
}

Curvature::Traits SingleGram::traits() const {
  return {.storage = kStorage, .scaling_count = order(), .accelerates = true};
}

Status SingleGram::Reserve(size_t /*samples*/) { return system_.Reserve(order()); }

Status SingleGram::Add(const Tangents& tangents, bool first, const Cancel& cancel) {
  return builder_.Add(tangents, first, cancel, &system_.matrix());
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
  builder_.Release();
  system_.Release();
}

size_t SingleGram::bytes() const {
  return SingleCurvature::bytes() + builder_.bytes() + system_.bytes();
}

}  // namespace gaussflow
