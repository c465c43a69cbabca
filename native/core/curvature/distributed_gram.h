// The curvature of the primal route in double precision where no rank holds the whole Gram matrix:
// each has its blocks of it (distributed_matrix.h). store.h creates it.
//
// G is formed a group of columns at a time: the group is summed over the samples of every rank and
// joined by the tree of the slots, as every sum is, and each rank keeps the entries of its own
// blocks. The passes are run again for every group, 6 n p flops, where the products of all groups
// take n p^2. The entries of G are those of gram.h, bit by bit; the factor is ScaLAPACK's.
#ifndef GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_GRAM_H_
#define GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_GRAM_H_

#include <vector>

#include "curvature/curvature.h"
#include "curvature/distributed_matrix.h"
#include "curvature/gram_builder.h"

namespace gaussflow {

class DistributedGram final : public Curvature {
 public:
  explicit DistributedGram(const Context& context)
      : Curvature(context), builder_(context.net, context.threads) {}

  // Of rank 0, which has the most.
  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  size_t order() const override { return matrix_.n(); }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override;
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  bool factored() const override { return factored_; }
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out) override;
  void Release() override;
  size_t bytes() const override;

 private:
  // The groups of columns, and the numbers that the largest takes.
  static std::vector<ColumnRange> GroupsOf(const Architecture& net, size_t ranks);
  static size_t PanelCount(const std::vector<ColumnRange>& groups);
  Status FormGroup(ColumnRange columns, const Cancel& cancel);

  GramBuilder<double> builder_;
  DistributedMatrix matrix_;
  Buffer panel_;                      // of a group: its columns down to the last one's diagonal
  std::vector<double> shift_;         // of the last Factor
  std::vector<double> left_, right_;  // of its correction
  bool factored_ = false;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_GRAM_H_
