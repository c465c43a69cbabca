// The base class of the curvatures of the primal route in single precision: a factor in float of G,
// or of the G of a subset of the samples, preconditions conjugate gradients on the exact operator
// (single_system.h). The two derived classes, single_gram.h and sample_rows.h, provide the factor.
#ifndef GAUSSFLOW_CORE_CURVATURE_SINGLE_CURVATURE_H_
#define GAUSSFLOW_CORE_CURVATURE_SINGLE_CURVATURE_H_

#include <memory>

#include "conjugate_gradients.h"
#include "curvature/curvature.h"
#include "curvature/subset.h"

namespace gaussflow {

class SingleCurvature : public Curvature {
 public:
  size_t order() const override { return context_.net.parameter_count; }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override;
  Status Begin(const Request& request, const double* scaling) override;
  Status AddBlock(const Block& block, const Cancel& cancel) override;
  Status EndSlot(size_t slot, const Cancel& cancel) override;
  Status JoinRanks() override;
  Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                Linearization* result) override;
  Status Factor(const Damping& damping, const Cancel& cancel) override;
  bool factored() const override { return factored_; }
  Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution) override;
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) override;
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out) override;
  void Suspend() override { subset_.reset(); }
  void Release() override { squares_.Release(); }
  size_t bytes() const override {
    return squares_.bytes() + (subset_ == nullptr ? 0 : subset_->bytes());
  }

 protected:
  explicit SingleCurvature(const Context& context) : Curvature(context) {}

  // What both derived classes hold; sets `block` to that of the samples behind the factor.
  static Estimate EstimateShared(const Sizes& sizes, size_t* block);

  // Of the samples behind the factor: room for so many; what the first block of all decides of
  // those after it; a block of them, the `first` of its slot; diag J~^T J~ (p).
  virtual Status Reserve(size_t samples) = 0;
  virtual Status Measure(const Tangents& tangents) = 0;
  virtual Status Add(const Tangents& tangents, bool first, const Cancel& cancel) = 0;
  virtual double* Squares() = 0;
  // As EndSlot and JoinRanks, of all samples.
  virtual Status CloseSlot(size_t slot, const Cancel& cancel) = 0;
  virtual Status JoinParts() = 0;
  // Factors G + uniform I + mu diag(scaling); scaling null = no last term.
  virtual Status FactorSystem(double uniform, double mu, const double* scaling,
                              const Cancel& cancel) = 0;
  // x = (G + shift)^-1 b by at most `most` steps, with the exact operator `gram`.
  virtual Status SolveSystem(const double* b, const Operator& gram, double tolerance, size_t most,
                             double* x, Solution* solution) = 0;
  // z = (G + shift)^-1 r by the factor alone.
  virtual void Precondition(const double* r, double* z) = 0;

 private:
  SlotTree squares_;                // of Squares()
  std::unique_ptr<Subset> subset_;  // of the last linearization; null = all samples
  double tolerance_ = 0.0;          // of the last Factor
  bool factored_ = false;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SINGLE_CURVATURE_H_
