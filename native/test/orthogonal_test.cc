// The orthogonal system against plain loops: R^T R, steps with and without damping and decay, rank,
// tiny singular values, threads, failures; and the inertia that counts eigenvalues.
#include <limits>

#include "blas.h"
#include "check.h"
#include "curvature/orthogonal_system.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// m x p, column-major, with the right-hand side as column p.
struct Rows {
  size_t m, p;
  Vector a;
  double at(size_t i, size_t j) const { return a[j * m + i]; }
};

Rows Random(size_t m, size_t p, unsigned seed) { return {m, p, Draw(seed).Normals(m * (p + 1))}; }

Status AbsorbAll(OrthogonalSystem* system, const Rows& rows, size_t height, const Cancel& cancel) {
  Status status = system->Reset(rows.p, height);
  for (size_t first = 0; status.ok() && first < rows.m; first += height) {
    const size_t count = std::min(height, rows.m - first);
    for (size_t j = 0; j <= rows.p; ++j)
      for (size_t i = 0; i < count; ++i) system->block()[j * count + i] = rows.at(first + i, j);
    status = system->Absorb(count, cancel);
  }
  return status;
}

// Largest entry of A^T (A s + b) + shift s + offset, in units of rounding: |A|^2 |s| + |A| |b| +
// ...
double Slope(const Rows& rows, const Vector& shift, const Vector& offset, const Vector& step) {
  double square = 0.0, right = 0.0, length = 0.0, top = 0.0;
  for (size_t i = 0; i < rows.m; ++i) {
    for (size_t j = 0; j < rows.p; ++j) square += rows.at(i, j) * rows.at(i, j);
    right += rows.at(i, rows.p) * rows.at(i, rows.p);
  }
  for (const double value : step) length += value * value;
  Vector rest(rows.m);
  for (size_t i = 0; i < rows.m; ++i) {
    rest[i] = rows.at(i, rows.p);
    for (size_t j = 0; j < rows.p; ++j) rest[i] += rows.at(i, j) * step[j];
  }
  double scale = square * std::sqrt(length) + std::sqrt(square * right);
  for (size_t j = 0; j < rows.p; ++j) {
    double sum = 0.0;
    for (size_t i = 0; i < rows.m; ++i) sum += rows.at(i, j) * rest[i];
    if (!shift.empty()) sum += shift[j] * step[j];
    if (!offset.empty()) sum += offset[j];
    if (!shift.empty()) scale = std::fmax(scale, shift[j] * std::fabs(step[j]));
    top = std::fmax(top, std::fabs(sum));
  }
  return top / (static_cast<double>(rows.m + rows.p) * kEps * scale);
}

// One matrix in blocks of `height` rows: R^T R = A^T A, minima, the same bits on every number of
// threads.
void TestSteps(size_t m, size_t p, size_t height) {
  const Rows rows = Random(m, p, static_cast<unsigned>(m + 7 * p));
  Draw draw(5);
  Vector shift = draw.Normals(p), offset = draw.Normals(p);
  for (double& value : shift) value = value * value + 0.01;
  Vector first;
  for (int threads = 1; threads <= 4; ++threads) {
    OrthogonalSystem system(threads);
    CHECK(AbsorbAll(&system, rows, height, {}).ok(), "absorb");
    Vector answers(p * p);
    system.CopyGram(answers.data());
    if (threads == 1) {
      double off = 0.0, scale = 0.0;
      for (size_t i = 0; i < p; ++i)
        for (size_t j = 0; j < p; ++j) {
          double sum = 0.0;
          for (size_t k = 0; k < m; ++k) sum += rows.at(k, i) * rows.at(k, j);
          off = std::fmax(off, std::fabs(sum - answers[i * p + j]));
          scale = std::fmax(scale, std::fabs(sum));
        }
      // Columnwise backward stable: |R^T R - A^T A| <= c (m + p) eps |a_i| |a_j|.
      CHECK(off < 4.0 * static_cast<double>(m + p) * kEps * scale, "%zu x %zu: Gram off by %g", m,
            p, off);
      CHECK(std::fabs(system.ColumnSquare(p - 1) - answers[p * p - 1]) <= 8.0 * kEps * scale,
            "column square");
    }
    for (const bool damped : {false, true}) {
      for (const bool pulled : {false, true}) {
        if (pulled && !damped) continue;  // a decay is a shift too
        Vector step(p);
        Rank rank;
        double residual = -1.0;
        const Status status =
            system.Solve(damped ? shift.data() : nullptr, pulled ? offset.data() : nullptr, {},
                         step.data(), &residual, &rank);
        CHECK(status.ok(), "solve");
        const size_t full = damped ? p : std::min(m, p);
        CHECK(rank.rank == full, "%zu x %zu: rank %zu of %zu", m, p, rank.rank, full);
        CHECK(rank.tolerance == kEps * static_cast<double>(std::max(damped ? m + p : m, p)),
              "tolerance");
        const double slope =
            Slope(rows, damped ? shift : Vector(), pulled ? offset : Vector(), step);
        CHECK(slope < 4.0, "%zu x %zu, damped %d, pulled %d: no minimum, slope %g", m, p, damped,
              pulled, slope);
        CHECK(residual >= 0.0 && residual < 1e-8, "residual %g", residual);
        answers.insert(answers.end(), step.begin(), step.end());
        answers.push_back(residual);
        answers.push_back(rank.largest);
        answers.push_back(rank.smallest);
      }
    }
    if (threads == 1) first = answers;
    CHECK(answers == first, "%zu x %zu: other bits with %d threads", m, p, threads);
  }
}

