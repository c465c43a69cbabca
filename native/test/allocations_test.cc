// Every allocation of the core is refused once, one after the other, in every call of an engine at
// every curvature. A call whose memory is refused says so, or has done without and has the bits of
// a call that had it. The same call again, and those after it, have these bits too, or refuse for
// want of a linearization; so does the whole sequence from the start.
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "check.h"
#include "curvature/layer_factors.h"
#include "engine.h"
#include "faults.h"
#include "file_version.h"
#include "gemm.h"
#include "guarded.h"
#include "self_test.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

struct Problem {
  std::vector<size_t> sizes;
  size_t n;
  bool weighted;
};

// A problem's numbers, and the engine of the calls that follow.
struct Bench {
  explicit Bench(const Problem& problem)
      : net(MakeNet(problem.sizes, Activation::kTanh, true, 1.3)), n(problem.n) {
    Draw draw(7);
    const size_t p = net.parameter_count, m = n * net.output_size;
    inputs = draw.Normals(n * net.input_size);
    targets = draw.Normals(m);
    weights = draw.Normals(problem.weighted ? n : 0);
    for (double& value : weights) value = std::fabs(value);
    parameters = draw.Normals(p, 0.6);
    vectors = draw.Normals(3 * std::max(p, m), 0.5);
    for (size_t i = 0; i < n; i += 3) subset.push_back(static_cast<uint32_t>(i));
    for (size_t i = 0; i < n; i += n / 4) few.push_back(static_cast<uint32_t>(i));
  }

  Architecture net;
  size_t n;
  Vector inputs, targets, weights, parameters, vectors;
  std::vector<uint32_t> subset, few;
  std::optional<FileLayout> file;
  std::unique_ptr<Engine> engine;
};

// A call: puts what it finds into `out`, whose room is not the core's.
using Call = std::function<Status(Bench& bench, Vector* out)>;

struct Step {
  const char* name;
  size_t room;
  Call call;
};

struct Sequence {
  std::string name;
  std::vector<Step> steps;
};

Status Create(Bench& bench, int threads) {
  bench.engine.reset();
  bench.engine = std::make_unique<Engine>(bench.net, threads);
  const double* weights = bench.weights.empty() ? nullptr : bench.weights.data();
  if (!bench.file.has_value())
    return bench.engine->SetData(bench.n, bench.inputs.data(), bench.targets.data(), weights);
  const Status status = bench.engine->ReserveFile(bench.n, *bench.file, weights != nullptr);
  if (status.ok() && weights != nullptr) bench.engine->data().FillWeights(0, bench.n, weights);
  return status;
}

// Loss, measure, gradient, scaling, diagonal.
Step Linearize(const Bench& bench, Request request, bool scaled) {
  request.exact_measure_below = 0.0;
  const size_t p = bench.net.parameter_count;
  return {"linearize", 2 + 3 * p, [=](Bench& b, Vector* out) {
            Linearization result;
            double* scaling = scaled ? out->data() + 2 + p : nullptr;
            const Status status = b.engine->Linearize(b.parameters.data(), request,
                                                      scaled ? 0.0 : 0.3, scaling, {}, &result);
            if (!status.ok()) return status;
            (*out)[0] = result.loss;
            (*out)[1] = std::isnan(result.gradient_cosine) ? -1.0 : result.gradient_cosine;
            std::copy_n(b.engine->gradient().data(), p, out->data() + 2);
            std::copy(result.diagonal.begin(), result.diagonal.end(), out->data() + 2 + 2 * p);
            return status;
          }};
}

Step Solve(const Bench& bench, double damping, double decay, bool condition, size_t corrections) {
  const size_t p = bench.net.parameter_count;
  return {"solve", p + 3, [=](Bench& b, Vector* out) {
            Solution solution;
            Damping damped = {.mu = damping, .decay = decay, .condition = condition};
            damped.correction = {corrections, b.vectors.data(), b.vectors.data() + p};
            const Status status = b.engine->Solve(damped, {}, out->data(), &solution);
            (*out)[p] = std::isnan(solution.condition) ? -1.0 : solution.condition;
            (*out)[p + 1] = solution.residual;
            (*out)[p + 2] = static_cast<double>(solution.rank.rank + solution.steps);
            return status;
          }};
}

