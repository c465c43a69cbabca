// Implements the choice, creation and freeing of the curvatures of an engine (store.h), which
// Engine uses at each linearization, and the flops, memory estimates and slot refusals, which
// Engine and the binding (native/binding) read before the work.
#include "curvature/store.h"

#include <algorithm>
#include <cmath>

#include "cost.h"
#include "curvature/distributed_gram.h"
#include "curvature/gram.h"
#include "curvature/kernel.h"
#include "curvature/operator.h"
#include "curvature/sample_rows.h"
#include "curvature/sample_system.h"
#include "curvature/sampled_kernel.h"
#include "curvature/single_gram.h"
#include "curvature/triangle.h"

namespace gaussflow {

namespace {

// Loss and gradient alone.
class NoCurvature final : public Curvature {
 public:
  explicit NoCurvature(const Context& context) : Curvature(context) {}

  static Estimate EstimateBytes(const Sizes& sizes) {
    Estimate estimate;
    estimate.block = Tangents::BlockSize(sizes.net, sizes.samples);
    return estimate;
  }

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

// Whether curvatures of the two may not be in memory together.
bool Exclude(Curvature::Storage a, Curvature::Storage b) {
  constexpr auto kBeside = Curvature::Storage::kBeside;
  return a != b && a != kBeside && b != kBeside;
}

}  // namespace

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
    case Route::kSampled:
      for (const Layer& layer : net.layers)
        widths += static_cast<double>(layer.inputs + layer.outputs);
      // Two rows a sample back, one product.
      return 4.0 * cost::Forward(net, n) + static_cast<double>(n) * static_cast<double>(n) * widths;
    case Route::kOrthogonal:
      return passes + 4.0 * (rows + p) * p * p;
  }
  return passes;
}

const char* SlotRefusal(const Request& request) {
  if (request.route == Route::kSampled)
    return "must be 1 for the sampled curvature, whose passes are not cut into slots: use the dual "
           "route";
  const bool primal = request.route == Route::kPrimal;
  const bool reads_subset =
      request.route == Route::kMatrixFree || (primal && request.precision == Precision::kSingle);
  if (reads_subset && request.subset != nullptr)
    return "must be 1 for a subset of the samples, which is not cut into slots: use all samples";
  return nullptr;
}

const char* RankRefusal(const Request& request, const Ranks& ranks) {
  if (request.route == Route::kDual)
    return "must be summed by one process for the dual route, whose kernel has an entry for each "
           "pair of samples: use the primal or the matrix-free route, or one rank";
  if (request.route == Route::kSampled)
    return "must be summed by one process for the sampled curvature, whose matrix has an entry for "
           "each pair of samples: use the primal or the matrix-free route, or one rank";
  if (request.subset != nullptr)
    return "must be summed by one process for a subset of the samples, which is not cut into "
           "slots: use all samples, or one rank";
  if (!ranks.distributed() || request.route != Route::kPrimal) return nullptr;
  if (request.precision == Precision::kSingle || request.average != nullptr)
    return "must be summed in double precision, and into no average, for a Gram matrix in blocks "
           "on "
           "the ranks: let every rank hold all of it";
  return nullptr;
}

CurvatureStore::CurvatureStore(const Architecture& net, int threads, const Dataset& data,
                               Tangents& tangents, Products& products,
                               const std::vector<double>& parameters, SlotTree& sums)
    : system_(threads), context_{net,      threads,    data,    tangents,
                                 products, parameters, system_, sums} {
  made_[kNone] = Make(kNone, context_);
}

CurvatureStore::Kind CurvatureStore::KindOf(const Formed& formed, const Architecture& net,
                                            bool distributed) {
  switch (formed.route) {
    case Route::kPrimal: {
      if (distributed) return kDistributedGram;
      if (formed.precision == Precision::kDouble) return kGram;
      const bool rows = formed.subset > 0 &&
                        SampleSystem::Pays(formed.subset * net.output_size, net.parameter_count);
      return rows ? kSampleRows : kSingleGram;
    }
    case Route::kDual:
      return kKernel;
    case Route::kOrthogonal:
      return kTriangle;
    case Route::kMatrixFree:
      return kOperator;
    case Route::kSampled:
      return kSampledKernel;
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
    case kSampledKernel:
      return std::make_unique<SampledKernel>(context);
    case kDistributedGram:
      return std::make_unique<DistributedGram>(context);
    case kNone:
      break;
  }
  return std::make_unique<NoCurvature>(context);
}

