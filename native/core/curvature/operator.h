// The curvature of the matrix-free route: no matrix, only products G v (products.h). Those of a
// subset of the samples are in float where that has the range. It also computes the diagonal of G,
// and the factors of its layer-wise Kronecker approximation for preconditioners. store.h creates
// it.
#ifndef GAUSSFLOW_CORE_CURVATURE_OPERATOR_H_
#define GAUSSFLOW_CORE_CURVATURE_OPERATOR_H_

#include <memory>
#include <vector>

#include "curvature/curvature.h"
#include "curvature/subset.h"

namespace gaussflow {

class GramOperator final : public Curvature {
 public:
  explicit GramOperator(const Context& context) : Curvature(context) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  size_t order() const override { return context_.net.parameter_count; }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override;
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status EndSlot(size_t slot, const Cancel& cancel) override;
  Status JoinRanks() override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out) override;
  Status LayerFactors(const Cancel& cancel, double* out) override;
  void SamplesReplaced() override { input_factor_.clear(); }
  void Suspend() override { model_.reset(); }
  size_t bytes() const override;

 private:
  // The samples that stand for all, and their products.
  struct Model {
    explicit Model(const Context& context)
        : subset(context),
          products(context.net, subset.data(), context.threads, context.sums),
          exact_products(context.net, subset.data(), context.threads, context.sums) {}
    Subset subset;
    SingleProducts products;
    Products exact_products;  // where float has not the range
    bool ranged = true;       // float has done so far at this linearization
  };

  std::unique_ptr<Model> model_;      // of the last linearization; null = all samples
  std::vector<double> diagonal_;      // of G, until Finish hands it over
  SlotTree diagonals_;                // while the passes run
  std::vector<double> input_factor_;  // A of the first layer: of the samples alone
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_OPERATOR_H_
