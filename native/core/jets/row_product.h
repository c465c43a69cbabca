// Products of a tall matrix with a small one, for the passes of jets: as many rows as points times
// channels, by the weights of a layer of a few dozen units, which the general product (gemm.h)
// would pack anew for every tile. Weights are packed once a call of the engine, and the rows are
// read as they are. jet_pass.cc calls it.
//
// A row of units is padded to whole vectors of kRowLanes numbers (RowWidth), so that every store is
// a whole vector; the padding of a result is 0.
#ifndef GAUSSFLOW_CORE_JETS_ROW_PRODUCT_H_
#define GAUSSFLOW_CORE_JETS_ROW_PRODUCT_H_

#include <cstddef>

namespace gaussflow {

constexpr size_t kRowLanes = 8;
constexpr size_t RowWidth(size_t units) { return (units + kRowLanes - 1) / kRowLanes * kRowLanes; }

// B (depth x columns) packed for RowProduct: RowWidth(columns) * depth numbers.
constexpr size_t PackedSize(size_t depth, size_t columns) { return RowWidth(columns) * depth; }
// packed = factor * B, B row-major, or factor * B^T with B columns x depth.
void PackRows(bool transpose, size_t depth, size_t columns, double factor, const double* b,
              double* packed);

// out = A B, or out += A B: A `rows` rows of `depth` numbers, RowWidth(depth) apart, and out rows
// RowWidth(columns) apart.
void RowProduct(size_t rows, size_t depth, const double* a, size_t columns, const double* packed,
                bool add, double* out);

// out (left x right units, padded as its rows are) += factor * A^T B over `rows` rows of A (left)
// and B (right), padded rows both.
void AddTransposedProduct(size_t rows, double factor, size_t left, const double* a, size_t right,
                          const double* b, double* out);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_ROW_PRODUCT_H_
