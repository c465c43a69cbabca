// Single precision inside the engine: a step by conjugate gradients on a float factor against the
// step of double precision, the exact diagonal, the switch, threads; and the samples that stand for
// all.
#include <algorithm>
#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

struct Both {
  Vector gradient, scaling, step, acceleration;
  Linearization linearized;
  Solution solved;
  Status status;
};

Both Solve(Engine* engine, const Vector& w, Precision precision, double damping, double decay,
           bool scaled, bool accelerate) {
  const size_t p = w.size();
  Both both{{}, Vector(p, 0.0), Vector(p), Vector(p), {}, {}, Status::Ok()};
  double* scaling = scaled ? both.scaling.data() : nullptr;
  CHECK(
      engine->Linearize(w.data(), {Route::kPrimal, precision}, decay, scaling, {}, &both.linearized)
          .ok(),
      "linearize");
  both.gradient = engine->gradient();
  both.status = engine->Solve({damping, decay, scaling}, {}, both.step.data(), &both.solved);
  if (accelerate && both.status.ok())
    CHECK(engine->Accelerate(both.step.data(), scaling, {}, both.acceleration.data()).ok(),
          "acceleration");
  return both;
}

double Distance(const Vector& a, const Vector& b) {
  double sum = 0.0, size = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(sum / size);
}

// The gradients end at an error of 1e-8 in the norm of the damped matrix A, up to the factor's own
// quality: below sqrt(cond A) 1e-8 in the plain norm. With the damping mu in the units of D and a
// unit diagonal, cond A is at most (p + mu) / mu.
void TestSteps() {
  Draw draw(3);
  const Architecture net = MakeNet({4, 12, 10, 2}, Activation::kTanh, true, 1.3);
  const size_t n = 700, p = net.parameter_count;
  const Vector x = draw.Normals(n * 4), y = draw.Normals(n * 2), w = draw.Normals(p, 0.6);
  Engine engine(net, 2), alone(net, 1);
  engine.SetData(n, x.data(), y.data(), nullptr);
  alone.SetData(n, x.data(), y.data(), nullptr);
  for (const double damping : {1.0, 1e-2, 1e-4}) {
    for (const bool scaled : {true, false}) {
      const double decay = damping == 1e-2 ? 0.3 : 0.0;
      const double mu = scaled ? damping : damping * 1e3;
      const Both exact = Solve(&engine, w, Precision::kDouble, mu, decay, scaled, true);
      const Both single = Solve(&engine, w, Precision::kSingle, mu, decay, scaled, true);
      const Both again = Solve(&alone, w, Precision::kSingle, mu, decay, scaled, true);
      CHECK(exact.status.ok() && single.status.ok(), "damping %g", mu);
      const double bound = 4.0 * std::sqrt(static_cast<double>(p) / damping) * 1e-8;
      CHECK(Distance(single.step, exact.step) < bound, "damping %g: %g", mu,
            Distance(single.step, exact.step));
      CHECK(Distance(single.acceleration, exact.acceleration) < bound, "acceleration %g", mu);
      CHECK(single.solved.steps > 0 && single.solved.steps <= SingleSystem::kMostSteps, "steps %zu",
            single.solved.steps);
      // Sums of n c squares in double either way.
      const double unit = static_cast<double>(n * 2) * kEps;
      for (size_t j = 0; j < p && scaled; ++j)
        CHECK(std::fabs(single.scaling[j] - exact.scaling[j]) <= unit * exact.scaling[j],
              "scaling %zu", j);
      CHECK(std::fabs(single.linearized.gradient_cosine - exact.linearized.gradient_cosine) <=
                2.0 * unit,
            "gradient cosine");
      CHECK(single.gradient == exact.gradient, "the gradient is the same");
      CHECK(single.step == again.step && single.acceleration == again.acceleration,
            "threads change the step");
    }
  }
}

