// The curvature of the primal route in single precision for a subset with few equations: the rows
// of J in float in place of their Gram matrix. They give the same preconditioner by Woodbury's
// identity (sample_system.h). store.h creates it.
#ifndef GAUSSFLOW_CORE_CURVATURE_SAMPLE_ROWS_H_
#define GAUSSFLOW_CORE_CURVATURE_SAMPLE_ROWS_H_

#include "curvature/sample_system.h"
#include "curvature/single_curvature.h"

namespace gaussflow {

class SampleRows final : public SingleCurvature {
 public:
  explicit SampleRows(const Context& context)
      : SingleCurvature(context), system_(context.net, context.threads) {}

  static Estimate EstimateBytes(const Sizes& sizes);

  Traits traits() const override;
  void Release() override {
    SingleCurvature::Release();
    system_.Release();
  }
  size_t bytes() const override { return SingleCurvature::bytes() + system_.bytes(); }

 private:
  static constexpr Storage kStorage = Storage::kRows;

  Status Reserve(size_t samples) override { return system_.Reserve(samples); }
  Status Add(const Tangents& tangents, bool first, const Cancel& cancel) override {
    return system_.Add(tangents, first, cancel);
  }
  // Add does it. There are no slots, because these are always a subset.
  Status Measure(const Tangents&) override { return Status::Ok(); }
  Status CloseSlot(size_t, const Cancel&) override { return Status::Ok(); }
  Status JoinParts() override { return Status::Ok(); }
  double* Squares() override { return system_.diagonal(); }
  Status FactorSystem(double uniform, double mu, const double* scaling,
                      const Cancel& cancel) override;
  Status SolveSystem(const double* b, const Operator& gram, double tolerance, size_t most,
                     double* x, Solution* solution) override;
  void Precondition(const double* r, double* z) override { system_.Precondition(r, z); }

  SampleSystem system_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SAMPLE_ROWS_H_
