// Every loss (loss/loss.h): gradient and second derivative against differences of the value and of
// the gradient, the factor against the second derivative where it is exact, and closed forms far
// out.
#include "loss/loss.h"

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr size_t kSamples = 100, kOutputs = 3;
constexpr double kScale = 1.3;  // of the outputs

struct Case {
  const char* name;
  Loss loss;
  bool exact;   // R R^T is the second derivative
  double kink;  // of the gradient by the error; 0 = none
};

const Case kCases[] = {
    {"squared error", {LossKind::kSquaredError}, true, 0.0},
    {"huber", {LossKind::kHuber, 0.7}, false, 0.7},
    {"logistic", {LossKind::kLogistic}, true, 0.0},
    {"softmax", {LossKind::kSoftmax}, true, 0.0},
    {"pseudo-huber", {LossKind::kPseudoHuber, 0.7}, false, 0.0},
    {"log-cosh", {LossKind::kLogCosh}, false, 0.0},
    {"quantile", {LossKind::kQuantile, 0.0, 0.8, 0.3}, false, 0.0},
    {"poisson", {LossKind::kPoisson}, true, 0.0},
};

// Outputs f and targets, [output][sample].
struct Samples {
  explicit Samples(const Loss& loss) {
    Draw draw(11);
    f = draw.Normals(kSamples * kOutputs, 1.5);
    targets = draw.Normals(kSamples * kOutputs);
    root = draw.Normals(kSamples);
    for (double& value : root) value = std::fabs(value);
    if (loss.kind == LossKind::kPoisson)
      for (double& value : targets) value = std::floor(2.0 * std::fabs(value));
    if (loss.kind != LossKind::kLogistic && loss.kind != LossKind::kSoftmax) return;
    for (size_t i = 0; i < kSamples; ++i) {
      double sum = 0.0;
      for (size_t a = 0; a < kOutputs; ++a) {
        double& y = targets[a * kSamples + i];
        y = std::fabs(y) / (1.0 + std::fabs(y));
        sum += y;
      }
      if (loss.kind == LossKind::kSoftmax)
        for (size_t a = 0; a < kOutputs; ++a) targets[a * kSamples + i] /= sum;
    }
  }

  LossTile Tile(const Vector& outputs) const {
    return {kSamples, kOutputs,       kScale,   outputs.data(),
            kSamples, targets.data(), kSamples, root.data()};
  }

  Vector f, targets, root;
};

// s r of every sample.
Vector Gradient(const Loss& loss, const Samples& samples, const Vector& f) {
  Vector gradient(kSamples * kOutputs), factor(kSamples * loss.factor_rows(kOutputs)),
      z(gradient.size());
  const Vector ones(gradient.size(), 1.0 / kScale);  // the slopes of the squared error's seeds
  LossSeeds seeds;
  seeds.factor = factor.data();
  seeds.z = z.data();
  seeds.ld_factor = seeds.ld_z = seeds.ld_slope = kSamples;
  seeds.slope = ones.data();
  if (!loss.sum_of_squares()) {
    seeds.gradient = gradient.data();
    seeds.ld_gradient = kSamples;
  }
  ApplyLoss(loss, samples.Tile(f), &seeds);
  if (!loss.sum_of_squares()) return gradient;
  for (size_t k = 0; k < gradient.size(); ++k) gradient[k] = factor[k] * z[k];
  return gradient;
}

void TestHessian(const Case& one) {
  const Samples samples(one.loss);
  Draw draw(12);
  const Vector v = draw.Normals(kSamples * kOutputs);
  Vector images = v;
  ApplyLossHessian(one.loss, samples.Tile(samples.f), images.data(), kSamples);
  const double h = 1e-5;
  Vector above = samples.f, below = samples.f;
  for (size_t k = 0; k < v.size(); ++k) {
    above[k] += h / kScale * v[k];
    below[k] -= h / kScale * v[k];
  }
  const Vector up = Gradient(one.loss, samples, above), down = Gradient(one.loss, samples, below);
  for (size_t a = 0; a < kOutputs; ++a)
    for (size_t i = 0; i < kSamples; ++i) {
      const size_t k = a * kSamples + i;
      const double error = std::fabs(kScale * samples.f[k] - samples.targets[k]);
      // No difference over a kink of the gradient shows the derivative beside it.
      if (one.kink > 0.0 && std::fabs(error - one.kink) < 10.0 * h) continue;
      const double s = samples.root[i] * samples.root[i];
      const double difference = (up[k] - down[k]) / (2.0 * h);
      // h^2 of a third derivative of size 10, and the rounding of the gradient over h.
      CHECK(std::fabs(difference - s * images[k]) < 1e-8 * (1.0 + s) * (1.0 + std::fabs(images[k])),
            "%s: %g by differences, %g", one.name, difference, s * images[k]);
    }
}

