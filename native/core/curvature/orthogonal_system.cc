// Implements the QR factorization block by block, and the solves with its triangle
// (orthogonal_system.h).
#include "curvature/orthogonal_system.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "blas.h"

namespace gaussflow {

namespace {

// Columns factored at a time, and columns an update task takes.
constexpr size_t kPanel = 32;
constexpr size_t kChunk = 64;
// Power iterations end here, or once an estimate moves by less than a hundredth.
constexpr int kIterations = 16;
constexpr double kSettled = 0.01;
// Above this multiple of the rank's tolerance the estimate of sigma_min alone says that the rank is
// full: it may exceed the true value, but not a hundredfold.
constexpr double kClearlyRegular = 100.0;

// Divides x by its length, which it returns; leaves zeros as they are.
double Normalize(size_t count, double* x) {
  double largest = 0.0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(x[i]));
  if (largest == 0.0 || !std::isfinite(largest)) return largest;
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    x[i] /= largest;
    sum += x[i] * x[i];
  }
  const double norm = std::sqrt(sum);
  for (size_t i = 0; i < count; ++i) x[i] /= norm;
  return largest * norm;
}

double Normalize(std::vector<double>* x) { return Normalize(x->size(), x->data()); }

// sigma_max and sigma_min of an upper triangle (leading dimension ld) by iterations with R^T R.
void Extremes(size_t p, const double* r, size_t ld, Rank* rank) {
  std::vector<double> x(p);
  const auto start = [&] {
    for (size_t j = 0; j < p; ++j) x[j] = 1.0 + 0.5 * std::sin(static_cast<double>(j + 1));
    Normalize(&x);
  };
  // The two halves of a turn are normalized one by one: sigma^2 would overflow before sigma does.
  start();
  double size = 0.0;
  for (int i = 0; i < kIterations; ++i) {
    const double before = size;
    blas::TrmvUpper(false, p, r, ld, x.data());
    size = std::sqrt(Normalize(&x));
    blas::TrmvUpper(true, p, r, ld, x.data());
    size *= std::sqrt(Normalize(&x));
    if (std::fabs(size - before) <= kSettled * size) break;
  }
  rank->largest = size;
  rank->smallest = 0.0;
  for (size_t j = 0; j < p; ++j)
    if (r[j * ld + j] == 0.0) return;
  start();
  double inverse = 0.0;
  for (int i = 0; i < kIterations; ++i) {
    const double before = inverse;
    blas::TrsvUpper(true, p, r, ld, x.data());
    inverse = std::sqrt(Normalize(&x));
    blas::TrsvUpper(false, p, r, ld, x.data());
    inverse *= std::sqrt(Normalize(&x));
    if (!std::isfinite(inverse)) return;
    if (std::fabs(inverse - before) <= kSettled * inverse) break;
  }
  rank->smallest = 1.0 / inverse;
}

}  // namespace

size_t OrthogonalSystem::WorkCount(int threads) {
  return 2 * kPanel * kPanel + static_cast<size_t>(threads) * kPanel * kChunk;
}

Footprint OrthogonalSystem::EstimateBytes(size_t p, size_t rows, int threads) {
  Footprint held;
  held.curvature = BytesOf<double>(TriangleCount(p));
  held.factor = BytesOf<double>(TriangleCount(p));
  // The damping is a block of p rows.
  held.workspaces =
      BytesOf<double>(BlockCount(p, std::max(rows, p))) + BytesOf<double>(WorkCount(threads));
  return held;
}

Status OrthogonalSystem::Reset(size_t p, size_t rows) {
  p_ = p;
  equations_ = 0;
  const size_t triangle = TriangleCount(p), block = BlockCount(p, rows), work = WorkCount(threads_);
  if (!triangle_.Reserve(triangle)) return Status::Memory(triangle * sizeof(double));
  if (!block_.Reserve(block)) return Status::Memory(block * sizeof(double));
  if (!work_.Reserve(work)) return Status::Memory(work * sizeof(double));
  std::fill_n(triangle_.data(), triangle, 0.0);
  return Status::Ok();
}

double* OrthogonalSystem::Factors(size_t first) {
  return work_.data() + (first / kPanel % 2) * kPanel * kPanel;
}

void OrthogonalSystem::FactorPanel(double* r, size_t first, size_t columns, size_t rows,
                                   size_t height, double* work) {
  const size_t n = p_ + 1;
  blas::Tpqrt(height, columns, columns, r + first * n + first, n, block_.data() + first * rows,
              rows, Factors(first), kPanel, work);
}

