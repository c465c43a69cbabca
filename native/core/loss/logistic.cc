// Implements the logistic loss for loss.cc: l = log(1 + exp psi) - y psi; r = sigma - y; R =
// sqrt(sigma (1 - sigma)), sigma = 1/(1 + exp -psi).
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

struct LogisticTerms {
  OutputTerms operator()(double psi, double y) const {
    // With the exponential of the smaller logit no digit is lost where the prediction is nearly
    // certain.
    const double e = std::exp(-std::fabs(psi)), no = e / (1.0 + e), tail = std::log1p(e);
    const double second = no * (1.0 - no), factor = std::sqrt(second);
    if (psi >= 0.0) return {tail + (1.0 - y) * psi, 1.0 - y - no, factor, second};
    return {tail - y * psi, no - y, factor, second};
  }
};

}  // namespace

double Logistic(const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, LogisticTerms{});
}

void LogisticHessian(const LossTile& tile, double* images, size_t ld) {
  HessianOverOutputs(tile, images, ld, LogisticTerms{});
}

}  // namespace gaussflow::losses
