// Implements the Gaussian negative log-likelihood for loss.cc; src/loss/gaussian-nll.ts derives its
// formulas. A network of 2k outputs has the means m of k targets, then v. With e = m - y, s =
// exp(v)
// + F, w = exp(v)/s and q = e^2/s:
//   l = (log s + q)/2; r = (e/s, w (1 - q)/2)
//   R = diag(sqrt(2/s), sqrt(w max(w, 1-w + q (4w-1))/2)), a bound of l'' at the point
//   l'' = [1/s, -e w/s; -e w/s, w ((1-w)(1-q) + w q)/2]
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

// F, the least variance: VARIANCE_FLOOR in src/network/link.ts.
constexpr double kFloor = 1e-6;

// Of one target: e, 1/s, log s, w, 1 - w without loss of digits, and q.
struct Terms {
  double error, precision, logarithm, share, rest, square;
};

// No exponential overflows, whatever v.
Terms TermsOf(double m, double v, double y) {
  const double small = std::exp(-std::fabs(v));
  Terms terms;
  if (v > 0.0) {
    const double whole = 1.0 + kFloor * small;
    terms.precision = small / whole;
    terms.share = 1.0 / whole;
    terms.rest = kFloor * small / whole;
    terms.logarithm = v + std::log1p(kFloor * small);
  } else {
    const double variance = small + kFloor;
    terms.precision = 1.0 / variance;
    terms.share = small / variance;
    terms.rest = kFloor / variance;
    terms.logarithm = std::log(variance);
  }
  terms.error = m - y;
  terms.square = terms.error * terms.error * terms.precision;
  return terms;
}

Terms TermsAt(const LossTile& tile, size_t j, size_t i) {
  const size_t k = tile.outputs / 2;
  return TermsOf(tile.output_scale * tile.f[j * tile.ld_f + i],
                 tile.output_scale * tile.f[(k + j) * tile.ld_f + i],
                 tile.targets[j * tile.ld_targets + i]);
}

// Fills the seeds of output `a` for sample i; `curvature` is R^2.
void Fill(const LossSeeds& seeds, size_t a, size_t i, double root, double slope, double curvature) {
  const double factor = std::sqrt(curvature);
  if (seeds.factor != nullptr) seeds.factor[a * seeds.ld_factor + i] = root * factor;
  if (seeds.z != nullptr) seeds.z[a * seeds.ld_z + i] = WeightedQuotient(root, slope, factor);
  if (seeds.gradient != nullptr) seeds.gradient[a * seeds.ld_gradient + i] = root * root * slope;
}

}  // namespace

double GaussianNll(const LossTile& tile, const LossSeeds* seeds) {
  const size_t k = tile.outputs / 2;
  double sum = 0.0;
  for (size_t j = 0; j < k; ++j)
    for (size_t i = 0; i < tile.size; ++i) {
      const double root = tile.root == nullptr ? 1.0 : tile.root[i];
      const Terms one = TermsAt(tile, j, i);
      sum += root * root * (one.logarithm + one.square) / 2.0;
      if (seeds == nullptr) continue;
      const double bound = one.rest + one.square * (4.0 * one.share - 1.0);
      Fill(*seeds, j, i, root, one.error * one.precision, 2.0 * one.precision);
      // A bound that is not a number must stay one.
      Fill(*seeds, k + j, i, root, one.share * (1.0 - one.square) / 2.0,
           one.share * (bound < one.share ? one.share : bound) / 2.0);
    }
  return sum;
}

void GaussianNllHessian(const LossTile& tile, double* images, size_t ld) {
  const size_t k = tile.outputs / 2;
  for (size_t j = 0; j < k; ++j)
    for (size_t i = 0; i < tile.size; ++i) {
      const Terms one = TermsAt(tile, j, i);
      double &u = images[j * ld + i], &v = images[(k + j) * ld + i];
      const double mixed = -one.error * one.precision * one.share;
      const double second = one.rest * (1.0 - one.square) + one.share * one.square;
      const double mean = one.precision * u + mixed * v;
      v = mixed * u + one.share / 2.0 * second * v;
      u = mean;
    }
}

}  // namespace gaussflow::losses
