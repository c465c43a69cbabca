// The matrix product: every transposition at sizes on, before and after the ends of its blocks and
// panels against sums in long double; what it must not read or write.
#include "gemm.h"

#include <limits>

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Matrix {
  size_t ld;
  Vector values;
  Matrix(size_t rows, size_t columns, unsigned seed)
      : ld(rows + 3), values(Draw(seed).Normals(ld * columns)) {}
};

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

  double worst = 0.0;
  bool kept = true;
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
      const double error =
          std::fabs(static_cast<double>(c.values[j * c.ld + i] - sum) / static_cast<double>(size));
      worst = error <= worst ? worst : error;  // a NaN is the worst
    }
    for (size_t i = m; i < c.ld; ++i)
      kept = kept && c.values[j * c.ld + i] == before.values[j * c.ld + i];
  }
  // A sum of k products in any order, and the two of alpha and beta: Higham section 3.1.
  CHECK(worst < static_cast<double>(k + 3) * std::numeric_limits<double>::epsilon(),
        "%c%c %zu %zu %zu beta %g: error %g", trans_a, trans_b, m, n, k, beta, worst);
  CHECK(kept, "%c%c %zu %zu %zu: rows after the last were written", trans_a, trans_b, m, n, k);
}

// A NaN stays in its own row and column: nothing that fills a panel up is multiplied by it.
void TestContainment(size_t row, size_t column) {
  const size_t m = 270, n = 261, k = 40;
  Vector a = Draw(4).Normals(m * k), b = Draw(5).Normals(k * n), c(m * n);
  a[7 * m + row] = kNaN;
  b[column * k + 9] = kNaN;
  Gemm('N', 'N', m, n, k, 1.0, a.data(), m, b.data(), k, 0.0, c.data(), m);
  size_t wrong = 0;
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i < m; ++i)
      wrong += std::isnan(c[j * m + i]) != (i == row || j == column) ? 1 : 0;
  CHECK(wrong == 0, "row %zu, column %zu: %zu entries are wrongly NaN or number", row, column,
        wrong);
}

}  // namespace

int main() {
  for (const char trans_a : {'N', 'T'}) {
    for (const char trans_b : {'N', 'T'}) {
      // Blocks are 264 x 256 over 256, panels 24 and 8, registers 8; the first is left to the BLAS.
      const size_t sizes[][3] = {{3, 5, 7},      {264, 256, 256}, {265, 257, 257}, {263, 255, 255},
                                 {24, 520, 513}, {17, 301, 300},  {301, 9, 600},   {8, 600, 300},
                                 {1, 1025, 999}, {1500, 1, 700},  {530, 514, 24},  {300, 300, 25}};
      for (const auto& [m, n, k] : sizes)
        for (const double beta : {0.0, 1.0, -0.3}) TestProduct(trans_a, trans_b, m, n, k, beta);
    }
  }
  TestContainment(0, 0);
  TestContainment(269, 260);
  return Finish();
}
