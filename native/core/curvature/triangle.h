// The curvature of the orthogonal route: the triangle R of [J~ r~] = Q R (orthogonal_system.h),
// which is never squared, joined from those of the slots (triangle_tree.h). It has no matrix to
// multiply by, and solves steps for the linearization's own right-hand side only, because that is a
// column of the triangle. store.h creates it.
#ifndef GAUSSFLOW_CORE_CURVATURE_TRIANGLE_H_
#define GAUSSFLOW_CORE_CURVATURE_TRIANGLE_H_

#include <vector>

#include "curvature/curvature.h"
#include "curvature/orthogonal_system.h"
#include "curvature/triangle_tree.h"

namespace gaussflow {

class Triangle final : public Curvature, private DenseView {
 public:
  explicit Triangle(const Context& context) : Curvature(context), system_(context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  size_t order() const override { return system_.p(); }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override { return SolveFlops(order()); }
  size_t BlockSize(size_t samples) const override { return BlockSize(context_.net, samples); }
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status EndSlot(size_t slot, const Cancel& cancel) override;
  Status JoinRanks() override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  bool factored() const override { return factored_; }
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  const DenseView* dense() const override { return this; }
  size_t bytes() const override {
    return system_.bytes() + tree_.bytes() + shift_.capacity() * sizeof(double);
  }

 private:
  static double SolveFlops(size_t order);
  static size_t BlockSize(const Architecture& net, size_t samples);
  void Copy(double* out) const override { system_.CopyGram(out); }
  Status Eigen(const Cancel& cancel, double* values, double* vectors) const override;
  Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const override;

  OrthogonalSystem system_;
  TriangleTree tree_;
  std::vector<double> shift_;  // the damping of the last Factor, empty = none
  bool by_gradient_ = false;   // z is too large for the last column of the triangle
  bool condition_ = false;
  bool factored_ = false;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_TRIANGLE_H_
