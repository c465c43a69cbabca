// Values and derivatives of every activation: central differences, saturation, NaN.
#include "activations.h"

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

int main() {
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
