// Implements ApplyLoss and ApplyLossHessian (loss.h): the switches over the losses, and the
// multiplication by the slopes of the output layer, which most losses share.
#include "loss/loss.h"

#include "loss/losses.h"

namespace gaussflow {

namespace {

double Dispatch(const Loss& loss, const LossTile& tile, const LossSeeds* seeds) {
  switch (loss.kind) {
    case LossKind::kSquaredError:
      return losses::SquaredError(tile, seeds);
    case LossKind::kHuber:
      return losses::Huber(loss.delta, tile, seeds);
    case LossKind::kLogistic:
      return losses::Logistic(tile, seeds);
    case LossKind::kSoftmax:
      return losses::Softmax(tile, seeds);
    case LossKind::kGaussianNll:
      return losses::GaussianNll(tile, seeds);
    case LossKind::kPseudoHuber:
      return losses::PseudoHuber(loss.delta, tile, seeds);
    case LossKind::kLogCosh:
      return losses::LogCosh(tile, seeds);
    case LossKind::kQuantile:
      return losses::Quantile(loss.tau, loss.smoothing, tile, seeds);
    case LossKind::kPoisson:
      return losses::Poisson(tile, seeds);
  }
  return 0.0;
}

}  // namespace

double ApplyLoss(const Loss& loss, const LossTile& tile, const LossSeeds* seeds) {
  const double value = Dispatch(loss, tile, seeds);
  // Squared error has taken the slopes up already.
  if (loss.sum_of_squares() || seeds == nullptr || seeds->factor == nullptr ||
      seeds->slope == nullptr)
    return value;
  for (size_t row = 0; row < loss.factor_rows(tile.outputs); ++row) {
    double* factor = seeds->factor + row * seeds->ld_factor;
    const double* slope = seeds->slope + row % tile.outputs * seeds->ld_slope;
    for (size_t i = 0; i < tile.size; ++i) factor[i] *= tile.output_scale * slope[i];
  }
  return value;
}

void ApplyLossHessian(const Loss& loss, const LossTile& tile, double* images, size_t ld) {
  switch (loss.kind) {
    case LossKind::kSquaredError:
      return;  // l'' = 1
    case LossKind::kHuber:
      return losses::HuberHessian(loss.delta, tile, images, ld);
    case LossKind::kLogistic:
      return losses::LogisticHessian(tile, images, ld);
    case LossKind::kSoftmax:
      return losses::SoftmaxHessian(tile, images, ld);
    case LossKind::kGaussianNll:
      return losses::GaussianNllHessian(tile, images, ld);
    case LossKind::kPseudoHuber:
      return losses::PseudoHuberHessian(loss.delta, tile, images, ld);
    case LossKind::kLogCosh:
      return losses::LogCoshHessian(tile, images, ld);
    case LossKind::kQuantile:
      return losses::QuantileHessian(loss.tau, loss.smoothing, tile, images, ld);
    case LossKind::kPoisson:
      return losses::PoissonHessian(tile, images, ld);
  }
}

}  // namespace gaussflow
