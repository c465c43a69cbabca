// Implements the tangent kernel of the dual route as a curvature (kernel.h): scaling, right-hand
// sides and steps around the kernel that kernel_builder.h forms.
#include "curvature/kernel.h"

#include <algorithm>
#include <cmath>

#include "cost.h"
#include "curvature/measure.h"
#include "thread_pool.h"
#include "vectors.h"

namespace gaussflow {

namespace {

// Never above the gradient's cosine, up to rounding: no column of J~ is longer than those of its
// unit's weights together.
double CosineBound(const Architecture& net, const Pass& pass, const std::vector<double>& squares,
                   int threads) {
  if (pass.residual_norm == 0.0) return 0.0;
  const double* gradient = pass.gradient.data();
  double largest = 0.0;
  const auto raise = [&](double entry, double square) {
    if (square > 0.0) largest = std::max(largest, entry / (std::sqrt(square) * pass.residual_norm));
  };
  std::vector<double> entries(net.max_outputs());
  size_t unit = 0;
  for (const Layer& layer : net.layers) {
    const auto row = [&](size_t o, int /*worker*/) {
      entries[o] =
          LargestMagnitude(layer.inputs, gradient + layer.weight_offset + o * layer.inputs);
    };
    if (layer.inputs * layer.outputs >= kLargeVector)
      ThreadPool::Instance().Run(threads, layer.outputs, Cancel{}, row);
    else
      for (size_t o = 0; o < layer.outputs; ++o) row(o, 0);
    for (size_t o = 0; o < layer.outputs; ++o, ++unit) {
      raise(entries[o], squares[2 * unit]);
      if (layer.bias) raise(std::fabs(gradient[layer.bias_offset + o]), squares[2 * unit + 1]);
    }
  }
  return largest;
}

}  // namespace

Curvature::Estimate Kernel::EstimateBytes(const Sizes& sizes) {
  using Pass = Tangents::Pass;
  Estimate estimate;
  estimate.storage = kStorage;
  estimate.block = sizes.samples;
  estimate.order = sizes.samples * sizes.net.output_size;
  // The longest sum is that of J~^T u, or of two numbers a unit.
  size_t units = 0;
  for (const Layer& layer : sizes.net.layers) units += layer.outputs;
  const size_t longest = std::max(sizes.net.parameter_count, 2 * units);
  estimate.sums = longest;
  estimate.held.workspaces = KernelBuilder::EstimateBytes(sizes.net, sizes.threads, sizes.samples);
  estimate.left = estimate.held.workspaces;
  estimate.solve_flops = SolveFlops(sizes.net, sizes.samples, estimate.order);
  estimate.passes = {Pass::kDiagonal, Pass::kProduct, Pass::kSecondDerivative};
  return estimate;
}

Curvature::Traits Kernel::traits() const {
  return {.storage = kStorage,
          .scaling_count = context_.net.layers.size(),
          .accelerates = true,
          .reads_seeds = true};
}

double Kernel::SolveFlops(const Architecture& net, size_t samples, size_t order) {
  return cost::FactorAndSolve(order) + 2.0 * cost::Passes(net, samples);
}

double Kernel::SolveFlops() const {
  return SolveFlops(context_.net, context_.data.sample_count, order());
}

Status Kernel::Begin(const Request& request, const double* /*scaling*/) {
  exact_measure_below_ = request.exact_measure_below;
  const size_t n = context_.data.sample_count;
  return ReserveMatrix(n * context_.net.output_size, n);
}

Status Kernel::AddBlock(const Block& /*block*/, const Cancel& /*cancel*/) { return Status::Ok(); }

Status Kernel::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                      Linearization* result) {
  Status status = Measure(pass, cancel, scaling, &result->gradient_cosine);
  if (!status.ok()) return status;
  status = builder_.Form(context_.tangents, scaling, cancel, &system_.matrix());
  if (!status.ok()) return status;
  for (size_t i = 0; i < order(); ++i)
    if (!std::isfinite(system_.matrix().at(i, i))) return Status::NonFinite(2);
  return Status::Ok();
}

Status Kernel::Measure(const Pass& pass, const Cancel& cancel, double* scaling, double* cosine) {
  const Architecture& net = context_.net;
  Tangents& tangents = context_.tangents;
  size_t units = 0;
  for (const Layer& layer : net.layers) units += layer.outputs;
  std::vector<double> squares(2 * units, 0.0);
  Status status = SumOverSamples(squares.size(), squares.data(), cancel, [&](size_t, size_t) {
    return tangents.AddUnitSquares(cancel, squares.data());
  });
  if (!status.ok()) return status;
  size_t unit = 0;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    double sum = 0.0;
    for (size_t o = 0; o < layer.outputs; ++o, ++unit)
      sum += squares[2 * unit] + squares[2 * unit + 1];
    if (!std::isfinite(sum)) return Status::NonFinite(2);
    if (scaling == nullptr) continue;
    scaling[l] = std::max(scaling[l], sum / static_cast<double>(layer.parameter_count()));
    if (scaling[l] == 0.0) scaling[l] = 1.0;
  }
  if (std::isnan(pass.residual_norm)) {
    *cosine = pass.residual_norm;
    return Status::Ok();
  }
  *cosine = CosineBound(net, pass, squares, context_.threads);
  if (*cosine > exact_measure_below_) return Status::Ok();
  // All of diag G costs n p flops: what the measure alone asks for.
  std::vector<double> diagonal(net.parameter_count, 0.0);
  status = SumOverSamples(diagonal.size(), diagonal.data(), cancel, [&](size_t, size_t) {
    return tangents.AddDiagonal(cancel, diagonal.data());
  });
  if (!status.ok()) return status;
  *cosine = GradientCosine(pass, diagonal.data(), 1);
  return Status::Ok();
}

