// The tiled Cholesky factorization: residual, first bad pivot, the same bits for every number of
// threads.
#include "cholesky.h"

#include <algorithm>
#include <limits>
#include <new>

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

// L X = B and L^T X = B for one and for many right-hand sides, by their residuals; `count` 70
// crosses the parts of right-hand sides, n the blocks of rows.
void TestSolves(size_t n, const Vector& l) {
  for (const bool transpose : {false, true}) {
    for (const size_t count : {1u, 2u, 70u}) {
      const size_t ld = n + 3;
      const Vector b = Draw(static_cast<unsigned>(n + count)).Normals(ld * count);
      Vector first;
      for (int threads = 1; threads <= 3; ++threads) {
        Vector x = b;
        CHECK(SolveTriangular(transpose, n, l.data(), n, count, x.data(), ld, threads, {}).ok(),
              "n %zu", n);
        if (threads == 1) first = x;
        CHECK(x == first, "n %zu count %zu: other bits with %d threads", n, count, threads);
      }
      double worst = 0.0;
      for (size_t v = 0; v < count; ++v)
        for (size_t i = 0; i < n; ++i) {
          const size_t begin = transpose ? i : 0, end = transpose ? n : i + 1;
          double sum = -b[v * ld + i], size = std::fabs(b[v * ld + i]);
          for (size_t k = begin; k < end; ++k) {
            const double term = (transpose ? l[i * n + k] : l[k * n + i]) * first[v * ld + k];
            sum += term;
            size += std::fabs(term);
          }
          worst = std::fmax(worst, std::fabs(sum) / size);
        }
      // Rounding of one row: |b - L x| <= (n + 1) eps (|L| |x| + |b|), Higham theorem 8.5.
      CHECK(worst < static_cast<double>(n + 1) * std::numeric_limits<double>::epsilon(),
            "n %zu count %zu transpose %d: residual %g", n, count, transpose, worst);
    }
  }
}

}  // namespace

int main() {
  for (const size_t n : {1u, 7u, 95u, 97u, 191u, 192u, 193u, 400u, 577u, 1153u}) {
    if (Small() && n > 200) break;
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
        TestSolves(n, l);
      }
      CHECK(l == first, "n %zu: other bits with %d threads", n, threads);
    }
    // A matrix that is made tile by tile: all of it once, and the same factor.
    Vector made(n * n, -7.0);
    std::vector<int> times(n * n, 0);
    const Status status = Cholesky(n, made.data(), n, 2, {},
                                   [&](size_t row, size_t rows, size_t column, size_t columns) {
                                     for (size_t j = column; j < column + columns; ++j)
                                       for (size_t i = std::max(row, j); i < row + rows; ++i) {
                                         made[j * n + i] = a[j * n + i];
                                         ++times[j * n + i];
                                       }
                                   });
    CHECK(status.ok(), "n %zu", n);
    for (size_t j = 0; j < n; ++j)
      for (size_t i = j; i < n; ++i)
        CHECK(times[j * n + i] == 1 && made[j * n + i] == first[j * n + i], "entry %zu %zu of %zu",
              i, j, n);
    // A pivot made negative is found, exactly, whatever the tile it lies in.
    for (const size_t pivot : {size_t{0}, n / 2, n - 1}) {
      Vector l = a;
      l[pivot * n + pivot] = -1.0;
      const Status status = Cholesky(n, l.data(), n, 2, {});
      CHECK(status.code == Code::kIndefinite && status.value == pivot, "n %zu pivot %zu told %zu",
            n, pivot, status.value);
    }
  }
  // A task that throws, with others that wait for its tile: all of them end, and the exception
  // arrives.
  for (const size_t row : {0u, 192u, 384u}) {
    Vector l = Positive(577, 2);
    bool thrown = false;
    try {
      Cholesky(577, l.data(), 577, 3, {}, [row](size_t at, size_t, size_t, size_t) {
        if (at == row) throw std::bad_alloc();
      });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    CHECK(thrown, "a tile at row %zu that cannot be filled", row);
  }
  std::atomic<bool> flag{true};
  Vector a = Positive(400, 1);
  CHECK(Cholesky(400, a.data(), 400, 2, {&flag, nullptr}).code == Code::kCanceled,
        "a raised flag cancels");
  return Finish();
}
