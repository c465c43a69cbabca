// The Gram matrix in blocks on several ranks, which are threads here and factor by LAPACK on one of
// them (thread_ranks.h), against the one engine that holds all of it: the matrix by its products,
// steps, accelerations, failures and what is refused.
#include <limits>

#include "engine.h"
#include "slot_problem.h"
#include "thread_ranks.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();
constexpr size_t kSlots = 4;
const Damping kDamping = {.mu = 0.5, .decay = 0.1};

// What a training asks of an engine.
struct Answers {
  double loss = 0.0;
  Vector gradient, scaling, products, step, corrected, acceleration, inverse;
};

Answers AnswersOf(const Problem& problem, bool columns, Engine* engine) {
  const size_t p = problem.net.parameter_count;
  problem.Give({0, problem.n}, engine);
  Answers a;
  a.scaling.assign(p, 0.0);
  Linearization result;
  CHECK(
      engine
          ->Linearize(problem.parameters.data(), Route::kPrimal, 0.1, a.scaling.data(), {}, &result)
          .ok(),
      "linearize");
  a.loss = result.loss;
  a.gradient = engine->gradient();
  a.step.resize(p);
  a.corrected.resize(p);
  a.acceleration.resize(p);
  a.inverse.resize(p);
  Solution solution;
  // Rejected trials first: the matrix has to be there still.
  // So small that the matrix stays definite.
  Vector sides = problem.directions;
  for (double& side : sides) side *= 3e-3;
  const Damping corrected = {.mu = kDamping.mu,
                             .scaling = a.scaling.data(),
                             .correction = {2, sides.data(), sides.data() + 2 * p}};
  CHECK(engine->Solve(corrected, {}, a.corrected.data(), &solution).ok(), "corrected solve");
  for (const double mu : {7.0, kDamping.mu}) {
    const Damping damping = {.mu = mu, .decay = kDamping.decay, .scaling = a.scaling.data()};
    CHECK(engine->Solve(damping, {}, a.step.data(), &solution).ok(), "solve");
  }
  CHECK(engine->Accelerate(a.step.data(), a.scaling.data(), {}, a.acceleration.data()).ok(),
        "accelerate");
  CHECK(engine->DampedInverse(problem.directions.data(), {}, a.inverse.data()).ok(), "inverse");
  // The columns of G, after the factor was made below them.
  const size_t count = columns ? p : kVectors;
  Vector vectors = problem.directions;
  if (columns) {
    vectors.assign(p * p, 0.0);
    for (size_t j = 0; j < p; ++j) vectors[j * p + j] = 1.0;
  }
  a.products.resize(count * p);
  CHECK(engine->curvature().Multiply(count, vectors.data(), {}, a.products.data()).ok(), "G v");
  return a;
}

void CheckNear(const Vector& a, const Vector& b, double bound, const char* what) {
  double worst = 0.0, size = 0.0;
  for (size_t j = 0; j < b.size(); ++j) {
    worst = std::fmax(worst, std::isfinite(a[j]) ? std::fabs(a[j] - b[j]) : HUGE_VAL);
    size = std::fmax(size, std::fabs(b[j]));
  }
  CHECK(worst <= bound * size, "%s: %g of %g", what, worst, size);
}

// `columns`: the matrix entry by entry, which has to have the bits of the one engine.
void TestAgainstOne(const Problem& problem, bool columns, const std::vector<size_t>& counts) {
  Engine one(problem.net, 2, kSlots);
  const Answers expected = AnswersOf(problem, columns, &one);
  const double p = static_cast<double>(problem.net.parameter_count);
  for (const size_t count : counts) {
    ThreadRanks world(count, kSlots);
    std::vector<Answers> answers(count);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank, true));
      answers[rank] = AnswersOf(problem, columns, &engine);
    });
    for (const Answers& a : answers) {
      CHECK(a.loss == expected.loss && a.gradient == expected.gradient &&
                a.scaling == expected.scaling,
            "%zu ranks: loss, gradient or scaling", count);
      if (columns) {
        CHECK(a.products == expected.products, "%zu ranks: entries of G", count);
      } else {
        CheckNear(a.products, expected.products, 4 * p * kEps, "G v");
      }
      // Two factorizations of one matrix, each refined once: errors of p eps times its condition,
      // which the damping bounds.
      CheckNear(a.corrected, expected.corrected, 1e4 * p * kEps, "step with a correction");
      CheckNear(a.step, expected.step, 1e4 * p * kEps, "step");
      CheckNear(a.acceleration, expected.acceleration, 1e4 * p * kEps, "acceleration");
      CheckNear(a.inverse, expected.inverse, 1e4 * p * kEps, "inverse");
      CHECK(a.step == answers[0].step && a.acceleration == answers[0].acceleration,
            "%zu ranks: another step", count);
    }
  }
}

