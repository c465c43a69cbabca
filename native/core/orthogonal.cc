#include "orthogonal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "blas.h"

namespace gaussflow {

namespace {

constexpr size_t kPanel = 32;
// Power iterations: the extremes are wanted to a digit or two.
constexpr int kIterations = 16;

double Normalise(std::vector<double>* x) {
  double largest = 0.0;
  for (const double value : *x) largest = std::max(largest, std::fabs(value));
  if (largest == 0.0 || !std::isfinite(largest)) return largest;
  double sum = 0.0;
  for (double& value : *x) {
    value /= largest;
    sum += value * value;
  }
  const double norm = std::sqrt(sum);
  for (double& value : *x) value /= norm;
  return largest * norm;
}

// sigma_max and sigma_min of an upper triangle (leading dimension ld) by iterations with R^T R.
void Extremes(size_t p, const double* r, size_t ld, Rank* rank) {
  std::vector<double> x(p);
  const auto start = [&] {
    for (size_t j = 0; j < p; ++j) x[j] = 1.0 + 0.5 * std::sin(static_cast<double>(j + 1));
    Normalise(&x);
  };
  start();
  double square = 0.0;
  for (int i = 0; i < kIterations; ++i) {
    blas::TrmvUpper(false, p, r, ld, x.data());
    blas::TrmvUpper(true, p, r, ld, x.data());
    square = Normalise(&x);
  }
  rank->largest = std::sqrt(square);
  rank->smallest = 0.0;
  for (size_t j = 0; j < p; ++j)
    if (r[j * ld + j] == 0.0) return;
  start();
  double half = 1.0, other = 1.0;
  for (int i = 0; i < kIterations; ++i) {
    blas::TrsvUpper(true, p, r, ld, x.data());
    half = Normalise(&x);
    blas::TrsvUpper(false, p, r, ld, x.data());
    other = Normalise(&x);
    if (!std::isfinite(half) || !std::isfinite(other)) return;
  }
  rank->smallest = 1.0 / std::sqrt(half * other);
}

}  // namespace

Status OrthogonalSystem::Reset(size_t p, size_t rows) {
  p_ = p;
  const size_t n = p + 1, work = 2 * std::min(kPanel, n) * n;
  if (!triangle_.Reserve(n * n)) return Status::Memory(n * n * sizeof(double));
  if (!block_.Reserve(rows * n)) return Status::Memory(rows * n * sizeof(double));
  if (!work_.Reserve(work)) return Status::Memory(work * sizeof(double));
  std::fill_n(triangle_.data(), n * n, 0.0);
  return Status::Ok();
}

Status OrthogonalSystem::Absorb(size_t rows) {
  const size_t n = p_ + 1, panel = std::min(kPanel, n);
  blas::Tpqrt(rows, n, panel, triangle_.data(), n, block_.data(), rows, work_.data(), panel,
              work_.data() + panel * n);
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i <= j; ++i)
      if (!std::isfinite(triangle_.data()[j * n + i])) return Status::NonFinite(2);
  return Status::Ok();
}

Status OrthogonalSystem::Solve(double factor, const double* scaling, size_t equations, double* step,
                               double* residual, Rank* rank) {
  const bool damped = factor > 0.0;
  const size_t p = p_, m = damped ? 2 * p : p;
  Buffer matrix;
  if (!matrix.Reserve(m * p)) return Status::Memory(m * p * sizeof(double));
  double* a = matrix.data();
  std::vector<double> b(m, 0.0);
  std::fill_n(a, m * p, 0.0);
  for (size_t j = 0; j < p; ++j) {
    for (size_t i = 0; i <= j; ++i) a[j * m + i] = at(i, j);
    if (damped) a[j * m + p + j] = std::sqrt(factor * (scaling == nullptr ? 1.0 : scaling[j]));
    b[j] = -at(j, p);
  }
  rank->tolerance =
      std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(equations, p));
  if (!damped) Extremes(p, a, m, rank);
  const int found = blas::Gelsy(m, p, a, m, b.data(), rank->tolerance);
  if (found < 0) return Status::Memory(m * p * sizeof(double));
  rank->rank = static_cast<size_t>(found);
  if (damped) Extremes(p, a, m, rank);
  std::copy_n(b.data(), p, step);
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(step[j])) return Status::NonFinite(3);
  // Of the normal equations: R^T (R s + q) + mu D s against R^T q.
  std::vector<double> miss(p), right(p), last(step, step + p);
  for (size_t j = 0; j < p; ++j) right[j] = at(j, p);
  blas::TrmvUpper(false, p, triangle_.data(), p + 1, last.data());
  for (size_t j = 0; j < p; ++j) miss[j] = last[j] + right[j];
  blas::TrmvUpper(true, p, triangle_.data(), p + 1, miss.data());
  blas::TrmvUpper(true, p, triangle_.data(), p + 1, right.data());
  double top = 0.0, bottom = 0.0;
  for (size_t j = 0; j < p; ++j) {
    const double shift = damped ? factor * (scaling == nullptr ? 1.0 : scaling[j]) * step[j] : 0.0;
    top = std::max(top, std::fabs(miss[j] + shift));
    bottom = std::max(bottom, std::fabs(right[j]));
  }
  *residual = bottom > 0.0 ? top / bottom : 0.0;
  return Status::Ok();
}

double OrthogonalSystem::ColumnSquare(size_t j) const {
  double sum = 0.0;
  for (size_t i = 0; i <= j; ++i) sum += at(i, j) * at(i, j);
  return sum;
}

void OrthogonalSystem::CopyGram(double* out) const {
  const size_t p = p_, ld = p + 1;
  for (size_t j = 0; j < p; ++j) {
    for (size_t i = 0; i <= j; ++i) {
      double sum = 0.0;
      for (size_t k = 0; k <= i; ++k)
        sum += triangle_.data()[i * ld + k] * triangle_.data()[j * ld + k];
      out[i * p + j] = sum;
      out[j * p + i] = sum;
    }
  }
}

Status OrthogonalSystem::SingularValues(double* squares, double* vectors) const {
  const size_t p = p_;
  Buffer matrix, right;
  if (!matrix.Reserve(p * p)) return Status::Memory(p * p * sizeof(double));
  if (!right.Reserve(p * p)) return Status::Memory(p * p * sizeof(double));
  std::fill_n(matrix.data(), p * p, 0.0);
  for (size_t j = 0; j < p; ++j)
    for (size_t i = 0; i <= j; ++i) matrix.data()[j * p + i] = at(i, j);
  std::vector<double> values(p);
  if (!blas::RightSingular(p, matrix.data(), values.data(),
                           vectors == nullptr ? nullptr : right.data()))
    return Status::NonFinite(2);
  for (size_t k = 0; k < p; ++k) {
    squares[k] = values[p - 1 - k] * values[p - 1 - k];
    // V^T is column-major: its row p - 1 - k is the vector.
    if (vectors != nullptr)
      for (size_t j = 0; j < p; ++j) vectors[k * p + j] = right.data()[j * p + (p - 1 - k)];
  }
  return Status::Ok();
}

}  // namespace gaussflow