// A column that repeats another, one of zeros, and one of 1e-200: rank p - 3, no step along them.
void TestShortRank() {
  const size_t m = 300, p = 70;
  Rows rows = Random(m, p, 3);
  for (size_t i = 0; i < m; ++i) {
    rows.a[65 * m + i] = rows.at(i, 2);
    rows.a[40 * m + i] = 0.0;
    rows.a[10 * m + i] *= 1e-200;
  }
  OrthogonalSystem system(2);
  CHECK(AbsorbAll(&system, rows, 128, {}).ok(), "absorb");
  Vector step(p);
  Rank rank;
  double residual = 0.0;
  CHECK(system.Solve(nullptr, nullptr, {}, step.data(), &residual, &rank).ok(), "solve");
  CHECK(rank.rank == p - 3, "rank %zu", rank.rank);
  CHECK(step[40] == 0.0 && std::fabs(step[10]) < 1e-100, "steps %g %g", step[40], step[10]);
  CHECK(std::fabs(step[2] - step[65]) < 1e-12 * std::fabs(step[2]), "equal columns, unequal steps");
  CHECK(Slope(rows, {}, {}, step) < 4.0, "no minimum");
  std::atomic<bool> flag{true};
  CHECK(system.Solve(nullptr, nullptr, {&flag, nullptr}, step.data(), &residual, &rank).code ==
            Code::kCanceled,
        "a raised flag cancels the pivoted solve");
}

// A = B D with B_ij = min(i, j) + 1, whose determinant is 1, and powers of two: the product of the
// singular values is that of D, to p cond(B) eps, however small the least of them is.
void TestTinyValues() {
  const size_t p = 8;
  const int powers[p] = {-40, 0, -90, -10, -60, -20, -75, -5};
  Rows rows{p, p, Vector(p * (p + 1), 1.0)};
  double expected = 0.0;
  for (size_t j = 0; j < p; ++j) {
    expected += 2.0 * powers[j];
    for (size_t i = 0; i < p; ++i)
      rows.a[j * p + i] = std::ldexp(static_cast<double>(std::min(i, j) + 1), powers[j]);
  }
  OrthogonalSystem system(1);
  CHECK(AbsorbAll(&system, rows, 3, {}).ok(), "absorb");
  for (const bool wanted : {false, true}) {
    Vector squares(p), vectors(p * p);
    CHECK(system.SingularValues(squares.data(), wanted ? vectors.data() : nullptr).ok(), "values");
    double found = 0.0;
    for (size_t k = 0; k < p; ++k) {
      CHECK(k == 0 || squares[k] >= squares[k - 1], "not ascending");
      found += std::log2(squares[k]);
    }
    CHECK(std::fabs(found - expected) < 1e-11, "product 2^%.17g, not 2^%g", found, expected);
    for (size_t i = 0; wanted && i < p; ++i)
      for (size_t j = 0; j <= i; ++j) {
        double sum = i == j ? -1.0 : 0.0;
        for (size_t k = 0; k < p; ++k) sum += vectors[i * p + k] * vectors[j * p + k];
        CHECK(std::fabs(sum) < 8.0 * static_cast<double>(p) * kEps, "vectors %zu, %zu: %g", i, j,
              sum);
      }
  }
}

// Values whose squares overflow.
void TestHugeValues() {
  const double size = 1e300;
  Vector a{3.0 * size, 0.0, 0.0, 0.0, 0.0, 5.0 * size, 0.0, 4.0 * size, 0.0}, values(3), v(9);
  CHECK(blas::RightSingular(3, a.data(), values.data(), v.data()), "converges");
  for (size_t k = 0; k < 3; ++k)
    CHECK(std::fabs(values[k] / size - (5.0 - static_cast<double>(k))) < 20.0 * kEps, "value %g",
          values[k]);
}