// Twin units make G singular: without damping the float factor fails or the gradients do.
void TestFailure() {
  Draw draw(5);
  const Architecture net = MakeNet({2, 6, 1}, Activation::kTanh, true, 1.0);
  const size_t n = 50, p = net.parameter_count;
  const Vector x = draw.Normals(n * 2), y = draw.Normals(n);
  Vector w = draw.Normals(p, 0.6);
  w[2] = w[0];
  w[3] = w[1];
  w[13] = w[12];
  w[19] = w[18];
  Engine engine(net, 2);
  engine.SetData(n, x.data(), y.data(), nullptr);
  const Both bad = Solve(&engine, w, Precision::kSingle, 0.0, 0.0, true, false);
  CHECK(bad.status.code == Code::kImprecise || bad.status.code == Code::kIndefinite,
        "a singular matrix was solved with, code %d", static_cast<int>(bad.status.code));
  const Both good = Solve(&engine, w, Precision::kDouble, 1e-9, 0.0, true, false);
  CHECK(good.status.ok(), "double precision after it");
  // Gradients that end above their tolerance leave a factor, but no solve to accelerate.
  Linearization linearized;
  Solution solved;
  Vector step(p);
  const Request single(Route::kPrimal, Precision::kSingle);
  CHECK(engine.Linearize(w.data(), single, 0.0, nullptr, {}, &linearized).ok(), "linearize");
  CHECK(engine.Solve({.mu = 1.0, .tolerance = 0.0}, {}, step.data(), &solved).code ==
            Code::kImprecise,
        "an error of 0");
  CHECK(engine.Accelerate(w.data(), nullptr, {}, step.data()).code == Code::kMisuse,
        "an acceleration after a solve that failed");
}

// The precision is that of the last linearization, whatever its curvature: a route that is not
// primal has double precision's answers and refusals.
void TestSwitch() {
  Draw draw(7);
  const Architecture net = MakeNet({2, 5, 1}, Activation::kTanh, true, 1.0);
  const size_t n = 60, p = net.parameter_count;
  const Vector x = draw.Normals(n * 2), y = draw.Normals(n), w = draw.Normals(p, 0.6);
  Engine engine(net, 2);
  engine.SetData(n, x.data(), y.data(), nullptr);
  Vector out(p), step(p), elsewhere(n);
  Linearization linearized;
  const auto linearize = [&](Route route, Precision precision) {
    CHECK(engine.Linearize(w.data(), {route, precision}, 0.0, nullptr, {}, &linearized).ok(),
          "linearize %d", static_cast<int>(route));
  };
  linearize(Route::kPrimal, Precision::kSingle);
  CHECK(engine.curvature().dense() == nullptr, "no matrix in double precision");
  CHECK(engine.curvature().Multiply(1, w.data(), {}, out.data()).ok(),
        "product in single precision");
  linearize(Route::kOrthogonal, Precision::kDouble);
  CHECK(engine.curvature().dense() != nullptr, "the orthogonal route has double precision");
  CHECK(engine.curvature().Multiply(1, w.data(), {}, out.data()).code == Code::kMisuse,
        "the orthogonal route has no products");
  Solution solved;
  CHECK(engine.Solve({.mu = 1.0, .condition = true}, {}, step.data(), &solved).ok(), "solve");
  CHECK(solved.condition >= 1.0, "condition %g", solved.condition);
  linearize(Route::kPrimal, Precision::kSingle);
  CHECK(engine.Product(w.data(), 1, w.data(), {}, elsewhere.data()).ok(), "product elsewhere");
  CHECK(engine.curvature().Multiply(1, w.data(), {}, out.data()).code == Code::kMisuse,
        "a product at parameters ends the curvature");
}

