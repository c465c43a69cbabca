// Implements the operations of a tape (operations.h): one loop over the points for each.
#include "jets/operations.h"

#include <algorithm>
#include <cmath>

#include "activation_constants.h"

namespace gaussflow {

namespace {

// out = f(a[i], b[i], v[i]).
template <typename Function>
inline void Map(size_t n, const double* a, const double* b, const double* v, double* out,
                const Function& f) {
  for (size_t i = 0; i < n; ++i) out[i] = f(a[i], b[i], v[i]);
}

double Sign(double a) { return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a; }
double Square(double a) { return a * a; }

// Those of two operands, but for the sums and the product.
double SlopeByA(Operation operation, double a, double b) {
  switch (operation) {
    case Operation::kDivide:
      return 1.0 / b;
    case Operation::kPower:
      // a^0 is 1 for every a, also where a^-1 is infinite.
      return b == 0.0 ? 0.0 : b * std::pow(a, b - 1.0);
    case Operation::kMinimum:
      return a <= b ? 1.0 : 0.0;
    case Operation::kMaximum:
      return a >= b ? 1.0 : 0.0;
    default:
      return b / (a * a + b * b);
  }
}

double SlopeByB(Operation operation, double a, double b, double v) {
  switch (operation) {
    case Operation::kDivide:
      return -v / b;
    case Operation::kPower:
      // 0^b is 0 for every b > 0, though log 0 is infinite.
      return a == 0.0 && b > 0.0 ? 0.0 : v * std::log(a);
    case Operation::kMinimum:
      return a <= b ? 0.0 : 1.0;
    case Operation::kMaximum:
      return a >= b ? 0.0 : 1.0;
    default:
      return -a / (a * a + b * b);
  }
}

double PowerBend(int which, double a, double b, double v) {
  if (which == 0) return b == 0.0 || b == 1.0 ? 0.0 : b * (b - 1.0) * std::pow(a, b - 2.0);
  if (which == 1) return a == 0.0 && b > 1.0 ? 0.0 : std::pow(a, b - 1.0) * (1.0 + b * std::log(a));
  return a == 0.0 && b > 0.0 ? 0.0 : v * Square(std::log(a));
}

double Atan2Bend(int which, double a, double b) {
  const double square = Square(a * a + b * b);
  return (which == 1 ? a * a - b * b : (which == 0 ? -2.0 : 2.0) * a * b) / square;
}

double UnaryValue(Operation operation, double a) {
  switch (operation) {
    case Operation::kCbrt:
      return std::cbrt(a);
    case Operation::kExp:
      return std::exp(a);
    case Operation::kExpm1:
      return std::expm1(a);
    case Operation::kLog:
      return std::log(a);
    case Operation::kLog1p:
      return std::log1p(a);
    case Operation::kSin:
      return std::sin(a);
    case Operation::kCos:
      return std::cos(a);
    case Operation::kTan:
      return std::tan(a);
    case Operation::kAsin:
      return std::asin(a);
    case Operation::kAcos:
      return std::acos(a);
    case Operation::kAtan:
      return std::atan(a);
    case Operation::kSinh:
      return std::sinh(a);
    case Operation::kCosh:
      return std::cosh(a);
    case Operation::kTanh:
      return std::tanh(a);
    case Operation::kErf:
      return std::erf(a);
    default:
      return Sign(a);
  }
}

double UnarySlope(Operation operation, double a, double v) {
  switch (operation) {
    case Operation::kSqrt:
      return 0.5 / v;
    case Operation::kCbrt:
      return 1.0 / (3.0 * v * v);
    case Operation::kExp:
      return v;
    case Operation::kExpm1:
      return v + 1.0;
    case Operation::kLog:
      return 1.0 / a;
    case Operation::kLog1p:
      return 1.0 / (1.0 + a);
    case Operation::kSin:
      return std::cos(a);
    case Operation::kCos:
      return -std::sin(a);
    case Operation::kTan:
      return 1.0 + v * v;
    case Operation::kAsin:
      return 1.0 / std::sqrt((1.0 - a) * (1.0 + a));
    case Operation::kAcos:
      return -1.0 / std::sqrt((1.0 - a) * (1.0 + a));
    case Operation::kAtan:
      return 1.0 / (1.0 + a * a);
    case Operation::kSinh:
      return std::cosh(a);
    case Operation::kCosh:
      return std::sinh(a);
    case Operation::kTanh:
      return (1.0 - v) * (1.0 + v);
    case Operation::kErf:
      return kTwoOverSqrtPi * std::exp(-a * a);
    case Operation::kAbs:
      return Sign(a);
    default:
      return 0.0;
  }
}

// Those whose second derivative is not 0; d is the first.
double UnaryBend(Operation operation, double a, double v, double d) {
  switch (operation) {
    case Operation::kSquare:
      return 2.0;
    case Operation::kSqrt:
      return -0.5 * d / a;
    case Operation::kCbrt:
      return -2.0 / 3.0 * d / a;
    case Operation::kExp:
    case Operation::kSinh:
    case Operation::kCosh:
      return v;
    case Operation::kExpm1:
      return d;
    case Operation::kLog:
    case Operation::kLog1p:
      return -d * d;
    case Operation::kSin:
    case Operation::kCos:
      return -v;
    case Operation::kTan:
      return 2.0 * v * d;
    case Operation::kAsin:
    case Operation::kAcos:
      return a * d * d * d;
    case Operation::kTanh:
      return -2.0 * v * d;
    default:  // atan and erf
      return -2.0 * a * d * (operation == Operation::kAtan ? d : 1.0);
  }
}

}  // namespace

void OperationValue(Operation operation, size_t n, const double* a, const double* b, double* out) {
  const auto map = [&](const auto& f) { Map(n, a, b, a, out, f); };
  switch (operation) {
    case Operation::kAdd:
      return map([](double x, double y, double) { return x + y; });
    case Operation::kSubtract:
      return map([](double x, double y, double) { return x - y; });
    case Operation::kMultiply:
      return map([](double x, double y, double) { return x * y; });
    case Operation::kDivide:
      return map([](double x, double y, double) { return x / y; });
    case Operation::kPower:
      return map([](double x, double y, double) { return std::pow(x, y); });
    case Operation::kMinimum:  // a NaN of either stays one
      return map([](double x, double y, double) { return x < y || std::isnan(x) ? x : y; });
    case Operation::kMaximum:
      return map([](double x, double y, double) { return x > y || std::isnan(x) ? x : y; });
    case Operation::kAtan2:
      return map([](double x, double y, double) { return std::atan2(x, y); });
    case Operation::kNegate:
      return map([](double x, double, double) { return -x; });
    case Operation::kSquare:
      return map([](double x, double, double) { return x * x; });
    case Operation::kSqrt:
      return map([](double x, double, double) { return std::sqrt(x); });
    case Operation::kAbs:
      return map([](double x, double, double) { return std::fabs(x); });
    default:
      return map([=](double x, double, double) { return UnaryValue(operation, x); });
  }
}

void OperationSlope(Operation operation, bool second, size_t n, const double* a, const double* b,
                    const double* v, double* out) {
  const auto map = [&](const auto& f) { Map(n, a, b, v, out, f); };
  switch (operation) {
    case Operation::kAdd:
      std::fill_n(out, n, 1.0);
      return;
    case Operation::kSubtract:
      std::fill_n(out, n, second ? -1.0 : 1.0);
      return;
    case Operation::kMultiply:
      std::copy_n(second ? a : b, n, out);
      return;
    case Operation::kNegate:
      std::fill_n(out, n, -1.0);
      return;
    case Operation::kSquare:
      return map([](double x, double, double) { return 2.0 * x; });
    default:
      break;
  }
  if (!IsBinary(operation))
    return map([=](double x, double, double value) { return UnarySlope(operation, x, value); });
  if (second)
    return map([=](double x, double y, double value) { return SlopeByB(operation, x, y, value); });
  map([=](double x, double y, double) { return SlopeByA(operation, x, y); });
}

bool OperationBend(Operation operation, int which, size_t n, const double* a, const double* b,
                   const double* v, const double* slope, double* out) {
  const auto map = [&](const auto& f) {
    for (size_t i = 0; i < n; ++i) out[i] = f(i);
    return true;
  };
  switch (operation) {
    case Operation::kAdd:
    case Operation::kSubtract:
    case Operation::kMinimum:
    case Operation::kMaximum:
    case Operation::kNegate:
    case Operation::kAbs:
    case Operation::kSign:
      return false;
    case Operation::kMultiply:
      if (which != 1) return false;
      return map([](size_t) { return 1.0; });
    case Operation::kDivide:
      if (which == 0) return false;
      return map([&](size_t i) { return (which == 1 ? -1.0 : 2.0 * v[i]) / (b[i] * b[i]); });
    case Operation::kPower:
      return map([&](size_t i) { return PowerBend(which, a[i], b[i], v[i]); });
    case Operation::kAtan2:
      return map([&](size_t i) { return Atan2Bend(which, a[i], b[i]); });
    default:
      if (which != 0) return false;
      return map([&](size_t i) { return UnaryBend(operation, a[i], v[i], slope[i]); });
  }
}

}  // namespace gaussflow
