// An engine whose samples were replaced against one that was made for them, bit for bit, with every
// kind of curvature; and what the replacement ends.
#include <cstring>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr size_t kSamples = 300;  // two tiles, the second not whole

struct Rows {
  Vector inputs, targets, weights;
};

Rows RowsOf(const Architecture& net, bool weighted, unsigned seed) {
  Draw draw(seed);
  Rows rows = {draw.Normals(kSamples * net.input_size),
               Vector(kSamples * net.target_size(), 1.0 / static_cast<double>(net.target_size())),
               draw.Normals(weighted ? kSamples : 0)};
  // Targets that every loss takes, other ones for each seed.
  for (double& target : rows.targets) target += 0.01 * seed;
  for (double& weight : rows.weights) weight = std::fabs(weight);
  return rows;
}

const double* WeightsOf(const Rows& rows) {
  return rows.weights.empty() ? nullptr : rows.weights.data();
}

// Loss, gradient, and the step, or a product of the curvature where there are no steps.
Vector AnswersOf(Engine& engine, const Vector& w, Route route) {
  const size_t p = w.size();
  Vector out(1 + 2 * p, 0.0);
  Linearization result;
  CHECK(engine.Linearize(w.data(), route, 0.3, nullptr, {}, &result).ok(), "linearize");
  out[0] = result.loss;
  std::copy_n(engine.gradient().data(), p, out.data() + 1);
  double* last = out.data() + 1 + p;
  if (route == Route::kNone) return out;
  if (route == Route::kMatrixFree) {
    CHECK(engine.curvature().Multiply(1, w.data(), {}, last).ok(), "product");
    return out;
  }
  Solution solution;
  CHECK(engine.Solve({.mu = 0.7, .decay = 0.3}, {}, last, &solution).ok(), "solve");
  return out;
}

void TestLoad(LossKind loss, Route route, bool weighted) {
  // More columns than the copy turns round at a time.
  Architecture net = MakeNet({70, 6, 3}, Activation::kTanh, true, 1.3);
  net.loss.kind = loss;
  const size_t p = net.parameter_count;
  const Vector w = Draw(3).Normals(p, 0.3);
  const Rows first = RowsOf(net, weighted, 1), second = RowsOf(net, weighted, 2);

  Engine engine(net, 2), fresh(net, 2);
  CHECK(engine.SetData(kSamples, first.inputs.data(), first.targets.data(), WeightsOf(first)).ok(),
        "data");
  CHECK(
      fresh.SetData(kSamples, second.inputs.data(), second.targets.data(), WeightsOf(second)).ok(),
      "data");
  const Vector before = AnswersOf(engine, w, route);
  const size_t held = engine.bytes();
  engine.data().Fill(0, kSamples, second.inputs.data(), second.targets.data());
  if (weighted) engine.data().FillWeights(0, kSamples, second.weights.data());
  engine.SamplesReplaced();
  CHECK(engine.bytes() == held, "%zu bytes became %zu", held, engine.bytes());

  Vector out(p);
  Solution solution;
  CHECK(engine.Solve({.mu = 1.0}, {}, out.data(), &solution).code == Code::kMisuse, "solve");
  CHECK(engine.HessianProduct(1, w.data(), {}, out.data()).code == Code::kMisuse, "Hessian");
  const Vector after = AnswersOf(engine, w, route), right = AnswersOf(fresh, w, route);
  CHECK(std::memcmp(after.data(), right.data(), right.size() * sizeof(double)) == 0,
        "loss %d, route %d, weighted %d: bits differ", static_cast<int>(loss),
        static_cast<int>(route), weighted);
  CHECK(before[0] != right[0], "the rows are the same");
}

}  // namespace

int main() {
  for (const Route route :
       {Route::kNone, Route::kPrimal, Route::kDual, Route::kOrthogonal, Route::kMatrixFree})
    for (const bool weighted : {false, true})
      for (const LossKind loss : {LossKind::kSquaredError, LossKind::kSoftmax})
        TestLoad(loss, route, weighted);
  return Finish();
}
