// Implements the elementwise loops over panels (panel_loops.h), compiled for several processors.
#include "panel_loops.h"

#include "simd.h"

namespace gaussflow {

// Overloads, because clones are of plain functions only.
GAUSSFLOW_CLONES
void MultiplyInto(size_t n, const double* a, double* z) {
  for (size_t i = 0; i < n; ++i) z[i] *= a[i];
}

GAUSSFLOW_CLONES
void MultiplyInto(size_t n, const float* a, float* z) {
  for (size_t i = 0; i < n; ++i) z[i] *= a[i];
}

GAUSSFLOW_CLONES
void MultiplyScaled(size_t n, double scale, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = scale * a[i] * b[i];
}

GAUSSFLOW_CLONES
void MultiplyScaled(size_t n, float scale, const float* a, const float* b, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = scale * a[i] * b[i];
}

GAUSSFLOW_CLONES
void AddFused(size_t n, double scale, double shift, const double* product, const double* inner,
              bool first, double* sum) {
  if (first) {
    for (size_t i = 0; i < n; ++i) sum[i] = product[i] * (scale * inner[i] + shift);
  } else {
    for (size_t i = 0; i < n; ++i) sum[i] += product[i] * (scale * inner[i] + shift);
  }
}

GAUSSFLOW_CLONES
void Round(size_t n, double scale, const double* a, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(scale * a[i]);
}

// In eight strands, which the compiler may run side by side: one strand would wait for every
// addition.
GAUSSFLOW_CLONES
double Sum(size_t n, const double* a) {
  double strands[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t k = 0; k < 8; ++k) strands[k] += a[i + k];
  double total = 0.0;
  for (const double strand : strands) total += strand;
  for (; i < n; ++i) total += a[i];
  return total;
}

GAUSSFLOW_CLONES
double Sum(size_t n, const float* a) {
  double strands[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t k = 0; k < 8; ++k) strands[k] += static_cast<double>(a[i + k]);
  double total = 0.0;
  for (const double strand : strands) total += strand;
  for (; i < n; ++i) total += static_cast<double>(a[i]);
  return total;
}

}  // namespace gaussflow
