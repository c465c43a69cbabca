// Implements the logistic loss for ApplyLoss in loss.cc: l = log(1 + exp psi) - y psi; r = sigma -
// y; R = sqrt(sigma (1 - sigma)), sigma = 1/(1 + exp -psi).
#include "loss/losses.h"

namespace gaussflow::losses {

double Logistic(const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, [](double psi, double y) -> OutputTerms {
    // With the exponential of the smaller logit no digit is lost where the prediction is nearly
    // certain.
    const double e = std::exp(-std::fabs(psi)), no = e / (1.0 + e), tail = std::log1p(e);
    const double factor = std::sqrt(no * (1.0 - no));
    if (psi >= 0.0) return {tail + (1.0 - y) * psi, 1.0 - y - no, factor};
    return {tail - y * psi, no - y, factor};
  });
}

}  // namespace gaussflow::losses
