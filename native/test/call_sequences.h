// The calls of an engine at every curvature, in sequences, for the walk over allocations.
#ifndef GAUSSFLOW_TEST_CALL_SEQUENCES_H_
#define GAUSSFLOW_TEST_CALL_SEQUENCES_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "check.h"
#include "curvature/layer_factors.h"
#include "engine.h"

namespace gaussflow::test {

struct Problem {
  std::vector<size_t> sizes;
  size_t n;
  bool weighted;
  size_t slots = 1;
};

// A problem's numbers, and the engine of the calls that follow.
struct Bench {
  explicit Bench(const Problem& problem)
      : net(MakeNet(problem.sizes, Activation::kTanh, true, 1.3)),
        n(problem.n),
        slots(problem.slots) {
    Draw draw(7);
    const size_t p = net.parameter_count, m = n * net.output_size;
    inputs = draw.Normals(n * net.input_size);
    targets = draw.Normals(m);
    weights = draw.Normals(problem.weighted ? n : 0);
    for (double& value : weights) value = std::fabs(value);
    parameters = draw.Normals(p, 0.6);
    vectors = draw.Normals(3 * std::max(p, m), 0.5);
    signs = draw.Normals(m);
    for (double& sign : signs) sign = sign > 0.0 ? 1.0 : -1.0;
    for (size_t i = 0; i < n; i += 3) subset.push_back(static_cast<uint32_t>(i));
    for (size_t i = 0; i < n; i += n / 4) few.push_back(static_cast<uint32_t>(i));
  }

