// The curvature of the dual route, created by store.h: the tangent kernel K = J~ D^-1 J~^T (n c x n
// c, kernel_builder.h), with which
//   (J~^T J~ + m D)^-1 J~^T = D^-1 J~^T (K + m I)^-1,   m = mu + decay,
// so that a step is a system of as many equations as there are residuals. D has one factor per
// layer and is part of K, so it is computed first. Decay requires D = I.
#ifndef GAUSSFLOW_CORE_CURVATURE_KERNEL_H_
#define GAUSSFLOW_CORE_CURVATURE_KERNEL_H_

#include "curvature/kernel_builder.h"
#include "curvature/matrix_curvature.h"

namespace gaussflow {

class Kernel final : public MatrixCurvature {
 public:
  explicit Kernel(const Context& context)
      : MatrixCurvature(context), builder_(context.net, context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  double SolveFlops() const override;
  // All samples are held: every entry of K belongs to two of them.
  size_t BlockSize(size_t samples) const override { return samples; }
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  size_t bytes() const override { return builder_.bytes(); }

 private:
  static constexpr Storage kStorage = Storage::kDouble;

  static double SolveFlops(const Architecture& net, size_t samples, size_t order);
  // Raised scaling (or null), and the gradient's measure.
  Status Measure(const Pass& pass, const Cancel& cancel, double* scaling, double* cosine);
  // Solve for a z that is not finite: x = -D^-1 (g - J~^T u) / m with u = (K + m I)^-1 J~ D^-1 g
  // and the gradient g of `side`. Indefinite where m is 0.
  Status SolveByGradient(const RightSide& side, const Cancel& cancel, double* x,
                         Solution* solution);
  // v (p) = D^-1 v / m, D one factor a layer.
  void OverScaling(const double* scaling, double m, double* v) const;
  // out (p) += J~^T u with the panels of the linearization.
  Status AddTransposeProduct(const double* u, const Cancel& cancel, double* out);
  // out (p) = -D^-1 J~^T u.
  Status Back(const double* u, const double* scaling, const Cancel& cancel, double* out);

  KernelBuilder builder_;
  double exact_measure_below_ = 0.0;
  double uniform_ = 0.0;         // m of the last Factor
  std::vector<double> scaling_;  // and its D, empty = I
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_KERNEL_H_
