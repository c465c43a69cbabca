// The curvature of the primal route in double precision: G = J~^T J~ (p x p), summed block by block
// (gram_builder.h) and slot by slot (gram_tree.h), or a moving average of such matrices
// (Request::average), which is packed beside it. store.h creates it.
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
  Status JoinRanks() override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  Status RestoreAverage(const double* matrix) override;
  void Release() override;
  size_t bytes() const override { return builder_.bytes() + tree_.bytes() + average_.bytes(); }

 private:
  static constexpr Storage kStorage = Storage::kDouble;

  static size_t AverageCount(size_t order) { return SymmetricMatrix::Count(order) / 2; }
  Status ReserveAverage();
  // M = keep * M_before + add * G, and G = M; NonFinite(2), and M stays, where a diagonal entry is
  // not finite.
  Status Join(const Cancel& cancel);

  GramBuilder<double> builder_;
  GramTree tree_;
  Buffer average_;         // M, its upper triangle column by column; without a request for it empty
  bool averages_ = false;  // the linearization that runs
  Average shares_ = {0, 0};  // of it
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_GRAM_H_
