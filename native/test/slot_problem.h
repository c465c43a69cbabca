// A problem and all sums over its samples that an engine makes, for the tests of slots and of
// ranks.
#ifndef GAUSSFLOW_TEST_SLOT_PROBLEM_H_
#define GAUSSFLOW_TEST_SLOT_PROBLEM_H_

#include <algorithm>
#include <vector>

#include "check.h"
#include "engine.h"

namespace gaussflow::test {

constexpr size_t kVectors = 5;  // more than the products take at once

// Named vectors, in order.
struct Sum {
  const char* name;
  Vector values;
};
using Sums = std::vector<Sum>;

struct Problem {
  Problem(const std::vector<size_t>& sizes, Loss loss, size_t samples, double output_scale = 1.3)
      : net(MakeNet(sizes, Activation::kTanh, true, output_scale)), n(samples) {
    net.loss = loss;
    Draw draw(23);
    const size_t c = net.output_size;
    inputs = draw.Normals(n * net.input_size);
    targets = draw.Normals(n * net.target_size());
    if (loss.kind == LossKind::kSoftmax || loss.kind == LossKind::kLogistic) {
      std::fill(targets.begin(), targets.end(), 0.0);
      for (size_t i = 0; i < n; ++i) targets[i * c + i % c] = 1.0;
    }
    weights = draw.Normals(n);
    for (double& value : weights) value = std::fabs(value);
    parameters = draw.Normals(net.parameter_count, 0.5);
    directions = draw.Normals(kVectors * net.parameter_count);
    coefficients = draw.Normals(kVectors * n * c);
  }

  // An engine on the samples of a range.
  void Give(SampleRange range, Engine* engine) const {
    CHECK(engine
              ->SetData(range.count, inputs.data() + range.first * net.input_size,
                        targets.data() + range.first * net.target_size(),
                        weights.data() + range.first)
              .ok(),
          "data");
  }

  Architecture net;
  size_t n;
  Vector inputs, targets, weights, parameters, directions, coefficients;
};

// All sums over the samples of a range that an engine makes, without what is divided by their
// number. `matrix`: the Gram matrix too.
inline Sums SumsOf(const Problem& problem, SampleRange range, bool matrix, Engine* engine) {
  const size_t p = problem.net.parameter_count, c = problem.net.output_size;
  const double* w = problem.parameters.data();
  Sums sums;
  Vector loss(1);
  CHECK(engine->Evaluate(w, {}, loss.data()).ok(), "evaluate");
  sums.push_back({"loss", loss});
  Linearization result;
  CHECK(engine->Linearize(w, Route::kMatrixFree, 0.0, nullptr, {}, &result).ok(), "linearize");
  sums.push_back({"loss of the linearization", {result.loss}});
  sums.push_back({"|z|^2", {result.residual_square}});
  sums.push_back({"gradient", engine->gradient()});
  sums.push_back({"diagonal", result.diagonal});
  Vector product(kVectors * p);
  CHECK(engine->curvature().Multiply(kVectors, problem.directions.data(), {}, product.data()).ok(),
        "product with G");
  sums.push_back({"G v", product});
  CHECK(engine->HessianProduct(kVectors, problem.directions.data(), {}, product.data()).ok(),
        "product with the Hessian");
  sums.push_back({"F'' v", product});
  Vector u;
  for (size_t v = 0; v < kVectors; ++v) {
    const auto from = problem.coefficients.begin() + static_cast<ptrdiff_t>(v * problem.n * c);
    u.insert(u.end(), from + static_cast<ptrdiff_t>(range.first * c),
             from + static_cast<ptrdiff_t>(range.end() * c));
  }
  CHECK(engine->TransposeProduct(w, kVectors, u.data(), {}, product.data()).ok(), "J^T u");
  sums.push_back({"J^T u", product});
  if (matrix) {
    CHECK(engine->Linearize(w, Route::kPrimal, 0.0, nullptr, {}, &result).ok(), "primal");
    sums.push_back({"gradient of the primal route", engine->gradient()});
    Vector gram(p * p);
    engine->curvature().dense()->Copy(gram.data());
    sums.push_back({"Gram matrix", gram});
  }
  return sums;
}

inline void CheckEqual(const Sums& a, const Sums& b, const char* what, size_t slots) {
  for (size_t q = 0; q < a.size(); ++q) {
    size_t different = 0;
    for (size_t j = 0; j < a[q].values.size(); ++j)
      different += a[q].values[j] == b[q].values[j] ? 0 : 1;
    CHECK(different == 0, "%s, %zu slots: %zu of %zu numbers of %s differ", what, slots, different,
          a[q].values.size(), a[q].name);
  }
}

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_SLOT_PROBLEM_H_
