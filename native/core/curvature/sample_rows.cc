// Implements the rows of J of a small subset as a curvature (sample_rows.h), with the factor of
// sample_system.h.
#include "curvature/sample_rows.h"

namespace gaussflow {

Curvature::Estimate SampleRows::EstimateBytes(const Sizes& sizes) {
  size_t block = 0;
  Estimate estimate = EstimateShared(sizes, &block);
  estimate.storage = kStorage;
  estimate.held = SampleSystem::EstimateBytes(sizes, block);
  estimate.left = SampleSystem::EstimateLeftBytes(sizes);
  return estimate;
}

Curvature::Traits SampleRows::traits() const {
  return {.storage = kStorage, .scaling_count = order(), .accelerates = true};
}

Status SampleRows::FactorSystem(double uniform, double mu, const double* scaling,
                                const Cancel& cancel) {
  return system_.Factor(uniform, mu, scaling, cancel);
}

Status SampleRows::SolveSystem(const double* b, const Operator& gram, double tolerance, size_t most,
                               double* x, Solution* solution) {
  return system_.Solve(b, gram, tolerance, most, x, &solution->residual, &solution->steps);
}

}  // namespace gaussflow
