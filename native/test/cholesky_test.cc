// The tiled Cholesky factorisation: residual, first bad pivot, the same bits for every number of
// threads.
#include "cholesky.h"

#include <limits>

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

// B B^T + n I, column-major, both triangles.
Vector Positive(size_t n, unsigned seed) {
  const Vector b = Draw(seed).Normals(n * 8);
  Vector a(n * n);
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i < n; ++i) {
      double sum = i == j ? 8.0 : 0.0;
      for (size_t k = 0; k < 8; ++k) sum += b[i * 8 + k] * b[j * 8 + k];
      a[j * n + i] = sum;
    }
  return a;
}

}  // namespace

int main() {
  for (const size_t n : {1u, 7u, 191u, 192u, 193u, 400u, 577u}) {
    const Vector a = Positive(n, static_cast<unsigned>(n));
    Vector first;
    for (int threads = 1; threads <= 4; ++threads) {
      Vector l = a;
      const Status status = Cholesky(n, l.data(), n, threads, {});
      CHECK(status.ok(), "n %zu", n);
      if (threads == 1) {
        first = l;
        double worst = 0.0;
        for (size_t j = 0; j < n; ++j)
          for (size_t i = j; i < n; ++i) {
            double sum = 0.0;
            for (size_t k = 0; k <= j; ++k) sum += l[k * n + i] * l[k * n + j];
            worst = std::fmax(worst, std::fabs(sum - a[j * n + i]));
          }
        // |L L^T - A| <= c n eps max|A|, Higham theorem 10.3; max|A| is below 100 here.
        const double bound =
            4.0 * static_cast<double>(n + 1) * std::numeric_limits<double>::epsilon() * 100.0;
        CHECK(worst < bound, "n %zu residual %g", n, worst);
      }
      CHECK(l == first, "n %zu: other bits with %d threads", n, threads);
    }
    // A pivot made negative is found, exactly, whatever the tile it lies in.
    for (const size_t pivot : {size_t{0}, n / 2, n - 1}) {
      Vector l = a;
      l[pivot * n + pivot] = -1.0;
      const Status status = Cholesky(n, l.data(), n, 2, {});
      CHECK(status.code == Code::kIndefinite && status.value == pivot, "n %zu pivot %zu told %zu",
            n, pivot, status.value);
    }
  }
  std::atomic<bool> flag{true};
  Vector a = Positive(400, 1);
  CHECK(Cholesky(400, a.data(), 400, 2, {&flag, nullptr}).code == Code::kCancelled,
        "a raised flag cancels");
  return Finish();
}
