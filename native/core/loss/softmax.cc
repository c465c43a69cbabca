// Implements the softmax cross-entropy for ApplyLoss in loss.cc: l = log sum exp psi - y.psi; with
// p = softmax(psi), q = sqrt(p): r = p - y, R = diag(q) - p q^T, and z = r/q because the entries of
// r sum to 0.
#include <vector>

#include "loss/losses.h"

namespace gaussflow::losses {

namespace {

// One sample of a tile.
struct Sample {
  const LossTile& tile;
  size_t i;

  double psi(size_t a) const { return tile.output_scale * tile.f[a * tile.ld_f + i]; }
  double target(size_t a) const { return tile.targets[a * tile.ld_targets + i]; }
};

// The largest logit, and the sums from which value and probabilities are computed.
struct Sums {
  size_t top = 0;
  double largest = 0.0;
  double rest = 0.0;   // of exp(psi - largest), without the 1 of the largest
  double total = 0.0;  // of the targets: 1 but for rounding
};

Sums SumUp(const Sample& sample) {
  Sums sums;
  const size_t c = sample.tile.outputs;
  for (size_t a = 1; a < c; ++a)
    if (sample.psi(a) > sample.psi(sums.top)) sums.top = a;
  sums.largest = sample.psi(sums.top);
  for (size_t a = 0; a < c; ++a) {
    // Also that of the largest, which is not a number where the logit is not finite.
    const double e = std::exp(sample.psi(a) - sums.largest);
    sums.rest += a == sums.top ? e - 1.0 : e;
    sums.total += sample.target(a);
  }
  return sums;
}

// `p` has room for the probabilities.
void Seed(const Sample& sample, const Sums& sums, double root, const LossSeeds& seeds, double* p) {
  const size_t c = sample.tile.outputs, i = sample.i;
  const double sum = 1.0 + sums.rest, scale = root * std::sqrt(sums.total);
  for (size_t a = 0; a < c; ++a) p[a] = std::exp(sample.psi(a) - sums.largest) / sum;
  // With the targets' sum as the factor of p the entries of r sum to 0 exactly. 1 - p of the
  // largest is taken from the rest, without the digits that the difference would lose.
  for (size_t a = 0; a < c; ++a) {
    const double y = sample.target(a), share = p[a], q = std::sqrt(share);
    const bool top = a == sums.top;
    const double miss = top ? sums.rest / sum : 1.0 - share;
    const double r = top ? sums.total - y - sums.total * miss : sums.total * share - y;
    if (seeds.gradient != nullptr) seeds.gradient[a * seeds.ld_gradient + i] = root * root * r;
    if (seeds.z != nullptr)
      seeds.z[a * seeds.ld_z + i] = root * Quotient(r, q) / std::sqrt(sums.total);
    if (seeds.factor == nullptr) continue;
    // Column a of R: q_a (e_a - p).
    for (size_t b = 0; b < c; ++b) {
      double* entry = seeds.factor + (a * c + b) * seeds.ld_factor + i;
      *entry = a == b ? scale * q * miss : -scale * q * p[b];
    }
  }
}

}  // namespace

double Softmax(const LossTile& tile, const LossSeeds* seeds) {
  double loss = 0.0;
  std::vector<double> p(seeds == nullptr ? 0 : tile.outputs);
  for (size_t i = 0; i < tile.size; ++i) {
    const Sample sample{tile, i};
    const Sums sums = SumUp(sample);
    const double logarithm = std::log1p(sums.rest);
    double value = 0.0;
    for (size_t a = 0; a < tile.outputs; ++a) {
      const double y = sample.target(a);
      if (y != 0.0) value += y * (logarithm - (sample.psi(a) - sums.largest));
    }
    const double root = tile.root == nullptr ? 1.0 : tile.root[i];
    loss += root * root * value;
    if (seeds != nullptr) Seed(sample, sums, root, *seeds, p.data());
  }
  return loss;
}

}  // namespace gaussflow::losses
