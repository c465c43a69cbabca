// Implements the softmax cross-entropy for loss.cc: l = log sum exp psi - y.psi; with
// p = softmax(psi), q = sqrt(p): r = p - y, R = diag(q) - p q^T, and z = r/q because the entries of
// r sum to 0. The innermost loops run over the samples of the tile, which are contiguous.
#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

// Of each sample of a tile: the largest logit, and the sums from which value and probabilities are
// computed.
struct Sums {
  size_t top[kMostTile];
  double largest[kMostTile];
  double rest[kMostTile];   // of exp(psi - largest), without the 1 of the largest
  double total[kMostTile];  // of the targets: 1 but for rounding
  double value[kMostTile];  // l; not a number where a logit is not finite
};

double Root(const LossTile& tile, size_t i) { return tile.root == nullptr ? 1.0 : tile.root[i]; }

double Logit(const LossTile& tile, size_t a, size_t i) {
  return tile.output_scale * tile.f[a * tile.ld_f + i];
}

double Target(const LossTile& tile, size_t a, size_t i) {
  return tile.targets[a * tile.ld_targets + i];
}

// p_a of sample i.
double Share(const LossTile& tile, const Sums& sums, size_t a, size_t i) {
  return std::exp(Logit(tile, a, i) - sums.largest[i]) / (1.0 + sums.rest[i]);
}

void SumUp(const LossTile& tile, Sums* sums) {
  for (size_t i = 0; i < tile.size; ++i) {
    sums->top[i] = 0;
    sums->largest[i] = Logit(tile, 0, i);
    sums->rest[i] = sums->total[i] = sums->value[i] = 0.0;
  }
  for (size_t a = 1; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i) {
      const double psi = Logit(tile, a, i);
      if (!(psi > sums->largest[i])) continue;
      sums->largest[i] = psi;
      sums->top[i] = a;
    }
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i) {
      const double psi = Logit(tile, a, i);
      if (a != sums->top[i]) sums->rest[i] += std::exp(psi - sums->largest[i]);
      sums->total[i] += Target(tile, a, i);
      // A logit of -infinity would leave no trace where its target is 0.
      sums->value[i] += 0.0 * psi;
    }
  double logarithm[kMostTile];
  for (size_t i = 0; i < tile.size; ++i) logarithm[i] = std::log1p(sums->rest[i]);
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i) {
      const double y = Target(tile, a, i);
      if (y != 0.0) sums->value[i] += y * (logarithm[i] - (Logit(tile, a, i) - sums->largest[i]));
    }
}

// Columns of R without their diagonal: column a is q_a (e_a - p). The diagonal of `factor` holds p,
// and the rows of z receive sqrt(s) q.
void FillFactor(const LossTile& tile, const Sums& sums, const LossSeeds& seeds) {
  const size_t c = tile.outputs;
  for (size_t a = 0; a < c; ++a) {
    const double* share = seeds.factor + (a * c + a) * seeds.ld_factor;
    double* scaled = seeds.z + a * seeds.ld_z;
    for (size_t i = 0; i < tile.size; ++i)
      scaled[i] = Root(tile, i) * std::sqrt(sums.total[i]) * std::sqrt(share[i]);
    for (size_t b = 0; b < c; ++b) {
      if (b == a) continue;
      double* entries = seeds.factor + (a * c + b) * seeds.ld_factor;
      const double* other = seeds.factor + (b * c + b) * seeds.ld_factor;
      for (size_t i = 0; i < tile.size; ++i) entries[i] = -scaled[i] * other[i];
    }
  }
}

void Seed(const LossTile& tile, const Sums& sums, const LossSeeds& seeds) {
  const size_t c = tile.outputs;
  if (seeds.factor != nullptr) {
    for (size_t a = 0; a < c; ++a)
      for (size_t i = 0; i < tile.size; ++i)
        seeds.factor[(a * c + a) * seeds.ld_factor + i] = Share(tile, sums, a, i);
    FillFactor(tile, sums, seeds);
  }
  // With the targets' sum as the factor of p the entries of r sum to 0 exactly. 1 - p of the
  // largest is taken from the rest, without the digits that the difference would lose.
  for (size_t a = 0; a < c; ++a) {
    double* diagonal =
        seeds.factor == nullptr ? nullptr : seeds.factor + (a * c + a) * seeds.ld_factor;
    for (size_t i = 0; i < tile.size; ++i) {
      const double root = Root(tile, i), total = sums.total[i], y = Target(tile, a, i);
      const double p = diagonal == nullptr ? Share(tile, sums, a, i) : diagonal[i];
      const bool top = a == sums.top[i];
      const double miss = top ? sums.rest[i] / (1.0 + sums.rest[i]) : 1.0 - p;
      const double r = top ? total - y - total * miss : total * p - y;
      const double q = std::sqrt(p);
      if (diagonal != nullptr) diagonal[i] = root * std::sqrt(total) * q * miss;
      if (seeds.gradient != nullptr) seeds.gradient[a * seeds.ld_gradient + i] = root * root * r;
      if (seeds.z != nullptr)
        seeds.z[a * seeds.ld_z + i] = WeightedQuotient(root, r, q) / std::sqrt(total);
    }
  }
}

}  // namespace

double Softmax(const LossTile& tile, const LossSeeds* seeds) {
  Sums sums;
  SumUp(tile, &sums);
  double loss = 0.0;
  for (size_t i = 0; i < tile.size; ++i) {
    const double root = Root(tile, i);
    loss += root * root * sums.value[i];
  }
  if (seeds != nullptr) Seed(tile, sums, *seeds);
  return loss;
}

// Q v = p (v - p.v) for the v of each sample, where v is taken relative to its entry at the largest
// logit: then nothing cancels where that probability is nearly 1.
void SoftmaxHessian(const LossTile& tile, double* images, size_t ld) {
  Sums sums;
  SumUp(tile, &sums);
  double shift[kMostTile], mean[kMostTile];
  for (size_t i = 0; i < tile.size; ++i) {
    shift[i] = images[sums.top[i] * ld + i];
    mean[i] = 0.0;
  }
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i)
      if (a != sums.top[i]) mean[i] += Share(tile, sums, a, i) * (images[a * ld + i] - shift[i]);
  for (size_t a = 0; a < tile.outputs; ++a)
    for (size_t i = 0; i < tile.size; ++i) {
      double& entry = images[a * ld + i];
      entry = sums.total[i] * Share(tile, sums, a, i) * (entry - shift[i] - mean[i]);
    }
}

}  // namespace gaussflow::losses
