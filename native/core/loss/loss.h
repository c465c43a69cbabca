// Defines the interface of a loss: ApplyLoss computes for a tile of samples the sum of s l, and for
// each sample the seeds of the backward passes (src/loss/loss.ts has the definitions). The passes
// call it for every tile: engine.cc for evaluations and the gradient, tangent_seeds.cc for
// linearizations, products_loss.cc for products with G. ApplyLossHessian multiplies by the exact
// second derivative, for products with the Hessian.
//   sqrt(s) R, Q = R R^T the curvature of l, whose columns seed the rows of J~ = sqrt(s) R^T J
//   sqrt(s) z with R z = r, the gradient of l by the predictions: the gradient is J~^T z
// Engine, passes and curvatures use nothing else of a loss. loss.cc has the one switch over losses,
// made once a tile.
#ifndef GAUSSFLOW_CORE_LOSS_LOSS_H_
#define GAUSSFLOW_CORE_LOSS_LOSS_H_

#include <cstddef>

namespace gaussflow {

// The numbers are those of src/backend/native/description.ts.
enum class LossKind : int {
  kSquaredError = 0,
  kHuber = 1,
  kLogistic = 2,
  kSoftmax = 3,
  kGaussianNll = 4,
  kPseudoHuber = 5,
  kLogCosh = 6,
  kQuantile = 7,
  kPoisson = 8,
};
constexpr int kLossKinds = 9;

struct Loss {
  LossKind kind = LossKind::kSquaredError;
  double delta = 0.0;      // Huber, pseudo-Huber: the error above which it grows linearly
  double tau = 0.0;        // quantile: the share of targets below the prediction
  double smoothing = 0.0;  // quantile: the width of the rounded kink

  // Whether R is a full matrix; else it is diagonal.
  bool full() const { return kind == LossKind::kSoftmax; }
  // Squared error: R = I, and z is the residual, so that |z|^2 is twice the loss.
  bool sum_of_squares() const { return kind == LossKind::kSquaredError; }
  // Outputs of the network for each target: with Gaussian NLL a mean and a log variance.
  size_t outputs_per_target() const { return kind == LossKind::kGaussianNll ? 2 : 1; }
  // Rows of R for `outputs` outputs: c, or c x c.
  size_t factor_rows(size_t outputs) const { return full() ? outputs * outputs : outputs; }
};

constexpr size_t kMostTile = 256;

// At most kMostTile samples; rows are contiguous in the samples.
struct LossTile {
  size_t size;
  size_t outputs;
  double output_scale;  // predictions are output_scale * f
  const double* f;      // [output][sample], rows ld_f apart
  size_t ld_f;
  const double* targets;  // [target][sample], rows ld_targets apart
  size_t ld_targets;
  const double* root;  // of the first sample's weight, or null for weights of 1
};

// What Apply fills; a null pointer is left out.
struct LossSeeds {
  // sqrt(s) R. Diagonal: row a. Full: row b * outputs + a holds R_ab. Where slope is given, entry a
  // is times output_scale * slope of output a: the delta of unit a of the last layer.
  double* factor = nullptr;
  size_t ld_factor = 0;
  const double* slope = nullptr;
  size_t ld_slope = 0;
  double* z = nullptr;  // sqrt(s) z; never null where factor is not
  size_t ld_z = 0;
  double* gradient = nullptr;  // s r
  size_t ld_gradient = 0;
};

// The sum of s l over the tile; fills `seeds` too where they are given. What is not finite passes
// through. An entry of z is not finite where R is too small for its r.
double ApplyLoss(const Loss& loss, const LossTile& tile, const LossSeeds* seeds);

// Multiplies the vector of each sample, in `images` [output][sample] with rows ld apart, by the
// second derivative of l by the predictions, in place and without the sample's weight. What is not
// finite passes through.
void ApplyLossHessian(const Loss& loss, const LossTile& tile, double* images, size_t ld);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_LOSS_LOSS_H_