Step Accelerate(const Bench& bench) {
  return {"accelerate", bench.net.parameter_count, [](Bench& b, Vector* out) {
            return b.engine->Accelerate(b.vectors.data(), nullptr, {}, out->data());
          }};
}

// Eigenvalues of the curvature, or a refusal where there is none any more.
Step Eigen(size_t order, bool vectors) {
  return {vectors ? "eigenvectors" : "eigenvalues", order * (order + 1),
          [=](Bench& b, Vector* out) {
            const DenseView* view = b.engine->curvature().dense();
            if (view == nullptr) return Status::Misuse();
            return view->Eigen({}, out->data(), vectors ? out->data() + order : nullptr);
          }};
}

Step EigenvaluesBelow() {
  return {"eigenvaluesBelow", 1, [](Bench& b, Vector* out) {
            const DenseView* view = b.engine->curvature().dense();
            size_t count = 0;
            if (view == nullptr) return Status::Misuse();
            const Status status = view->EigenvaluesBelow(0.5, {}, &count);
            (*out)[0] = static_cast<double>(count);
            return status;
          }};
}

Step CurvatureProduct(size_t order, size_t count) {
  return {"curvatureProduct", order * count, [=](Bench& b, Vector* out) {
            return b.engine->curvature().Multiply(count, b.vectors.data(), {}, out->data());
          }};
}

Step CurvatureInverse(size_t order) {
  return {"curvatureInverse", order, [](Bench& b, Vector* out) {
            return b.engine->curvature().Inverse(b.vectors.data(), 0.7, {}, out->data());
          }};
}

Step LayerFactors(const Bench& bench) {
  return {"layerFactors", LayerFactorsSize(bench.net), [](Bench& b, Vector* out) {
            return b.engine->curvature().LayerFactors({}, out->data());
          }};
}

std::vector<Step> Passes(const Bench& bench) {
  const size_t p = bench.net.parameter_count, m = bench.n * bench.net.output_size;
  return {{"forward", m,
           [](Bench& b, Vector* out) {
             return b.engine->Forward(b.parameters.data(), {}, out->data());
           }},
          {"evaluate", 1,
           [](Bench& b, Vector* out) {
             return b.engine->Evaluate(b.parameters.data(), {}, out->data());
           }},
          {"inputs", bench.n * bench.net.input_size,
           [](Bench& b, Vector* out) { return b.engine->CopyInputs(0, b.n, out->data()); }},
          {"jacobianProduct", 2 * m,
           [](Bench& b, Vector* out) {
             return b.engine->Product(b.parameters.data(), 2, b.vectors.data(), {}, out->data());
           }},
          {"transposeProduct", 2 * p,
           [](Bench& b, Vector* out) {
             return b.engine->TransposeProduct(b.parameters.data(), 2, b.vectors.data(), {},
                                               out->data());
           }},
          {"jacobian", m * p, [](Bench& b, Vector* out) {
             return b.engine->Jacobian(b.parameters.data(), 0, b.n, {}, out->data());
           }}};
}