Status OrthogonalSystem::Reduce(double* r, size_t rows, bool staircase, const Cancel& cancel) {
  const size_t n = p_ + 1;
  double *b = block_.data(), *work = work_.data() + 2 * kPanel * kPanel;
  // Rows below the last step of a staircase are still zero in a panel's columns.
  const auto height = [&](size_t first) {
    return staircase ? std::min(rows, first + kPanel) : rows;
  };
  FactorPanel(r, 0, std::min(kPanel, n), rows, height(0), work);
  for (size_t first = 0; first + kPanel < n; first += kPanel) {
    // Task 0 has the next panel's columns, task k > 0 a chunk of those after it.
    const size_t next = first + kPanel, panel = std::min(kPanel, n - next), rest = next + panel;
    const size_t tasks = 1 + (n - rest + kChunk - 1) / kChunk;
    const bool done =
        ThreadPool::Instance().Run(threads_, tasks, cancel, [&](size_t task, int worker) {
          double* own = work + static_cast<size_t>(worker) * kPanel * kChunk;
          const size_t from = task == 0 ? next : rest + (task - 1) * kChunk;
          const size_t count = task == 0 ? panel : std::min(kChunk, n - from);
          blas::TpmqrtTranspose(height(first), count, kPanel, b + first * rows, rows,
                                Factors(first), kPanel, r + from * n + first, n, b + from * rows,
                                rows, own);
          if (task == 0) FactorPanel(r, next, panel, rows, height(next), own);
        });
    if (!done) return Status::Canceled();
  }
  return Status::Ok();
}

Status OrthogonalSystem::Absorb(size_t rows, const Cancel& cancel) {
  const Status status = Reduce(triangle_.data(), rows, false, cancel);
  if (!status.ok()) return status;
  equations_ += rows;
  return Finite();
}

Status OrthogonalSystem::Finite() const {
  const size_t n = p_ + 1;
  const double* r = triangle_.data();
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i <= j; ++i)
      if (!std::isfinite(r[j * n + i])) return Status::NonFinite(2);
  return Status::Ok();
}

void OrthogonalSystem::Pack(double* packed) const {
  const size_t n = p_ + 1;
  for (size_t j = 0; j < n; packed += ++j) std::copy_n(triangle_.data() + j * n, j + 1, packed);
}

void OrthogonalSystem::Unpack(const double* packed) {
  const size_t n = p_ + 1;
  for (size_t j = 0; j < n; packed += ++j) std::copy_n(packed, j + 1, triangle_.data() + j * n);
}

void OrthogonalSystem::Empty() { std::fill_n(triangle_.data(), TriangleCount(p_), 0.0); }

Status OrthogonalSystem::Join(const double* left, const Cancel& cancel) {
  // A block whose column j ends at row j.
  std::copy_n(triangle_.data(), TriangleCount(p_), block_.data());
  Unpack(left);
  const Status status = Reduce(triangle_.data(), p_ + 1, true, cancel);
  return status.ok() ? Finite() : status;
}

Status OrthogonalSystem::Fold(const double* shift, const double* offset, const Cancel& cancel) {
  const size_t p = p_, triangle = TriangleCount(p), rows = BlockCount(p, p);
  if (!folded_.Reserve(triangle)) return Status::Memory(triangle * sizeof(double));
  std::copy_n(triangle_.data(), triangle, folded_.data());
  if (shift == nullptr) return Status::Ok();
  if (!block_.Reserve(rows)) return Status::Memory(rows * sizeof(double));
  double* block = block_.data();
  std::fill_n(block, rows, 0.0);
  for (size_t j = 0; j < p; ++j) {
    const double root = std::sqrt(shift[j]);
    block[j * p + j] = root;
    if (offset != nullptr && root > 0.0) block[p * p + j] = offset[j] / root;
  }
  return Reduce(folded_.data(), p, true, cancel);
}

Status OrthogonalSystem::Solve(const double* shift, const double* offset, const Cancel& cancel,
                               double* step, double* residual, Rank* rank) {
  const size_t p = p_, ld = p + 1;
  size_t rows = equations_;
  const double* r = triangle_.data();
  if (shift != nullptr) {
    const Status status = Fold(shift, offset, cancel);
    if (!status.ok()) return status;
    rows += p;
    r = folded_.data();
  }
  rank->tolerance = std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(rows, p));
  Extremes(p, r, ld, rank);
  if (rank->smallest > kClearlyRegular * rank->tolerance * rank->largest) {
    rank->rank = p;
    for (size_t j = 0; j < p; ++j) step[j] = -r[p * ld + j];
    blas::TrsvUpper(false, p, r, ld, step);
  } else {
    if (cancel.Raised()) return Status::Canceled();
    const Status status = SolvePivoted(r, step, rank);
    if (!status.ok()) return status;
  }
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(step[j])) return Status::NonFinite(3);
  *residual = RelativeResidual(shift, offset, step);
  return Status::Ok();
}

