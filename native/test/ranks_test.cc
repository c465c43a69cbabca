// Engines of ranks, each with the rows of its slots, against one engine with as many slots: every
// sum, step and factor, bit by bit, for every number of ranks. And what fails on one rank fails on
// all, with the rank's number and the place that it knows.
#include "ranks.h"

#include <filesystem>
#include <optional>
#include <random>
#include <string>

#include "curvature/layer_factors.h"
#include "file_version.h"
#include "slot_problem.h"
#include "thread_ranks.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

const std::vector<size_t> kRanks = {1, 2, 3, 4};

// How the samples come to an engine.
using Give = std::function<void(Engine*)>;

// All that an engine says of the samples, step and acceleration of a route included.
Sums AnswersOf(const Problem& problem, const std::vector<Request>& requests, Engine* engine) {
  const size_t p = problem.net.parameter_count;
  Sums sums = SumsOf(problem, {0, problem.n}, true, engine);
  for (const Request& request : requests) {
    Vector scaling(engine->FormedBy(request).traits().scaling_count, 0.0), step(p), other(p);
    Linearization result;
    CHECK(engine->Linearize(problem.parameters.data(), request, 0.1, scaling.data(), {}, &result)
              .ok(),
          "linearize");
    sums.push_back({"scaling", scaling});
    sums.push_back({"gradient with decay", engine->gradient()});
    if (!std::isnan(result.gradient_cosine)) sums.push_back({"measure", {result.gradient_cosine}});
    if (request.route == Route::kMatrixFree) {
      Vector factors(LayerFactorsSize(problem.net));
      // Twice: the first factor is kept from the first time.
      for (const char* name : {"layer factors", "layer factors again"}) {
        CHECK(engine->curvature().LayerFactors({}, factors.data()).ok(), "factors");
        sums.push_back({name, factors});
      }
      continue;
    }
    Solution solution;
    const Damping damping = {.mu = 0.5, .decay = 0.1, .scaling = scaling.data()};
    CHECK(engine->Solve(damping, {}, step.data(), &solution).ok(), "solve");
    sums.push_back({"step", step});
    sums.push_back({"residual", {solution.residual}});
    if (!engine->curvature().traits().accelerates) continue;
    CHECK(engine->Accelerate(step.data(), scaling.data(), {}, other.data()).ok(), "accelerate");
    sums.push_back({"acceleration", other});
    CHECK(engine->DampedInverse(step.data(), {}, other.data()).ok(), "damped inverse");
    sums.push_back({"damped inverse", other});
  }
  return sums;
}

std::vector<Request> Routes() {
  return {Route::kPrimal, Route::kMatrixFree, Route::kOrthogonal,
          Request(Route::kPrimal, Precision::kSingle)};
}

void TestAnswers(const Problem& problem, const Give& give, const std::vector<size_t>& slots,
                 std::vector<size_t> counts = kRanks) {
  for (const size_t many : slots) {
    Engine one(problem.net, 2, many);
    give(&one);
    const Sums expected = AnswersOf(problem, Routes(), &one);
    std::vector<size_t> here = counts;
    here.push_back(many + 1);
    for (const size_t count : here) {
      ThreadRanks world(count, many);
      std::vector<Sums> answers(count);
      world.Run([&](size_t rank) {
        Engine engine(problem.net, 1 + static_cast<int>(rank % 2), world.share(rank),
                      world.ranks(rank));
        give(&engine);
        answers[rank] = AnswersOf(problem, Routes(), &engine);
      });
      for (const Sums& answer : answers) CheckEqual(answer, expected, "ranks", many);
    }
  }
}

void TestInMemory(const Problem& problem, const std::vector<size_t>& slots,
                  const std::vector<size_t>& counts = kRanks) {
  TestAnswers(
      problem,
      [&](Engine* engine) {
        problem.Give({0, problem.n}, engine);
      },
      slots, counts);
}

// Where z of one sample is not finite the gradient of all ranks comes from the slopes of the loss.
void TestFallback() {
  Problem problem({3, 6, 4, 3}, {LossKind::kSoftmax}, 60, 1.0);
  // One sample that is sure and wrong beyond the range of exp.
  problem.net.output_scale = 1.0;
  for (size_t k = 0; k < 3; ++k) problem.inputs[57 * 3 + k] *= 1e3;
  problem.net.output_scale = 900.0;
  const size_t p = problem.net.parameter_count;
  const auto gradient = [&](Engine* engine) {
    problem.Give({0, problem.n}, engine);
    Linearization result;
    CHECK(
        engine->Linearize(problem.parameters.data(), Route::kNone, 0.0, nullptr, {}, &result).ok(),
        "linearize");
    CHECK(!std::isfinite(result.residual_square), "z is finite");
    return engine->gradient();
  };
  Engine one(problem.net, 1, 4);
  const Vector expected = gradient(&one);
  for (const size_t count : kRanks) {
    ThreadRanks world(count, 4);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
      CHECK(gradient(&engine) == expected, "%zu ranks: another gradient of %zu", count, p);
    });
  }
}