// The step from the gradient A^T b against the one from b, of columns whose lengths differ by
// 2^500; and of a column that repeats another, which no length hides.
void TestByGradient() {
  const size_t m = 120, p = 40;
  const Rows even = Random(m, p, 11);
  Rows rows = even;
  for (size_t j = 0; j < p; ++j)
    for (size_t i = 0; i < m; ++i)
      rows.a[j * m + i] = std::ldexp(rows.at(i, j), j % 3 == 0 ? -500 : 0);
  Vector gradient(p, 0.0), plain(p), step(p);
  for (size_t j = 0; j < p; ++j)
    for (size_t i = 0; i < m; ++i) gradient[j] += rows.at(i, j) * rows.at(i, p);
  Rank rank;
  double residual = 1.0;
  OrthogonalSystem system(2);
  CHECK(AbsorbAll(&system, even, 50, {}).ok(), "absorb");
  CHECK(system.Solve(nullptr, nullptr, {}, plain.data(), &residual, &rank).ok(), "solve");
  CHECK(AbsorbAll(&system, rows, 50, {}).ok(), "absorb");
  const Status status =
      system.SolveByGradient(nullptr, gradient.data(), {}, step.data(), &residual, &rank);
  CHECK(status.ok() && rank.rank == p, "columns of any length are regular");
  CHECK(residual < static_cast<double>(m + p) * kEps, "residual %g", residual);
  CHECK(rank.smallest < 1e-140, "smallest %g", rank.smallest);
  for (size_t j = 0; j < p; ++j) {
    const double scaled = std::ldexp(step[j], j % 3 == 0 ? -500 : 0);
    // The condition of a 120 x 40 matrix of normal numbers is below 10.
    CHECK(std::fabs(scaled - plain[j]) < 100.0 * static_cast<double>(m) * kEps, "step %zu: %g, %g",
          j, scaled, plain[j]);
  }
  for (size_t i = 0; i < m; ++i) rows.a[3 * m + i] = std::ldexp(rows.at(i, 1), -500);
  CHECK(AbsorbAll(&system, rows, 50, {}).ok(), "absorb");
  CHECK(system.SolveByGradient(nullptr, gradient.data(), {}, step.data(), &residual, &rank).code ==
            Code::kIndefinite,
        "a column that repeats another");
}

void TestFailures() {
  const size_t m = 200, p = 150;
  Rows rows = Random(m, p, 9);
  std::atomic<bool> flag{true};
  const Cancel cancel{&flag, nullptr};
  OrthogonalSystem system(2);
  CHECK(AbsorbAll(&system, rows, m, cancel).code == Code::kCanceled, "a raised flag cancels");
  CHECK(AbsorbAll(&system, rows, m, {}).ok(), "absorb");
  Vector step(p), shift(p, 1.0);
  Rank rank;
  double residual = 0.0;
  CHECK(system.Solve(shift.data(), nullptr, cancel, step.data(), &residual, &rank).code ==
            Code::kCanceled,
        "a raised flag cancels a damped solve");
  CHECK(system.Solve(shift.data(), nullptr, {}, step.data(), &residual, &rank).ok() &&
            Slope(rows, shift, {}, step) < 4.0,
        "the triangle is whole after it");
  rows.a[5] = std::nan("");
  CHECK(AbsorbAll(&system, rows, m, {}).code == Code::kNonFinite, "NaN");
}

void TestInertia() {
  // tridiag(-1, 2, -1): eigenvalues 2 - 2 cos(k pi / (n + 1)).
  for (const size_t n : {1u, 2u, 50u, 333u}) {
    for (size_t below = 0; below <= n; below += 1 + n / 7) {
      const double angle = std::acos(-1.0) / static_cast<double>(n + 1);
      const double bound = 2.0 - 2.0 * std::cos(angle * (static_cast<double>(below) + 0.5));
      Vector a(n * n, 0.0);
      for (size_t i = 0; i < n; ++i) {
        a[i * n + i] = 2.0 - bound;
        if (i > 0) a[i * n + i - 1] = -1.0;
      }
      const size_t found = blas::NegativeInertia(n, a.data());
      CHECK(found == below, "n %zu: %zu below, counted %zu", n, below, found);
    }
  }
  // Zero diagonals, which only pivots of order two can take: [0 1; 1 0] has one eigenvalue each
  // way.
  for (const size_t n : {2u, 10u, 200u}) {
    Vector a(n * n, 0.0);
    for (size_t i = 0; i + 1 < n; i += 2) a[(i + 1) * n + i] = 1.0;
    CHECK(blas::NegativeInertia(n, a.data()) == n / 2, "n %zu", n);
  }
  Vector zero(9, 0.0);
  CHECK(blas::NegativeInertia(3, zero.data()) == 0, "zeros are not negative");
}

}  // namespace

int main() {
  // Panels of 32 columns and chunks of 64, p + 1 columns; rows below, at and above both.
  for (const size_t p : {1u, 2u, 31u, 32u, 33u, 63u, 95u, 96u, 97u, 161u}) {
    TestSteps(2 * p + 1, p, 2 * p + 1);
    TestSteps(3 * p, p, 5);
    TestSteps(p + 40, p, 64);
    TestSteps((p + 1) / 2, p, 33);
  }
  TestSteps(1, 40, 1);
  TestShortRank();
  TestTinyValues();
  TestHugeValues();
  TestByGradient();
  TestFailures();
  TestInertia();
  return Finish();
}
