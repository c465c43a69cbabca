// Implements the sampled curvature (sampled_kernel.h): right-hand sides and steps around the kernel
// that sampled_panels.h forms.
#include "curvature/sampled_kernel.h"

#include <cmath>

#include "cost.h"
#include "vectors.h"

namespace gaussflow {

Curvature::Estimate SampledKernel::EstimateBytes(const Sizes& sizes) {
  Estimate estimate;
  estimate.storage = kStorage;
  estimate.passes_itself = true;
  estimate.block = estimate.order = estimate.loaded = sizes.samples;
  estimate.held.workspaces = SampledPanels::EstimateBytes(sizes.net, sizes.threads, sizes.samples);
  estimate.solve_flops = SolveFlops(sizes.net, sizes.samples);
  return estimate;
}

double SampledKernel::SolveFlops(const Architecture& net, size_t samples) {
  return cost::FactorAndSolve(samples) + 2.0 * cost::Forward(net, samples);
}

double SampledKernel::SolveFlops() const {
  return SolveFlops(context_.net, context_.data.sample_count);
}

Status SampledKernel::Begin(const Request& request, const double* /*scaling*/) {
  seeds_ = request.sampled;
  const size_t n = context_.data.sample_count;
  return ReserveMatrix(n, n);
}

Status SampledKernel::RunPasses(const Cancel& cancel, double* gradient, Linearization* result) {
  const double* parameters = context_.parameters.data();
  Status status = panels_.Compute(parameters, seeds_, cancel, &result->loss);
  if (status.ok() && !std::isfinite(result->loss)) status = Status::NonFinite(0);
  return status.ok() ? panels_.Gradient(cancel, gradient) : status;
}

Status SampledKernel::AddBlock(const Block& /*block*/, const Cancel& /*cancel*/) {
  return Status::Misuse();
}

Status SampledKernel::Finish(const Pass& /*pass*/, const Cancel& cancel, double* /*scaling*/,
                             Linearization* /*result*/) {
  const Status status = panels_.FormKernel(cancel, &system_.matrix());
  if (!status.ok()) return status;
  for (size_t i = 0; i < order(); ++i)
    if (!std::isfinite(system_.matrix().at(i, i))) return Status::NonFinite(2);
  return status;
}

Status SampledKernel::Factor(const Damping& damping, const Cancel& cancel) {
  uniform_ = damping.mu + damping.decay;
  if (damping.scaling != nullptr || damping.correction.count > 0 || !(uniform_ > 0.0))
    return Status::Misuse();
  return FactorMatrix(uniform_, nullptr, damping, cancel);
}

Status SampledKernel::Solve(const RightSide& side, const Cancel& cancel, double* x,
                            Solution* solution) {
  return Apply(-1.0, side.sum, cancel, x, solution);
}

Status SampledKernel::ApplyFactor(const double* v, const Cancel& cancel, double* x) {
  Solution solution;
  return Apply(1.0, v, cancel, x, &solution);
}

Status SampledKernel::Apply(double sign, const double* v, const Cancel& cancel, double* x,
                            Solution* solution) {
  const size_t p = context_.net.parameter_count;
  std::vector<double> right(order()), u(order());
  Status status = panels_.Multiply(v, cancel, right.data());
  if (status.ok()) status = SolveMatrix(right.data(), cancel, u.data(), solution);
  if (status.ok()) status = panels_.MultiplyTransposed(u.data(), cancel, x);
  if (!status.ok()) return status;
  const double scale = sign / uniform_;
  ForEachPart(p, context_.threads, [&](size_t, size_t first, size_t last) {
    for (size_t j = first; j < last; ++j) x[j] = scale * (v[j] - x[j]);
  });
  return AllFinite(p, x, context_.threads) ? Status::Ok() : Status::NonFinite(3);
}

void SampledKernel::Release() {
  panels_.Release();
  MatrixCurvature::Release();
}

}  // namespace gaussflow
