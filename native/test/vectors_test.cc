// Passes over large vectors: the sums in the order that vectors.h promises, whatever the number of
// threads, and every entry once.
#include "vectors.h"

#include <limits>

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

// The order of src/algebra/vectors.ts, in plain scalar code.
double DotInOrder(const Vector& a, const Vector& b) {
  const size_t n = a.size(), size = VectorPart(n);
  double sum = 0.0;
  for (size_t first = 0; first < n; first += size) {
    const size_t last = std::min(n, first + size), whole = first + (last - first) / 8 * 8;
    volatile double strands[8] = {};  // volatile: no fused multiplication and addition
    for (size_t i = first; i < whole; ++i) {
      volatile const double product = a[i] * b[i];
      strands[(i - first) % 8] = strands[(i - first) % 8] + product;
    }
    double part = 0.0;
    for (size_t k = 0; k < 8; ++k) part += strands[k];
    for (size_t i = whole; i < last; ++i) {
      volatile const double product = a[i] * b[i];
      part += product;
    }
    sum += part;
  }
  return sum;
}

}  // namespace

int main() {
  Draw draw(1);
  for (const size_t n :
       {size_t{1}, size_t{7}, size_t{1000}, kLargeVector - 1, kLargeVector, kLargeVector + 13}) {
    const Vector a = draw.Normals(n), b = draw.Normals(n);
    for (const int threads : {1, 2, 5}) {
      if (n >= kLargeVector) {
        const double expected = DotInOrder(a, b), found = Dot(n, a.data(), b.data(), threads);
        CHECK(found == expected, "n %zu, %d threads: %.17g for %.17g", n, threads, found, expected);
      }
      Vector sum(n), copy(n);
      AddScaled(n, a.data(), 0.5, b.data(), sum.data(), threads);
      Copy(n, a.data(), copy.data(), threads);
      size_t wrong = 0;
      for (size_t i = 0; i < n; ++i) wrong += sum[i] != a[i] + 0.5 * b[i] || copy[i] != a[i];
      CHECK(wrong == 0, "n %zu, %d threads: %zu entries", n, threads, wrong);
      CHECK(AllFinite(n, a.data(), threads), "n %zu", n);
      for (const size_t bad : {size_t{0}, n / 2, n - 1}) {
        for (const double value :
             {std::nan(""), HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::max()}) {
          copy[bad] = value;
          CHECK(AllFinite(n, copy.data(), threads) == std::isfinite(value), "%g at %zu of %zu",
                value, bad, n);
        }
        copy[bad] = a[bad];
      }
    }
  }
  return Finish();
}
