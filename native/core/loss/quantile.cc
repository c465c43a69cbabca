// Implements the smoothed quantile loss for loss.cc. With e = psi - y and h = smoothing: l = h
// log(1
// + exp(e/h)) - tau e; r = sigma(e/h) - tau; R = sqrt(tanh(e/2h) / (2e)), 1/(2 sqrt h) at 0, which
// majorizes, because the second derivative sigma(e/h) sigma(-e/h) / h vanishes beyond some h.
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

struct QuantileTerms {
  double tau, smoothing;

  OutputTerms operator()(double psi, double y) const {
    const double e = psi - y, size = std::fabs(e), z = size / smoothing;
    // With the exponential of the smaller argument nothing overflows.
    const double t = std::exp(-z), less = t / (1.0 + t), rounded = smoothing * std::log1p(t);
    const double factor =
        z == 0.0 ? 0.5 / std::sqrt(smoothing) : std::sqrt(std::tanh(0.5 * z) / (2.0 * size));
    const double second = less * (1.0 - less) / smoothing;
    if (e >= 0.0) return {rounded + (1.0 - tau) * size, 1.0 - tau - less, factor, second};
    return {rounded + tau * size, less - tau, factor, second};
  }
};

}  // namespace

double Quantile(double tau, double smoothing, const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, QuantileTerms{tau, smoothing});
}

void QuantileHessian(double tau, double smoothing, const LossTile& tile, double* images,
                     size_t ld) {
  HessianOverOutputs(tile, images, ld, QuantileTerms{tau, smoothing});
}

}  // namespace gaussflow::losses
