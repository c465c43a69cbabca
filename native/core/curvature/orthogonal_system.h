// The linear algebra of the orthogonal route, for triangle.h: R of [J~ r~] = Q R, one block of rows
// after the other, so that no condition number is squared. The memory is one triangle of order p +
// 1 and one block of rows. Damping and decay are p more rows, absorbed by a copy of the triangle.
// The step is the least-squares solution with that triangle: by substitution while the triangle is
// clearly regular, else by a pivoted QR that reveals the rank and takes the solution of least norm
// where columns are dependent (LAPACK dgelsy).
#ifndef GAUSSFLOW_CORE_CURVATURE_ORTHOGONAL_SYSTEM_H_
#define GAUSSFLOW_CORE_CURVATURE_ORTHOGONAL_SYSTEM_H_

#include <cstddef>
#include <vector>

#include "buffer.h"
#include "sizes.h"
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
  // Absorbs the block's `rows` rows.
  Status Absorb(size_t rows, const Cancel& cancel);

  // Triangles that stand elsewhere, packed column after column, PackedCount(p) numbers.
  static size_t PackedCount(size_t p) { return Times(p + 1, p + 2) / 2; }
  void Pack(double* packed) const;
  void Unpack(const double* packed);
  void Empty();
  // The triangle becomes that of the rows of `left` and its own behind them. There must be room for
  // blocks of p + 1 rows.
  Status Join(const double* left, const Cancel& cancel);
  // Of all ranks, where other processes have absorbed some of them.
  void SetEquations(size_t count) { equations_ = count; }

  // Least squares solution of [R; E] step = -[q; e], E = diag(sqrt(shift)) and E e = offset: the
  // minimum of 1/2 |R s + q|^2 + 1/2 s^T diag(shift) s + offset^T s. Null = zeros.
  // *residual: of the normal equations, relative to their right-hand side.
  Status Solve(const double* shift, const double* offset, const Cancel& cancel, double* step,
               double* residual, Rank* rank);

  // The same step from the gradient alone, for residuals that are too large for the last column or
  // not finite: T^T T step = -gradient with the triangle T of [R; E], by the corrected semi-normal
  // equations. Indefinite where T with columns of length 1 is singular to rounding.
  Status SolveByGradient(const double* shift, const double* gradient, const Cancel& cancel,
                         double* step, double* residual, Rank* rank);

  // |(R^T R + diag(shift)) step + gradient| relative to |gradient|, largest entries.
  double GradientResidual(const double* shift, const double* gradient, const double* step) const;

  size_t p() const { return p_; }
  // |column j of J~|^2.
  double ColumnSquare(size_t j) const;
  // out (p x p) = R^T R.
  void CopyGram(double* out) const;
  // Squared singular values ascending, and the right singular vectors as rows (or null).
  Status SingularValues(double* squares, double* vectors) const;

  // bytes() after damped solves with blocks of up to `rows` rows.
  static Footprint EstimateBytes(size_t p, size_t rows, int threads);
  size_t bytes() const {
    return triangle_.bytes() + folded_.bytes() + block_.bytes() + work_.bytes();
  }

 private:
  // Numbers of the triangle, of a block of rows, and of the scratch.
  static size_t TriangleCount(size_t p) { return Times(p + 1, p + 1); }
  static size_t BlockCount(size_t p, size_t rows) { return Times(rows, p + 1); }
  static size_t WorkCount(int threads);
  // QR of [r; block], panel after panel: the columns right of a panel are updated by tasks, the
  // first of which goes on to factor the next panel while the others are at work. `staircase`:
  // column j of the block ends at row j, the last column excepted.
  Status Reduce(double* r, size_t rows, bool staircase, const Cancel& cancel);
  Status Finite() const;
  void FactorPanel(double* r, size_t first, size_t columns, size_t rows, size_t height,
                   double* work);
  // The triangle of [R; E] with its right-hand side, or R itself without a shift, in folded_.
  Status Fold(const double* shift, const double* offset, const Cancel& cancel);
  // out (p) = (R^T R + diag(shift)) s + gradient.
  void Miss(const double* shift, const double* gradient, const double* s, double* out) const;
  Status SolvePivoted(const double* r, double* step, Rank* rank) const;
  double RelativeResidual(const double* shift, const double* offset, const double* step) const;
  // The block reflectors' triangle of the panel at column `first`: two are alive at a time.
  double* Factors(size_t first);
  double at(size_t i, size_t j) const { return triangle_.data()[j * (p_ + 1) + i]; }

  int threads_;
  size_t p_ = 0;
  size_t equations_ = 0;  // rows absorbed
  Buffer triangle_;       // (p + 1) x (p + 1), column-major, upper
  Buffer folded_;         // the same with damping and decay
  Buffer block_;
  Buffer work_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_ORTHOGONAL_SYSTEM_H_
