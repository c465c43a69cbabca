// Holds a symmetric matrix and its Cholesky factor in one allocation of n (n + 1) numbers. The
// builders of the Gram matrix and the kernel fill it, and the damped systems of curvature/ factor
// and solve in it: the matrix in the upper triangle, shifted one column to the right, the factor in
// the lower one. Both are column-major with leading dimension n and do not overlap, so a rejected
// step can factor again with another damping without forming the matrix again.
#ifndef GAUSSFLOW_CORE_SYMMETRIC_MATRIX_H_
#define GAUSSFLOW_CORE_SYMMETRIC_MATRIX_H_

#include <cstddef>

#include "buffer.h"

namespace gaussflow {

struct ColumnRange {
  size_t first;
  size_t end;
};

// Columns of the upper triangle of a symmetric matrix: entry (i, j), i <= j, is column(j)[i].
template <typename T>
struct ColumnsOf {
  T* data;
  size_t stride;
  ColumnRange range;

  T* column(size_t j) const { return data + (j - range.first) * stride; }
};

template <typename T>
class SymmetricMatrixOf {
 public:
  static size_t Count(size_t n) { return Times(n, n + 1); }

  bool Reserve(size_t n) {
    const bool reserved = storage_.Reserve(Count(n));
    n_ = reserved ? n : 0;
    return reserved;
  }

  void Release() {
    n_ = 0;
    storage_.Release();
  }

  size_t n() const { return n_; }
  // Entry (i, j), i <= j, of the matrix is upper()[j * n + i].
  T* upper() { return storage_.data() + n_; }
  const T* upper() const { return storage_.data() + n_; }
  T& at(size_t i, size_t j) { return upper()[j * n_ + i]; }
  T at(size_t i, size_t j) const { return upper()[j * n_ + i]; }
  ColumnsOf<T> columns() { return {upper(), n_, {0, n_}}; }
  // Entry (i, j), i >= j, of the factor is lower()[j * n + i].
  T* lower() { return storage_.data(); }
  const T* lower() const { return storage_.data(); }
  size_t bytes() const { return storage_.bytes(); }

 private:
  size_t n_ = 0;
  BufferOf<T> storage_;
};

using SymmetricMatrix = SymmetricMatrixOf<double>;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SYMMETRIC_MATRIX_H_
