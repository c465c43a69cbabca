// Sums and updates of large vectors on the thread pool, for the gradient (engine.cc, tangents.cc),
// the kernel and the sums of slots, and for the addon's vector functions (vector_functions.cc). A
// vector is cut into parts whose sizes depend on its length alone, so that no result depends on the
// number of threads. Vectors below kLargeVector entries are one part, which the calling thread
// computes, because waking another thread takes longer.
#ifndef GAUSSFLOW_CORE_VECTORS_H_
#define GAUSSFLOW_CORE_VECTORS_H_

#include <algorithm>
#include <cstddef>

#include "thread_pool.h"

namespace gaussflow {

constexpr size_t kLargeVector = 1 << 21;  // LARGE_VECTOR of src/algebra/vectors.ts
constexpr size_t kVectorParts = 64;

// Entries of a part of a vector of n entries; all parts but the last have so many.
constexpr size_t VectorPart(size_t n) {
  return n < kLargeVector ? n : Parts(Parts(n, kVectorParts), 8) * 8;
}

// body(part, first, last) for every part [first, last) of n entries.
template <typename Body>
void ForEachPart(size_t n, int threads, const Body& body) {
  const size_t size = VectorPart(n);
  if (n < kLargeVector) {
    if (n > 0) body(size_t{0}, size_t{0}, n);
    return;
  }
  ThreadPool::Instance().Run(threads, Parts(n, size), Cancel{}, [&](size_t part, int /*worker*/) {
    body(part, part * size, std::min(n, (part + 1) * size));
  });
}

// a . b. From kLargeVector entries on the bits are those of `dot` in src/algebra/vectors.ts.
double Dot(size_t n, const double* a, const double* b, int threads);
// out = a + factor * b; out may be a or b.
void AddScaled(size_t n, const double* a, double factor, const double* b, double* out, int threads);
void Copy(size_t n, const double* from, double* to, int threads);
void Fill(size_t n, double value, double* to, int threads);
bool AllFinite(size_t n, const double* a, int threads);
// |a|_inf of finite numbers, by the thread that calls it.
double LargestMagnitude(size_t n, const double* a);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_VECTORS_H_
