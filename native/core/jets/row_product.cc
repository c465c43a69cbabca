// Implements the products of rows with the weights of a layer (row_product.h), one version for each
// kind of processor.
#include "jets/row_product.h"

#include <algorithm>

#include "register_tile.h"
#include "simd.h"

namespace gaussflow {

namespace {

constexpr size_t kWide = 3 * kRowLanes;  // columns of a panel of packed weights

// `Rows` rows of A by `Vectors` vectors of a panel that is `width` numbers wide.
template <size_t Bytes, size_t Rows, size_t Vectors>
[[gnu::always_inline]] inline void Tile(size_t depth, const double* a, size_t lda, const double* b,
                                        size_t width, bool add, double* out, size_t ldo) {
  using V = typename Register<double, Bytes>::Type;
  constexpr size_t kLength = Bytes / sizeof(double);
  V sums[Rows][Vectors] = {};
  for (size_t k = 0; k < depth; ++k) {
    V weights[Vectors];
#pragma GCC unroll 3
    for (size_t v = 0; v < Vectors; ++v) weights[v] = *reinterpret_cast<const V*>(b + v * kLength);
#pragma GCC unroll 8
    for (size_t r = 0; r < Rows; ++r) {
      const V one = a[r * lda + k] - V{};
#pragma GCC unroll 3
      for (size_t v = 0; v < Vectors; ++v) sums[r][v] += one * weights[v];
    }
    b += width;
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 3
    for (size_t v = 0; v < Vectors; ++v) {
      V* to = reinterpret_cast<V*>(out + r * ldo + v * kLength);
      *to = add ? *to + sums[r][v] : sums[r][v];
    }
  }
}

template <size_t Bytes, size_t Rows, size_t Vectors>
[[gnu::always_inline]] inline void Panel(size_t rows, size_t depth, const double* a, size_t lda,
                                         const double* b, size_t width, bool add, double* out,
                                         size_t ldo) {
  size_t r = 0;
  for (; r + Rows <= rows; r += Rows)
    Tile<Bytes, Rows, Vectors>(depth, a + r * lda, lda, b, width, add, out + r * ldo, ldo);
  for (; r < rows; ++r)
    Tile<Bytes, 1, Vectors>(depth, a + r * lda, lda, b, width, add, out + r * ldo, ldo);
}

template <size_t Bytes>
[[gnu::always_inline]] inline void AllPanels(size_t rows, size_t depth, const double* a,
                                             size_t columns, const double* packed, bool add,
                                             double* out) {
  const size_t lda = RowWidth(depth), ldo = RowWidth(columns);
  for (size_t j = 0; j < ldo; j += kWide) {
    const size_t width = std::min(kWide, ldo - j);
    const double* b = packed + j * depth;
    if constexpr (Bytes == 64) {
      if (width == kWide) {
        Panel<64, 8, 3>(rows, depth, a, lda, b, width, add, out + j, ldo);
      } else if (width == 2 * kRowLanes) {
        Panel<64, 8, 2>(rows, depth, a, lda, b, width, add, out + j, ldo);
      } else {
        Panel<64, 8, 1>(rows, depth, a, lda, b, width, add, out + j, ldo);
      }
    } else {
      constexpr size_t kStep = 2 * Bytes / sizeof(double);
      for (size_t v = 0; v < width; v += kStep)
        Panel<Bytes, 4, 2>(rows, depth, a, lda, b + v, width, add, out + j + v, ldo);
    }
  }
}

// Columns [o, o + Columns) of A by the vectors of B from `b` on.
template <size_t Bytes, size_t Vectors, size_t Columns>
[[gnu::always_inline]] inline void TransposedTile(size_t rows, double factor, const double* a,
                                                  size_t lda, const double* b, size_t ldb,
                                                  double* out) {
  using V = typename Register<double, Bytes>::Type;
  V sums[Vectors][Columns] = {};
  SumInRegisters<double, Bytes>(rows, b, ldb, a, lda, sums);
#pragma GCC unroll 8
  for (size_t c = 0; c < Columns; ++c) {
#pragma GCC unroll 3
    for (size_t v = 0; v < Vectors; ++v)
      *reinterpret_cast<V*>(out + c * ldb + v * (Bytes / sizeof(double))) += factor * sums[v][c];
  }
}

template <size_t Bytes>
[[gnu::always_inline]] inline void AllTransposed(size_t rows, double factor, size_t left,
                                                 const double* a, size_t right, const double* b,
                                                 double* out) {
  constexpr size_t kColumns = Bytes == 64 ? 8 : 4, kVectors = Bytes == 64 ? 3 : 2;
  constexpr size_t kLength = Bytes / sizeof(double);
  const size_t lda = RowWidth(left), ldb = RowWidth(right);
  for (size_t o = 0; o < lda; o += kColumns) {
    size_t k = 0;
    for (; k + kVectors * kLength <= ldb; k += kVectors * kLength)
      TransposedTile<Bytes, kVectors, kColumns>(rows, factor, a + o, lda, b + k, ldb,
                                                out + o * ldb + k);
    for (; k < ldb; k += kLength)
      TransposedTile<Bytes, 1, kColumns>(rows, factor, a + o, lda, b + k, ldb, out + o * ldb + k);
  }
}

using Product = void (*)(size_t, size_t, const double*, size_t, const double*, bool, double*);
using Transposed = void (*)(size_t, double, size_t, const double*, size_t, const double*, double*);

void Product16(size_t rows, size_t depth, const double* a, size_t columns, const double* packed,
               bool add, double* out) {
  AllPanels<16>(rows, depth, a, columns, packed, add, out);
}
void Transposed16(size_t rows, double factor, size_t left, const double* a, size_t right,
                  const double* b, double* out) {
  AllTransposed<16>(rows, factor, left, a, right, b, out);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2,fma"))) void Product32(size_t rows, size_t depth, const double* a,
                                                   size_t columns, const double* packed, bool add,
                                                   double* out) {
  AllPanels<32>(rows, depth, a, columns, packed, add, out);
}
__attribute__((target("avx512f,fma"))) void Product64(size_t rows, size_t depth, const double* a,
                                                      size_t columns, const double* packed,
                                                      bool add, double* out) {
  AllPanels<64>(rows, depth, a, columns, packed, add, out);
}
__attribute__((target("avx2,fma"))) void Transposed32(size_t rows, double factor, size_t left,
                                                      const double* a, size_t right,
                                                      const double* b, double* out) {
  AllTransposed<32>(rows, factor, left, a, right, b, out);
}
__attribute__((target("avx512f,fma"))) void Transposed64(size_t rows, double factor, size_t left,
                                                         const double* a, size_t right,
                                                         const double* b, double* out) {
  AllTransposed<64>(rows, factor, left, a, right, b, out);
}

template <typename Function>
Function Choose(Function wide, Function middle, Function narrow) {
  if (kAvx512 && __builtin_cpu_supports("avx512f")) return wide;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? middle : narrow;
}
Product ChooseProduct() { return Choose<Product>(Product64, Product32, Product16); }
Transposed ChooseTransposed() {
  return Choose<Transposed>(Transposed64, Transposed32, Transposed16);
}
#else
Product ChooseProduct() { return Product16; }
Transposed ChooseTransposed() { return Transposed16; }
#endif

}  // namespace

void PackRows(bool transpose, size_t depth, size_t columns, double factor, const double* b,
              double* packed) {
  const size_t padded = RowWidth(columns);
  for (size_t j0 = 0; j0 < padded; j0 += kWide) {
    const size_t width = std::min(kWide, padded - j0);
    for (size_t k = 0; k < depth; ++k) {
      for (size_t j = j0; j < j0 + width; ++j)
        *packed++ = j < columns ? factor * b[transpose ? j * depth + k : k * columns + j] : 0.0;
    }
  }
}

void RowProduct(size_t rows, size_t depth, const double* a, size_t columns, const double* packed,
                bool add, double* out) {
  static const Product product = ChooseProduct();
  product(rows, depth, a, columns, packed, add, out);
}

void AddTransposedProduct(size_t rows, double factor, size_t left, const double* a, size_t right,
                          const double* b, double* out) {
  static const Transposed product = ChooseTransposed();
  product(rows, factor, left, a, right, b, out);
}

}  // namespace gaussflow