// R R^T v with the factor of ApplyLoss against l'' v.
void TestExact(const Case& one) {
  const Samples samples(one.loss);
  Vector factor(kSamples * one.loss.factor_rows(kOutputs)), z(kSamples * kOutputs);
  const Vector ones(kSamples * kOutputs, 1.0 / kScale);
  LossSeeds seeds;
  seeds.factor = factor.data();
  seeds.z = z.data();
  seeds.slope = ones.data();
  seeds.ld_factor = seeds.ld_z = seeds.ld_slope = kSamples;
  ApplyLoss(one.loss, samples.Tile(samples.f), &seeds);
  Draw draw(13);
  const Vector v = draw.Normals(kSamples * kOutputs);
  Vector images = v;
  ApplyLossHessian(one.loss, samples.Tile(samples.f), images.data(), kSamples);
  const bool full = one.loss.full();
  const auto r = [&](size_t a, size_t b, size_t i) {
    if (full) return factor[(b * kOutputs + a) * kSamples + i];
    return a == b ? factor[a * kSamples + i] : 0.0;
  };
  for (size_t i = 0; i < kSamples; ++i)
    for (size_t a = 0; a < kOutputs; ++a) {
      double sum = 0.0, size = 0.0;
      for (size_t b = 0; b < kOutputs; ++b)
        for (size_t k = 0; k < kOutputs; ++k) {
          const double term = r(a, b, i) * r(k, b, i) * v[k * kSamples + i];
          sum += term;
          size += std::fabs(term);
        }
      const double image = samples.root[i] * samples.root[i] * images[a * kSamples + i];
      // Nine products of three rounded numbers each.
      CHECK(std::fabs(sum - image) <= 100.0 * 2.3e-16 * size, "%s: R R^T v is %g, l'' v %g",
            one.name, sum, image);
    }
}

// p (1 - p) = exp(-40) to 17 digits for logits 40 apart, and nothing that is not finite at +-800.
void TestFarOut() {
  const double targets[] = {0.0, 1.0};
  for (const double logit : {20.0, 800.0}) {
    const double f[] = {-logit, logit};
    const LossTile tile = {1, 2, 1.0, f, 1, targets, 1, nullptr};
    double images[] = {1.0, 0.0};
    ApplyLossHessian({LossKind::kSoftmax}, tile, images, 1);
    const double expected = std::exp(-2.0 * logit);
    CHECK(std::fabs(images[0] - expected) <= 1e-15 * expected, "softmax: %g in place of %g",
          images[0], expected);
    CHECK(std::fabs(images[1] + expected) <= 1e-15 * expected, "softmax: %g in place of %g",
          images[1], -expected);
  }
  for (const Case& one : kCases)
    for (const double sign : {1.0, -1.0}) {
      const double f[] = {sign * 800.0, -sign * 800.0};
      const LossTile tile = {1, 2, 1.0, f, 1, targets, 1, nullptr};
      double images[] = {1.0, 2.0};
      ApplyLossHessian(one.loss, tile, images, 1);
      // The mean exp(800) of a count overflows, and the loss with it.
      const bool overflows = one.loss.kind == LossKind::kPoisson;
      for (size_t a = 0; a < 2; ++a)
        CHECK(std::isfinite(images[a]) || (overflows && f[a] > 0.0 && images[a] > 0.0), "%s: %g",
              one.name, images[a]);
    }
}

}  // namespace

int main() {
  for (const Case& one : kCases) {
    TestHessian(one);
    if (one.exact) TestExact(one);
  }
  TestFarOut();
  return Finish();
}
