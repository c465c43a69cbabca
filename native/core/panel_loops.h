// Provides elementwise loops over a row of a panel, in double and float, for the products
// (products.cc, products_loss.cc) and the tangent kernel (curvature/kernel_builder.cc). They are
// compiled for several processors (simd.h).
#ifndef GAUSSFLOW_CORE_PANEL_LOOPS_H_
#define GAUSSFLOW_CORE_PANEL_LOOPS_H_

#include <cstddef>

namespace gaussflow {

// z *= a
void MultiplyInto(size_t n, const double* a, double* z);
void MultiplyInto(size_t n, const float* a, float* z);
// out = scale * a * b
void MultiplyScaled(size_t n, double scale, const double* a, const double* b, double* out);
void MultiplyScaled(size_t n, float scale, const float* a, const float* b, float* out);
// sum = product * (scale * inner + shift), or is added to it where it is not the `first`.
void AddFused(size_t n, double scale, double shift, const double* product, const double* inner,
              bool first, double* sum);
// out = scale * a
void Round(size_t n, double scale, const double* a, float* out);
// In double.
double Sum(size_t n, const double* a);
double Sum(size_t n, const float* a);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_PANEL_LOOPS_H_
