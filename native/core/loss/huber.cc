// Implements the Huber loss for loss.cc. With e = psi - y: l = e^2/2 for |e| <= delta, else delta
// (|e| - delta/2); r = e limited to [-delta, delta]; R = sqrt(min(1, delta/|e|)), which majorizes,
// because the second derivative is 0 outside.
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

struct HuberTerms {
  double delta;

  OutputTerms operator()(double psi, double y) const {
    const double e = psi - y, size = std::fabs(e);
    if (size <= delta) return {0.5 * e * e, e, 1.0, 1.0};
    // Of an e that is not a number nothing is.
    return {delta * (size - 0.5 * delta), delta * (e / size), std::sqrt(delta / size), 0.0 * size};
  }
};

}  // namespace

double Huber(double delta, const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, HuberTerms{delta});
}

void HuberHessian(double delta, const LossTile& tile, double* images, size_t ld) {
  HessianOverOutputs(tile, images, ld, HuberTerms{delta});
}

}  // namespace gaussflow::losses
