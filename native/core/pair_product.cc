// Implements the product of pair vectors in register tiles (pair_product.h), one version for each
// kind of processor.
#include "pair_product.h"

#include "register_tile.h"
#include "simd.h"

namespace gaussflow {

namespace {

// Rows registers by Columns broadcast numbers; a row of the panels is right_width, left_width
// numbers.
template <typename T, size_t Bytes, size_t Rows, size_t Columns>
[[gnu::always_inline]] inline void RegisterTile(size_t samples, const T* right, size_t right_width,
                                                const T* left, size_t left_width, bool add, T* out,
                                                size_t out_stride) {
  using V = typename Register<T, Bytes>::Type;
  constexpr size_t kLength = Bytes / sizeof(T);
  V sums[Rows][Columns] = {};
  SumInRegisters<T, Bytes>(samples, right, right_width, left, left_width, sums);
#pragma GCC unroll 8
  for (size_t b = 0; b < Columns; ++b) {
#pragma GCC unroll 4
    for (size_t a = 0; a < Rows; ++a) {
      V* to = reinterpret_cast<V*>(out + b * out_stride + a * kLength);
      *to = add ? *to + sums[a][b] : sums[a][b];
    }
  }
}

// One panel of R by all of L, `Rows` registers at a time.
template <typename T, size_t Bytes, size_t Rows, size_t Columns>
[[gnu::always_inline]] inline void OnePanel(size_t samples, const T* right, size_t width,
                                            const PanelShape<T>& left_shape, const T* left,
                                            bool add, T* out, size_t out_stride) {
  constexpr size_t kStep = Rows * Bytes / sizeof(T);
  for (size_t p = 0; p < left_shape.Panels(); ++p) {
    const T* from = left + p * left_shape.Stride();
    const size_t left_width = left_shape.Width(p) * PanelShape<T>::kLanes;
    for (size_t b = 0; b < left_width; b += Columns) {
      T* to = out + (p * left_shape.wide * PanelShape<T>::kLanes + b) * out_stride;
      for (size_t a = 0; a < width; a += kStep)
        RegisterTile<T, Bytes, Rows, Columns>(samples, right + a, width, from + b, left_width, add,
                                              to + a, out_stride);
    }
  }
}

template <typename T, size_t Bytes>
[[gnu::always_inline]] inline void AllPanels(const PanelShape<T>& right_shape, const T* right,
                                             const PanelShape<T>& left_shape, const T* left,
                                             size_t samples, bool add, T* values, size_t stride) {
  constexpr size_t kLanes = PanelShape<T>::kLanes;
  for (size_t p = 0; p < right_shape.Panels(); ++p) {
    const T* from = right + p * right_shape.Stride();
    T* out = values + p * right_shape.wide * kLanes;
    const size_t groups = right_shape.Width(p), width = groups * kLanes;
    if constexpr (Bytes == 64) {
      // 32 registers: a panel is at most three of them wide.
      if (groups == 3) {
        OnePanel<T, 64, 3, 8>(samples, from, width, left_shape, left, add, out, stride);
      } else if (groups == 2) {
        OnePanel<T, 64, 2, 8>(samples, from, width, left_shape, left, add, out, stride);
      } else {
        OnePanel<T, 64, 1, 8>(samples, from, width, left_shape, left, add, out, stride);
      }
    } else if (Bytes == 32 && groups == 3) {
      OnePanel<T, Bytes, 3, 4>(samples, from, width, left_shape, left, add, out, stride);
    } else {
      OnePanel<T, Bytes, 2, 4>(samples, from, width, left_shape, left, add, out, stride);
    }
  }
}

template <typename T>
using Product = void (*)(const PanelShape<T>&, const T*, const PanelShape<T>&, const T*, size_t,
                         bool, T*, size_t);

template <typename T>
void Product16(const PanelShape<T>& right_shape, const T* right, const PanelShape<T>& left_shape,
               const T* left, size_t samples, bool add, T* values, size_t stride) {
  AllPanels<T, 16>(right_shape, right, left_shape, left, samples, add, values, stride);
}

#if defined(__x86_64__) && defined(__GNUC__)
template <typename T>
__attribute__((target("avx2,fma"))) void Product32(const PanelShape<T>& right_shape, const T* right,
                                                   const PanelShape<T>& left_shape, const T* left,
                                                   size_t samples, bool add, T* values,
                                                   size_t stride) {
  AllPanels<T, 32>(right_shape, right, left_shape, left, samples, add, values, stride);
}

template <typename T>
__attribute__((target("avx512f,fma"))) void Product64(const PanelShape<T>& right_shape,
                                                      const T* right,
                                                      const PanelShape<T>& left_shape,
                                                      const T* left, size_t samples, bool add,
                                                      T* values, size_t stride) {
  AllPanels<T, 64>(right_shape, right, left_shape, left, samples, add, values, stride);
}

template <typename T>
Product<T> Choose() {
  if (kAvx512 && __builtin_cpu_supports("avx512f")) return Product64<T>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Product32<T>;
  return Product16<T>;
}
#else
template <typename T>
Product<T> Choose() {
  return Product16<T>;
}
#endif

}  // namespace

void PairProduct(const PanelShape<double>& right_shape, const double* right,
                 const PanelShape<double>& left_shape, const double* left, size_t samples, bool add,
                 double* values, size_t stride) {
  static const Product<double> product = Choose<double>();
  product(right_shape, right, left_shape, left, samples, add, values, stride);
}

void PairProduct(const PanelShape<float>& right_shape, const float* right,
                 const PanelShape<float>& left_shape, const float* left, size_t samples, bool add,
                 float* values, size_t stride) {
  static const Product<float> product = Choose<float>();
  product(right_shape, right, left_shape, left, samples, add, values, stride);
}

}  // namespace gaussflow
