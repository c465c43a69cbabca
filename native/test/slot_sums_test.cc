// The engine's sums over samples in slots. Bit by bit they are the tree of what one engine a slot
// sums by itself, for every number of threads, from memory and from a file; as numbers they are
// those of one slot, up to rounding.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include "check.h"
#include "curvature/layer_factors.h"
#include "file_version.h"
#include "slot_problem.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

Sums Join(const std::vector<Sums>& parts, size_t first, size_t count) {
  if (count == 1) return parts[first];
  Sums left = Join(parts, first, count / 2);
  const Sums right = Join(parts, first + count / 2, count / 2);
  for (size_t q = 0; q < left.size(); ++q)
    for (size_t j = 0; j < left[q].values.size(); ++j)
      left[q].values[j] = left[q].values[j] + right[q].values[j];
  return left;
}

// Two orders of one sum of n c terms, each of depth operations more: their difference is at most
// that many roundings of the sum of magnitudes, which for these random signs is below n times the
// largest entry.
void CheckNear(const Vector& a, const Vector& b, double terms, const char* what, size_t slots) {
  double off = 0.0;
  for (size_t j = 0; j < a.size(); ++j) off = std::fmax(off, std::fabs(a[j] - b[j]));
  CHECK(off <= 8.0 * terms * kEps * Largest(b), "%s, %zu slots: off by %g of %g", what, slots, off,
        Largest(b));
}

void TestSums(const Problem& problem, bool matrix, const std::vector<size_t>& counts,
              const std::vector<int>& threads = {1, 2, 3}) {
  Engine whole(problem.net, 2);
  const SampleRange all = {0, problem.n};
  problem.Give(all, &whole);
  const Sums plain = SumsOf(problem, all, matrix, &whole);
  for (const size_t count : counts) {
    const SlotCut slots(problem.n, count);
    std::vector<Sums> parts;
    for (size_t k = 0; k < count; ++k) {
      Engine part(problem.net, 1);
      problem.Give(slots.At(k), &part);
      parts.push_back(SumsOf(problem, slots.At(k), matrix, &part));
    }
    const Sums expected = Join(parts, 0, count);
    for (const int many : threads) {
      Engine engine(problem.net, many, count);
      problem.Give(all, &engine);
      CheckEqual(SumsOf(problem, all, matrix, &engine), expected, "sums", count);
    }
    for (size_t q = 0; q < plain.size(); ++q)
      CheckNear(expected[q].values, plain[q].values,
                static_cast<double>(problem.n * problem.net.output_size), plain[q].name, count);
  }
}

// Steps, accelerations and layer factors: equal bits for equal S, and near those of one slot.
void TestSteps(const Problem& problem, Request request,
               const std::vector<size_t>& counts = {2, 4, 8},
               const std::vector<int>& threads = {2, 3}) {
  const Route route = request.route;
  const size_t p = problem.net.parameter_count;
  const auto steps = [&](size_t slots, int threads) {
    Engine engine(problem.net, threads, slots);
    problem.Give({0, problem.n}, &engine);
    Vector scaling(engine.FormedBy(request).traits().scaling_count, 0.0);
    Linearization result;
    CHECK(
        engine.Linearize(problem.parameters.data(), request, 0.0, scaling.data(), {}, &result).ok(),
        "linearize");
    Sums sums = {{"scaling", scaling}, {"measure", {result.gradient_cosine}}};
    if (std::isnan(result.gradient_cosine)) sums.pop_back();
    if (route == Route::kMatrixFree) {
      Vector factors(LayerFactorsSize(problem.net));
      // Twice: the first factor is kept from the first time.
      for (const char* name : {"layer factors", "layer factors again"}) {
        CHECK(engine.curvature().LayerFactors({}, factors.data()).ok(), "factors");
        sums.push_back({name, factors});
      }
      return sums;
    }
    Vector step(p), acceleration(p);
    Solution solution;
    // A damping of the largest diagonal entries: systems of a condition near 1, whose solutions
    // have the roundings of their right-hand sides.
    const Damping damping = {.mu = 10.0, .scaling = scaling.data()};
    for (const char* name : {"step", "second step"}) {
      CHECK(engine.Solve(damping, {}, step.data(), &solution).ok(), "solve");
      sums.push_back({name, step});
      if (!engine.curvature().traits().accelerates) continue;
      CHECK(engine.Accelerate(step.data(), scaling.data(), {}, acceleration.data()).ok(),
            "accelerate");
      sums.push_back({"acceleration", acceleration});
    }
    return sums;
  };
  const Sums plain = steps(1, 2);
  for (const size_t slots : counts) {
    const Sums one = steps(slots, 1);
    for (const int many : threads)
      CheckEqual(steps(slots, many), one, "steps on several threads", slots);
    for (size_t q = 0; q < one.size(); ++q)
      CheckNear(one[q].values, plain[q].values,
                static_cast<double>(problem.n * problem.net.output_size + p), one[q].name, slots);
  }
}