std::vector<Sequence> Sequences(const Bench& bench) {
  const size_t p = bench.net.parameter_count, m = bench.n * bench.net.output_size;
  std::vector<Sequence> list;
  list.push_back({"passes and products", Passes(bench)});
  const auto spectrum = [](size_t order) {
    return std::vector<Step>{Eigen(order, false), Eigen(order, true), EigenvaluesBelow()};
  };
  const auto add = [&list](const char* name, std::vector<Step> steps,
                           const std::vector<Step>& more = {}) {
    steps.insert(steps.end(), more.begin(), more.end());
    list.push_back({name, std::move(steps)});
  };
  add("primal",
      {Linearize(bench, Route::kPrimal, true), Solve(bench, 0.2, 0.0, true, 0), Accelerate(bench),
       Solve(bench, 400.0, 0.1, false, 1), CurvatureProduct(p, 1), CurvatureProduct(p, 3),
       CurvatureInverse(p)},
      spectrum(p));
  add("primal, float",
      {Linearize(bench, {Route::kPrimal, Precision::kSingle}, true),
       Solve(bench, 0.2, 0.0, false, 0), Accelerate(bench), CurvatureProduct(p, 2)});
  add("primal, float, subset",
      {Linearize(bench, {Route::kPrimal, Precision::kSingle, &bench.subset}, true),
       Solve(bench, 30.0, 0.0, false, 0), Accelerate(bench)});
  add("primal, float, rows of few samples",
      {Linearize(bench, {Route::kPrimal, Precision::kSingle, &bench.few}, false),
       Solve(bench, 0.2, 30.0, false, 0), Accelerate(bench)});
  add("dual",
      {Linearize(bench, Route::kDual, true), Solve(bench, 0.2, 0.0, true, 0), Accelerate(bench),
       CurvatureProduct(m, 1), CurvatureProduct(m, 3), CurvatureInverse(m)},
      spectrum(m));
  add("orthogonal",
      {Linearize(bench, Route::kOrthogonal, true), Solve(bench, 0.2, 0.1, true, 0),
       Solve(bench, 0.0, 0.0, false, 0)},
      spectrum(p));
  add("matrix-free", {Linearize(bench, Route::kMatrixFree, true), CurvatureProduct(p, 1),
                      CurvatureProduct(p, 3), LayerFactors(bench), LayerFactors(bench)});
  add("matrix-free, subset",
      {Linearize(bench, {Route::kMatrixFree, Precision::kDouble, &bench.subset}, false),
       CurvatureProduct(p, 2), Linearize(bench, Route::kMatrixFree, true)});
  return list;
}

struct Outcome {
  long points = 0;   // allocations refused
  long refused = 0;  // calls that said so
  long wrong = 0;
};