#ifndef _WIN32
class RowsOnDisk {
 public:
  explicit RowsOnDisk(const Problem& problem) {
    const size_t d = problem.net.input_size, c = problem.net.target_size();
    layout_.path = (std::filesystem::temp_directory_path() /
                    ("gaussflow-ranks-" + std::to_string(std::random_device{}())))
                       .string();
    std::FILE* file = std::fopen(layout_.path.c_str(), "wb");
    for (size_t i = 0; i < problem.n; ++i) {
      std::fwrite(problem.inputs.data() + i * d, sizeof(double), d, file);
      std::fwrite(problem.targets.data() + i * c, sizeof(double), c, file);
    }
    std::fclose(file);
    layout_.width = d + c;
    layout_.version = VersionOf(layout_.path);
    layout_.column_offset.assign(d + c, 0.0);
    layout_.column_scale.assign(d + c, 1.0);
  }
  ~RowsOnDisk() { std::filesystem::remove(layout_.path); }
  RowsOnDisk(const RowsOnDisk&) = delete;
  RowsOnDisk& operator=(const RowsOnDisk&) = delete;

  void Give(const Problem& problem, Engine* engine) const {
    CHECK(engine->ReserveFile(problem.n, layout_, true).ok(), "file");
    const size_t begin = engine->data().slots().begin();
    engine->data().FillWeights(0, engine->sample_count(), problem.weights.data() + begin);
  }

 private:
  FileLayout layout_;
};

void TestFile(const Problem& problem, const std::vector<size_t>& slots) {
  const RowsOnDisk rows(problem);
  TestAnswers(
      problem, [&](Engine* engine) { rows.Give(problem, engine); }, slots);
}

// A file has a number that is not finite in the rows of the last rank.
void TestBadFile() {
  Problem problem({3, 5, 2}, {}, 100);
  problem.inputs[90 * 3] = HUGE_VAL;
  const RowsOnDisk rows(problem);
  ThreadRanks world(3, 4);
  world.Run([&](size_t rank) {
    Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
    rows.Give(problem, &engine);
    double loss = 0.0;
    const Status status = engine.ranks().Agreed(
        [&] { return engine.Evaluate(problem.parameters.data(), {}, &loss); });
    CHECK(status.code == Code::kFile && status.value == 90, "rank %zu: code %d, row %zu", rank,
          static_cast<int>(status.code), status.value);
    CHECK(status.elsewhere == (rank == 2 ? -1 : 2), "rank %zu: of rank %d", rank, status.elsewhere);
  });
}
#endif

// One sample that makes the loss, or the gradient alone, not finite fails every call on all ranks;
// all of them go on with calls that do not fail.
void TestFailures() {
  Problem problem({3, 5, 2}, {}, 100);
  for (const size_t sample : {3, 40, 99}) {
    for (const double bad : {HUGE_VAL, 1e160}) {
      const double before = std::exchange(problem.targets[sample * 2], bad);
      for (const size_t count : kRanks) {
        ThreadRanks world(count, 8);
        int owner = 0;
        for (size_t r = 0; r < world.count(); ++r)
          if (SlotCut(100, world.share(r)).begin() <= sample) owner = static_cast<int>(r);
        world.Run([&](size_t rank) {
          Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
          problem.Give({0, problem.n}, &engine);
          Linearization result;
          double loss = 0.0;
          const double* w = problem.parameters.data();
          for (const Route route : {Route::kNone, Route::kPrimal, Route::kMatrixFree}) {
            const Status evaluated =
                engine.ranks().Agreed([&] { return engine.Evaluate(w, {}, &loss); });
            const Status status = engine.ranks().Agreed(
                [&] { return engine.Linearize(w, route, 0.0, nullptr, {}, &result); });
            for (const Status& one : {evaluated, status}) {
              CHECK(one.code == Code::kNonFinite && one.value == 0, "code %d of %zu",
                    static_cast<int>(one.code), one.value);
              CHECK(one.elsewhere == (static_cast<int>(rank) == owner ? -1 : owner),
                    "rank %zu of %zu: sample %zu of rank %d", rank, count, sample, one.elsewhere);
            }
          }
          Vector step(problem.net.parameter_count);
          Solution solution;
          const Status solved = engine.ranks().Agreed(
              [&] { return engine.Solve({.mu = 1.0}, {}, step.data(), &solution); });
          CHECK(solved.code == Code::kMisuse, "a solve after a failure: code %d",
                static_cast<int>(solved.code));
        });
      }
      problem.targets[sample * 2] = before;
    }
  }
}

