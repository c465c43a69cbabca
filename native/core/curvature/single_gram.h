// The curvature of the primal route in single precision: the Gram matrix of all samples, summed by
// slots, or of a subset, in float (gram_builder.h), and its factor. store.h creates it. The scales
// of its entries are those of the first block of slot 0, so that the sums of slots can be added;
// other ranks get them before their first block.
#ifndef GAUSSFLOW_CORE_CURVATURE_SINGLE_GRAM_H_
#define GAUSSFLOW_CORE_CURVATURE_SINGLE_GRAM_H_

#include "curvature/gram_builder.h"
#include "curvature/gram_tree.h"
#include "curvature/single_curvature.h"
#include "curvature/single_system.h"

namespace gaussflow {

class SingleGram final : public SingleCurvature {
 public:
  explicit SingleGram(const Context& context)
      : SingleCurvature(context),
        builder_(context.net, context.threads),
        system_(context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  void Release() override;
  size_t bytes() const override;

 private:
  static constexpr Storage kStorage = Storage::kSingle;

  Status Reserve(size_t samples) override;
  Status Measure(const Tangents& tangents) override;
  Status Add(const Tangents& tangents, bool first, const Cancel& cancel) override;
  double* Squares() override { return system_.diagonal(); }
  Status CloseSlot(size_t slot, const Cancel& cancel) override;
  Status JoinParts() override;
  Status FactorSystem(double uniform, double mu, const double* scaling,
                      const Cancel& cancel) override;
  Status SolveSystem(const double* b, const Operator& gram, double tolerance, size_t most,
                     double* x, Solution* solution) override;
  void Precondition(const double* r, double* z) override { system_.Precondition(r, z); }

  GramBuilder<float> builder_;
  GramTreeOf<float> tree_;
  SingleSystem system_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SINGLE_GRAM_H_
