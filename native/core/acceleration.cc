// The second-order correction of a damped step.
#include <algorithm>

#include "engine.h"

namespace gaussflow {

Status Engine::MakePanels(size_t first, size_t count, const Cancel& cancel) {
  if (count == data_.sample_count) return Status::Ok();  // those of the linearization still stand
  double loss = 0.0;
  return tangents_.Compute(parameters_.data(), first, count, true, cancel, &loss);
}

Status Engine::Accelerate(const double* velocity, const double* scaling, const Cancel& cancel,
                          double* acceleration) {
  const bool dual = curvature_ == Curvature::kDual;
  if (!solved_ || (!dual && curvature_ != Curvature::kPrimal)) return Status::Misuse();
  const size_t p = net_.parameter_count, n = data_.sample_count, c = net_.output_size;
  const size_t block = dual ? n : BlockSize();
  std::vector<double> second(block * c), right(dual ? 0 : p, 0.0);
  for (size_t first = 0; first < n; first += block) {
    const size_t count = std::min(block, n - first);
    Status status = MakePanels(first, count, cancel);
    if (status.ok())
      status = tangents_.SecondDerivative(parameters_.data(), velocity, cancel, second.data());
    if (status.ok() && !dual)
      status = tangents_.AddTransposeProduct({second.data(), count}, cancel, right.data());
    if (!status.ok()) return status;
  }
  if (!dual) {
    for (double& value : right) value = -value;
    Solution solution;
    return SolvePrimal(right.data(), cancel, acceleration, &solution);
  }
  double residual = 0.0;
  std::vector<double> u(n * c);
  const Status status = system_.Solve(second.data(), u.data(), &residual, cancel);
  return status.ok() ? DualBack(u.data(), scaling, cancel, acceleration) : status;
}

}  // namespace gaussflow
