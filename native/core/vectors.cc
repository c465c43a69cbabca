// Implements the sums and updates of large vectors (vectors.h), compiled for several processors.
#include "vectors.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "simd.h"

namespace gaussflow {

namespace {

constexpr size_t kStrands = 8;

// Strand k holds the products k, k + 8, k + 16, ... This file is compiled without contraction to
// fused multiplications and additions, which JavaScript does not have.
GAUSSFLOW_CLONES
double DotInStrands(size_t n, const double* a, const double* b) {
  double strands[kStrands] = {};
  size_t i = 0;
  for (; i + kStrands <= n; i += kStrands)
    for (size_t k = 0; k < kStrands; ++k) strands[k] += a[i + k] * b[i + k];
  double sum = 0.0;
  for (const double strand : strands) sum += strand;
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

GAUSSFLOW_CLONES
void AddScaledPart(size_t n, const double* a, double factor, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = a[i] + factor * b[i];
}

// The product with 0 is NaN for a number that is not finite, and else 0.
GAUSSFLOW_CLONES
bool AllFinitePart(size_t n, const double* a) {
  double strands[kStrands] = {};
  size_t i = 0;
  for (; i + kStrands <= n; i += kStrands)
    for (size_t k = 0; k < kStrands; ++k) strands[k] += 0.0 * a[i + k];
  double sum = 0.0;
  for (const double strand : strands) sum += strand;
  for (; i < n; ++i) sum += 0.0 * a[i];
  return sum == 0.0;
}

}  // namespace

double Dot(size_t n, const double* a, const double* b, int threads) {
  double partial[kVectorParts] = {};
  ForEachPart(n, threads, [&](size_t part, size_t first, size_t last) {
    partial[part] = DotInStrands(last - first, a + first, b + first);
  });
  double sum = 0.0;
  for (const double value : partial) sum += value;
  return sum;
}

void AddScaled(size_t n, const double* a, double factor, const double* b, double* out,
               int threads) {
  ForEachPart(n, threads, [&](size_t, size_t first, size_t last) {
    AddScaledPart(last - first, a + first, factor, b + first, out + first);
  });
}

void Copy(size_t n, const double* from, double* to, int threads) {
  ForEachPart(n, threads, [&](size_t, size_t first, size_t last) {
    std::copy(from + first, from + last, to + first);
  });
}

void Fill(size_t n, double value, double* to, int threads) {
  ForEachPart(n, threads,
              [&](size_t, size_t first, size_t last) { std::fill(to + first, to + last, value); });
}

GAUSSFLOW_CLONES
double LargestMagnitude(size_t n, const double* a) {
  double strands[kStrands] = {};
  size_t i = 0;
  for (; i + kStrands <= n; i += kStrands)
    for (size_t k = 0; k < kStrands; ++k) {
      const double value = std::fabs(a[i + k]);
      strands[k] = value > strands[k] ? value : strands[k];
    }
  double most = 0.0;
  for (const double strand : strands) most = std::max(most, strand);
  for (; i < n; ++i) most = std::max(most, std::fabs(a[i]));
  return most;
}

bool AllFinite(size_t n, const double* a, int threads) {
  std::atomic<bool> finite{true};
  ForEachPart(n, threads, [&](size_t, size_t first, size_t last) {
    if (!AllFinitePart(last - first, a + first)) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load();
}

}  // namespace gaussflow
