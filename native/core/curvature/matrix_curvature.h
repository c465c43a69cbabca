// The base class of the Gram matrix (gram.h) and the kernel (kernel.h): a symmetric matrix in
// double precision, held in the damped system that both use in turn (damped_system.h), with its
// spectrum, products and inverse.
#ifndef GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_
#define GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_

#include "curvature/curvature.h"

namespace gaussflow {

class MatrixCurvature : public Curvature, private DenseView {
 public:
  size_t order() const override { return system_.matrix().n(); }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override;
  bool factored() const override { return factored_ && system_.used_by(this); }
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out) override;
  Status Inverse(const double* vector, double shift, const Cancel& cancel, double* out) override;
  const DenseView* dense() const override { return this; }
  void Release() override {
    factored_ = false;
    system_.Release();
  }

 protected:
  // `period`: entry i of the matrix is entry (i % period) (order / period) + i / period of what
  // callers see: the kernel's number of samples, the order itself where both are the same.
  // `keeps_factor`: the factor of the last linearization of this curvature, if it is still there.
  Status ReserveMatrix(size_t order, size_t period, bool keeps_factor = false);
  // Factors M + uniform I + damping.mu D + damping.correction, D = null for `scaling` = null.
  Status FactorMatrix(double uniform, const double* scaling, const Damping& damping,
                      const Cancel& cancel);
  // x = (the factored matrix)^-1 b; fills in residual and condition.
  Status SolveMatrix(const double* b, const Cancel& cancel, double* x, Solution* solution);

  explicit MatrixCurvature(const Context& context) : Curvature(context), system_(context.system) {}

  DampedSystem& system_;

 private:
  void Copy(double* out) const override;
  Status Eigen(const Cancel& cancel, double* values, double* vectors) const override;
  Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const override;
  size_t Position(size_t i) const { return i % period_ * share_ + i / period_; }

  size_t period_ = 1;
  size_t share_ = 1;  // order / period
  bool factored_ = false;
  double condition_ = 0.0;       // of the last Factor
  double inverse_shift_ = -1.0;  // of the factor that Inverse left, or -1
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_
