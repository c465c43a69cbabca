// Implements the products with G of the matrix-free route as a curvature (operator.h), by
// products.h, and its diagonal and layer factors.
#include "curvature/operator.h"

#include <algorithm>
#include <cmath>

#include "cost.h"
#include "curvature/layer_factors.h"
#include "curvature/measure.h"

namespace gaussflow {

Curvature::Estimate GramOperator::EstimateBytes(const Sizes& sizes) {
  const bool whole = sizes.formed.subset == 0;
  Estimate estimate;
  estimate.block = Tangents::BlockSize(sizes.net, sizes.samples);
  estimate.solve_flops = cost::Passes(sizes.net, sizes.samples);
  estimate.passes = {Tangents::Pass::kDiagonal};
  estimate.held.workspaces =
      BytesOf<double>(SlotTree::Count(sizes.cut(), sizes.net.parameter_count));
  estimate.products = Products::EstimateBytes(sizes, whole);
  if (whole) estimate.loaded = Products::BlockSize(sizes);
  // The products in double where float has not the range are rare, and not counted.
  if (!whole)
    estimate.subset = Subset::EstimateBytes(sizes) + SingleProducts::EstimateBytes(sizes, true);
  return estimate;
}

Curvature::Traits GramOperator::traits() const { return {.scaling_count = order()}; }

const char* GramOperator::Refusal(Need need) const {
  if (need == Need::kProduct || need == Need::kLayerFactors) return nullptr;
  return "the matrix-free route has products only: linearize with primal or dual first";
}

double GramOperator::SolveFlops() const {
  return cost::Passes(context_.net, context_.data.sample_count);  // one product
}

Status GramOperator::Begin(const Request& request, const double* scaling) {
  const double* parameters = context_.parameters.data();
  context_.products.SetParameters(parameters);
  diagonal_.assign(order(), 0.0);
  if (request.subset == nullptr) {
    // A run that goes over to all samples must not hold the subset.
    model_.reset();
    return diagonals_.Reserve(context_.data.slots(), order(), context_.threads);
  }
  if (model_ == nullptr) model_ = std::make_unique<Model>(context_);
  model_->products.SetParameters(parameters);
  model_->exact_products.Release();
  model_->ranged = true;
  return model_->subset.Begin(*request.subset, scaling);
}

Status GramOperator::AddBlock(const Block& block, const Cancel& cancel) {
  return model_ != nullptr ? model_->subset.AddBlock(block, cancel)
                           : context_.tangents.AddDiagonal(cancel, diagonal_.data());
}

Status GramOperator::EndSlot(size_t slot, const Cancel& /*cancel*/) {
  if (model_ != nullptr) return Status::Ok();
  diagonals_.Close(slot, diagonal_.data());
  return FiniteHere(context_, diagonal_.data(), 1);
}

Status GramOperator::JoinRanks() {
  return context_.data.ranks().SumPart(diagonal_.data(), diagonal_.size());
}

Status GramOperator::Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                            Linearization* result) {
  if (model_ != nullptr) {
    const auto nothing = [](Tangents&, bool) { return Status::Ok(); };
    Status status = model_->subset.ForEachBlock(cancel, diagonal_.data(), nothing);
    if (status.ok()) status = model_->subset.RaiseScaling(scaling);
    if (!status.ok()) return status;
  }
  const Status status = TakeDiagonal(pass, diagonal_.data(), 1, scaling, &result->gradient_cosine);
  result->diagonal.swap(diagonal_);
  diagonal_ = {};
  return status;
}

Status GramOperator::Multiply(size_t count, const double* vectors, const Cancel& cancel,
                              double* out) {
  if (model_ == nullptr) return context_.products.Gram(count, vectors, cancel, out);
  if (model_->ranged) {
    const Status status = model_->products.Gram(count, vectors, cancel, out);
    if (!status.ok()) return status;
    if (std::all_of(out, out + count * order(), [](double value) { return std::isfinite(value); }))
      return status;
    model_->ranged = false;
    model_->exact_products.SetParameters(context_.parameters.data());
  }
  return model_->exact_products.Gram(count, vectors, cancel, out);
}

Status GramOperator::LayerFactors(const Cancel& cancel, double* out) {
  const Architecture& net = context_.net;
  const size_t input_size = net.layers[0].right_size() * net.layers[0].right_size();
  // The inputs are the same at all parameters, until the samples are replaced.
  const bool known = input_factor_.size() == input_size;
  const LayerFactorSums sums(net, context_.data.slots().total(), !known, out);
  const auto add = [&](size_t, size_t) {
    return sums.Add(context_.tangents, context_.threads, cancel);
  };
  const Status status = SumOverSamples(LayerFactorsSize(net), out, cancel, add);
  if (!status.ok()) return status;
  sums.Finish();
  if (known)
    std::copy(input_factor_.begin(), input_factor_.end(), out);
  else
    input_factor_.assign(out, out + input_size);
  return Status::Ok();
}

size_t GramOperator::bytes() const {
  const size_t model = model_ == nullptr ? 0
                                         : model_->subset.bytes() + model_->products.bytes() +
                                               model_->exact_products.bytes();
  return model + diagonals_.bytes() +
         (diagonal_.capacity() + input_factor_.capacity()) * sizeof(double);
}

}  // namespace gaussflow
