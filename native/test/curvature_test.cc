// The curvatures behind their one face: what each says that it can do is what it does, which of
// them stand in memory together, and that a run of one kind, or one that alternates, reserves
// nothing after its first turn.
#include <algorithm>
#include <memory>
#include <vector>

#include "check.h"
#include "curvature/layer_factors.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

using Need = Curvature::Need;

// A problem on which every kind can be formed, and its engine.
struct Bench {
  explicit Bench(size_t samples, size_t slot_count = 1)
      : net(MakeNet({3, 10, 9, 2}, Activation::kTanh, true, 1.2)),
        n(samples),
        slots(slot_count),
        engine(net, 2, slots) {
    Draw draw(19);
    const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(n * net.output_size);
    parameters = draw.Normals(net.parameter_count, 0.5);
    CHECK(engine.SetData(n, x.data(), y.data(), nullptr).ok(), "data");
    for (size_t i = 0; i < n; i += 2) half.push_back(static_cast<uint32_t>(i));
    for (size_t i = 0; i < n; i += n / 8) few.push_back(static_cast<uint32_t>(i));
  }

  void Linearize(const Request& request) {
    Linearization result;
    CHECK(engine.Linearize(parameters.data(), request, 0.0, nullptr, {}, &result).ok(), "route %d",
          static_cast<int>(request.route));
  }
  size_t BytesAfter(const Request& request) {
    Linearize(request);
    return engine.bytes();
  }

  Request single() const { return {Route::kPrimal, Precision::kSingle}; }
  Request subset() const { return {Route::kPrimal, Precision::kSingle, &half}; }
  Request rows() const { return {Route::kPrimal, Precision::kSingle, &few}; }
  Request model() const { return {Route::kMatrixFree, Precision::kDouble, &half}; }
  std::vector<Request> all() const {
    if (slots > 1) return {Route::kNone, Route::kPrimal, Route::kDual, Route::kMatrixFree};
    return {Route::kNone, Route::kPrimal,     single(),           subset(), rows(),
            Route::kDual, Route::kOrthogonal, Route::kMatrixFree, model()};
  }

  const Architecture net;
  const size_t n, slots;
  std::vector<uint32_t> half, few;
  Vector parameters;
  Engine engine;
};

// A need is refused with a sentence exactly where the call behind it is a misuse.
void TestRefusals(size_t slots) {
  Bench bench(150, slots);
  const size_t most = std::max(bench.net.parameter_count, 2 * bench.n);
  const Vector v(most, 0.25);
  Vector out(std::max(most, LayerFactorsSize(bench.net)));
  for (const Request& request : bench.all()) {
    bench.Linearize(request);
    Curvature& curvature = bench.engine.curvature();
    const auto agrees = [&](Need need, bool misuse, const char* name) {
      CHECK((curvature.Refusal(need) != nullptr) == misuse, "route %d, subset %d: %s",
            static_cast<int>(request.route), request.subset != nullptr, name);
    };
    agrees(Need::kView, curvature.dense() == nullptr, "view");
    agrees(Need::kProduct, curvature.Multiply(1, v.data(), {}, out.data()).code == Code::kMisuse,
           "product");
    agrees(Need::kLayerFactors, curvature.LayerFactors({}, out.data()).code == Code::kMisuse,
           "layer factors");
    agrees(Need::kInverse, curvature.Inverse(v.data(), 0.7, {}, out.data()).code == Code::kMisuse,
           "inverse");
    // A factor comes with a solve, and an acceleration with a factor.
    Solution solution;
    const Status solved = bench.engine.Solve({.mu = 100.0}, {}, out.data(), &solution);
    CHECK(solved.ok() == curvature.factored(), "a solve and its factor");
    CHECK(bench.engine.Accelerate(v.data(), nullptr, {}, out.data()).ok() ==
              (solved.ok() && curvature.traits().accelerates),
          "an acceleration, route %d", static_cast<int>(request.route));
  }
}