// A matrix that is not positive definite fails alike on all ranks, and the next one is factored.
void TestIndefinite() {
  const Problem problem({3, 9, 7, 2}, {}, 10);
  const size_t p = problem.net.parameter_count;
  ThreadRanks world(3, kSlots);
  world.Run([&](size_t rank) {
    Engine engine(problem.net, 1, world.share(rank), world.ranks(rank, true));
    problem.Give({0, problem.n}, &engine);
    Linearization result;
    Solution solution;
    Vector step(p);
    const auto solve = [&](double mu) {
      return engine.ranks().Agreed(
          [&] { return engine.Solve({.mu = mu}, {}, step.data(), &solution); });
    };
    CHECK(engine.ranks()
              .Agreed([&] {
                return engine.Linearize(problem.parameters.data(), Route::kPrimal, 0.0, nullptr, {},
                                        &result);
              })
              .ok(),
          "linearize");
    CHECK(solve(-1.0).code == Code::kIndefinite, "an indefinite matrix");
    CHECK(!engine.curvature().factored(), "a factor of it");
    CHECK(solve(1.0).ok(), "a definite one");
  });
}

// One flag, one lost exchange, and one number beyond the range, each on all ranks.
void TestFailures() {
  Problem problem({3, 9, 7, 2}, {}, 100);
  const double* w = problem.parameters.data();
  {
    ThreadRanks world(2, kSlots);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank, true));
      problem.Give({0, problem.n}, &engine);
      const std::atomic<bool> flag{rank == 1};
      Linearization result;
      const Status status = engine.ranks().Agreed(
          [&] { return engine.Linearize(w, Route::kPrimal, 0.0, nullptr, {&flag}, &result); });
      CHECK(status.code == Code::kCanceled, "code %d", static_cast<int>(status.code));
    });
  }
  for (size_t at = 0; at < 24; ++at) {
    ThreadRanks world(2, kSlots);
    world.BreakAt(at);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank, true));
      problem.Give({0, problem.n}, &engine);
      Linearization result;
      Solution solution;
      Vector step(problem.net.parameter_count);
      Status status = engine.ranks().Agreed(
          [&] { return engine.Linearize(w, Route::kPrimal, 0.0, nullptr, {}, &result); });
      if (status.ok())
        status = engine.ranks().Agreed(
            [&] { return engine.Solve(kDamping, {}, step.data(), &solution); });
      CHECK(status.ok() ? at > 10 : status.code == Code::kUnreachable, "broken at %zu: code %d", at,
            static_cast<int>(status.code));
    });
  }
}

void TestRefusals() {
  const Problem problem({3, 5, 2}, {}, 100);
  ThreadRanks world(2, kSlots);
  world.Run([&](size_t rank) {
    Engine engine(problem.net, 1, world.share(rank), world.ranks(rank, true));
    problem.Give({0, problem.n}, &engine);
    const Average average = {0.9, 0.1};
    Request averaged(Route::kPrimal);
    averaged.average = &average;
    for (const Request& request : {Request(Route::kPrimal, Precision::kSingle), averaged})
      CHECK(engine.Refusal(request) != nullptr, "a refusal");
    CHECK(
        engine.Refusal(Route::kPrimal) == nullptr && engine.Refusal(Route::kMatrixFree) == nullptr,
        "what is supported");
    Linearization result;
    CHECK(
        engine.Linearize(problem.parameters.data(), Route::kPrimal, 0.0, nullptr, {}, &result).ok(),
        "linearize");
    for (const Curvature::Need need :
         {Curvature::Need::kView, Curvature::Need::kInverse, Curvature::Need::kLayerFactors})
      CHECK(engine.curvature().Refusal(need) != nullptr, "a refusal");
    CHECK(engine.curvature().dense() == nullptr, "a view");
  });
}

}  // namespace

int main() {
  // Fewer parameters than a block has; several blocks; more ranks than slots, and than blocks.
  TestAgainstOne(Problem({3, 9, 7, 2}, {}, 500), true, {1, 2, 3, 4, 6});
  TestAgainstOne(Problem({8, 30, 9, 3}, {LossKind::kSoftmax}, 300), true, {1, 2, 3, 4, 6});
  // Several groups of columns.
  if (!Small()) TestAgainstOne(Problem({20, 120, 3}, {LossKind::kHuber, 0.8}, 300), false, {2, 4});
  TestIndefinite();
  TestFailures();
  TestRefusals();
  return Finish();
}
