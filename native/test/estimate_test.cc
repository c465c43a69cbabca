// Estimated bytes against those that an engine holds, to the byte: every kind of curvature, alone
// and after every other, for networks that are wide, deep and of many outputs, every loss, samples
// in memory, of a subset and of a file, and slots. And sizes that no memory holds do not wrap
// round.
#include <array>
#include <string>
#include <vector>

#include "check.h"
#include "engine.h"
#include "file_version.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr int kThreads = 2;
// A weight, which is not read, stands behind the columns of a row.
constexpr size_t kBehind = 1;

struct Problem {
  const char* name;
  Architecture net;
  size_t samples;
  bool weighted;
  bool from_file;
  SlotShare slots = 1;
  bool ranked = false;
  bool distributed = false;

  Sizes sizes() const {
    const size_t width = net.input_size + net.target_size() + kBehind;
    const size_t here = SlotCut(samples, slots).samples();
    return {net,   here, kThreads, weighted, from_file ? width : 0,
            slots, {},   ranked,   samples,  distributed ? size_t{2} : 0};
  }
};

Architecture NetOf(const std::vector<size_t>& sizes, LossKind loss, bool bias = true) {
  Architecture net = MakeNet(sizes, Activation::kTanh, bias, 1.0);
  net.loss = {loss, loss == LossKind::kHuber ? 0.5 : 0.0};
  return net;
}

std::vector<Problem> Problems() {
  return {
      {"wide", NetOf({24, 34, 1}, LossKind::kSquaredError), 90, false, false},
      {"first layer alone", NetOf({300, 1}, LossKind::kHuber), 70, true, false},
      {"deep", NetOf({3, 10, 9, 8, 2}, LossKind::kSquaredError, false), 300, true, false},
      {"many outputs", NetOf({5, 12, 7}, LossKind::kLogistic), 120, false, false},
      {"a full factor", NetOf({5, 12, 7}, LossKind::kSoftmax), 120, true, false},
      // More than one block of samples, also of those of a subset.
      {"many samples", NetOf({2, 10, 1}, LossKind::kSquaredError), 150000, false, false},
      {"a file", NetOf({2, 10, 1}, LossKind::kSquaredError), 150000, true, true},
      {"slots", NetOf({3, 10, 9, 8, 2}, LossKind::kLogistic), 310, true, false, 8},
      {"slots of many samples", NetOf({2, 10, 1}, LossKind::kHuber), 290001, false, true, 2},
      {"the slots of a rank",
       NetOf({3, 10, 9, 8, 2}, LossKind::kLogistic),
       310,
       true,
       false,
       {8, 0, 2},
       true},
      {"a rank that repeats another", NetOf({24, 34, 1}, LossKind::kSquaredError), 90, false, false,
       1, true},
      {"a rank of many samples",
       NetOf({2, 10, 1}, LossKind::kHuber),
       1159999,
       false,
       true,
       {4, 0, 1},
       true},
      {"a rank of blocks",
       NetOf({20, 120, 3}, LossKind::kHuber),
       310,
       true,
       false,
       {8, 4, 2},
       true,
       true},
      {"two outputs a target", NetOf({5, 12, 6}, LossKind::kGaussianNll), 120, true, false},
      {"two outputs a target of a file", NetOf({5, 12, 6}, LossKind::kGaussianNll), 300, true,
       true},
      {"a file of one block", NetOf({30, 9, 2}, LossKind::kSoftmax), 300, false, true},
  };
}

std::string WriteRows(const Problem& problem, const Vector& x, const Vector& y) {
  const std::string path = "estimate_test_rows";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr, "a file to write");
  const size_t d = problem.net.input_size, c = problem.net.target_size();
  const double behind = 1.0;
  for (size_t i = 0; i < problem.samples; ++i) {
    std::fwrite(x.data() + i * d, sizeof(double), d, file);
    std::fwrite(y.data() + i * c, sizeof(double), c, file);
    std::fwrite(&behind, sizeof(double), kBehind, file);
  }
  std::fclose(file);
  return path;
}

// Of a rank whose others give nothing: what they are does not matter to the bytes.
const ExchangeCalls* Nobody() {
  static const ExchangeCalls calls = {
      kExchangeVersion,
      0,
      2,
      nullptr,
      [](void*, double*, uint64_t) { return 0; },
      [](void*, void*, uint64_t) { return 0; },
      [](void*, void*, uint64_t, ExchangeCombine, void*) { return 0; },
      [](void*, double*, uint64_t) { return 0; },
      [](void*, const ExchangeMatrix*, double*) { return 0; },
      [](void*, const ExchangeMatrix*, double*, uint64_t*) { return 0; },
      [](void*, const ExchangeMatrix*, const double*, double*) { return 0; }};
  return &calls;
}

// An engine for a problem, and what an estimate is about.
struct Bench {
  explicit Bench(const Problem& given)
      : problem(given),
        engine(given.net, kThreads, given.slots,
               given.ranked ? Ranks(Nobody(), given.distributed) : Ranks()) {
    Draw draw(7);
    const Architecture& net = problem.net;
    const size_t n = problem.samples, d = net.input_size, c = net.target_size();
    // Targets that every loss takes.
    const Vector x = draw.Normals(n * d), y(n * c, 1.0 / static_cast<double>(c)), s(n, 0.5);
    parameters = draw.Normals(net.parameter_count, 0.1);
    const double* weights = problem.weighted ? s.data() : nullptr;
    if (problem.from_file) {
      FileLayout layout;
      layout.path = WriteRows(problem, x, y);
      layout.width = d + c + kBehind;
      layout.version = VersionOf(layout.path);
      layout.column_offset.assign(d + c, 0.0);
      layout.column_scale.assign(d + c, 1.0);
      CHECK(engine.ReserveFile(n, layout, problem.weighted).ok(), "file");
      if (problem.weighted) engine.data().FillWeights(0, engine.sample_count(), weights);
    } else {
      CHECK(engine.SetData(n, x.data(), y.data(), weights).ok(), "data");
    }
    double loss = 0.0;
    CHECK(engine.Evaluate(parameters.data(), {}, &loss).ok(), "evaluate");
  }

