// Solves with a symmetric matrix of a linearization, and looks at it as a whole: the damped system
// that holds it (damped_system.h) together with what is known of its factor. The Gram matrix and
// the kernel (matrix_curvature.h) and the engine for residuals with derivatives (jets/jet_engine.h)
// each have one.
#ifndef GAUSSFLOW_CORE_CURVATURE_MATRIX_SOLVER_H_
#define GAUSSFLOW_CORE_CURVATURE_MATRIX_SOLVER_H_

#include <cstddef>

#include "curvature/damped_system.h"
#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

class MatrixSolver {
 public:
  // `user`: whose matrix it is, where several take turns in the system.
  MatrixSolver(DampedSystem& system, const void* user) : system_(system), user_(user) {}

  size_t order() const { return system_.matrix().n(); }
  bool factored() const { return factored_ && system_.used_by(user_); }
  // `period`: entry i of the matrix is entry (i % period) (order / period) + i / period of what
  // callers see: the kernel's number of samples, the order itself where both are the same.
  // `keeps_factor`: the factor of the last linearization, if it is still there.
  Status Reserve(size_t order, size_t period, bool keeps_factor);
  void Release() {
    factored_ = false;
    system_.Release();
  }

  // Factors M + uniform I + mu D + correction, D = null for `scaling` = null.
  Status Factor(double uniform, double mu, const double* scaling, const LowRank& correction,
                bool condition, const Cancel& cancel);
  // x = (the factored matrix)^-1 b; *condition is NaN where Factor made none.
  Status Solve(const double* b, const Cancel& cancel, double* x, double* condition,
               double* residual);
  // x = (the factored matrix)^-1 v, not refined.
  Status ApplyFactor(const double* v, const Cancel& cancel, double* x) const;

  // The matrix itself, rows in the order that callers see: all of it, its products with `count`
  // rows, its eigenvalues (ascending) and eigenvectors (rows, or null), the number of those below
  // `bound`, and (M + shift I)^-1 v, which ends the factor of the last Factor.
  void Copy(double* out) const;
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out);
  Status Eigen(const Cancel& cancel, double* values, double* vectors) const;
  Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const;
  Status Inverse(const double* vector, double shift, const Cancel& cancel, double* out);

 private:
  size_t Position(size_t i) const { return i % period_ * share_ + i / period_; }

  DampedSystem& system_;
  const void* const user_;
  size_t period_ = 1;
  size_t share_ = 1;  // order / period
  bool factored_ = false;
  double condition_ = 0.0;       // of the last Factor
  double inverse_shift_ = -1.0;  // of the factor that Inverse left, or -1
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_MATRIX_SOLVER_H_
