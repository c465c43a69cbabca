// The matrix product: every transposition at sizes on, before and after the ends of its blocks and
// panels against sums in long double; what it must not read or write.
#include "gemm.h"

#include <array>
#include <limits>

#include "blas.h"
#include "check.h"
#include "thread_pool.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Three rows and two columns more than it has, which are NaN.
struct Matrix {
  size_t rows, columns, ld;
  Vector values;
  Matrix(size_t r, size_t c, unsigned seed)
      : rows(r), columns(c), ld(r + 3), values(Draw(seed).Normals(ld * (c + 2))) {
    for (size_t i = 0; i < values.size(); ++i)
      if (Outside(i)) values[i] = kNaN;
  }
  bool Outside(size_t i) const { return i % ld >= rows || i / ld >= columns; }
};

size_t ours = 0;  // products that did not go to the BLAS

void TestProduct(char trans_a, char trans_b, size_t m, size_t n, size_t k, double beta) {
  const double alpha = -0.7;
  const bool turn_a = trans_a == 'T', turn_b = trans_b == 'T';
  const Matrix a(turn_a ? k : m, turn_a ? m : k, 1), b(turn_b ? n : k, turn_b ? k : n, 2);
  const Matrix before(m, n, 3);
  Matrix c = before;
  if (beta == 0.0)
    for (size_t j = 0; j < n; ++j)
      for (size_t i = 0; i < m; ++i) c.values[j * c.ld + i] = kNaN;
  Gemm(trans_a, trans_b, m, n, k, alpha, a.values.data(), a.ld, b.values.data(), b.ld, beta,
       c.values.data(), c.ld);

  ours += GemmIsOurs(m, n, k) ? 1 : 0;

  // A sum of k products in any order, and the two of alpha and beta: Higham section 3.1.
  const double bound = static_cast<double>(k + 3) * std::numeric_limits<double>::epsilon();
  size_t wrong = 0, written = 0;
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i < m; ++i) {
      const double old = beta * before.values[j * c.ld + i];
      long double sum = old, size = std::fabs(old);
      for (size_t q = 0; q < k; ++q) {
        const long double term = static_cast<long double>(alpha) *
                                 a.values[turn_a ? i * a.ld + q : q * a.ld + i] *
                                 b.values[turn_b ? q * b.ld + j : j * b.ld + q];
        sum += term;
        size += std::fabs(term);
      }
      const double error = std::fabs(static_cast<double>(c.values[j * c.ld + i] - sum));
      wrong += error <= bound * static_cast<double>(size) ? 0 : 1;
    }
  }
  for (size_t i = 0; i < c.values.size(); ++i)
    written += c.Outside(i) && !std::isnan(c.values[i]) ? 1 : 0;
  CHECK(wrong == 0, "%c%c %zu %zu %zu beta %g: %zu entries", trans_a, trans_b, m, n, k, beta,
        wrong);
  CHECK(written == 0, "%c%c %zu %zu %zu: %zu numbers outside were written", trans_a, trans_b, m, n,
        k, written);
}

// A NaN stays in its own row and column: what fills a panel up reaches no entry of C.
void TestContainment(char trans_a, char trans_b, size_t row, size_t column) {
  const size_t m = 269, n = 261, k = 40;
  Vector a = Draw(4).Normals(m * k), b = Draw(5).Normals(k * n), c(m * n);
  a[trans_a == 'T' ? row * k + 7 : 7 * m + row] = kNaN;
  b[trans_b == 'T' ? 9 * n + column : column * k + 9] = kNaN;
  Gemm(trans_a, trans_b, m, n, k, 1.0, a.data(), trans_a == 'T' ? k : m, b.data(),
       trans_b == 'T' ? n : k, 0.0, c.data(), m);
  size_t wrong = 0;
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i < m; ++i)
      wrong += std::isnan(c[j * m + i]) != (i == row || j == column) ? 1 : 0;
  CHECK(wrong == 0, "%c%c row %zu, column %zu: %zu entries are wrongly NaN or number", trans_a,
        trans_b, row, column, wrong);
}

