// The Gaussian negative log-likelihood (loss/gaussian_nll.cc), whose outputs are two for each
// target: gradient and second derivative against differences, R z = r, its bound, and far out.
// loss_test.cc has the other losses.
#include "check.h"
#include "loss/loss.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr size_t kSamples = 200, kTargets = 2, kOutputs = 2 * kTargets;
constexpr double kScale = 1.3;  // of the outputs
const Loss kLoss = {LossKind::kGaussianNll};

struct Samples {
  Samples() {
    Draw draw(17);
    f = draw.Normals(kSamples * kOutputs);
    targets = draw.Normals(kSamples * kTargets);
    root = draw.Normals(kSamples);
    for (double& value : root) value = std::fabs(value);
  }
  LossTile Tile(const Vector& outputs) const {
    return {kSamples, kOutputs,       kScale,   outputs.data(),
            kSamples, targets.data(), kSamples, root.data()};
  }
  Vector f, targets, root;
};

struct Seeds {
  Seeds(const Samples& samples, const Vector& outputs)
      : factor(outputs.size()), z(outputs.size()), gradient(outputs.size()) {
    LossSeeds seeds;
    seeds.factor = factor.data();
    seeds.z = z.data();
    seeds.gradient = gradient.data();
    seeds.ld_factor = seeds.ld_z = seeds.ld_gradient = kSamples;
    value = ApplyLoss(kLoss, samples.Tile(outputs), &seeds);
  }
  Vector factor, z, gradient;
  double value = 0.0;
};

// q = e^2/s of a target of a sample: derivatives of l of every order are at most of the size 1 + q
// and 1/s.
double SizeAt(const Samples& samples, size_t j, size_t i) {
  const double e = kScale * samples.f[j * kSamples + i] - samples.targets[j * kSamples + i];
  const double precision = std::exp(-kScale * samples.f[(kTargets + j) * kSamples + i]);
  return (1.0 + e * e) * (1.0 + precision);
}

void TestDerivatives() {
  const Samples samples;
  const Seeds here(samples, samples.f);
  const double h = 1e-5;
  Draw draw(18);
  const Vector v = draw.Normals(samples.f.size());
  Vector above = samples.f, below = samples.f, images = v;
  for (size_t k = 0; k < v.size(); ++k) {
    above[k] += h / kScale * v[k];
    below[k] -= h / kScale * v[k];
  }
  const Seeds up(samples, above), down(samples, below);
  ApplyLossHessian(kLoss, samples.Tile(samples.f), images.data(), kSamples);
  double slope = 0.0;
  for (size_t k = 0; k < v.size(); ++k) slope += here.gradient[k] * v[k];
  const double total = (up.value - down.value) / (2.0 * h);
  // Sums of 400 terms: h^2 of a third derivative, and the rounding of the value over h.
  CHECK(std::fabs(total - slope) < 1e-5 * (1.0 + std::fabs(slope)), "slope %g, %g", total, slope);
  for (size_t a = 0; a < kOutputs; ++a)
    for (size_t i = 0; i < kSamples; ++i) {
      const size_t k = a * kSamples + i;
      const double s = samples.root[i] * samples.root[i], size = SizeAt(samples, a % kTargets, i);
      const double difference = (up.gradient[k] - down.gradient[k]) / (2.0 * h);
      // h^2 of a third derivative along v, |v| at most 4, and the rounding of the gradient over h.
      CHECK(std::fabs(difference - s * images[k]) < (100.0 * h * h + 1e-15 / h) * s * size,
            "output %zu: %g by differences, %g", a, difference, s * images[k]);
      CHECK(std::fabs(here.factor[k] * here.z[k] - here.gradient[k]) <=
                1e-15 * std::fabs(here.gradient[k]),
            "R z = %g, r = %g", here.factor[k] * here.z[k], here.gradient[k]);
    }
}

// v^T (R R^T - l'') v >= 0.
void TestBound() {
  const Samples samples;
  const Seeds here(samples, samples.f);
  Draw draw(19);
  for (int round = 0; round < 20; ++round) {
    const Vector v = draw.Normals(samples.f.size());
    Vector images = v;
    ApplyLossHessian(kLoss, samples.Tile(samples.f), images.data(), kSamples);
    for (size_t j = 0; j < kTargets; ++j)
      for (size_t i = 0; i < kSamples; ++i) {
        double bound = 0.0, exact = 0.0;
        for (const size_t a : {j, kTargets + j}) {
          const size_t k = a * kSamples + i;
          bound += here.factor[k] * here.factor[k] * v[k] * v[k];
          exact += samples.root[i] * samples.root[i] * images[k] * v[k];
        }
        CHECK(bound - exact >= -1e-14 * bound, "bound %g below %g", bound, exact);
      }
  }
}

void TestFarOut() {
  const double target = 1.0;
  for (const double m : {800.0, -800.0})
    for (const double v : {800.0, -800.0}) {
      const double f[] = {m, v};
      double images[] = {1.0, 1.0};
      const LossTile tile = {1, 2, 1.0, f, 1, &target, 1, nullptr};
      CHECK(std::isfinite(ApplyLoss(kLoss, tile, nullptr)), "value at %g, %g", m, v);
      ApplyLossHessian(kLoss, tile, images, 1);
      CHECK(std::isfinite(images[0]) && std::isfinite(images[1]), "Hessian at %g, %g", m, v);
    }
  const double hit[] = {1.0, -800.0};
  const LossTile tile = {1, 2, 1.0, hit, 1, &target, 1, nullptr};
  const double least = 0.5 * std::log(1e-6);
  CHECK(std::fabs(ApplyLoss(kLoss, tile, nullptr) - least) <= 1e-15 * std::fabs(least), "floor");
}

}  // namespace

int main() {
  TestDerivatives();
  TestBound();
  TestFarOut();
  return Finish();
}
