// Solves the damped system (M + diag(shift)) x = b for the symmetric matrix M of the last
// linearization: factor, solve, one step of iterative refinement with M itself, condition estimate.
// The Gram matrix and the kernel use it (matrix_curvature.h). M is kept, so that another damping
// costs only another factorization.
#ifndef GAUSSFLOW_CORE_CURVATURE_DAMPED_SYSTEM_H_
#define GAUSSFLOW_CORE_CURVATURE_DAMPED_SYSTEM_H_

#include <vector>

#include "buffer.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "thread_pool.h"

namespace gaussflow {

// sum_k left_k right_k^T + right_k left_k^T, the vectors one after the other; count 0 = nothing.
struct LowRank {
  size_t count = 0;
  const double* left = nullptr;
  const double* right = nullptr;
};

// r -= correction * x, n numbers each.
void SubtractProduct(const LowRank& correction, size_t n, const double* x, double* r);

class DampedSystem {
 public:
  explicit DampedSystem(int threads) : threads_(threads) {}

  // The matrix to fill; its order is set by Reserve.
  SymmetricMatrix& matrix() { return matrix_; }
  const SymmetricMatrix& matrix() const { return matrix_; }
  // `user`: the curvature whose matrix and factor it will hold. The factor of the same user stays
  // where the order does, but for Solve.
  Status Reserve(size_t n, const void* user);
  bool used_by(const void* user) const { return user_ == user; }
  // Frees the matrix and its factor.
  void Release() { matrix_.Release(); }

  // y = M x for the `count` columns of x (n x count).
  Status Multiply(size_t count, const double* x, double* y, const Cancel& cancel);

  // Factors M + uniform I + factor * diag(scaling) + correction; scaling null = no second term. The
  // correction is copied: it is part of A below, but not of M.
  Status Factor(double uniform, double factor, const double* scaling, const Cancel& cancel,
                const LowRank& correction = {});
  // x = (M + shift)^-1 b with the last factor, then one refinement step. *residual = |b - A x|_inf
  // / |b|_inf before it.
  Status Solve(const double* b, double* x, double* residual, const Cancel& cancel);
  // x = (L L^T)^-1 x with the last factor L L^T.
  Status SolveFactor(double* x, const Cancel& cancel) const;
  // 1-norm condition estimate of the factored matrix, which must have no correction.
  Status Condition(double* condition);

  size_t bytes() const {
    return matrix_.bytes() + work_.bytes() +
           (shift_.capacity() + left_.capacity() + right_.capacity()) * sizeof(double);
  }

  // Numbers of the vectors beside a matrix of order n.
  static size_t VectorCount(size_t n) { return WorkCount(n) + n; }

 private:
  static size_t WorkCount(size_t n);
  Status MultiplyOne(const double* x, double* y, const Cancel& cancel);
  LowRank Correction() const { return {left_.size() / matrix_.n(), left_.data(), right_.data()}; }

  int threads_;
  const void* user_ = nullptr;
  SymmetricMatrix matrix_;
  std::vector<double> shift_;
  std::vector<double> left_, right_;  // of the correction
  Buffer work_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_DAMPED_SYSTEM_H_
