// Cholesky factorisation on our own threads, and the solves that go with it.
#ifndef GAUSSFLOW_CORE_CHOLESKY_H_
#define GAUSSFLOW_CORE_CHOLESKY_H_

#include <cstddef>

#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

// Lower Cholesky factor of a (n x n, column-major, lower triangle) in place, by tiles. A tile is
// owned by one task and its updates come in one order, so the factor does not depend on the number
// of threads. Indefinite: the first bad pivot, from 0. T is double or float.
template <typename T>
Status Cholesky(size_t n, T* a, size_t lda, int threads, const Cancel& cancel);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CHOLESKY_H_
