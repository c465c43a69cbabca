#include "self_test.h"

#include <cmath>
#include <limits>
#include <vector>

#include "blas.h"
#include "thread_pool.h"

namespace gaussflow {

namespace {

// A = I n + B B^T with B from a small linear congruential generator; solves A x = A 1 and returns
// the largest error, or -pivot.
double SolveKnownSystem(size_t n, unsigned seed) {
  std::vector<double> b(n * n), a(n * n, 0.0), x(n, 1.0), right(n, 0.0);
  unsigned state = seed;
  for (double& value : b) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<double>(state >> 8) / (1 << 24) - 0.5;
  }
  for (size_t i = 0; i < n; ++i) a[i * n + i] = static_cast<double>(n);
  blas::SyrkLower(n, n, 1.0, b.data(), n, 1.0, a.data(), n);
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = j; i < n; ++i) {
      right[i] += a[j * n + i];
      if (i != j) right[j] += a[j * n + i];
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

}  // namespace

SelfTest TestBlas(size_t n) {
  if (!blas::HasInt32Interface())
    return {false,
            "the BLAS uses 64-bit integers under 32-bit names: install a 32-bit (LP64) OpenBLAS"};
  blas::HoldToOneThread();
  // The matrix has condition of order 1; n * eps with room for the sums of n terms.
  const double tolerance = 100.0 * static_cast<double>(n) * std::numeric_limits<double>::epsilon();
  constexpr size_t kCallers = 4;
  double errors[1 + kCallers];
  errors[0] = SolveKnownSystem(n, 1);
  ThreadPool::Instance().Run(kCallers, kCallers, {}, [&](size_t task, int) {
    errors[1 + task] = SolveKnownSystem(n < 256 ? n : 256, static_cast<unsigned>(task) + 2);
  });
  for (size_t i = 0; i <= kCallers; ++i) {
    const std::string where = i == 0 ? "" : " when called from four threads at once";
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
  return {true, "Cholesky of order " + std::to_string(n) + " is right"};
}

}  // namespace gaussflow
