// Implements the choice, creation and freeing of the curvatures of an engine (store.h).
#include "curvature/store.h"

#include <cmath>

#include "cost.h"
#include "curvature/gram.h"
#include "curvature/kernel.h"
#include "curvature/operator.h"
#include "curvature/sample_rows.h"
#include "curvature/sample_system.h"
#include "curvature/single_gram.h"
#include "curvature/triangle.h"

namespace gaussflow {

namespace {

// Loss and gradient alone.
class NoCurvature final : public Curvature {
 public:
  explicit NoCurvature(const Context& context) : Curvature(context) {}

  Traits traits() const override { return {.scaling_count = context_.net.parameter_count}; }
  size_t order() const override { return 0; }
  const char* Refusal(Need need) const override {
    return need == Need::kLayerFactors ? kNoLayerFactors
                                       : "there is no curvature: linearize with one first";
  }
  double SolveFlops() const override { return 0.0; }
  Status Begin(const Request&, const double*) override { return Status::Ok(); }
  Status AddBlock(const Block&, const Cancel&) override { return Status::Ok(); }
  Status Finish(const Pass&, const Cancel&, double*, Linearization*) override {
    return Status::Ok();
  }
  size_t bytes() const override { return 0; }
};

}  // namespace

size_t ScalingCount(const Architecture& net, Route route) {
  return route == Route::kDual ? net.layers.size() : net.parameter_count;
}

double LinearizeFlops(const Architecture& net, size_t n, Route route) {
  const double p = static_cast<double>(net.parameter_count);
  const double rows = static_cast<double>(n) * static_cast<double>(net.output_size);
  const double passes = cost::Passes(net, n);
  double widths = 0.0;
  switch (route) {
    case Route::kNone:
    case Route::kMatrixFree:
      return passes;
    case Route::kPrimal:
      return passes + 0.5 * rows * p * p;
    case Route::kDual:
      for (const Layer& layer : net.layers)
        widths += static_cast<double>(layer.inputs + layer.outputs);
      return passes + rows * rows * widths;
    case Route::kOrthogonal:
      return passes + 4.0 * (rows + p) * p * p;
  }
  return passes;
}

const char* SlotRefusal(const Request& request) {
  const bool primal = request.route == Route::kPrimal;
  if (request.route == Route::kOrthogonal)
    return "must be 1 for the orthogonal route, whose triangle is not summed by slots: use the "
           "primal route";
  if (primal && request.precision == Precision::kSingle)
    return "must be 1 for single precision, whose Gram matrix is not summed by slots: use double "
           "precision";
  if (request.route == Route::kMatrixFree && request.subset != nullptr)
    return "must be 1 for a subset of the samples, which is not cut into slots: use all samples";
  return nullptr;
}

CurvatureStore::CurvatureStore(const Architecture& net, int threads, const Dataset& data,
                               Tangents& tangents, Products& products,
                               const std::vector<double>& parameters, SlotTree& sums)
    : system_(threads), context_{net,      threads,    data,    tangents,
                                 products, parameters, system_, sums} {
  made_[kNone] = Make(kNone, context_);
}

CurvatureStore::Kind CurvatureStore::KindOf(const Request& request, const Architecture& net) {
  switch (request.route) {
    case Route::kPrimal: {
      if (request.precision == Precision::kDouble) return kGram;
      const bool rows =
          request.subset != nullptr &&
          SampleSystem::Pays(request.subset->size() * net.output_size, net.parameter_count);
      return rows ? kSampleRows : kSingleGram;
    }
    case Route::kDual:
      return kKernel;
    case Route::kOrthogonal:
      return kTriangle;
    case Route::kMatrixFree:
      return kOperator;
    case Route::kNone:
      break;
  }
  return kNone;
}

std::unique_ptr<Curvature> CurvatureStore::Make(Kind kind, const Context& context) {
  switch (kind) {
    case kGram:
      return std::make_unique<Gram>(context);
    case kSingleGram:
      return std::make_unique<SingleGram>(context);
    case kSampleRows:
      return std::make_unique<SampleRows>(context);
    case kKernel:
      return std::make_unique<Kernel>(context);
    case kTriangle:
      return std::make_unique<Triangle>(context);
    case kOperator:
      return std::make_unique<GramOperator>(context);
    case kNone:
      break;
  }
  return std::make_unique<NoCurvature>(context);
}

Curvature& CurvatureStore::Take(const Request& request) {
  const Kind kind = KindOf(request, context_.net);
  if (made_[kind] == nullptr) made_[kind] = Make(kind, context_);
  Curvature& next = *made_[kind];
  const Curvature::Storage storage = next.traits().storage;
  for (const std::unique_ptr<Curvature>& other : made_) {
    if (other == nullptr || other.get() == &next) continue;
    other->Suspend();
    const Curvature::Storage held = other->traits().storage;
    constexpr auto kBeside = Curvature::Storage::kBeside;
    if (held != storage && held != kBeside && storage != kBeside) other->Release();
  }
  return next;
}

size_t CurvatureStore::bytes() const {
  size_t total = system_.bytes();
  for (const std::unique_ptr<Curvature>& one : made_) total += one == nullptr ? 0 : one->bytes();
  return total;
}

}  // namespace gaussflow