// Where z is not finite the gradient comes from the slopes of the loss.
void TestFallback() {
  const Problem problem({3, 6, 4, 3}, {LossKind::kSoftmax}, 60, 4000.0);
  Vector plain;
  for (const size_t slots : {1, 2, 4, 8}) {
    Vector one;
    for (const int threads : {1, 2}) {
      Engine engine(problem.net, threads, slots);
      problem.Give({0, problem.n}, &engine);
      Linearization result;
      CHECK(
          engine.Linearize(problem.parameters.data(), Route::kDual, 0.0, nullptr, {}, &result).ok(),
          "linearize");
      CHECK(!std::isfinite(result.residual_square), "z is finite: |z|^2 = %g",
            result.residual_square);
      Vector step(problem.net.parameter_count), all = engine.gradient();
      Solution solution;
      CHECK(engine.Solve({.mu = 1e9}, {}, step.data(), &solution).ok(), "solve");
      all.insert(all.end(), step.begin(), step.end());
      if (threads == 1) one = all;
      CHECK(all == one, "%zu slots: two threads give other bits", slots);
    }
    const auto p = static_cast<ptrdiff_t>(problem.net.parameter_count);
    if (slots == 1) plain = one;
    CheckNear({one.begin(), one.begin() + p}, {plain.begin(), plain.begin() + p}, 180.0, "gradient",
              slots);
  }
}

#ifndef _WIN32
// A file's samples, read in blocks, give the bits of those in memory.
void TestFile(const Problem& problem, bool matrix, const std::vector<size_t>& counts) {
  const size_t d = problem.net.input_size, c = problem.net.output_size;
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("gaussflow-slots-" + std::to_string(std::random_device{}())))
                               .string();
  std::FILE* file = std::fopen(path.c_str(), "wb");
  for (size_t i = 0; i < problem.n; ++i) {
    std::fwrite(problem.inputs.data() + i * d, sizeof(double), d, file);
    std::fwrite(problem.targets.data() + i * c, sizeof(double), c, file);
  }
  std::fclose(file);
  FileLayout layout;
  layout.path = path;
  layout.width = d + c;
  layout.version = VersionOf(path);
  layout.column_offset.assign(d + c, 0.0);
  layout.column_scale.assign(d + c, 1.0);
  for (const size_t slots : counts) {
    Engine here(problem.net, 2, slots), there(problem.net, 2, slots);
    problem.Give({0, problem.n}, &here);
    CHECK(there.ReserveFile(problem.n, layout, true).ok(), "file");
    there.data().FillWeights(0, problem.n, problem.weights.data());
    CheckEqual(SumsOf(problem, {0, problem.n}, matrix, &there),
               SumsOf(problem, {0, problem.n}, matrix, &here), "from a file", slots);
  }
  std::filesystem::remove(path);
}
#endif

