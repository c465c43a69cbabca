// Implements the log-cosh loss for loss.cc. With e = psi - y: l = log cosh e; r = tanh e; R =
// sqrt(tanh(e)/e), 1 at 0, which majorizes, because the second derivative 1/cosh^2 e vanishes for
// an outlier.
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

struct LogCoshTerms {
  OutputTerms operator()(double psi, double y) const {
    const double e = psi - y, size = std::fabs(e);
    const double tail = std::exp(-2.0 * size), sum = 1.0 + tail;
    const double gradient = std::tanh(e);
    // log cosh = log(1 + sinh^2) / 2 near 0, where the other form cancels; sinh^2 of a large error
    // would overflow.
    const double sinh = size < 1.0 ? std::sinh(e) : 0.0;
    const double value =
        size < 1.0 ? 0.5 * std::log1p(sinh * sinh) : size + std::log1p(tail) - kLn2;
    const double factor = e == 0.0 ? 1.0 : std::sqrt(gradient / e);
    // 1 - tanh^2 would cancel where tanh is nearly 1.
    return {value, gradient, factor, 4.0 * tail / (sum * sum)};
  }

  static constexpr double kLn2 = 0x1.62e42fefa39efp-1;
};

}  // namespace

double LogCosh(const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, LogCoshTerms{});
}

void LogCoshHessian(const LossTile& tile, double* images, size_t ld) {
  HessianOverOutputs(tile, images, ld, LogCoshTerms{});
}

}  // namespace gaussflow::losses
