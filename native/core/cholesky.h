// Cholesky factorisation on our own threads, and the solves that go with it.
#ifndef GAUSSFLOW_CORE_CHOLESKY_H_
#define GAUSSFLOW_CORE_CHOLESKY_H_

#include <cstddef>
#include <functional>

#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

// Makes the part of the matrix with rows [row, row + rows) and columns [column, column + columns)
// that is in the lower triangle. Called once for every tile, just before it is worked on: what is
// copied there is still in cache then.
using FillTile = std::function<void(size_t row, size_t rows, size_t column, size_t columns)>;

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
