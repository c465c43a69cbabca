// Implements the Poisson loss for loss.cc: half the deviance l = exp psi - y psi - (y - y log y); r
// = exp psi - y; R = exp(psi/2). With u = psi - log y: l = y (exp u - 1 - u).
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

// exp u - 1 - u, to the last digits.
double Excess(double u) {
  if (!(std::fabs(u) <= 0.5)) return std::expm1(u) - u;
  // u^2/2 (1 + u/3 (1 + u/4 (...))), where the difference would cancel; the first term that is left
  // out is below 1e-17 of the sum.
  double sum = 1.0;
  for (int k = 14; k >= 3; --k) sum = 1.0 + u / k * sum;
  return 0.5 * u * u * sum;
}

struct PoissonTerms {
  OutputTerms operator()(double psi, double y) const {
    const double mean = std::exp(psi);
    const double value = y == 0.0 ? mean : y * Excess(psi - std::log(y));
    return {value, mean - y, std::exp(0.5 * psi), mean};
  }
};

}  // namespace

double Poisson(const LossTile& tile, const LossSeeds* seeds) {
  return SumOverOutputs(tile, seeds, PoissonTerms{});
}

void PoissonHessian(const LossTile& tile, double* images, size_t ld) {
  HessianOverOutputs(tile, images, ld, PoissonTerms{});
}

}  // namespace gaussflow::losses
