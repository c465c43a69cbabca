// The orthogonal route: R of [J~ r~] = Q R, one block of rows after the other, so that no condition
// number is ever squared. Memory: one triangle of order p + 1 and one block of rows. The step is a
// least squares problem with R (and the damping's rows below it), by pivoted QR that reveals the
// rank and takes the solution of least norm where columns depend on each other (LAPACK dgelsy).
#ifndef GAUSSFLOW_CORE_ORTHOGONAL_H_
#define GAUSSFLOW_CORE_ORTHOGONAL_H_

#include <cstddef>
#include <vector>

#include "buffer.h"
#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

struct Rank {
  size_t rank = 0;
  double tolerance = 0.0;
  // Extreme singular values, by iterations with the triangle.
  double largest = 0.0;
  double smallest = 0.0;
};

class OrthogonalSystem {
 public:
  explicit OrthogonalSystem(int threads) : threads_(threads) {}

  // Empties the triangle for p columns and makes room for blocks of up to `rows` rows.
  Status Reset(size_t p, size_t rows);
  // The block to fill: column-major, `rows` rows, p + 1 columns, the residual last.
  double* block() { return block_.data(); }
  // Absorbs the block's `rows` rows: panel after panel, the columns right of a panel updated by
  // tasks, the first of which goes on to factor the next panel while the others are at work.
  Status Absorb(size_t rows, const Cancel& cancel);

  // Least squares solution of [R; sqrt(factor scaling)] step = -[q; 0]; scaling null = ones. By R
  // as it stands while that is clearly regular, by pivoted QR otherwise.
  // `equations`: rows absorbed, for the tolerance.
  Status Solve(double factor, const double* scaling, size_t equations, double* step,
               double* residual, Rank* rank);

  size_t p() const { return p_; }
  // |column j of J~|^2.
  double ColumnSquare(size_t j) const;
  // out (p x p) = R^T R.
  void CopyGram(double* out) const;
  // Squared singular values ascending, and the right singular vectors as rows (or null).
  Status SingularValues(double* squares, double* vectors) const;

  size_t bytes() const { return triangle_.bytes() + block_.bytes() + work_.bytes(); }

 private:
  Status SolvePivoted(double factor, const double* scaling, double* step, Rank* rank) const;
  void FactorPanel(size_t first, size_t columns, size_t rows, double* work);
  // The block reflectors' triangle of the panel at column `first`: two are alive at a time.
  double* Factors(size_t first);
  double at(size_t i, size_t j) const { return triangle_.data()[j * (p_ + 1) + i]; }

  int threads_;
  size_t p_ = 0;
  Buffer triangle_;  // (p + 1) x (p + 1), column-major, upper
  Buffer block_;
  Buffer work_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ORTHOGONAL_H_
