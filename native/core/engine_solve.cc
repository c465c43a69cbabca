// Damped steps with the curvature of the last linearization.
#include <algorithm>
#include <cmath>

#include "engine.h"
#include "vectors.h"

namespace gaussflow {

Status Engine::Solve(double damping, double decay, const double* scaling, bool condition,
                     const Cancel& cancel, double* step, Solution* result, double tolerance,
                     const LowRank& correction) {
  Status status = Status::Misuse();
  tolerance_ = tolerance;
  factored_ = -1.0;
  solved_ = false;
  const bool exact = curvature_ == Curvature::kPrimal && precision_ == Precision::kDouble;
  if (correction.count > 0 && (!exact || condition)) return status;
  if (curvature_ == Curvature::kOrthogonal) {
    status = SolveOrthogonal(damping, decay, scaling, cancel, step, result);
    const Rank& rank = result->rank;
    const double ratio = rank.smallest > 0.0 ? rank.largest / rank.smallest : HUGE_VAL;
    result->condition = condition ? ratio * ratio : std::nan("");
    return status;
  }
  if (curvature_ == Curvature::kPrimal) {
    const size_t p = net_.parameter_count;
    const double uniform = scaling == nullptr ? damping + decay : decay;
    status = BySamples() ? samples_.Factor(uniform, damping, scaling, cancel)
             : precision_ == Precision::kSingle
                 ? single_.Factor(uniform, damping, scaling, cancel)
                 : system_.Factor(uniform, damping, scaling, cancel, correction);
    if (!status.ok()) return status;
    std::vector<double> right(p);
    for (size_t j = 0; j < p; ++j) right[j] = -gradient_[j];
    status = SolvePrimal(right.data(), cancel, step, result);
  } else if (curvature_ == Curvature::kDual) {
    status = SolveDual(damping, decay, scaling, cancel, step, result);
  }
  if (!status.ok()) return status;
  solved_ = true;
  result->condition = std::nan("");
  const bool known = condition && precision_ == Precision::kDouble;
  return known ? system_.Condition(&result->condition) : Status::Ok();
}

Status Engine::SolvePrimal(const double* b, const Cancel& cancel, double* x, Solution* result) {
  if (precision_ == Precision::kDouble) return system_.Solve(b, x, &result->residual, cancel);
  const auto gram = [&](const double* v, double* out) { return products_.Gram(1, v, cancel, out); };
  const size_t most =
      subset_ != nullptr ? SingleSystem::kMostSubsetSteps : SingleSystem::kMostSteps;
  if (BySamples())
    return samples_.Solve(b, gram, tolerance_, most, x, &result->residual, &result->steps);
  return single_.Solve(b, gram, tolerance_, most, x, &result->residual, &result->steps);
}

// With m = damping + decay: u = (K + m I)^-1 (r - (decay/m) J w), step = -D^-1 J^T u - (decay/m) w;
// decay > 0 wants D = I.
Status Engine::SolveDual(double damping, double decay, const double* scaling, const Cancel& cancel,
                         double* step, Solution* result) {
  const size_t p = net_.parameter_count, order = system_.matrix().n();
  if (scaling != nullptr && decay > 0.0) return Status::Misuse();
  const double m = damping + decay, share = decay > 0.0 ? decay / m : 0.0;
  Status status = system_.Factor(m, 0.0, nullptr, cancel);
  if (!status.ok()) return status;
  std::vector<double> right(order), u(order);
  if (share > 0.0) {
    status = tangents_.Product(parameters_.data(), cancel, right.data());
    if (!status.ok()) return status;
  }
  const double* r = tangents_.Residual().data;
  for (size_t i = 0; i < order; ++i) right[i] = r[i] - share * right[i];
  status = system_.Solve(right.data(), u.data(), &result->residual, cancel);
  if (!status.ok()) return status;
  status = DualBack(u.data(), scaling, cancel, step);
  if (!status.ok()) return status;
  for (size_t j = 0; share > 0.0 && j < p; ++j) {
    step[j] -= share * parameters_[j];
    if (!std::isfinite(step[j])) return Status::NonFinite(3);
  }
  return Status::Ok();
}

Status Engine::DualBack(const double* u, const double* scaling, const Cancel& cancel, double* out) {
  Fill(net_.parameter_count, 0.0, out, threads_);
  const Status status = tangents_.AddTransposeProduct({u, tangents_.count()}, cancel, out);
  if (!status.ok()) return status;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const double d = scaling == nullptr ? 1.0 : scaling[l];
    double* of_layer = out + layer.weight_offset;
    ForEachPart(layer.parameter_count(), threads_, [&](size_t, size_t first, size_t last) {
      for (size_t j = first; j < last; ++j) of_layer[j] = -of_layer[j] / d;
    });
  }
  return AllFinite(net_.parameter_count, out, threads_) ? Status::Ok() : Status::NonFinite(3);
}

}  // namespace gaussflow