  Architecture net;
  size_t n, slots;
  Vector inputs, targets, weights, parameters, vectors, signs;
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

inline Status Create(Bench& bench, int threads) {
  bench.engine.reset();
  bench.engine = std::make_unique<Engine>(bench.net, threads, bench.slots);
  const double* weights = bench.weights.empty() ? nullptr : bench.weights.data();
  if (!bench.file.has_value())
    return bench.engine->SetData(bench.n, bench.inputs.data(), bench.targets.data(), weights);
  const Status status = bench.engine->ReserveFile(bench.n, *bench.file, weights != nullptr);
  if (status.ok() && weights != nullptr) bench.engine->data().FillWeights(0, bench.n, weights);
  return status;
}

// The same samples once more, which ends the linearization.
inline Step Load() {
  return {"load", 1, [](Bench& b, Vector*) {
            if (!b.file.has_value())
              b.engine->data().Fill(0, b.n, b.inputs.data(), b.targets.data());
            b.engine->SamplesReplaced();
            return Status::Ok();
          }};
}

// An average of nothing: what is left of a sequence that ended early is gone.
inline Step RestoreAverage(const Bench& bench) {
  const size_t p = bench.net.parameter_count;
  return {"restoreAverage", 1, [zeros = Vector(p * p, 0.0)](Bench& b, Vector*) {
            return b.engine->RestoreAverage(zeros.data());
          }};
}

// Loss, measure, gradient, scaling, diagonal.
inline Step Linearize(const Bench& bench, Request request, bool scaled) {
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

inline Step Solve(const Bench& bench, double damping, double decay, bool condition,
                  size_t corrections) {
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

inline Step Accelerate(const Bench& bench) {
  return {"accelerate", bench.net.parameter_count, [](Bench& b, Vector* out) {
            return b.engine->Accelerate(b.vectors.data(), nullptr, {}, out->data());
          }};
}

inline Step HessianProduct(const Bench& bench, size_t count) {
  return {"hessianProduct", bench.net.parameter_count * count, [=](Bench& b, Vector* out) {
            return b.engine->HessianProduct(count, b.vectors.data(), {}, out->data());
          }};
}

inline Step DampedInverse(const Bench& bench) {
  return {"dampedInverse", bench.net.parameter_count, [](Bench& b, Vector* out) {
            return b.engine->DampedInverse(b.vectors.data(), {}, out->data());
          }};
}

// Eigenvalues of the curvature, or a refusal where there is none any more.
inline Step Eigen(size_t order, bool vectors) {
  return {vectors ? "eigenvectors" : "eigenvalues", order * (order + 1),
          [=](Bench& b, Vector* out) {
            const DenseView* view = b.engine->curvature().dense();
            if (view == nullptr) return Status::Misuse();
            return view->Eigen({}, out->data(), vectors ? out->data() + order : nullptr);
          }};
}

inline Step EigenvaluesBelow() {
  return {"eigenvaluesBelow", 1, [](Bench& b, Vector* out) {
            const DenseView* view = b.engine->curvature().dense();
            size_t count = 0;
            if (view == nullptr) return Status::Misuse();
            const Status status = view->EigenvaluesBelow(0.5, {}, &count);
            (*out)[0] = static_cast<double>(count);
            return status;
          }};
}

inline Step CurvatureProduct(size_t order, size_t count) {
  return {"curvatureProduct", order * count, [=](Bench& b, Vector* out) {
            return b.engine->curvature().Multiply(count, b.vectors.data(), {}, out->data());
          }};
}

inline Step CurvatureInverse(size_t order) {
  return {"curvatureInverse", order, [](Bench& b, Vector* out) {
            return b.engine->curvature().Inverse(b.vectors.data(), 0.7, {}, out->data());
          }};
}

inline Step LayerFactors(const Bench& bench) {
  return {"layerFactors", LayerFactorsSize(bench.net), [](Bench& b, Vector* out) {
            return b.engine->curvature().LayerFactors({}, out->data());
          }};
}

inline std::vector<Step> Passes(const Bench& bench) {
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

inline std::vector<Sequence> Sequences(const Bench& bench) {
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
       HessianProduct(bench, 1), DampedInverse(bench), HessianProduct(bench, 3),
       Solve(bench, 400.0, 0.1, false, 1), CurvatureProduct(p, 1), CurvatureProduct(p, 3),
       CurvatureInverse(p)},
      spectrum(p));
  static const Average average = {0.8, 0.3};
  Request averaged = Route::kPrimal;
  averaged.average = &average;
  add("primal, moving average",
      {RestoreAverage(bench), Linearize(bench, averaged, true), Solve(bench, 0.2, 0.0, false, 0),
       Load(), DampedInverse(bench), Linearize(bench, averaged, false), CurvatureProduct(p, 1),
       Solve(bench, 0.2, 0.1, false, 0)});
  add("dual",
      {Linearize(bench, Route::kDual, true), Solve(bench, 0.2, 0.0, true, 0), Accelerate(bench),
       HessianProduct(bench, 1), DampedInverse(bench), CurvatureProduct(m, 1),
       CurvatureProduct(m, 3), CurvatureInverse(m)},
      spectrum(m));
  add("matrix-free",
      {Linearize(bench, Route::kMatrixFree, true), CurvatureProduct(p, 1), HessianProduct(bench, 2),
       CurvatureProduct(p, 3), LayerFactors(bench), LayerFactors(bench)});
  if (bench.slots > 1) return list;  // the rest is refused then
  add("primal, float", {Linearize(bench, {Route::kPrimal, Precision::kSingle}, true),
                        Solve(bench, 0.2, 0.0, false, 0), Accelerate(bench), DampedInverse(bench),
                        HessianProduct(bench, 1), CurvatureProduct(p, 2)});
  add("primal, float, subset",
      {Linearize(bench, {Route::kPrimal, Precision::kSingle, &bench.subset}, true),
       Solve(bench, 30.0, 0.0, false, 0), Accelerate(bench)});
  add("primal, float, rows of few samples",
      {Linearize(bench, {Route::kPrimal, Precision::kSingle, &bench.few}, false),
       Solve(bench, 0.2, 30.0, false, 0), Accelerate(bench), DampedInverse(bench)});
  add("orthogonal",
      {Linearize(bench, Route::kOrthogonal, true), Solve(bench, 0.2, 0.1, true, 0),
       Solve(bench, 0.0, 0.0, false, 0)},
      spectrum(p));
  Request sampled = Route::kSampled;
  sampled.sampled.signs = bench.signs.data();
  add("sampled",
      {Linearize(bench, sampled, false), Solve(bench, 0.2, 0.3, true, 0), DampedInverse(bench),
       HessianProduct(bench, 1), Load(), Linearize(bench, sampled, false),
       Solve(bench, 0.2, 0.3, false, 0), CurvatureProduct(bench.n, 2), CurvatureInverse(bench.n)},
      spectrum(bench.n));
  add("matrix-free, subset",
      {Linearize(bench, {Route::kMatrixFree, Precision::kDouble, &bench.subset}, false),
       CurvatureProduct(p, 2), Linearize(bench, Route::kMatrixFree, true)});
  return list;
}

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_CALL_SEQUENCES_H_
