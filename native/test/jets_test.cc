// The parts of the engine for residuals with derivatives: operations of a tape and derivatives of
// the activations against differences, products of rows against plain sums.
#include <array>
#include <functional>

#include "check.h"
#include "jet_problem.h"
#include "jets/activation_series.h"
#include "jets/operations.h"
#include "jets/row_product.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

// f'(x) by differences of fourth order, whose error is some eps / kStep = 1e-12.
double Slope(const std::function<double(double)>& f, double x) {
  constexpr double kStep = 1e-3;
  return (8.0 * (f(x + kStep) - f(x - kStep)) - (f(x + 2 * kStep) - f(x - 2 * kStep))) /
         (12.0 * kStep);
}
constexpr double kDifference = 1e-9;

double Value(Operation operation, double a, double b) {
  double out;
  OperationValue(operation, 1, &a, &b, &out);
  return out;
}
double First(Operation operation, bool second, double a, double b) {
  const double v = Value(operation, a, b);
  double out;
  OperationSlope(operation, second, 1, &a, &b, &v, &out);
  return out;
}
double Bend(Operation operation, int which, double a, double b) {
  const double v = Value(operation, a, b), slope = First(operation, false, a, b);
  double out = 0.0;
  if (!OperationBend(operation, which, 1, &a, &b, &v, &slope, &out)) out = 0.0;
  return out;
}

void TestOperations() {
  for (int k = 0; k < kOperationCount; ++k) {
    const Operation operation = static_cast<Operation>(k);
    for (const auto& [a, b] : {std::pair{0.4, 0.9}, std::pair{0.7, -1.6}, std::pair{0.3, 2.2}}) {
      const auto by_a = [&](double x) { return Value(operation, x, b); };
      const auto by_b = [&](double x) { return Value(operation, a, x); };
      const auto near = [&](const char* what, double found, double expected) {
        CHECK(std::fabs(found - expected) <= kDifference * (1.0 + std::fabs(expected)),
              "operation %d, %s at %g, %g: %.12g, not %.12g", k, what, a, b, found, expected);
      };
      near("by a", First(operation, false, a, b), Slope(by_a, a));
      near("by a twice", Bend(operation, 0, a, b),
           Slope([&](double x) { return First(operation, false, x, b); }, a));
      if (!IsBinary(operation)) continue;
      near("by b", First(operation, true, a, b), Slope(by_b, b));
      near("by both", Bend(operation, 1, a, b),
           Slope([&](double x) { return First(operation, false, a, x); }, b));
      near("by b twice", Bend(operation, 2, a, b),
           Slope([&](double x) { return First(operation, true, a, x); }, b));
    }
  }
}

// a^2 for negative a has derivatives, though log a has none; nothing requests one where b is fixed.
void TestPowerOfNegative() {
  TapeMaker tape(2, {3.0});
  tape.Output(tape.Add(Operation::kPower, 0, tape.Constant(0)));
  const Tape cube = tape.Make(1, 2);
  const Vector registers = {-2.0, 0.0, 0.0, 0.0};
  Vector values = registers, gradient(cube.GradientDoubles()), curve(cube.CurveDoubles());
  cube.Values(1, values.data());
  cube.Gradient(0, 1, values.data(), gradient.data());
  CHECK(gradient[0] == 12.0, "3 a^2 = %g", gradient[0]);
  curve[0] = 1.0;
  cube.Curve(1, values.data(), curve.data());
  CHECK(*cube.SecondOf(0, 1, curve.data()) == -12.0, "6 a = %g",
        *cube.SecondOf(0, 1, curve.data()));
}

// Derivative k + 1 is the slope of derivative k.
void TestSeries() {
  for (int k = 0; k < kActivationCount; ++k) {
    const Activation activation = static_cast<Activation>(k);
    if (activation == Activation::kRelu) continue;
    const auto order = [&](size_t which, double z) {
      double value, storage[kMostDerivatives];
      double* derivatives[kMostDerivatives];
      for (size_t i = 0; i < kMostDerivatives; ++i) derivatives[i] = storage + i;
      ActivationSeries(activation, 1, kMostDerivatives, &z, &value, derivatives);
      return which == 0 ? value : storage[which - 1];
    };
    for (const double z : {-3.1, -0.8, 0.0, 0.3, 1.7, 4.0}) {
      for (size_t which = 1; which <= kMostDerivatives; ++which) {
        const double found = order(which, z);
        const double expected = Slope([&](double x) { return order(which - 1, x); }, z);
        CHECK(std::fabs(found - expected) <= kDifference * (1.0 + std::fabs(expected)),
              "activation %d, derivative %zu at %g: %.12g, not %.12g", k, which, z, found,
              expected);
      }
    }
  }
}

void TestProducts() {
  Draw draw(3);
  for (const auto& [rows, depth, columns] :
       {std::array<size_t, 3>{1, 1, 1}, {9, 3, 20}, {64, 20, 33}, {37, 50, 7}, {8, 24, 48}}) {
    const size_t lda = RowWidth(depth), ldo = RowWidth(columns);
    Buffer a, out, b, sums;
    CHECK(a.Reserve(rows * lda) && out.Reserve(rows * ldo) && sums.Reserve(lda * ldo) &&
              b.Reserve(PackedSize(depth, columns)),
          "memory");
    const Vector numbers = draw.Normals(rows * lda), weights = draw.Normals(depth * columns);
    std::copy(numbers.begin(), numbers.end(), a.data());
    std::fill_n(out.data(), rows * ldo, 1.0);
    PackRows(true, depth, columns, 2.0, weights.data(), b.data());
    RowProduct(rows, depth, a.data(), columns, b.data(), true, out.data());
    for (size_t r = 0; r < rows; ++r)
      for (size_t j = 0; j < ldo; ++j) {
        double sum = 1.0;
        for (size_t k = 0; k < depth && j < columns; ++k)
          sum += 2.0 * a.data()[r * lda + k] * weights[j * depth + k];
        CHECK(std::fabs(sum - out.data()[r * ldo + j]) < 1e-12, "row %zu, column %zu", r, j);
      }
    std::fill_n(sums.data(), lda * ldo, 0.0);
    AddTransposedProduct(rows, 0.5, depth, a.data(), columns, out.data(), sums.data());
    for (size_t o = 0; o < depth; ++o)
      for (size_t j = 0; j < columns; ++j) {
        double sum = 0.0;
        for (size_t r = 0; r < rows; ++r)
          sum += 0.5 * a.data()[r * lda + o] * out.data()[r * ldo + j];
        CHECK(std::fabs(sum - sums.data()[o * ldo + j]) < 1e-10, "unit %zu, column %zu", o, j);
      }
  }
}

}  // namespace

int main() {
  TestOperations();
  TestPowerOfNegative();
  TestSeries();
  TestProducts();
  return Finish();
}