// What slots add to the bytes of an engine: p numbers a level for the gradient, two for the loss,
// and a packed triangle a level for the Gram matrix, the first level apart; less what a block of
// fewer samples saves.
void TestBytes() {
  const Problem problem({3, 20, 12, 2}, {}, 300);
  const size_t p = problem.net.parameter_count;
  const auto bytes = [&](Route route, size_t slots) {
    Engine engine(problem.net, 1, slots);
    problem.Give({0, problem.n}, &engine);
    Linearization result;
    CHECK(engine.Linearize(problem.parameters.data(), route, 0.0, nullptr, {}, &result).ok(),
          "linearize");
    return engine.bytes();
  };
  for (const size_t levels : {1, 2, 3}) {
    const size_t slots = size_t{1} << levels;
    // The tiles of a pass are more, a few dozen bytes each.
    const size_t tiles = 64 * slots;
    const auto check = [&](Route route, size_t numbers, size_t saved) {
      const size_t with = bytes(route, slots), without = bytes(route, 1);
      const size_t most = without + numbers * sizeof(double);
      CHECK(with + saved >= most && with <= most + tiles, "route %d, %zu slots: %zu bytes, not %zu",
            static_cast<int>(route), slots, with, most);
    };
    check(Route::kNone, levels * (p + 2), 0);
    check(Route::kMatrixFree, levels * (2 * p + 2), 0);
    // The rows that the Gram matrix is formed from are those of a block: inputs and deltas.
    const size_t row = 3 + 1 + 20 + 1 + 12 + 1 + 2 * (20 + 12 + 1);
    check(Route::kPrimal, levels * (p + 2) + (levels - 1) * p * (p + 1) / 2,
          (problem.n - problem.n / slots) * row * sizeof(double));
  }
}

}  // namespace

int main() {
  // Slots of 62 and 63 samples; and of more than a tile.
  for (const size_t n : {500, 2100}) {
    TestSums(Problem({3, 9, 7, 2}, {}, n), true, {1, 2, 4, 8});
    TestSums(Problem({3, 9, 7, 3}, {LossKind::kSoftmax}, n), true, {2, 8});
  }
  TestSums(Problem({3, 9, 7, 2}, {LossKind::kHuber, 0.8}, 500), true, {2, 8});
  TestSums(Problem({3, 9, 7, 4}, {LossKind::kGaussianNll}, 500), true, {2, 8});
  TestSums(Problem({2, 5, 1}, {}, 16), true, {16});
  // A weight matrix that threads share in a slot's only tile.
  if (!Small()) TestSums(Problem({3, 1500, 1500, 1}, {}, 300), false, {2}, {2});
  // More samples than a block has: the slots of two blocks, and of less than one.
  if (!Small()) TestSums(Problem({5, 24, 20, 3}, {}, 40000), false, {2, 8}, {2});
  if (!Small()) TestSums(Problem({5, 24, 20, 3}, {}, 20000), true, {4}, {2});
  for (const LossKind kind : {LossKind::kSquaredError, LossKind::kSoftmax})
    for (const Request& request :
         {Request(Route::kPrimal), Request(Route::kDual), Request(Route::kMatrixFree),
          Request(Route::kOrthogonal), Request(Route::kPrimal, Precision::kSingle)})
      TestSteps(Problem({3, 9, 7, 2}, {kind}, 150), request);
  // So few that the triangle's passes hold all samples at once, too.
  TestSteps(Problem({3, 9, 7, 2}, {}, 100), Route::kOrthogonal);
  const Problem blocks({5, 24, 20, 3}, {}, 20000);
  if (!Small()) TestSteps(blocks, Route::kPrimal, {2, 8}, {2});
  if (!Small()) TestSteps(blocks, Route::kMatrixFree, {2, 8}, {2});
  if (!Small()) TestSteps(blocks, Route::kOrthogonal, {2, 8}, {2});
  if (!Small()) TestSteps(blocks, Request(Route::kPrimal, Precision::kSingle), {2, 8}, {2});
  TestFallback();
#ifndef _WIN32
  TestFile(Problem({3, 9, 7, 2}, {}, 500), true, {1, 2, 8});
  if (!Small()) TestFile(Problem({5, 24, 20, 3}, {}, 40000), false, {1, 2, 8});
#endif
  TestBytes();
  return Finish();
}
