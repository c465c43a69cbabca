// Implements the squared error, the default loss, for ApplyLoss in loss.cc: l = e^2/2 with e = psi
// - y; r = z = e, R = 1. Its loops are those that the passes had before there were other losses.
#include "loss/losses.h"

namespace gaussflow::losses {

double SquaredError(const LossTile& tile, const LossSeeds* seeds) {
  double loss = 0.0;
  for (size_t a = 0; a < tile.outputs; ++a) {
    const double* f = tile.f + a * tile.ld_f;
    const double* y = tile.targets + a * tile.ld_targets;
    if (seeds == nullptr) {
      for (size_t i = 0; i < tile.size; ++i) {
        const double scale = tile.root == nullptr ? 1.0 : tile.root[i];
        const double r = scale * (tile.output_scale * f[i] - y[i]);
        loss += 0.5 * r * r;
      }
      continue;
    }
    if (seeds->factor == nullptr) {  // the gradient alone
      double* gradient = seeds->gradient + a * seeds->ld_gradient;
      for (size_t i = 0; i < tile.size; ++i) {
        const double scale = tile.root == nullptr ? 1.0 : tile.root[i];
        const double r = scale * (tile.output_scale * f[i] - y[i]);
        gradient[i] = scale * r;
        loss += 0.5 * r * r;
      }
      continue;
    }
    const double* slope = seeds->slope + a * seeds->ld_slope;
    double* seed = seeds->factor + a * seeds->ld_factor;
    double* z = seeds->z + a * seeds->ld_z;
    for (size_t i = 0; i < tile.size; ++i) {
      const double scale = tile.root == nullptr ? 1.0 : tile.root[i];
      z[i] = scale * (tile.output_scale * f[i] - y[i]);
      seed[i] = scale * tile.output_scale * slope[i];
      loss += 0.5 * z[i] * z[i];
    }
  }
  return loss;
}

}  // namespace gaussflow::losses
