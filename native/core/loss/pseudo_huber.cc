// Implements the pseudo-Huber loss for loss.cc. With e = psi - y and t = sqrt(1 + (e/delta)^2): l =
// e^2 / (1 + t); r = e / t; R = t^(-1/2), which majorizes, because the second derivative t^-3
// nearly vanishes for an outlier.
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

struct PseudoHuberTerms {
  double delta;

  OutputTerms operator()(double psi, double y) const {
    const double e = psi - y;
    // The square of a large error would overflow, and l = delta^2 (t - 1) would cancel near 0.
    const double ratio = std::fabs(e / delta);
    const double t = ratio > 1e8 ? ratio : std::sqrt(1.0 + ratio * ratio);
    return {e * (e / (1.0 + t)), e / t, 1.0 / std::sqrt(t), 1.0 / t / t / t};
  }
};

}  // namespace

double PseudoHuber(double delta, const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, PseudoHuberTerms{delta});
}

void PseudoHuberHessian(double delta, const LossTile& tile, double* images, size_t ld) {
  HessianOverOutputs(tile, images, ld, PseudoHuberTerms{delta});
}

}  // namespace gaussflow::losses
