// The base class of the Gram matrix (gram.h) and the kernel (kernel.h): a symmetric matrix in
// double precision, held in the damped system that both use in turn (damped_system.h), with its
// spectrum, products and inverse.
#ifndef GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_
#define GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_

#include "curvature/curvature.h"
#include "curvature/matrix_solver.h"

namespace gaussflow {

class MatrixCurvature : public Curvature, private DenseView {
 public:
  size_t order() const override { return solver_.order(); }
  const char* Refusal(Need need) const override;
  double SolveFlops() const override;
  bool factored() const override { return solver_.factored(); }
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out) override {
    return solver_.Multiply(count, vectors, cancel, out);
  }
  Status Inverse(const double* vector, double shift, const Cancel& cancel, double* out) override {
    return solver_.Inverse(vector, shift, cancel, out);
  }
  const DenseView* dense() const override { return this; }
  void Release() override { solver_.Release(); }

 protected:
  // As in MatrixSolver.
  Status ReserveMatrix(size_t order, size_t period, bool keeps_factor = false);
  // Factors M + uniform I + damping.mu D + damping.correction, D = null for `scaling` = null.
  Status FactorMatrix(double uniform, const double* scaling, const Damping& damping,
                      const Cancel& cancel);
  // x = (the factored matrix)^-1 b; fills in residual and condition.
  Status SolveMatrix(const double* b, const Cancel& cancel, double* x, Solution* solution);

  explicit MatrixCurvature(const Context& context)
      : Curvature(context), system_(context.system), solver_(context.system, this) {}

  DampedSystem& system_;
  MatrixSolver solver_;

 private:
  void Copy(double* out) const override { solver_.Copy(out); }
  Status Eigen(const Cancel& cancel, double* values, double* vectors) const override {
    return solver_.Eigen(cancel, values, vectors);
  }
  Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const override {
    return solver_.EigenvaluesBelow(bound, cancel, count);
  }
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_MATRIX_CURVATURE_H_
