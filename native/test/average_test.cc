// The moving average of Gram matrices: M = keep * M_before + add * J~^T J~ over linearizations of
// different samples against plain loops, for every number of threads; what restores it; that a
// linearization which fails leaves it; and that the factor of the last solve stays meanwhile.
#include <cstring>
#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr size_t kSamples = 300;

Vector MatrixOf(Engine& engine) {
  const size_t p = engine.architecture().parameter_count;
  Vector matrix(p * p);
  engine.curvature().dense()->Copy(matrix.data());
  return matrix;
}

bool Same(const Vector& a, const Vector& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

struct Setting {
  explicit Setting(size_t slot_count) : slots(slot_count) {}

  void Load(Engine* engine, unsigned seed) const {
    Draw draw(seed);
    const Vector x = draw.Normals(kSamples * net.input_size),
                 y = draw.Normals(kSamples * net.output_size);
    engine->data().Fill(0, kSamples, x.data(), y.data());
    engine->SamplesReplaced();
  }
  Status Linearize(Engine* engine, const Average* average) const {
    Request request(Route::kPrimal);
    request.average = average;
    Linearization result;
    return engine->Linearize(w.data(), request, 0.1, nullptr, {}, &result);
  }

  const Architecture net = MakeNet({5, 14, 9, 2}, Activation::kTanh, true, 1.3);
  const size_t slots;
  const Vector w = Draw(3).Normals(net.parameter_count, 0.5);
};

// M after three batches; with `check` against the Gram matrices of an engine that does not average.
Vector AverageOf(const Setting& setting, int threads, bool check) {
  Engine engine(setting.net, threads, setting.slots), plain(setting.net, threads, setting.slots);
  for (Engine* one : {&engine, &plain}) CHECK(one->ReserveData(kSamples, false).ok(), "room");
  const size_t p = setting.net.parameter_count;
  const Average average = {0.7, 0.4};
  Vector expected(p * p, 0.0), inverse(p), after(p), step(p);
  bool kept = true;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    setting.Load(&engine, seed);
    setting.Load(&plain, seed);
    const Vector v = Draw(8).Normals(p);
    if (seed > 1) CHECK(engine.DampedInverse(v.data(), {}, inverse.data()).ok(), "after a load");
    CHECK(setting.Linearize(&engine, &average).ok(), "average");
    CHECK(setting.Linearize(&plain, nullptr).ok(), "Gram matrix");
    CHECK(Same(engine.gradient(), plain.gradient()), "gradient");
    const Vector g = MatrixOf(plain);
    for (size_t k = 0; k < p * p; ++k) expected[k] = 0.7 * expected[k] + 0.4 * g[k];
    if (seed > 1) {
      // With several slots a partial sum stood in the place of the factor.
      const Status status = engine.DampedInverse(v.data(), {}, after.data());
      kept = status.ok() && Same(after, inverse);
      CHECK(setting.slots == 1 ? kept : status.code == Code::kMisuse, "the factor, %zu slots",
            setting.slots);
      Solution solution;
      CHECK(engine.Accelerate(v.data(), nullptr, {}, step.data()).code == Code::kMisuse,
            "an acceleration by the factor of before");
    }
    Solution solution;
    CHECK(engine.Solve({.mu = 0.5, .decay = 0.1}, {}, step.data(), &solution).ok(), "solve");
  }
  const Vector matrix = MatrixOf(engine);
  double off = 0.0;
  for (size_t k = 0; k < p * p; ++k) off = std::fmax(off, std::fabs(matrix[k] - expected[k]));
  // Three roundings of each of three terms.
  if (check)
    CHECK(off <= 9 * std::numeric_limits<double>::epsilon() * Largest(expected), "off by %g", off);

  // A linearization that fails, and one that adds nothing, change nothing; nor do others between.
  Vector broken = setting.w;
  broken[0] = std::nan("");
  Request request(Route::kPrimal);
  request.average = &average;
  Linearization result;
  CHECK(!engine.Linearize(broken.data(), request, 0.0, nullptr, {}, &result).ok(), "broken");
  CHECK(setting.Linearize(&engine, nullptr).ok(), "Gram matrix");
  CHECK(engine.Linearize(setting.w.data(), Route::kDual, 0.0, nullptr, {}, &result).ok(), "dual");
  const Average nothing = {1.0, 0.0};
  CHECK(setting.Linearize(&engine, &nothing).ok(), "average");
  CHECK(Same(MatrixOf(engine), matrix), "the average has changed");

  Engine other(setting.net, threads, setting.slots);
  CHECK(other.ReserveData(kSamples, false).ok(), "room");
  setting.Load(&other, 3);
  CHECK(other.RestoreAverage(matrix.data()).ok(), "restore");
  CHECK(setting.Linearize(&other, &average).ok(), "average");
  setting.Load(&engine, 3);
  CHECK(setting.Linearize(&engine, &average).ok(), "average");
  CHECK(Same(MatrixOf(engine), MatrixOf(other)), "a run that goes on");
  return MatrixOf(other);
}

}  // namespace

int main() {
  for (const size_t slots : {size_t{1}, size_t{4}}) {
    const Setting setting(slots);
    const Vector one = AverageOf(setting, 1, true);
    for (const int threads : {2, 3})
      CHECK(Same(AverageOf(setting, threads, false), one), "%d threads", threads);
  }
  return Finish();
}