// Callers at once have the bits of one alone, whatever room they pack in.
void TestCallers() {
  const size_t m = 200, n = 96, k = 300, callers = 24;
  const Vector a = Draw(6).Normals(m * k), b = Draw(7).Normals(k * n);
  std::vector<Vector> c(callers + 1, Vector(m * n));
  const auto multiply = [&](Vector* to) {
    Gemm('N', 'N', m, n, k, 1.0, a.data(), m, b.data(), k, 0.0, to->data(), m);
  };
  multiply(&c[callers]);
  ThreadPool::Instance().Run(4, callers, {}, [&](size_t i, int) { multiply(&c[i]); });
  for (size_t i = 0; i < callers; ++i) CHECK(c[i] == c[callers], "caller %zu: other bits", i);
}

// The product shared by columns: the same bits on one thread and on three, and where it is ours
// those of the whole.
void TestByColumns(char trans_a, char trans_b, size_t m, size_t n, size_t k) {
  const Vector a = Draw(8).Normals(m * k), b = Draw(9).Normals(k * n),
               before = Draw(10).Normals(m * n);
  const size_t lda = trans_a == 'T' ? k : m, ldb = trans_b == 'T' ? n : k;
  Vector whole = before, one = before, three = before;
  Gemm(trans_a, trans_b, m, n, k, 0.5, a.data(), lda, b.data(), ldb, 1.0, whole.data(), m);
  GemmByColumns(trans_a, trans_b, m, n, k, 0.5, a.data(), lda, b.data(), ldb, 1.0, one.data(), m,
                1);
  GemmByColumns(trans_a, trans_b, m, n, k, 0.5, a.data(), lda, b.data(), ldb, 1.0, three.data(), m,
                3);
  CHECK(one == three, "%c%c %zu %zu %zu: other bits on three threads", trans_a, trans_b, m, n, k);
  if (GemmIsOurs(m, n, k))
    CHECK(one == whole, "%c%c %zu %zu %zu: other bits than the whole", trans_a, trans_b, m, n, k);
  // Sums of k products in two orders, each within k eps of the sum of magnitudes, here at most
  // k * 25 (five standard deviations each).
  const double bound = 50.0 * static_cast<double>(k * k) * std::numeric_limits<double>::epsilon();
  double most = 0.0;
  for (size_t i = 0; i < m * n; ++i) most = std::max(most, std::fabs(one[i] - whole[i]));
  CHECK(most <= bound, "%c%c %zu %zu %zu: %g for %g", trans_a, trans_b, m, n, k, most, bound);
}

}  // namespace

int main() {
  // Before the first product: one of OpenBLAS's own threads sums in another order.
  const blas::Caller caller;
  for (const char trans_a : {'N', 'T'}) {
    for (const char trans_b : {'N', 'T'}) {
      // Blocks are 264 x 256 over 256, panels 24 and 8, vectors 8.
      const size_t sizes[][3] = {{3, 5, 7},      {264, 256, 256}, {265, 257, 257}, {263, 255, 255},
                                 {40, 520, 513}, {17, 301, 300},  {301, 16, 600},  {8, 600, 300},
                                 {1, 1025, 999}, {1500, 1, 700},  {530, 514, 24},  {300, 300, 25},
                                 {55, 104, 400}, {600, 39, 100}};
      for (const auto& [m, n, k] : sizes)
        for (const double beta : {0.0, 1.0, -0.3})
          if (!Small() || m * n * k <= 10000000) TestProduct(trans_a, trans_b, m, n, k, beta);
      TestContainment(trans_a, trans_b, 0, 0);
      TestContainment(trans_a, trans_b, 268, 260);
    }
  }
  TestCallers();
  for (const char trans_b : {'N', 'T'})
    for (const auto& [m, n, k] : std::vector<std::array<size_t, 3>>{
             {38, 300, 1000}, {38, 301, 513}, {3, 520, 70}, {5, 2100, 30}, {40, 1, 600}})
      TestByColumns('N', trans_b, m, n, k);
  std::printf("%zu products were ours\n", ours);
  const bool able = GemmIsOurs(264, 256, 256);
  CHECK(!able || Small() || ours >= 100, "of 168 products %zu were ours", ours);
  CHECK(!GemmIsOurs(3, 5, 7) && !GemmIsOurs(256, 1, 4000) && !GemmIsOurs(4000, 4000, 8), "small");
  return Finish();
}
