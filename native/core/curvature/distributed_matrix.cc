// Implements the matrix in blocks on several ranks (distributed_matrix.h).
#include "curvature/distributed_matrix.h"

#include <algorithm>

#include "blas.h"

namespace gaussflow {

size_t DistributedMatrix::Side::Before(size_t end) const {
  const size_t blocks = end / kBlock, whole = blocks / processes, next = blocks % processes;
  const size_t more = position < next ? kBlock : position == next ? end % kBlock : 0;
  return whole * kBlock + more;
}

// As square as the number of ranks has it, which makes the messages of the factorization smallest.
DistributedMatrix::Grid DistributedMatrix::GridOf(size_t ranks) {
  size_t rows = 1;
  for (size_t k = 1; k * k <= ranks; ++k)
    if (ranks % k == 0) rows = k;
  return {rows, ranks / rows};
}

size_t DistributedMatrix::Count(size_t n, size_t ranks) {
  const Grid grid = GridOf(ranks);
  return Times(Side{0, grid.rows}.Before(n), Side{0, grid.columns}.Before(n));
}

size_t DistributedMatrix::VectorCount(size_t n, size_t ranks) {
  return n + 2 * Side{0, GridOf(ranks).rows}.Before(n);
}

Status DistributedMatrix::Reserve(const Ranks& ranks, size_t n, int threads) {
  const Grid grid = GridOf(ranks.count());
  ranks_ = ranks;
  threads_ = threads;
  rows_ = {ranks.rank() / grid.columns, grid.rows};
  columns_ = {ranks.rank() % grid.columns, grid.columns};
  rows_here_ = rows_.Before(n);
  columns_here_ = columns_.Before(n);
  n_ = 0;
  const size_t count = Times(rows_here_, columns_here_);
  if (!local_.Reserve(count)) return Status::Memory(count * sizeof(double));
  diagonal_.assign(n, 0.0);
  x_.assign(rows_here_, 0.0);
  product_.assign(rows_here_, 0.0);
  n_ = n;
  return Status::Ok();
}

void DistributedMatrix::Release() {
  n_ = 0;
  local_.Release();
}

void DistributedMatrix::Take(const ColumnsOf<double>& columns) {
  const auto [first, end] = columns.range;
  for (size_t j = first; j < end; ++j) diagonal_[j] = columns.column(j)[j];
  for (size_t here = columns_.Before(first); here < columns_.Before(end); ++here) {
    const size_t j = columns_.First(here / kBlock) + here % kBlock;
    const double* from = columns.column(j);
    double* to = Column(here);
    for (size_t row = 0; row < rows_here_ && rows_.First(row / kBlock) < j; row += kBlock) {
      const size_t i = rows_.First(row / kBlock);
      std::copy_n(from + i, std::min(kBlock, j - i), to + row);
    }
  }
}

void DistributedMatrix::TakeRows(const double* vector, double* rows) const {
  for (size_t row = 0; row < rows_here_; row += kBlock)
    std::copy_n(vector + rows_.First(row / kBlock), std::min(kBlock, rows_here_ - row), rows + row);
}

Status DistributedMatrix::Multiply(const double* x, double* y) {
  std::fill(product_.begin(), product_.end(), 0.0);
  TakeRows(x, x_.data());
  std::fill_n(y, n_, 0.0);
  if (ranks_.rank() == 0)
    for (size_t i = 0; i < n_; ++i) y[i] = diagonal_[i] * x[i];
  for (size_t here = 0; here < columns_here_; here += kBlock) {
    const size_t j = columns_.First(here / kBlock), width = std::min(kBlock, columns_here_ - here);
    const size_t above = rows_.Before(j);
    const double* block = Column(here);
    if (above > 0) {
      blas::Gemv('N', above, width, 1.0, block, rows_here_, x + j, 1.0, product_.data());
      blas::Gemv('T', above, width, 1.0, block, rows_here_, x_.data(), 1.0, y + j);
    }
    // The block on the diagonal, where it is here.
    if (rows_.Before(j + width) == above) continue;
    for (size_t b = 0; b < width; ++b) {
      const double* column = Column(here + b) + above;
      for (size_t a = 0; a < b; ++a) {
        product_[above + a] += column[a] * x[j + b];
        y[j + b] += column[a] * x[j + a];
      }
    }
  }
  for (size_t row = 0; row < rows_here_; ++row)
    y[rows_.First(row / kBlock) + row % kBlock] += product_[row];
  return ranks_.Total(y, n_);
}

ExchangeMatrix DistributedMatrix::Description() const {
  return {n_,
          kBlock,
          static_cast<uint32_t>(rows_.processes),
          static_cast<uint32_t>(columns_.processes),
          rows_here_,
          static_cast<uint32_t>(threads_)};
}

void DistributedMatrix::FillLower(const std::vector<double>& shift, const LowRank& correction) {
  for (size_t here = 0; here < columns_here_; ++here) {
    const size_t j = columns_.First(here / kBlock) + here % kBlock;
    // The first row here from j on, which is j itself where the block on the diagonal is here.
    const size_t row = rows_.Before(j), first = j - here % kBlock;
    double* column = Column(here);
    if (rows_.Before(j + 1) == row) continue;
    column[row] = diagonal_[j] + shift[j];
    const size_t end = rows_.Before(std::min(n_, first + kBlock));
    for (size_t i = row + 1; i < end; ++i) column[i] = Column(here + (i - row))[row];
  }
  for (size_t k = 0; k < correction.count; ++k) {
    const double* left = correction.left + k * n_;
    const double* right = correction.right + k * n_;
    TakeRows(left, x_.data());
    TakeRows(right, product_.data());
    for (size_t here = 0; here < columns_here_; ++here) {
      const size_t j = columns_.First(here / kBlock) + here % kBlock;
      double* column = Column(here);
      for (size_t i = rows_.Before(j); i < rows_here_; ++i)
        column[i] += x_[i] * right[j] + product_[i] * left[j];
    }
  }
}

Status DistributedMatrix::Factor(const std::vector<double>& shift, const LowRank& correction) {
  const Status status = ranks_.Mirror(Description(), local_.data());
  if (!status.ok()) return status;
  FillLower(shift, correction);
  return ranks_.Factor(Description(), local_.data());
}

Status DistributedMatrix::SolveFactor(double* x) const {
  return ranks_.Solve(Description(), local_.data(), x);
}

size_t DistributedMatrix::bytes() const {
  const size_t vectors = diagonal_.capacity() + x_.capacity() + product_.capacity();
  return local_.bytes() + vectors * sizeof(double);
}

}  // namespace gaussflow
