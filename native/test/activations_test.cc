// Values and derivatives of every activation: a table of 60 digits, central differences,
// saturation, NaN.
#include "activations.h"

#include <limits>

#include "activation_table.h"
#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

// Stated in activations.h: values to 4 ulp (gelu and silu 4 eps max(1, |v|)), derivatives to 4 eps
// max(1, |derivative|). In one call on all points, as the vectorized loops run.
void TestTable() {
  const double eps = std::numeric_limits<double>::epsilon();
  for (int code = 0; code < kActivationCount; ++code) {
    const auto activation = static_cast<Activation>(code);
    std::vector<ActivationRow> rows;
    for (const ActivationRow& row : kActivationTable)
      if (row.activation == activation) rows.push_back(row);
    Vector values, slopes(rows.size());
    for (const ActivationRow& row : rows) values.push_back(row.z);
    Vector alone = values;
    Activate(activation, rows.size(), values.data(), slopes.data());
    Activate(activation, rows.size(), alone.data(), nullptr);
    const bool absolute = activation == Activation::kSilu || activation == Activation::kGelu;
    for (size_t i = 0; i < rows.size(); ++i) {
      const ActivationRow& row = rows[i];
      const double size = std::fabs(row.value);
      const double unit =
          absolute ? eps * std::fmax(1.0, size) : std::nextafter(size, HUGE_VAL) - size;
      for (const double value : {values[i], alone[i]}) {
        const double error = std::fabs((value - row.value) - row.value_rest) / unit;
        CHECK(error <= 4.0, "code %d at %.17g: %.17g is off by %g", code, row.z, value, error);
      }
      const double error = std::fabs((slopes[i] - row.slope) - row.slope_rest) /
                           (eps * std::fmax(1.0, std::fabs(row.slope)));
      CHECK(error <= 4.0, "slope of code %d at %.17g is off by %g eps", code, row.z, error);
    }
  }
}

// Sine far from 0 and next to its zeros, where the argument loses most of its digits: against the
// long double of the C library. A number has the same bits alone and among others.
void TestSine() {
  Draw draw(1);
  Vector z;
  for (double k = 1.0; k < 1e6; k *= 1.37) {
    const double zero = std::floor(k) * 1.5707963267948966;
    for (const double at : {zero, std::nextafter(zero, 0.0), k * draw.Normal(), 2e6 * k})
      z.push_back(at);
  }
  // Where the reduction of small numbers would wrap an integer.
  for (const double at : {-1.1e16, -1.5e16, -2.1e16, 1.5e16}) z.push_back(at);
  Vector values = z, slopes(z.size());
  Activate(Activation::kSin, z.size(), values.data(), slopes.data());
  for (size_t i = 0; i < z.size(); ++i) {
    const long double value = std::sin(static_cast<long double>(z[i]));
    const long double slope = std::cos(static_cast<long double>(z[i]));
    const double eps = std::numeric_limits<double>::epsilon();
    CHECK(std::fabs(static_cast<double>(values[i] - value)) <=
              4.0 * eps * std::fabs(static_cast<double>(value)),
          "sin %.17g is %.17g", z[i], values[i]);
    CHECK(std::fabs(static_cast<double>(slopes[i] - slope)) <= 4.0 * eps, "cos %.17g is %.17g",
          z[i], slopes[i]);
    double alone = z[i], slope_alone = 0.0;
    Activate(Activation::kSin, 1, &alone, &slope_alone);
    CHECK(alone == values[i] && slope_alone == slopes[i], "sin %.17g depends on its neighbors",
          z[i]);
  }
}

}  // namespace

int main() {
  TestTable();
  TestSine();
  for (int code = 0; code < kActivationCount; ++code) {
    const auto activation = static_cast<Activation>(code);
    for (double z = -6.03; z < 6.0; z += 0.37) {
      const double h = 1e-5;
      double pair[2] = {z + h, z - h}, at = z, slope = 0.0;
      Activate(activation, 2, pair, nullptr);
      Activate(activation, 1, &at, &slope);
      // Central differences: h^2 |s'''| / 6 with |s'''| below 10, and rounding eps / h.
      CHECK(std::fabs((pair[0] - pair[1]) / (2 * h) - slope) < 3e-10, "code %d at %g: %g", code, z,
            slope);
    }
    double extremes[4] = {-1e3, 1e3, -745.2, 745.2}, slopes[4];
    Activate(activation, 4, extremes, slopes);
    for (int k = 0; k < 4; ++k)
      CHECK(std::isfinite(extremes[k]) && std::isfinite(slopes[k]), "code %d extreme %d", code, k);
    double nan = std::nan("");
    Activate(activation, 1, &nan, nullptr);
    CHECK(std::isnan(nan), "code %d must pass NaN through", code);
  }
  return Finish();
}