// Samples that stand for all: a product is that of an engine on them alone, a step that of all
// samples. More of them, fewer, none, and some again.
void TestSubset() {
  Draw draw(11);
  const Architecture net = MakeNet({3, 9, 7, 2}, Activation::kTanh, true, 1.2);
  const size_t n = 900, d = 3, c = 2, p = net.parameter_count;
  const Vector x = draw.Normals(n * d), y = draw.Normals(n * c), w = draw.Normals(p, 0.6);
  Vector weights(n);
  for (size_t i = 0; i < n; ++i) weights[i] = i % 7 == 0 ? 0.0 : std::fabs(draw.Normal());
  Engine engine(net, 3), alone(net, 1);
  engine.SetData(n, x.data(), y.data(), weights.data());
  alone.SetData(n, x.data(), y.data(), weights.data());
  const double damping = 1.0;
  const Both exact = Solve(&alone, w, Precision::kDouble, damping, 0.1, true, false);
  const Vector v = draw.Normals(2 * p);
  size_t most_held = 0, nothing_held = 0;
  for (const size_t count : {size_t{300}, size_t{450}, size_t{40}, size_t{0}, size_t{300}}) {
    std::vector<uint32_t> subset;
    Vector some_x, some_y, some_weights;
    for (size_t k = 0; k < count; ++k) {
      const size_t i = (k * n) / count + k % 2;
      subset.push_back(static_cast<uint32_t>(i));
      some_x.insert(some_x.end(), &x[i * d], &x[i * d] + d);
      some_y.insert(some_y.end(), &y[i * c], &y[i * c] + c);
      some_weights.push_back(weights[i] * static_cast<double>(n) / static_cast<double>(count));
    }
    const std::vector<uint32_t>* given = count == 0 ? nullptr : &subset;
    Engine few(net, 1);
    few.SetData(count == 0 ? n : count, count == 0 ? x.data() : some_x.data(),
                count == 0 ? y.data() : some_y.data(),
                count == 0 ? weights.data() : some_weights.data());
    Vector scaling(p, 0.0), product(2 * p), expected(2 * p), step(p), same(p), acceleration(p);
    Linearization linearized;
    Vector few_scaling(p, 0.0);
    Solution solved, again;
    // Matrix-free.
    const Request request(Route::kMatrixFree, Precision::kDouble, given);
    CHECK(engine.Linearize(w.data(), request, 0.1, scaling.data(), {}, &linearized).ok(),
          "matrix-free, %zu samples", count);
    CHECK(
        few.Linearize(w.data(), Route::kMatrixFree, 0.1, few_scaling.data(), {}, &linearized).ok(),
        "the samples alone");
    CHECK(engine.curvature().Multiply(2, v.data(), {}, product.data()).ok(), "product");
    CHECK(few.curvature().Multiply(2, v.data(), {}, expected.data()).ok(), "product alone");
    // Sums of at most n c terms, of a subset in float.
    const double terms = 8.0 * static_cast<double>(n * c);
    const double rounding = count == 0 ? kEps : std::numeric_limits<float>::epsilon();
    CHECK(Distance(product, expected) < terms * rounding, "product, %zu: %g", count,
          Distance(product, expected));
    CHECK(Distance(engine.gradient(), exact.gradient) < terms * kEps, "gradient");
    // A fresh scaling starts from all samples.
    for (size_t j = 0; j < p; ++j) few_scaling[j] = std::max(few_scaling[j], exact.scaling[j]);
    CHECK(Distance(scaling, few_scaling) < terms * kEps, "scaling");
    // The units of all samples, so that the step can be that of all of them: cond A is then at most
    // p with damping 1, and that of the factor not far from it.
    scaling = exact.scaling;
    const auto primal = [&](Engine* one, double* out, Solution* result) {
      const Request single(Route::kPrimal, Precision::kSingle, given);
      CHECK(one->Linearize(w.data(), single, 0.1, nullptr, {}, &linearized).ok(),
            "single, %zu samples", count);
      return one->Solve({damping, 0.1, scaling.data()}, {}, out, result);
    };
    CHECK(primal(&engine, step.data(), &solved).ok(), "solve, %zu samples", count);
    CHECK(Distance(step, exact.step) < 1e3 * static_cast<double>(p) * 1e-8, "step, %zu: %g", count,
          Distance(step, exact.step));
    CHECK(solved.steps <= SingleSystem::kMostSubsetSteps, "%zu steps", solved.steps);
    CHECK(engine.Accelerate(step.data(), scaling.data(), {}, acceleration.data()).ok(),
          "acceleration");
    CHECK(primal(&alone, same.data(), &again).ok(), "one thread");
    most_held = std::max(most_held, engine.bytes());
    if (count == 0) nothing_held = engine.bytes();
    CHECK(step == same && solved.steps == again.steps, "threads change the step");
  }
  // The few are given back with the first linearization of all: at least their own 450 rows.
  CHECK(nothing_held + 450 * (d + c + 1) * sizeof(double) <= most_held, "%zu bytes of %zu",
        nothing_held, most_held);
}

}  // namespace

int main() {
  TestSteps();
  TestSubset();
  TestFailure();
  TestSwitch();
  return Finish();
}