  void Take(const Formed& formed) {
    std::vector<uint32_t> subset;
    const size_t n = problem.samples, p = problem.net.parameter_count;
    for (size_t k = 0; k < formed.subset; ++k)
      subset.push_back(static_cast<uint32_t>(k * n / formed.subset));
    Request request(formed.route, formed.precision, subset.empty() ? nullptr : &subset);
    const Vector signs(n * problem.net.output_size, 1.0);
    request.sampled.signs = signs.data();
    const Average average = {0.9, 0.1};
    if (formed.average) request.average = &average;
    Vector scaling(engine.FormedBy(request).traits().scaling_count, 0.0), out(p);
    Linearization result;
    CHECK(engine.Linearize(parameters.data(), request, 0.0, scaling.data(), {}, &result).ok(),
          "%s: route %d", problem.name, static_cast<int>(formed.route));
    if (formed.route == Route::kMatrixFree) {
      CHECK(engine.curvature().Multiply(1, parameters.data(), {}, out.data()).ok(), "product");
    } else if (formed.route != Route::kNone) {
      Solution solution;
      const Damping damping = {.mu = 100.0, .scaling = scaling.empty() ? nullptr : scaling.data()};
      CHECK(engine.Solve(damping, {}, out.data(), &solution).ok(), "%s: solve, route %d",
            problem.name, static_cast<int>(formed.route));
    }
    if (formed.hessian)
      CHECK(engine.HessianProduct(1, parameters.data(), {}, out.data()).ok(), "Hessian product");
    if (engine.curvature().traits().accelerates)
      CHECK(engine.Accelerate(parameters.data(), scaling.data(), {}, out.data()).ok(),
            "acceleration");
  }

  const Problem& problem;
  Vector parameters;
  Engine engine;
};

// Dual kernels only where they are small.
std::vector<Formed> Kinds(const Problem& problem) {
  const size_t n = problem.samples, half = n / 2;
  // So few that they are held as rows of J.
  const size_t few = std::min(
      n / 4, std::max<size_t>(1, problem.net.parameter_count / 4 / problem.net.output_size));
  std::vector<Formed> kinds = {{Route::kNone},
                               {Route::kPrimal},
                               {Route::kMatrixFree},
                               {Route::kPrimal, Precision::kDouble, 0, true},
                               {Route::kMatrixFree, Precision::kDouble, 0, true},
                               {Route::kOrthogonal}};
  if (!problem.distributed)
    kinds.insert(kinds.end(), {{Route::kPrimal, Precision::kDouble, 0, false, true},
                               {Route::kPrimal, Precision::kSingle}});
  // What is not summed by slots (SlotRefusal).
  if (problem.slots.all == 1 && !problem.ranked)
    kinds.insert(kinds.end(), {{Route::kPrimal, Precision::kSingle, half},
                               {Route::kPrimal, Precision::kSingle, few},
                               {Route::kMatrixFree, Precision::kDouble, half}});
  const bool pairs = n * problem.net.output_size < 3000 && !problem.ranked;
  if (pairs) kinds.push_back({Route::kDual});
  if (pairs && problem.slots.all == 1) kinds.push_back({Route::kSampled});
  return kinds;
}

void TestTurns(const Problem& problem, const std::vector<Formed>& turns) {
  Bench bench(problem);
  for (const Formed& turn : turns) bench.Take(turn);
  const Footprint estimate = Engine::EstimateBytes(problem.sizes(), turns);
  const double held = static_cast<double>(bench.engine.bytes());
  CHECK(estimate.total() == held, "%s, last of %zu turns is route %d, precision %d, subset %zu",
        problem.name, turns.size(), turns.empty() ? -1 : static_cast<int>(turns.back().route),
        turns.empty() ? -1 : static_cast<int>(turns.back().precision),
        turns.empty() ? 0 : turns.back().subset);
  if (estimate.total() != held)
    std::printf("  estimated %.0f (data %.0f, curvature %.0f, factor %.0f, rest %.0f), held %.0f\n",
                estimate.total(), estimate.data, estimate.curvature, estimate.factor,
                estimate.workspaces, held);
}

// The planner also estimates runs that fit in no memory: their bytes are large, not what is left of
// them modulo 2^64.
void TestHugeSizes() {
  const Architecture net = NetOf({1000, 2000000, 1}, LossKind::kSquaredError);
  for (const Route route : {Route::kPrimal, Route::kDual, Route::kOrthogonal, Route::kSampled}) {
    double before = 0.0;
    for (const size_t samples : {size_t{1} << 20, size_t{1} << 34, size_t{1} << 40}) {
      const Sizes sizes = {net, samples, 1};
      const double bytes = Engine::EstimateBytes(sizes, {{route}}).total();
      CHECK(bytes > 8.0 * std::pow(2.0, 40) && bytes >= before, "route %d: %g bytes after %g",
            static_cast<int>(route), bytes, before);
      before = bytes;
    }
  }
}

}  // namespace

int main() {
  for (const Problem& problem : Problems()) {
    const std::vector<Formed> kinds = Kinds(problem);
    TestTurns(problem, {});
    for (const Formed& first : kinds) {
      TestTurns(problem, {first});
      if (problem.samples > 1000) continue;
      for (const Formed& second : kinds) TestTurns(problem, {first, second});
    }
  }
  TestHugeSizes();
  std::remove("estimate_test_rows");
  return Finish();
}
