// Factors a symmetric matrix by Cholesky on the thread pool, and solves triangular systems with its
// factor. The damped systems in curvature/ (damped_system, single_system, sample_system) call it
// for every solve of the engine.
#ifndef GAUSSFLOW_CORE_CHOLESKY_H_
#define GAUSSFLOW_CORE_CHOLESKY_H_

#include <algorithm>
#include <cstddef>
#include <functional>

#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

// Makes the part of the matrix with rows [row, row + rows) and columns [column, column + columns)
// that is in the lower triangle. Called once for every tile, just before it is worked on: what is
// copied there is still in cache then.
using FillTile = std::function<void(size_t row, size_t rows, size_t column, size_t columns)>;

// Calls entry(i, j) for all i >= j of such a part, a small square at a time: a matrix in an upper
// triangle is read across the order in which it is written, and both sides stay in cache.
template <typename Entry>
void ForLowerTile(size_t row, size_t rows, size_t column, size_t columns, const Entry& entry) {
  constexpr size_t kSquare = 32;
  const size_t row_end = row + rows, column_end = column + columns;
  for (size_t i0 = row; i0 < row_end; i0 += kSquare) {
    for (size_t j0 = column; j0 < column_end; j0 += kSquare) {
      const size_t i1 = std::min(row_end, i0 + kSquare), j1 = std::min(column_end, j0 + kSquare);
      for (size_t j = j0; j < j1; ++j)
        for (size_t i = std::max(i0, j); i < i1; ++i) entry(i, j);
    }
  }
}

// Lower Cholesky factor of a (n x n, column-major, lower triangle) in place, left-looking by tiles.
// A tile is owned by one task and its updates come in one order, so the factor does not depend on
// the number of threads. `fill` may be empty: the matrix is there already. Indefinite: the first
// bad pivot, from 0. T is double or float.
template <typename T>
Status Cholesky(size_t n, T* a, size_t lda, int threads, const Cancel& cancel,
                const FillTile& fill = {});

// X = L^-1 X, or L^-T X, for the `count` columns of X (n x count, column-major): by blocks of rows,
// which wait for each other, and of right-hand sides. The same bits for every number of threads.
template <typename T>
Status SolveTriangular(bool transpose, size_t n, const T* l, size_t ldl, size_t count, T* x,
                       size_t ldx, int threads, const Cancel& cancel);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CHOLESKY_H_
