// Computes the inner loop of the core's matrix products: a tile of sums in registers, wide vectors
// times broadcast numbers, on operands packed in the order of reading. pair_product.cc and gemm.cc
// compile it into one function for each kind of processor.
#ifndef GAUSSFLOW_CORE_REGISTER_TILE_H_
#define GAUSSFLOW_CORE_REGISTER_TILE_H_

#include <cstddef>

namespace gaussflow {

// A register of `Bytes` bytes.
template <typename T, size_t Bytes>
struct Register {
  typedef T Type __attribute__((vector_size(Bytes), may_alias));
};

// sums[a][b] = sum over `depth` of the vector right[a] times the number left[b]; from one term to
// the next `right` moves by right_width numbers and `left` by left_width. `right` stands on lines
// of the vectors' size.
template <typename T, size_t Bytes, size_t Rows, size_t Columns>
[[gnu::always_inline]] inline void SumInRegisters(
    size_t depth, const T* right, size_t right_width, const T* left, size_t left_width,
    typename Register<T, Bytes>::Type (&sums)[Rows][Columns]) {
  using V = typename Register<T, Bytes>::Type;
  constexpr size_t kLength = Bytes / sizeof(T);
  for (size_t i = 0; i < depth; ++i) {
    V r[Rows];
#pragma GCC unroll 4
    for (size_t a = 0; a < Rows; ++a) r[a] = *reinterpret_cast<const V*>(right + a * kLength);
#pragma GCC unroll 8
    for (size_t b = 0; b < Columns; ++b) {
      const V l = left[b] - V{};
#pragma GCC unroll 4
      for (size_t a = 0; a < Rows; ++a) sums[a][b] += r[a] * l;
    }
    right += right_width;
    left += left_width;
  }
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_REGISTER_TILE_H_
