// Implements the solves, the spectrum and the products of a symmetric matrix (matrix_solver.h).
#include "curvature/matrix_solver.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "blas.h"
#include "buffer.h"

namespace gaussflow {

Status MatrixSolver::Reserve(size_t order, size_t period, bool keeps_factor) {
  factored_ = keeps_factor && factored() && system_.matrix().n() == order;
  inverse_shift_ = -1.0;
  period_ = period;
  share_ = order / period;
  const Status status = system_.Reserve(order, user_);
  factored_ = factored_ && status.ok();
  return status;
}

Status MatrixSolver::Factor(double uniform, double mu, const double* scaling,
                            const LowRank& correction, bool condition, const Cancel& cancel) {
  factored_ = false;
  inverse_shift_ = -1.0;
  Status status = system_.Factor(uniform, mu, scaling, cancel, correction);
  if (!status.ok()) return status;
  condition_ = std::nan("");
  if (condition) status = system_.Condition(&condition_);
  factored_ = status.ok();
  return status;
}

Status MatrixSolver::Solve(const double* b, const Cancel& cancel, double* x, double* condition,
                           double* residual) {
  if (!factored()) return Status::Misuse();
  *condition = condition_;
  return system_.Solve(b, x, residual, cancel);
}

Status MatrixSolver::ApplyFactor(const double* v, const Cancel& cancel, double* x) const {
  std::copy_n(v, order(), x);
  return system_.SolveFactor(x, cancel);
}

void MatrixSolver::Copy(double* out) const {
  const size_t n = order();
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i <= j; ++i) {
      const double value = system_.matrix().at(i, j);
      out[Position(i) * n + Position(j)] = value;
      out[Position(j) * n + Position(i)] = value;
    }
  }
}

Status MatrixSolver::Eigen(const Cancel& cancel, double* values, double* vectors) const {
  const size_t n = order();
  // dsyevd's workspace of 2 n^2 and more is counted in 32 bits.
  if (vectors != nullptr && n > 32766) return Status::Memory(4 * n * n * sizeof(double));
  Buffer copy;
  if (vectors == nullptr && !copy.Reserve(n * n)) return Status::Memory(n * n * sizeof(double));
  double* matrix = vectors == nullptr ? copy.data() : vectors;
  Copy(matrix);
  // Column k of the column-major result is row k of what callers see.
  const bool done = blas::SymmetricEigen(vectors != nullptr, n, matrix, values);
  if (cancel.Raised()) return Status::Canceled();
  return done ? Status::Ok() : Status::NonFinite(2);
}

Status MatrixSolver::EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const {
  const size_t n = order();
  Buffer copy;
  if (!copy.Reserve(n * n)) return Status::Memory(n * n * sizeof(double));
  std::copy_n(system_.matrix().upper(), n * n, copy.data());
  for (size_t i = 0; i < n; ++i) copy.data()[i * n + i] -= bound;
  *count = blas::NegativeInertia(n, copy.data());
  return cancel.Raised() ? Status::Canceled() : Status::Ok();
}

Status MatrixSolver::Multiply(size_t count, const double* vectors, const Cancel& cancel,
                              double* out) {
  const size_t n = order();
  if (share_ == 1) return system_.Multiply(count, vectors, out, cancel);
  std::vector<double> x(n * count), y(n * count);
  for (size_t v = 0; v < count; ++v)
    for (size_t i = 0; i < n; ++i) x[v * n + i] = vectors[v * n + Position(i)];
  const Status status = system_.Multiply(count, x.data(), y.data(), cancel);
  if (!status.ok()) return status;
  for (size_t v = 0; v < count; ++v)
    for (size_t i = 0; i < n; ++i) out[v * n + Position(i)] = y[v * n + i];
  return Status::Ok();
}

Status MatrixSolver::Inverse(const double* vector, double shift, const Cancel& cancel,
                             double* out) {
  factored_ = false;
  if (inverse_shift_ != shift) {
    inverse_shift_ = -1.0;
    const Status status = system_.Factor(shift, 0.0, nullptr, cancel);
    if (!status.ok()) return status;
    inverse_shift_ = shift;
  }
  const size_t n = order();
  std::vector<double> x(n), y(n);
  for (size_t i = 0; i < n; ++i) x[i] = vector[Position(i)];
  double residual = 0.0;
  const Status status = system_.Solve(x.data(), y.data(), &residual, cancel);
  if (!status.ok()) return status;
  for (size_t i = 0; i < n; ++i) out[Position(i)] = y[i];
  return Status::Ok();
}

}  // namespace gaussflow