// What is not summed by slots is refused with a sentence, and leaves the linearization before it.
void TestSlotRefusals() {
  const Bench owner(150);  // of the samples that the requests point to
  for (const size_t slots : {1, 2, 8}) {
    size_t refused = 0;
    for (const Request& request : owner.all()) {
      Bench bench(150, slots);
      bench.Linearize(Route::kPrimal);
      const Vector gradient = bench.engine.gradient();
      const Status status = bench.engine.Linearize(bench.parameters.data(), request, 0.0, nullptr,
                                                   {}, std::make_unique<Linearization>().get());
      const bool refuses = bench.engine.Refusal(request) != nullptr;
      CHECK(refuses == (status.code == Code::kMisuse), "%zu slots, route %d: code %d", slots,
            static_cast<int>(request.route), static_cast<int>(status.code));
      if (!refuses) continue;
      ++refused;
      CHECK(bench.engine.gradient() == gradient && bench.engine.curvature().order() > 0,
            "a refused request, route %d", static_cast<int>(request.route));
    }
    // Subsets in single precision twice, and products of one.
    CHECK(refused == (slots == 1 ? 0 : 3), "%zu slots: %zu requests refused", slots, refused);
  }
}

// An inverse replaces the factor, and with it ends the solve.
void TestInverseEndsSolve() {
  Bench bench(40);
  const size_t p = bench.net.parameter_count;
  Vector v(std::max(p, 2 * bench.n), 0.25), out(v.size());
  for (const Route route : {Route::kPrimal, Route::kDual}) {
    bench.Linearize(route);
    Solution solution;
    CHECK(bench.engine.Solve({.mu = 1.0}, {}, out.data(), &solution).ok(), "solve");
    CHECK(bench.engine.curvature().Inverse(v.data(), 0.7, {}, out.data()).ok(), "inverse");
    CHECK(bench.engine.Accelerate(v.data(), nullptr, {}, out.data()).code == Code::kMisuse,
          "an acceleration with the factor of an inverse");
  }
}

// Kinds whose matrices exclude each other, in any order: never more than the larger alone, panels
// and pair lists apart.
void TestOneMatrix() {
  const size_t p = Bench(150).net.parameter_count;
  const size_t matrix = p * (p + 1) * sizeof(double);
  {
    Bench bench(150);
    const size_t exact = bench.BytesAfter(Route::kPrimal);
    const size_t single = bench.BytesAfter(bench.single());
    CHECK(single + matrix / 4 < exact, "single precision stands beside double: %zu, %zu", single,
          exact);
    const size_t rows = bench.BytesAfter(bench.rows());
    CHECK(rows + matrix / 4 < single, "rows stand beside single precision: %zu, %zu", rows, single);
  }
  {
    // As many equations as parameters, nearly: Gram matrix and kernel take turns in one buffer, and
    // keep what they are made from.
    const size_t n = p / 2;
    Bench both(n), kernel(n);
    const size_t bare = kernel.BytesAfter(Route::kNone);
    const size_t dual = kernel.BytesAfter(Route::kDual);
    const size_t primal = both.BytesAfter(Route::kPrimal);
    const size_t held = both.BytesAfter(Route::kDual);
    CHECK(held + matrix / 2 < primal + dual - bare, "the kernel has a matrix of its own: %zu bytes",
          held);
  }
  {
    Bench bench(150);
    const size_t gram = bench.BytesAfter(Route::kPrimal);
    CHECK(bench.BytesAfter(Route::kOrthogonal) >= gram + (p + 1) * (p + 1) * sizeof(double),
          "the triangle stands beside the Gram matrix");
    CHECK(bench.BytesAfter(Route::kPrimal) >= gram + (p + 1) * (p + 1) * sizeof(double),
          "and stays");
  }
}

// Two turns of any two kinds end with the bytes of one.
void TestTurns(size_t slots) {
  const size_t kinds = Bench(150, slots).all().size();
  for (size_t a = 0; a < kinds; ++a) {
    for (size_t b = 0; b < kinds; ++b) {
      Bench bench(150, slots);
      const std::vector<Request> all = bench.all();
      size_t bytes[2] = {};
      for (size_t& after : bytes) {
        bench.Linearize(all[a]);
        after = bench.BytesAfter(all[b]);
      }
      CHECK(bytes[0] == bytes[1], "kinds %zu and %zu grow from %zu to %zu bytes", a, b, bytes[0],
            bytes[1]);
    }
  }
}

}  // namespace

int main() {
  for (const size_t slots : {1, 8}) {
    TestRefusals(slots);
    TestTurns(slots);
  }
  TestSlotRefusals();
  TestInverseEndsSolve();
  TestOneMatrix();
  return Finish();
}
