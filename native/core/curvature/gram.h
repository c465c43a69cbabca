// The curvature of the primal route in double precision: G = J~^T J~ (p x p), summed block by block
// (gram_builder.h) and slot by slot (gram_tree.h). store.h creates it.
#ifndef GAUSSFLOW_CORE_CURVATURE_GRAM_H_
#define GAUSSFLOW_CORE_CURVATURE_GRAM_H_

#include "curvature/gram_builder.h"
#include "curvature/gram_tree.h"
#include "curvature/matrix_curvature.h"

namespace gaussflow {

class Gram final : public MatrixCurvature {
 public:
  explicit Gram(const Context& context)
      : MatrixCurvature(context), builder_(context.net, context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status EndSlot(size_t slot, const Cancel& cancel) override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  void Release() override;
  size_t bytes() const override { return builder_.bytes() + tree_.bytes(); }

 private:
  static constexpr Storage kStorage = Storage::kDouble;

  GramBuilder<double> builder_;
  GramTree tree_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_GRAM_H_
