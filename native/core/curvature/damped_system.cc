// Implements DampedSystem (damped_system.h): factors, solves and refines in double precision.
#include "curvature/damped_system.h"

#include <algorithm>
#include <cmath>

#include "blas.h"
#include "cholesky.h"
#include "gemm.h"

namespace gaussflow {

namespace {

constexpr size_t kWork = 3;  // vectors of a solve or a condition estimate
// Parts of a product with one vector, each with a sum of its own, and the order from which on there
// are any.
constexpr size_t kParts = 16;
constexpr size_t kLeastParts = 768;

// Adds rows x columns of the correction to a tile of the lower triangle. A tile on the diagonal
// goes square by square: what lies above the diagonal in its place is M.
void AddCorrection(size_t n, const LowRank& correction, size_t row, size_t rows, size_t column,
                   size_t columns, double* lower) {
  const auto [count, left, right] = correction;
  const auto add = [&, left = left, right = right, count = count](size_t i, size_t height, size_t j,
                                                                  size_t width, double beta,
                                                                  double* out, size_t ld) {
    Gemm('N', 'T', height, width, count, 1.0, left + i, n, right + j, n, beta, out, ld);
    Gemm('N', 'T', height, width, count, 1.0, right + i, n, left + j, n, 1.0, out, ld);
  };
  if (row >= column + columns)
    return add(row, rows, column, columns, 1.0, lower + column * n + row, n);
  constexpr size_t kSquare = 32;
  double square[kSquare * kSquare];
  for (size_t j0 = column; j0 < column + columns; j0 += kSquare) {
    const size_t width = std::min(kSquare, column + columns - j0);
    for (size_t i0 = j0; i0 < row + rows; i0 += kSquare) {
      const size_t height = std::min(kSquare, row + rows - i0);
      add(i0, height, j0, width, 0.0, square, kSquare);
      for (size_t j = j0; j < j0 + width; ++j)
        for (size_t i = std::max(i0, j); i < i0 + height; ++i)
          lower[j * n + i] += square[(j - j0) * kSquare + i - i0];
    }
  }
}

}  // namespace

void SubtractProduct(const LowRank& correction, size_t n, const double* x, double* r) {
  for (size_t k = 0; k < correction.count; ++k) {
    const double* l = correction.left + k * n;
    const double* q = correction.right + k * n;
    double lx = 0.0, qx = 0.0;
    for (size_t i = 0; i < n; ++i) {
      lx += l[i] * x[i];
      qx += q[i] * x[i];
    }
    for (size_t i = 0; i < n; ++i) r[i] -= l[i] * qx + q[i] * lx;
  }
}

size_t DampedSystem::WorkCount(size_t n) { return (kWork + (n < kLeastParts ? 0 : kParts)) * n; }

Status DampedSystem::Reserve(size_t n, const void* user) {
  user_ = user;
  if (!matrix_.Reserve(n)) return Status::Memory(SymmetricMatrix::Count(n) * sizeof(double));
  const size_t work = WorkCount(n);
  if (!work_.Reserve(work)) return Status::Memory(work * sizeof(double));
  shift_.assign(n, 0.0);
  return Status::Ok();
}

Status DampedSystem::Multiply(size_t count, const double* x, double* y, const Cancel& cancel) {
  const size_t n = matrix_.n();
  const double* upper = matrix_.upper();
  if (count == 1) return MultiplyOne(x, y, cancel);
  // One task a block of rows, whose entries left of the diagonal stand above it as columns.
  constexpr size_t kBlock = 256;
  const bool done = ThreadPool::Instance().Run(
      threads_, (n + kBlock - 1) / kBlock, cancel, [&](size_t task, int) {
        const size_t i0 = task * kBlock, i1 = std::min(n, i0 + kBlock);
        for (size_t v = 0; v < count; ++v)
          blas::SymvUpper(i1 - i0, 1.0, upper + i0 * n + i0, n, x + v * n + i0, 0.0,
                          y + v * n + i0);
        if (i0 > 0)
          Gemm('T', 'N', i1 - i0, count, i0, 1.0, upper + i0 * n, n, x, n, 1.0, y + i0, n);
        if (i1 < n)
          Gemm('N', 'N', i1 - i0, count, n - i1, 1.0, upper + i1 * n + i0, n, x + i1, n, 1.0,
               y + i0, n);
      });
  return done ? Status::Ok() : Status::Canceled();
}

// Reads M once: a task owns some columns and has a sum of its own, for a block's rows and for its
// columns; the sums are added in order.
Status DampedSystem::MultiplyOne(const double* x, double* y, const Cancel& cancel) {
  const size_t n = matrix_.n();
  const double* upper = matrix_.upper();
  if (n < kLeastParts) {
    blas::SymvUpper(n, 1.0, upper, n, x, 0.0, y);
    return Status::Ok();
  }
  constexpr size_t kRows = 256;
  // Triangles of columns 0 to n sqrt(k / 16): parts of equal area.
  const auto column = [n](size_t part) {
    const double share = std::sqrt(static_cast<double>(part) / static_cast<double>(kParts));
    return part == kParts ? n : static_cast<size_t>(static_cast<double>(n) * share);
  };
  double* sums = work_.data() + kWork * n;
  const bool done = ThreadPool::Instance().Run(threads_, kParts, cancel, [&](size_t part, int) {
    double* sum = sums + part * n;
    const size_t j0 = column(part), j1 = column(part + 1), columns = j1 - j0;
    std::fill_n(sum, j1, 0.0);
    for (size_t i0 = 0; i0 < j0; i0 += kRows) {
      const size_t rows = std::min(kRows, j0 - i0);
      const double* block = upper + j0 * n + i0;
      blas::Gemv('N', rows, columns, 1.0, block, n, x + j0, 1.0, sum + i0);
      blas::Gemv('T', rows, columns, 1.0, block, n, x + i0, 1.0, sum + j0);
    }
    blas::SymvUpper(columns, 1.0, upper + j0 * n + j0, n, x + j0, 1.0, sum + j0);
  });
  if (!done) return Status::Canceled();
  std::fill_n(y, n, 0.0);
  for (size_t part = 0; part < kParts; ++part)
    for (size_t i = 0; i < column(part + 1); ++i) y[i] += sums[part * n + i];
  return Status::Ok();
}

Status DampedSystem::Factor(double uniform, double factor, const double* scaling,
                            const Cancel& cancel, const LowRank& correction) {
  const size_t n = matrix_.n();
  left_.assign(correction.left, correction.left + correction.count * n);
  right_.assign(correction.right, correction.right + correction.count * n);
  const LowRank kept = Correction();
  for (size_t i = 0; i < n; ++i)
    shift_[i] = uniform + (scaling == nullptr ? 0.0 : factor * scaling[i]);
  const double* upper = matrix_.upper();
  double* lower = matrix_.lower();
  const auto fill = [&](size_t row, size_t rows, size_t column, size_t columns) {
    ForLowerTile(row, rows, column, columns,
                 [&](size_t i, size_t j) { lower[j * n + i] = upper[i * n + j]; });
    for (size_t j = std::max(row, column); j < std::min(row + rows, column + columns); ++j)
      lower[j * n + j] += shift_[j];
    if (kept.count > 0) AddCorrection(n, kept, row, rows, column, columns, lower);
  };
  return Cholesky(n, lower, n, threads_, cancel, fill);
}

Status DampedSystem::SolveFactor(double* x, const Cancel& cancel) const {
  const size_t n = matrix_.n();
  const Status status = SolveTriangular(false, n, matrix_.lower(), n, 1, x, n, threads_, cancel);
  if (!status.ok()) return status;
  return SolveTriangular(true, n, matrix_.lower(), n, 1, x, n, threads_, cancel);
}

Status DampedSystem::Solve(const double* b, double* x, double* residual, const Cancel& cancel) {
  const size_t n = matrix_.n();
  std::copy_n(b, n, x);
  Status status = SolveFactor(x, cancel);
  if (!status.ok()) return status;
  double* r = work_.data();
  status = Multiply(1, x, r, cancel);
  if (!status.ok()) return status;
  for (size_t i = 0; i < n; ++i) r[i] = b[i] - shift_[i] * x[i] - r[i];
  SubtractProduct(Correction(), n, x, r);
  double top = 0.0, bottom = 0.0;
  for (size_t i = 0; i < n; ++i) {
    top = std::max(top, std::fabs(r[i]));
    bottom = std::max(bottom, std::fabs(b[i]));
  }
  *residual = bottom > 0.0 ? top / bottom : 0.0;
  status = SolveFactor(r, cancel);
  if (!status.ok()) return status;
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