Curvature& CurvatureStore::Find(const Request& request) {
  const Kind kind = KindOf(request.formed(), context_.net, context_.data.ranks().distributed());
  if (made_[kind] == nullptr) made_[kind] = Make(kind, context_);
  return *made_[kind];
}

Curvature& CurvatureStore::Take(const Request& request) {
  Curvature& next = Find(request);
  for (const std::unique_ptr<Curvature>& other : made_) {
    if (other == nullptr || other.get() == &next) continue;
    other->Suspend();
    if (Exclude(other->traits().storage, next.traits().storage)) other->Release();
  }
  return next;
}

Curvature::Estimate CurvatureStore::EstimateOf(const Sizes& sizes) {
  switch (KindOf(sizes.formed, sizes.net, sizes.holders > 0)) {
    case kGram:
      return Gram::EstimateBytes(sizes);
    case kSingleGram:
      return SingleGram::EstimateBytes(sizes);
    case kSampleRows:
      return SampleRows::EstimateBytes(sizes);
    case kKernel:
      return Kernel::EstimateBytes(sizes);
    case kTriangle:
      return Triangle::EstimateBytes(sizes);
    case kOperator:
      return GramOperator::EstimateBytes(sizes);
    case kSampledKernel:
      return SampledKernel::EstimateBytes(sizes);
    case kDistributedGram:
      return DistributedGram::EstimateBytes(sizes);
    case kNone:
      break;
  }
  return NoCurvature::EstimateBytes(sizes);
}

Footprint CurvatureStore::EstimateBytes(Sizes sizes, const std::vector<Formed>& turns) {
  std::array<Curvature::Estimate, kKinds> made;  // the last of each kind
  std::array<Footprint, kKinds> held;
  Kind last = kNone;
  double subset = 0.0;
  size_t matrix = 0, vectors = 0;  // orders in the damped system
  for (const Formed& formed : turns) {
    sizes.formed = formed;
    const Kind kind = KindOf(formed, sizes.net, sizes.holders > 0);
    const Curvature::Estimate next = EstimateOf(sizes);
    for (size_t k = 0; k < kKinds; ++k) {
      if (k == kind || !Exclude(made[k].storage, next.storage)) continue;
      held[k] = {.workspaces = made[k].left};
      if (made[k].order > 0) matrix = 0;
    }
    held[kind].Raise(next.held);
    matrix = std::max(matrix, next.order);
    vectors = std::max(vectors, next.order);
    // A subset of another kind is freed.
    subset = kind == last && next.subset > 0.0 ? std::max(subset, next.subset) : next.subset;
    // What was once held stays, as an average does.
    const double left = std::max(made[kind].left, next.left);
    made[kind] = next;
    made[kind].left = left;
    last = kind;
  }
  Footprint sum;
  // Matrix and factor are the halves of one array.
  sum.curvature = sum.factor = 0.5 * BytesOf<double>(SymmetricMatrix::Count(matrix));
  sum.workspaces = subset + BytesOf<double>(DampedSystem::VectorCount(vectors));
  for (const Footprint& one : held) {
    sum.curvature += one.curvature;
    sum.factor += one.factor;
    sum.workspaces += one.workspaces;
  }
  return sum;
}

bool CurvatureStore::HoldsRows(const Sizes& sizes) {
  return KindOf(sizes.formed, sizes.net, sizes.holders > 0) == kSampleRows;
}

size_t CurvatureStore::bytes() const {
  size_t total = system_.bytes();
  for (const std::unique_ptr<Curvature>& one : made_) total += one == nullptr ? 0 : one->bytes();
  return total;
}

}  // namespace gaussflow
