// The sampled curvature, created by store.h: one row b_i a sample in place of one a residual
// (sampled_panels.h), identity scaling, and the exact gradient g. With m = mu + decay > 0 the step
// is one of as many equations as there are samples:
//   s = -(B^T B + m I)^-1 g = -(g - B^T u) / m,   u = (B B^T + m I)^-1 B g.
// Where v_i are random signs the mean of B^T B is J~^T J~.
#ifndef GAUSSFLOW_CORE_CURVATURE_SAMPLED_KERNEL_H_
#define GAUSSFLOW_CORE_CURVATURE_SAMPLED_KERNEL_H_

#include "curvature/matrix_curvature.h"
#include "sampled_panels.h"

namespace gaussflow {

class SampledKernel final : public MatrixCurvature {
 public:
  explicit SampledKernel(const Context& context)
      : MatrixCurvature(context), panels_(context.net, context.data, context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override { return {.storage = kStorage, .passes_itself = true}; }
  double SolveFlops() const override;
  Status Begin(const Request& request, const double* scaling) override;
  Status RunPasses(const Cancel& cancel, double* gradient, Linearization* result) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  void Release() override;
  size_t bytes() const override { return panels_.bytes(); }

 private:
  static constexpr Storage kStorage = Storage::kDouble;

  static double SolveFlops(const Architecture& net, size_t samples);
  // x (p) = sign * (v - B^T (B B^T + m I)^-1 B v) / m
  Status Apply(double sign, const double* v, const Cancel& cancel, double* x, Solution* solution);

  SampledPanels panels_;
  SampledSeeds seeds_;    // of the linearization that runs
  double uniform_ = 0.0;  // m of the last Factor
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SAMPLED_KERNEL_H_