Status Kernel::Factor(const Damping& damping, const Cancel& cancel) {
  const bool unscaled_decay = damping.decay == 0.0 || damping.scaling == nullptr;
  if (damping.correction.count > 0 || !unscaled_decay) return Status::Misuse();
  uniform_ = damping.mu + damping.decay;
  const size_t factors = damping.scaling == nullptr ? 0 : context_.net.layers.size();
  scaling_.assign(damping.scaling, damping.scaling + factors);
  return FactorMatrix(uniform_, nullptr, damping, cancel);
}

// u = (K + m I)^-1 (z - (offset / m) J~ w), x = -D^-1 J~^T u - (offset / m) w.
Status Kernel::Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) {
  if (side.seeds == nullptr) return SolveByGradient(side, cancel, x, solution);
  const std::vector<double>& w = context_.parameters;
  const double share = side.offset > 0.0 ? side.offset / uniform_ : 0.0;
  std::vector<double> right(order()), u(order());
  if (share > 0.0) {
    const Status status = context_.tangents.Product(w.data(), cancel, right.data());
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < right.size(); ++i) right[i] = side.seeds[i] - share * right[i];
  Status status = SolveMatrix(right.data(), cancel, u.data(), solution);
  if (status.ok()) status = Back(u.data(), side.scaling, cancel, x);
  if (!status.ok()) return status;
  for (size_t j = 0; share > 0.0 && j < w.size(); ++j) {
    x[j] -= share * w[j];
    if (!std::isfinite(x[j])) return Status::NonFinite(3);
  }
  return Status::Ok();
}

// The division by m multiplies the rounding of the difference by 1/m, which a finite z avoids.
Status Kernel::SolveByGradient(const RightSide& side, const Cancel& cancel, double* x,
                               Solution* solution) {
  if (!(uniform_ > 0.0)) return Status::Indefinite(0);
  const size_t p = context_.net.parameter_count;
  std::vector<double> gradient(side.sum, side.sum + p), right(order()), u(order());
  OverScaling(side.scaling, 1.0, gradient.data());
  Status status = context_.tangents.Product(gradient.data(), cancel, right.data());
  if (status.ok()) status = SolveMatrix(right.data(), cancel, u.data(), solution);
  if (!status.ok()) return status;
  for (size_t j = 0; j < p; ++j) x[j] = -side.sum[j];
  status = AddTransposeProduct(u.data(), cancel, x);
  if (!status.ok()) return status;
  OverScaling(side.scaling, uniform_, x);
  return AllFinite(p, x, context_.threads) ? Status::Ok() : Status::NonFinite(3);
}

Status Kernel::ApplyFactor(const double* v, const Cancel& cancel, double* x) {
  Solution solution;
  const double* scaling = scaling_.empty() ? nullptr : scaling_.data();
  const Status status = SolveByGradient({v, nullptr, 0.0, scaling}, cancel, x, &solution);
  for (size_t j = 0; status.ok() && j < context_.net.parameter_count; ++j) x[j] = -x[j];
  return status;
}

Status Kernel::AddTransposeProduct(const double* u, const Cancel& cancel, double* out) {
  const size_t n = context_.data.sample_count;
  return SumOverSamples(context_.net.parameter_count, out, cancel, [&](size_t first, size_t) {
    return context_.tangents.AddTransposeProduct({u + first, n}, cancel, out);
  });
}

void Kernel::OverScaling(const double* scaling, double m, double* v) const {
  for (size_t l = 0; l < context_.net.layers.size(); ++l) {
    const Layer& layer = context_.net.layers[l];
    const double d = m * (scaling == nullptr ? 1.0 : scaling[l]);
    double* of_layer = v + layer.weight_offset;
    for (size_t j = 0; j < layer.parameter_count(); ++j) of_layer[j] /= d;
  }
}

Status Kernel::Back(const double* u, const double* scaling, const Cancel& cancel, double* out) {
  const Architecture& net = context_.net;
  Fill(net.parameter_count, 0.0, out, context_.threads);
  const Status status = AddTransposeProduct(u, cancel, out);
  if (!status.ok()) return status;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    const double d = scaling == nullptr ? 1.0 : scaling[l];
    double* of_layer = out + layer.weight_offset;
    ForEachPart(layer.parameter_count(), context_.threads, [&](size_t, size_t first, size_t last) {
      for (size_t j = first; j < last; ++j) of_layer[j] = -of_layer[j] / d;
    });
  }
  return AllFinite(net.parameter_count, out, context_.threads) ? Status::Ok()
                                                               : Status::NonFinite(3);
}

}  // namespace gaussflow
