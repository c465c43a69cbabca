// Implements the self-test of the addon's BLAS (self_test.h): factorizations and products with
// known answers, also from several threads.
#include "self_test.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "blas.h"
#include "buffer.h"
#include "gemm.h"
#include "guarded.h"
#include "thread_pool.h"

namespace gaussflow {

namespace {

// OpenBLAS answers 1 where it has threads of its own, and then its locks; 0 is a serial build, 2
// one on OpenMP, whose buffers are counted for its own threads.
constexpr int kOwnThreads = 1;

// A program starts with this order and less; the installer and the doctor ask for more.
constexpr size_t kQuick = 256;

// A = I n + B B^T with B (n x n) from a small linear congruential generator; solves A x = A 1 and
// returns the largest error, or -pivot; NaN where there is no memory for it.
double SolveKnownSystem(size_t n, unsigned seed) {
  Buffer b, a;
  if (!b.Reserve(n * n) || !a.Reserve(n * n)) return std::nan("");
  unsigned state = seed;
  for (size_t i = 0; i < n * n; ++i) {
    state = state * 1664525u + 1013904223u;
    b.data()[i] = static_cast<double>(state >> 8) / (1 << 24) - 0.5;
    a.data()[i] = i % (n + 1) == 0 ? static_cast<double>(n) : 0.0;
  }
  blas::SyrkLower(n, n, 1.0, b.data(), n, 1.0, a.data(), n);
  std::vector<double> right(n, 0.0);
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = j; i < n; ++i) {
      right[i] += a.data()[j * n + i];
      if (i != j) right[j] += a.data()[j * n + i];
    }
  }
  const int info = blas::Potrf(n, a.data(), n);
  if (info != 0) return -static_cast<double>(info);
  blas::TrsvLower(false, n, a.data(), n, right.data());
  blas::TrsvLower(true, n, a.data(), n, right.data());
  double worst = 0.0;
  for (const double value : right) worst = std::fmax(worst, std::fabs(value - 1.0));
  return std::isfinite(right[0]) ? worst : HUGE_VAL;
}

// The largest difference between our matrix product and the BLAS's, of the least order at which it
// is ours and of numbers between -1/2 and 1/2; NaN where there is no memory for it.
double ProductError() {
  constexpr size_t kOrder = 104;
  Buffer numbers;
  if (!numbers.Reserve(4 * kOrder * kOrder)) return std::nan("");
  double *a = numbers.data(), *b = a + kOrder * kOrder, *ours = b + kOrder * kOrder,
         *theirs = ours + kOrder * kOrder;
  unsigned state = 1;
  for (size_t i = 0; i < 2 * kOrder * kOrder; ++i) {
    state = state * 1664525u + 1013904223u;
    a[i] = static_cast<double>(state >> 8) / (1 << 24) - 0.5;
  }
  Gemm('N', 'N', kOrder, kOrder, kOrder, 1.0, a, kOrder, b, kOrder, 0.0, ours, kOrder);
  blas::Gemm('N', 'N', kOrder, kOrder, kOrder, 1.0, a, kOrder, b, kOrder, 0.0, theirs, kOrder);
  double worst = 0.0;
  for (size_t i = 0; i < kOrder * kOrder; ++i) {
    const double error = std::fabs(ours[i] - theirs[i]);
    if (!(error <= worst)) worst = std::isnan(error) ? HUGE_VAL : error;
  }
  return worst;
}

SelfTest Test(size_t n) {
  if (!blas::HasInt32Interface())
    return {false,
            "the BLAS uses 64-bit integers under 32-bit names: install a 32-bit (LP64) OpenBLAS"};
  const blas::Caller caller;
  // The matrix has condition of order 1; n * eps with room for the sums of n terms.
  const double tolerance = 100.0 * static_cast<double>(n) * std::numeric_limits<double>::epsilon();
  constexpr size_t kMostCallers = 4;
  const size_t callers = n > kQuick || blas::Parallel() != kOwnThreads ? kMostCallers : 0;
  double errors[1 + kMostCallers];
  errors[0] = SolveKnownSystem(n, 1);
  ThreadPool::Instance().Run(kMostCallers, callers, {}, [&](size_t task, int) {
    errors[1 + task] = SolveKnownSystem(std::min(n, kQuick), static_cast<unsigned>(task) + 2);
  });
  for (size_t i = 0; i <= callers; ++i) {
    const std::string where = i == 0 ? "" : " when called from four threads at once";
    if (std::isnan(errors[i]))
      return {false,
              "there is no memory for a Cholesky solve of order " + std::to_string(n) + where};
    if (errors[i] < 0.0)
      return {false, "dpotrf calls a positive definite matrix of order " + std::to_string(n) +
                         " indefinite at pivot " + std::to_string(static_cast<long>(-errors[i])) +
                         where + " (kernel " + blas::CoreName() +
                         "); try the environment variable OPENBLAS_CORETYPE=Haswell"};
    if (!(errors[i] <= tolerance))
      return {false, "a Cholesky solve is wrong by " + std::to_string(errors[i]) + where +
                         " (kernel " + blas::CoreName() +
                         "); try the environment variable OPENBLAS_CORETYPE=Haswell"};
  }
  // Sums of 104 products of at most 1/4 in two orders.
  const double difference = ProductError();
  if (std::isnan(difference)) return {false, "there is no memory for a matrix product"};
  if (difference > 2.0 * 104.0 * 26.0 * std::numeric_limits<double>::epsilon())
    return {false, "two matrix products, the BLAS's and ours, differ by " +
                       std::to_string(difference) + " (kernel " + blas::CoreName() +
                       "); try the environment variable OPENBLAS_CORETYPE=Haswell"};
  return {true, "Cholesky of order " + std::to_string(n) + " is right"};
}

}  // namespace

SelfTest TestBlas(size_t n) {
  try {
    return Test(n);
  } catch (const OutOfMemory& error) {
    return {false, "there is no memory for it: " + std::to_string(error.bytes() >> 20) +
                       " MiB of address space cannot be had"};
  } catch (const std::bad_alloc&) {
    return {false, "there is no memory for it"};
  }
}

}  // namespace gaussflow
