// Multiplies two sets of vectors, R^T L: the builders of the Gram matrix
// (curvature/gram_builder.cc) and of the tangent kernel (curvature/kernel_builder.h) call it for
// every tile of their matrix. It is a register tile of wide vectors times broadcast numbers, on
// operands that are produced in the order of reading, so that nothing is packed.
//
// Both are cut into panels of up to PanelShape::wide groups of kLanes vectors, [sample][vector]
// each: three groups of R, one of L in the Gram, three of both in the kernel, whose vectors are the
// samples and whose sums are over units, as many as a panel has "samples". The register tile
// depends on the processor (AVX-512, AVX2 with FMA, or 128-bit vectors) and is chosen once at load;
// the order of the sums is always that of the samples.
#ifndef GAUSSFLOW_CORE_PAIR_PRODUCT_H_
#define GAUSSFLOW_CORE_PAIR_PRODUCT_H_

#include <cstddef>

namespace gaussflow {

// Shape and addresses of one operand's panels for `capacity` samples.
template <typename T>
struct PanelShape {
  static constexpr size_t kLanes = 64 / sizeof(T);  // a cache line, a group

  size_t groups;    // of kLanes vectors
  size_t wide;      // groups in a whole panel
  size_t capacity;  // samples

  // Room between panels: one line more than the samples need, so that panels do not share cache
  // sets.
  size_t Stride() const { return (capacity + 1) * wide * kLanes; }
  size_t Panels() const { return (groups + wide - 1) / wide; }
  size_t Width(size_t panel) const {
    return groups - panel * wide < wide ? groups - panel * wide : wide;
  }
  size_t Size() const { return Panels() * Stride(); }
};

// values[column][row] (+)= sum over samples of right[row] left[column]; right.groups * kLanes rows,
// left.groups * kLanes columns, `stride` apart (whole lines). All pointers on cache lines.
void PairProduct(const PanelShape<double>& right_shape, const double* right,
                 const PanelShape<double>& left_shape, const double* left, size_t samples, bool add,
                 double* values, size_t stride);
void PairProduct(const PanelShape<float>& right_shape, const float* right,
                 const PanelShape<float>& left_shape, const float* left, size_t samples, bool add,
                 float* values, size_t stride);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_PAIR_PRODUCT_H_
