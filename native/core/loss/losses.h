// Declares the functions of each loss (huber.cc, logistic.cc, softmax.cc and the others), which
// loss.cc calls. ApplyLoss multiplies their results by the slopes of the output layer; only squared
// error does that itself.
#ifndef GAUSSFLOW_CORE_LOSS_LOSSES_H_
#define GAUSSFLOW_CORE_LOSS_LOSSES_H_

#include <cmath>

#include "loss/loss.h"

namespace gaussflow::losses {

double SquaredError(const LossTile& tile, const LossSeeds* seeds);
double Huber(double delta, const LossTile& tile, const LossSeeds* seeds);
double Logistic(const LossTile& tile, const LossSeeds* seeds);
double Softmax(const LossTile& tile, const LossSeeds* seeds);
double GaussianNll(const LossTile& tile, const LossSeeds* seeds);
double PseudoHuber(double delta, const LossTile& tile, const LossSeeds* seeds);
double LogCosh(const LossTile& tile, const LossSeeds* seeds);
double Quantile(double tau, double smoothing, const LossTile& tile, const LossSeeds* seeds);
double Poisson(const LossTile& tile, const LossSeeds* seeds);

// The second derivatives; that of the squared error is 1.
void HuberHessian(double delta, const LossTile& tile, double* images, size_t ld);
void LogisticHessian(const LossTile& tile, double* images, size_t ld);
void SoftmaxHessian(const LossTile& tile, double* images, size_t ld);
void GaussianNllHessian(const LossTile& tile, double* images, size_t ld);
void PseudoHuberHessian(double delta, const LossTile& tile, double* images, size_t ld);
void LogCoshHessian(const LossTile& tile, double* images, size_t ld);
void QuantileHessian(double tau, double smoothing, const LossTile& tile, double* images, size_t ld);
void PoissonHessian(const LossTile& tile, double* images, size_t ld);

// sqrt(s) z = sqrt(s) r / R. It is 0 where the sample has no slope or no weight, whatever R.
inline double WeightedQuotient(double root, double gradient, double factor) {
  return root == 0.0 || gradient == 0.0 ? 0.0 : root * (gradient / factor);
}

// What a loss of independent outputs says of one of them.
struct OutputTerms {
  double value, gradient, factor;
  double second;  // derivative; factor^2 where R is exact
};

// A loss that is a sum over outputs: terms(psi, y) for each.
template <typename Terms>
double SumOverOutputs(const LossTile& tile, const LossSeeds* seeds, const Terms& terms) {
  double sum = 0.0;
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i) {
      const double root = tile.root == nullptr ? 1.0 : tile.root[i];
      const OutputTerms one = terms(tile.output_scale * tile.f[a * tile.ld_f + i],
                                    tile.targets[a * tile.ld_targets + i]);
      sum += root * root * one.value;
      if (seeds == nullptr) continue;
      if (seeds->factor != nullptr) seeds->factor[a * seeds->ld_factor + i] = root * one.factor;
      if (seeds->z != nullptr)
        seeds->z[a * seeds->ld_z + i] = WeightedQuotient(root, one.gradient, one.factor);
      if (seeds->gradient != nullptr)
        seeds->gradient[a * seeds->ld_gradient + i] = root * root * one.gradient;
    }
  return sum;
}

// ApplyLossHessian of such a loss.
template <typename Terms>
void HessianOverOutputs(const LossTile& tile, double* images, size_t ld, const Terms& terms) {
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i)
      images[a * ld + i] *= terms(tile.output_scale * tile.f[a * tile.ld_f + i],
                                  tile.targets[a * tile.ld_targets + i])
                                .second;
}

}  // namespace gaussflow::losses

#endif  // GAUSSFLOW_CORE_LOSS_LOSSES_H_
