// A symmetric matrix that the ranks of a run hold together, each its own blocks (ExchangeMatrix),
// for distributed_gram.h. The matrix fills the strict upper triangle and the factor the lower
// one, as in symmetric_matrix.h; the diagonal of the matrix is kept apart, by every rank.
// Every rank makes the same calls.
#ifndef GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_MATRIX_H_
#define GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_MATRIX_H_

#include <cstddef>
#include <vector>

#include "buffer.h"
#include "curvature/damped_system.h"
#include "exchange.h"
#include "ranks.h"
#include "status.h"
#include "symmetric_matrix.h"

namespace gaussflow {

class DistributedMatrix {
 public:
  static constexpr size_t kBlock = 64;

  // Numbers of the blocks of rank 0, which has the most.
  static size_t Count(size_t n, size_t ranks);
  // Numbers of the vectors beside them.
  static size_t VectorCount(size_t n, size_t ranks);

  // Room for the blocks of this rank. `threads` for its share of the factorization.
  Status Reserve(const Ranks& ranks, size_t n, int threads);
  void Release();

  size_t n() const { return n_; }
  const std::vector<double>& diagonal() const { return diagonal_; }
  // Takes the entries of these columns that stand on this rank, and their diagonal.
  void Take(const ColumnsOf<double>& columns);

  // y = M x.
  Status Multiply(const double* x, double* y);
  // Factors M + diag(shift) + correction.
  Status Factor(const std::vector<double>& shift, const LowRank& correction);
  // x = (L L^T)^-1 x with the factor.
  Status SolveFactor(double* x) const;

  size_t bytes() const;

 private:
  // One direction of the grid.
  struct Side {
    size_t position;   // of this rank
    size_t processes;  // of the grid
    // Rows, or columns, here that come before number `end` of the matrix.
    size_t Before(size_t end) const;
    // The number in the matrix of the first one in block `block` here.
    size_t First(size_t block) const { return (block * processes + position) * kBlock; }
  };
  struct Grid {
    size_t rows, columns;
  };
  static Grid GridOf(size_t ranks);
  ExchangeMatrix Description() const;
  // Makes the lower triangle of the blocks here that of the matrix to factor: mirrored, but not yet
  // inside the blocks on the diagonal.
  void FillLower(const std::vector<double>& shift, const LowRank& correction);
  // The numbers of `vector` that belong to the rows here.
  void TakeRows(const double* vector, double* rows) const;
  // Column number j of those here.
  double* Column(size_t j) { return local_.data() + j * rows_here_; }

  Ranks ranks_;
  int threads_ = 1;
  size_t n_ = 0;
  Side rows_ = {0, 1};
  Side columns_ = {0, 1};
  size_t rows_here_ = 0;
  size_t columns_here_ = 0;
  Buffer local_;
  std::vector<double> diagonal_;
  std::vector<double> x_, product_;  // in the order of the rows here
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_DISTRIBUTED_MATRIX_H_
