#include "damped_system.h"

#include <algorithm>
#include <cmath>

#include "blas.h"
#include "cholesky.h"

namespace gaussflow {

Status DampedSystem::Reserve(size_t n) {
  if (!matrix_.Reserve(n)) return Status::Memory(SymmetricMatrix::Count(n) * sizeof(double));
  if (!work_.Reserve(3 * n)) return Status::Memory(3 * n * sizeof(double));
  shift_.assign(n, 0.0);
  return Status::Ok();
}

Status DampedSystem::Multiply(size_t count, const double* x, double* y,
                              const Cancel& cancel) const {
  const size_t n = matrix_.n();
  const double* upper = matrix_.upper();
  if (count == 1) {
    blas::SymvUpper(n, 1.0, upper, n, x, 0.0, y);
    return Status::Ok();
  }
  // One task a block of rows, whose entries left of the diagonal stand above it as columns.
  constexpr size_t kBlock = 256;
  const bool done = ThreadPool::Instance().Run(
      threads_, (n + kBlock - 1) / kBlock, cancel, [&](size_t task, int) {
        const size_t i0 = task * kBlock, i1 = std::min(n, i0 + kBlock);
        for (size_t v = 0; v < count; ++v)
          blas::SymvUpper(i1 - i0, 1.0, upper + i0 * n + i0, n, x + v * n + i0, 0.0,
                          y + v * n + i0);
        if (i0 > 0)
          blas::Gemm('T', 'N', i1 - i0, count, i0, 1.0, upper + i0 * n, n, x, n, 1.0, y + i0, n);
        if (i1 < n)
          blas::Gemm('N', 'N', i1 - i0, count, n - i1, 1.0, upper + i1 * n + i0, n, x + i1, n, 1.0,
                     y + i0, n);
      });
  return done ? Status::Ok() : Status::Cancelled();
}

Status DampedSystem::Factor(double uniform, double factor, const double* scaling,
                            const Cancel& cancel) {
  const size_t n = matrix_.n();
  for (size_t i = 0; i < n; ++i)
    shift_[i] = uniform + (scaling == nullptr ? 0.0 : factor * scaling[i]);
  // Copy the upper triangle into the lower one, a square block at a time: both sides stay in cache.
  constexpr size_t kBlock = 64;
  const size_t blocks = (n + kBlock - 1) / kBlock;
  const double* upper = matrix_.upper();
  double* lower = matrix_.lower();
  const bool copied =
      ThreadPool::Instance().Run(n < 512 ? 1 : threads_, blocks, cancel, [&](size_t block, int) {
        const size_t j0 = block * kBlock, j1 = std::min(n, j0 + kBlock);
        for (size_t i0 = 0; i0 <= j0; i0 += kBlock) {
          for (size_t j = j0; j < j1; ++j) {
            const size_t i1 = std::min(j + 1, i0 + kBlock);
            for (size_t i = i0; i < i1; ++i) lower[i * n + j] = upper[j * n + i];
          }
        }
        for (size_t j = j0; j < j1; ++j) lower[j * n + j] += shift_[j];
      });
  if (!copied) return Status::Cancelled();
  return Cholesky(n, lower, n, threads_, cancel);
}

Status DampedSystem::Solve(const double* b, double* x, double* residual) {
  const size_t n = matrix_.n();
  std::copy_n(b, n, x);
  blas::TrsvLower(false, n, matrix_.lower(), n, x);
  blas::TrsvLower(true, n, matrix_.lower(), n, x);
  double* r = work_.data();
  for (size_t i = 0; i < n; ++i) r[i] = b[i] - shift_[i] * x[i];
  blas::SymvUpper(n, -1.0, matrix_.upper(), n, x, 1.0, r);
  double top = 0.0, bottom = 0.0;
  for (size_t i = 0; i < n; ++i) {
    top = std::max(top, std::fabs(r[i]));
    bottom = std::max(bottom, std::fabs(b[i]));
  }
  *residual = bottom > 0.0 ? top / bottom : 0.0;
  blas::TrsvLower(false, n, matrix_.lower(), n, r);
  blas::TrsvLower(true, n, matrix_.lower(), n, r);
  for (size_t i = 0; i < n; ++i) {
    x[i] += r[i];
    if (!std::isfinite(x[i])) return Status::NonFinite(3);
  }
  return Status::Ok();
}

Status DampedSystem::Condition(double* condition) {
  const size_t n = matrix_.n();
  std::vector<double> sums(n, 0.0);
  for (size_t j = 0; j < n; ++j) {
    const double* column = matrix_.upper() + j * n;
    double sum = std::fabs(column[j] + shift_[j]);
    for (size_t i = 0; i < j; ++i) {
      sum += std::fabs(column[i]);
      sums[i] += std::fabs(column[i]);
    }
    sums[j] += sum;
  }
  const double norm = *std::max_element(sums.begin(), sums.end());
  std::vector<int> integers(n);
  const double reciprocal = blas::Pocon(n, matrix_.lower(), n, norm, work_.data(), integers.data());
  *condition = reciprocal > 0.0 ? 1.0 / reciprocal : HUGE_VAL;
  return Status::Ok();
}

}  // namespace gaussflow