// A raised flag of one rank ends the call of all.
void TestCancel() {
  const Problem problem({3, 5, 2}, {}, 100);
  ThreadRanks world(3, 4);
  world.Run([&](size_t rank) {
    Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
    problem.Give({0, problem.n}, &engine);
    const std::atomic<bool> flag{rank == 1};
    Linearization result;
    const Status status = engine.ranks().Agreed([&] {
      return engine.Linearize(problem.parameters.data(), Route::kPrimal, 0.0, nullptr, {&flag},
                              &result);
    });
    CHECK(status.code == Code::kCanceled, "rank %zu: code %d", rank, static_cast<int>(status.code));
  });
}

// What is of single samples, or of pairs of them, is misuse.
void TestRefusals() {
  const Problem problem({3, 5, 2}, {}, 100);
  for (const size_t slots : {1, 4}) {
    ThreadRanks world(2, slots);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
      problem.Give({0, problem.n}, &engine);
      const double* w = problem.parameters.data();
      Vector out(200 * problem.net.parameter_count);
      Linearization result;
      const std::vector<uint32_t> subset = {1, 2};
      CHECK(engine.Forward(w, {}, out.data()).code == Code::kMisuse, "forward");
      CHECK(engine.Product(w, 1, w, {}, out.data()).code == Code::kMisuse, "J v");
      CHECK(engine.Jacobian(w, 0, 1, {}, out.data()).code == Code::kMisuse, "rows of J");
      for (const Request& request : {Request(Route::kDual), Request(Route::kSampled),
                                     Request(Route::kMatrixFree, Precision::kDouble, &subset)}) {
        CHECK(engine.Refusal(request) != nullptr, "a refusal");
        CHECK(engine.Linearize(w, request, 0.0, nullptr, {}, &result).code == Code::kMisuse,
              "linearize");
      }
    });
  }
}

// Ranks that cannot be reached any more end every call, wherever they are lost.
void TestUnreachable() {
  const Problem problem({3, 5, 2}, {}, 100);
  for (size_t at = 0; at < 16; ++at) {
    ThreadRanks world(2, 2);
    world.BreakAt(at);
    world.Run([&](size_t rank) {
      Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
      problem.Give({0, problem.n}, &engine);
      const double* w = problem.parameters.data();
      Vector out(problem.net.parameter_count);
      Linearization result;
      const auto call = [&](const std::function<Status()>& work) {
        const Status status = engine.ranks().Agreed(work);
        CHECK(status.ok() || status.code == Code::kUnreachable, "code %d",
              static_cast<int>(status.code));
        return status.ok();
      };
      const bool done =
          call([&] { return engine.Linearize(w, Route::kPrimal, 0.0, nullptr, {}, &result); }) &&
          call([&] { return engine.HessianProduct(1, w, {}, out.data()); }) && call([&] {
            return engine.TransposeProduct(w, 1, problem.coefficients.data(), {}, out.data());
          });
      CHECK(!done || at > 10, "no call has met the end at %zu", at);
    });
  }
}

}  // namespace

int main() {
  TestInMemory(Problem({3, 9, 7, 2}, {}, 500), {2, 4, 8});
  TestInMemory(Problem({3, 9, 7, 3}, {LossKind::kSoftmax}, 2100), {2, 4, 8});
  TestInMemory(Problem({3, 9, 7, 2}, {LossKind::kHuber, 0.8}, 500), {1, 2, 8});
  TestInMemory(Problem({3, 9, 7, 4}, {LossKind::kGaussianNll}, 500), {4});
  // More samples than a block has.
  if (!Small()) TestInMemory(Problem({5, 24, 20, 3}, {}, 20000), {2, 4}, {2, 3});
  // More than one part of a Gram matrix goes to other ranks.
  if (!Small()) TestInMemory(Problem({12, 85, 1}, {}, 600), {2}, {2});
  TestFallback();
#ifndef _WIN32
  TestFile(Problem({3, 9, 7, 2}, {}, 500), {2, 8});
  if (!Small()) TestFile(Problem({5, 24, 20, 3}, {}, 20000), {4});
  TestBadFile();
#endif
  TestFailures();
  TestCancel();
  TestRefusals();
  TestUnreachable();
  return Finish();
}
