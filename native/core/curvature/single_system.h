// Solves the damped system (G + diag(shift)) x = b with G formed in float (gram_builder.h), for
// single_gram.h: a float Cholesky factor preconditions conjugate gradients on the exact double
// operator, so that the step is that of double precision and the large products and the
// factorization cost half.
//
//   S (G + shift) S ~ L L^T in float, S = diag(G_jj + shift_j)^-1/2 with the exact G_jj: a unit
//   diagonal, so that nothing over- or underflows.
//
// kTolerance is the tolerance of a request without one. It changes the predicted reduction by its
// square, and limits the convergence to a linear rate of 1e-8 if the method's own is better.
//
// G may be that of a subset of the samples (Request::subset): a rougher preconditioner of the same
// operator, which costs a few more steps and a fraction of the products. sample_system.h computes
// the same preconditioner at lower cost if the subset is small.
#ifndef GAUSSFLOW_CORE_CURVATURE_SINGLE_SYSTEM_H_
#define GAUSSFLOW_CORE_CURVATURE_SINGLE_SYSTEM_H_

#include <vector>

#include "buffer.h"
#include "conjugate_gradients.h"
#include "sizes.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "thread_pool.h"

namespace gaussflow {

class SingleSystem {
 public:
  static constexpr double kTolerance = 1e-8;
  // A double Gram costs more than as many products with J and J^T.
  static constexpr size_t kMostSteps = 12;
  // Of a factor made from a subset of the samples.
  static constexpr size_t kMostSubsetSteps = 40;

  explicit SingleSystem(int threads) : threads_(threads) {}

  // The matrix T G T to fill, the diagonal T, and diag G in double; their order is set by Reserve.
  SymmetricMatrixOf<float>& matrix() { return matrix_; }
  double* scales() { return scales_.data(); }
  double* diagonal() { return diagonal_.data(); }
  Status Reserve(size_t n);
  // Frees the matrix and its factor.
  void Release() { matrix_.Release(); }

  // Factors G + uniform I + factor * diag(scaling); scaling null = no second term. Imprecise where
  // an entry is not finite in float.
  Status Factor(double uniform, double factor, const double* scaling, const Cancel& cancel);
  // x = (G + shift)^-1 b. *residual = |b - A x|_inf / |b|_inf at the end, *steps those of the
  // gradients. Imprecise where they need more than `most`.
  Status Solve(const double* b, const Operator& gram, double tolerance, size_t most, double* x,
               double* residual, size_t* steps);
  // z = (G + shift)^-1 r by the float factor alone.
  void Precondition(const double* r, double* z);

  // bytes() of the vectors beside a matrix of order n.
  static double EstimateVectorBytes(size_t n) { return BytesOf<double>(4 * n) + BytesOf<float>(n); }
  size_t bytes() const {
    return matrix_.bytes() + work_.capacity() * sizeof(float) +
           (scales_.capacity() + diagonal_.capacity() + shift_.capacity() +
            inverse_roots_.capacity()) *
               sizeof(double);
  }

 private:
  int threads_;
  SymmetricMatrixOf<float> matrix_;
  std::vector<double> scales_;
  std::vector<double> diagonal_;
  std::vector<double> shift_;
  std::vector<double> inverse_roots_;  // S
  std::vector<float> work_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SINGLE_SYSTEM_H_
