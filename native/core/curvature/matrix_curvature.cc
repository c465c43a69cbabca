// Implements the curvature that is a matrix (matrix_curvature.h) by its solver.
#include "curvature/matrix_curvature.h"

#include "cost.h"

namespace gaussflow {

const char* MatrixCurvature::Refusal(Need need) const {
  return need == Need::kLayerFactors ? kNoLayerFactors : nullptr;
}

double MatrixCurvature::SolveFlops() const { return cost::FactorAndSolve(order()); }

Status MatrixCurvature::ReserveMatrix(size_t order, size_t period, bool keeps_factor) {
  return solver_.Reserve(order, period, keeps_factor);
}

Status MatrixCurvature::FactorMatrix(double uniform, const double* scaling, const Damping& damping,
                                     const Cancel& cancel) {
  return solver_.Factor(uniform, damping.mu, scaling, damping.correction, damping.condition,
                        cancel);
}

Status MatrixCurvature::SolveMatrix(const double* b, const Cancel& cancel, double* x,
                                    Solution* solution) {
  return solver_.Solve(b, cancel, x, &solution->condition, &solution->residual);
}

}  // namespace gaussflow
