// Adds a block of rows of J to the Gram matrix and to the gradient: a rank-k update by the register
// tile (pair_product.h). The rows come from jet_rows.h, the residual behind them as one column
// more, whose products with the others are the gradient. JetEngine passes one block after another,
// so that no more of J is ever held.
//
// A block is stored as panels of kWide parameters, [panel][row][parameter]. Each task owns a square
// of panels of the matrix, so that no sum depends on the number of threads.
#ifndef GAUSSFLOW_CORE_JETS_JET_GRAM_H_
#define GAUSSFLOW_CORE_JETS_JET_GRAM_H_

#include <cstddef>

#include "buffer.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "thread_pool.h"

namespace gaussflow {

class JetGram {
 public:
  // Rows formed before they are laid out as panels, a run of memory a panel.
  static constexpr size_t kLines = 8;

  // Of `order` parameters, for blocks of at most `rows` rows.
  JetGram(size_t order, size_t rows, int threads) : order_(order), rows_(rows), threads_(threads) {}

  size_t rows() const { return rows_; }
  Status Reserve();
  void Release() {
    block_.Release();
    scratch_.Release();
  }
  size_t bytes() const { return block_.bytes() + scratch_.bytes(); }
  static size_t Doubles(size_t order, size_t rows, int threads);

  // Rows [row, row + count) of the block, each of order numbers and the residual behind, `stride`
  // apart.
  void Put(size_t row, size_t count, const double* lines, size_t stride);
  // g (upper triangle) and gradient (order) += the products of the first `rows` rows; `first`
  // overwrites instead.
  Status Add(size_t rows, bool first, const Cancel& cancel, SymmetricMatrix* g, double* gradient);

 private:
  void AddSquare(size_t row_panel, size_t column_panel, size_t rows, double* values) const;
  void Scatter(size_t row_panel, size_t column_panel, const double* values, bool first,
               SymmetricMatrix* g, double* gradient) const;

  const size_t order_;
  const size_t rows_;
  const int threads_;
  Buffer block_;
  Buffer scratch_;  // a square of each worker
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_GRAM_H_