Status OrthogonalSystem::SolveByGradient(const double* shift, const double* gradient,
                                         const Cancel& cancel, double* step, double* residual,
                                         Rank* rank) {
  const size_t p = p_, ld = p + 1;
  // The columns of the copy are scaled below.
  const Status folded = Fold(shift, nullptr, cancel);
  if (!folded.ok()) return folded;
  double* r = folded_.data();
  const double epsilon = std::numeric_limits<double>::epsilon();
  const size_t rows = equations_ + (shift == nullptr ? 0 : p);
  rank->tolerance = epsilon * static_cast<double>(std::max(rows, p));
  rank->rank = p;
  Extremes(p, r, ld, rank);
  // Columns of length 1 leave the units of the parameters out of the test of regularity. The
  // substitutions themselves do not depend on the scale of a column.
  std::vector<double> length(p), miss(p);
  for (size_t j = 0; j < p; ++j) length[j] = Normalize(j + 1, r + j * ld);
  Rank scaled;
  Extremes(p, r, ld, &scaled);
  if (!(scaled.smallest > rank->tolerance * scaled.largest)) return Status::Indefinite(0);
  std::fill_n(step, p, 0.0);
  // The second pass corrects the rounding of the first.
  for (int pass = 0; pass < 2; ++pass) {
    Miss(shift, gradient, step, miss.data());
    for (size_t j = 0; j < p; ++j) miss[j] /= length[j];
    blas::TrsvUpper(true, p, r, ld, miss.data());
    blas::TrsvUpper(false, p, r, ld, miss.data());
    for (size_t j = 0; j < p; ++j) step[j] -= miss[j] / length[j];
  }
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(step[j])) return Status::NonFinite(3);
  *residual = GradientResidual(shift, gradient, step);
  return Status::Ok();
}

double OrthogonalSystem::GradientResidual(const double* shift, const double* gradient,
                                          const double* step) const {
  std::vector<double> miss(p_);
  Miss(shift, gradient, step, miss.data());
  double top = 0.0, bottom = 0.0;
  for (size_t j = 0; j < p_; ++j) {
    top = std::max(top, std::fabs(miss[j]));
    bottom = std::max(bottom, std::fabs(gradient[j]));
  }
  return bottom > 0.0 ? top / bottom : 0.0;
}

void OrthogonalSystem::Miss(const double* shift, const double* gradient, const double* s,
                            double* out) const {
  std::copy_n(s, p_, out);
  blas::TrmvUpper(false, p_, triangle_.data(), p_ + 1, out);
  blas::TrmvUpper(true, p_, triangle_.data(), p_ + 1, out);
  for (size_t j = 0; j < p_; ++j)
    out[j] += gradient[j] + (shift == nullptr ? 0.0 : shift[j] * s[j]);
}

Status OrthogonalSystem::SolvePivoted(const double* r, double* step, Rank* rank) const {
  const size_t p = p_, ld = p + 1;
  Buffer matrix;
  if (!matrix.Reserve(p * p)) return Status::Memory(p * p * sizeof(double));
  double* a = matrix.data();
  std::fill_n(a, p * p, 0.0);
  for (size_t j = 0; j < p; ++j) {
    std::copy_n(r + j * ld, j + 1, a + j * p);
    step[j] = -r[p * ld + j];
  }
  rank->rank = blas::Gelsy(p, p, a, p, step, rank->tolerance);
  return Status::Ok();
}

// R^T (R s + q) + shift s + offset against R^T q + offset, largest entries.
double OrthogonalSystem::RelativeResidual(const double* shift, const double* offset,
                                          const double* step) const {
  const size_t p = p_, ld = p + 1;
  const double* r = triangle_.data();
  std::vector<double> right(r + p * ld, r + p * ld + p), miss(step, step + p);
  blas::TrmvUpper(false, p, r, ld, miss.data());
  for (size_t j = 0; j < p; ++j) miss[j] += right[j];
  blas::TrmvUpper(true, p, r, ld, miss.data());
  blas::TrmvUpper(true, p, r, ld, right.data());
  double top = 0.0, bottom = 0.0;
  for (size_t j = 0; j < p; ++j) {
    const double constant = offset == nullptr ? 0.0 : offset[j];
    const double damped = shift == nullptr ? 0.0 : shift[j] * step[j];
    top = std::max(top, std::fabs(miss[j] + damped + constant));
    bottom = std::max(bottom, std::fabs(right[j] + constant));
  }
  return bottom > 0.0 ? top / bottom : 0.0;
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
  if (vectors != nullptr && !right.Reserve(p * p)) return Status::Memory(p * p * sizeof(double));
  std::fill_n(matrix.data(), p * p, 0.0);
  for (size_t j = 0; j < p; ++j)
    for (size_t i = 0; i <= j; ++i) matrix.data()[j * p + i] = at(i, j);
  std::vector<double> values(p);
  if (!blas::RightSingular(p, matrix.data(), values.data(),
                           vectors == nullptr ? nullptr : right.data()))
    return Status::NonFinite(2);
  for (size_t k = 0; k < p; ++k) {
    const size_t from = p - 1 - k;
    squares[k] = values[from] * values[from];
    if (vectors != nullptr) std::copy_n(right.data() + from * p, p, vectors + k * p);
  }
  return Status::Ok();
}

}  // namespace gaussflow