bool Same(const Vector& a, const Vector& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// One sequence on one engine: construction, then every step. Allocation `at` is refused. Returns
// the number of allocations.
long WalkOnce(Bench& bench, const Sequence& sequence, int threads, long at,
              const std::vector<Vector>& right, Outcome* outcome) {
  const auto complain = [&](const char* step, const char* what, const Status& status) {
    ++outcome->wrong;
    CHECK(false, "%s, %d threads, allocation %ld: %s %s (code %d, value %zu)",
          sequence.name.c_str(), threads, at, step, what, static_cast<int>(status.code),
          status.value);
  };
  std::vector<Vector> out;
  for (const Step& step : sequence.steps) out.emplace_back(step.room, 0.0);
  const auto run = [&](size_t i) {
    std::fill(out[i].begin(), out[i].end(), 0.0);
    return Guarded([&] { return sequence.steps[i].call(bench, &out[i]); });
  };

  Faults::Arm(at);
  Status status = Guarded([&] { return Create(bench, threads); });
  size_t failed = sequence.steps.size();
  for (size_t i = 0; status.ok() && i < sequence.steps.size(); ++i) {
    status = run(i);
    if (!status.ok()) failed = i;
    if (status.ok() && !right.empty() && !Same(out[i], right[i]))
      complain(sequence.steps[i].name, "differs where memory was refused inside", status);
  }
  const long count = Faults::Disarm();
  if (!status.ok()) ++outcome->refused;
  if (!status.ok() && status.code != Code::kMemory) complain("a step", "has no memory", status);

  // The step that failed and those behind it, on the engine as it is.
  bool stands = true;  // the linearization
  for (size_t i = failed; i < sequence.steps.size(); ++i) {
    const Status later = run(i);
    if (later.ok() ? !Same(out[i], right[i]) : later.code != Code::kMisuse)
      complain(sequence.steps[i].name, "is wrong when called again", later);
    stands = stands && later.ok();
  }
  if (status.ok() || !bench.engine) return count;
  // From the start.
  Status again = failed == sequence.steps.size() ? Guarded([&] { return Create(bench, threads); })
                                                 : Status::Ok();
  for (size_t i = 0; again.ok() && i < sequence.steps.size(); ++i) {
    again = run(i);
    if (again.ok() && !Same(out[i], right[i]))
      complain(sequence.steps[i].name, "is wrong from the start", again);
  }
  if (!again.ok()) complain("the sequence", "fails from the start", again);
  return count;
}

void Walk(Bench& bench, const char* problem, int threads, Outcome* total) {
  for (const Sequence& sequence : Sequences(bench)) {
    std::vector<Vector> right;
    Status status = Create(bench, 1);
    for (const Step& step : sequence.steps) {
      right.emplace_back(step.room, 0.0);
      if (status.ok()) status = step.call(bench, &right.back());
      CHECK(status.ok(), "%s, %s: %s fails with code %d by itself", problem, sequence.name.c_str(),
            step.name, static_cast<int>(status.code));
    }
    Outcome outcome;
    // The number of allocations differs by a few with the threads' luck.
    const long count = WalkOnce(bench, sequence, threads, -1, right, &outcome);
    for (long at = 0; at < count; ++at, ++outcome.points)
      WalkOnce(bench, sequence, threads, at, right, &outcome);
    std::printf("%-12s %d threads  %-36s %5ld points  %5ld refused  %ld wrong\n", problem, threads,
                sequence.name.c_str(), outcome.points, outcome.refused, outcome.wrong);
    total->points += outcome.points;
    total->refused += outcome.refused;
    total->wrong += outcome.wrong;
  }
}

#ifndef _WIN32
// The problem's samples as rows of a file, scaled by (x - 0) / 1.
void PutInFile(Bench* bench, const std::string& path) {
  const size_t d = bench->net.input_size, c = bench->net.output_size;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  for (size_t i = 0; i < bench->n; ++i) {
    std::fwrite(bench->inputs.data() + i * d, sizeof(double), d, file);
    std::fwrite(bench->targets.data() + i * c, sizeof(double), c, file);
  }
  std::fclose(file);
  FileLayout layout;
  layout.path = path;
  layout.width = d + c;
  layout.version = VersionOf(path);
  layout.column_offset.assign(d + c, 0.0);
  layout.column_scale.assign(d + c, 1.0);
  bench->file = layout;
}
#endif

// The self-test, which comes before all else.
void WalkSelfTest(Outcome* total) {
  Faults::Arm(-1);
  CHECK(TestBlas(64).ok, "the self-test");
  const long count = Faults::Disarm();
  for (long at = 0; at < count; ++at, ++total->points) {
    Faults::Arm(at);
    bool refused = false;
    try {
      refused = !TestBlas(64).ok;
    } catch (const std::bad_alloc&) {  // no memory to say so in
      refused = true;
    }
    Faults::Disarm();
    total->refused += refused ? 1 : 0;
  }
  CHECK(TestBlas(64).ok, "the self-test once there is memory again");
}

// The room that the matrix product packs in, which lasts from the first product to the end of the
// program: refused until it is whole.
void WalkPacking(Outcome* total) {
  const size_t n = 160;
  const Vector a = Draw(1).Normals(n * n), b = Draw(2).Normals(n * n);
  Vector c(n * n);
  Status status = Status::Memory(0);
  while (!status.ok()) {
    CHECK(status.code == Code::kMemory, "a product ends with code %d",
          static_cast<int>(status.code));
    Faults::Arm(total->points);
    status = Guarded([&] {
      Gemm('N', 'N', n, n, n, 1.0, a.data(), n, b.data(), n, 0.0, c.data(), n);
      return Status::Ok();
    });
    Faults::Disarm();
    if (!status.ok()) ++total->points, ++total->refused;
  }
  CHECK(!GemmIsOurs(n, n, n) || total->points > 0, "the product packs in a room of its own");
}

}  // namespace

int main() {
  Outcome total;
  WalkPacking(&total);
  const Problem small = {{3, 4, 3, 2}, 24, true};
  // Matrices from the mapped regions of buffer.h, several blocks of the factorization.
  const Problem larger = {{3, 8, 12, 2}, 130, false};
  for (const int threads : {1, 2}) {
    Bench bench(small);
    Walk(bench, "small", threads, &total);
    if (Small()) continue;
    Bench large(larger);
    Walk(large, "larger", threads, &total);
  }
#ifndef _WIN32
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("gaussflow-allocations-" + std::to_string(std::random_device{}())))
                               .string();
  Bench bench(small);
  PutInFile(&bench, path);
  Walk(bench, "file", 2, &total);
  std::filesystem::remove(path);
#endif
  WalkSelfTest(&total);
  std::printf("%ld points, 0 crashes, %ld refused, %ld wrong results\n", total.points,
              total.refused, total.wrong);
  CHECK(total.points > 2000, "only %ld allocations were refused", total.points);
  return Finish();
}
