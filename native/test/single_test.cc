// Single precision inside the engine: a step by conjugate gradients on a float factor against the
// step of double precision, the exact diagonal, the switch, threads.
#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

struct Both {
  Vector gradient, scaling, step, acceleration;
  Linearisation linearised;
  Solution solved;
  Status status;
};

Both Solve(Engine* engine, const Vector& w, Precision precision, double damping, double decay,
           bool scaled, bool accelerate) {
  const size_t p = w.size();
  Both both{Vector(p), Vector(p, 0.0), Vector(p), Vector(p), {}, {}, Status::Ok()};
  double* scaling = scaled ? both.scaling.data() : nullptr;
  CHECK(engine
            ->Linearise(w.data(), Curvature::kPrimal, decay, scaling, {}, both.gradient.data(),
                        &both.linearised, precision)
            .ok(),
        "linearise");
  both.status = engine->Solve(damping, decay, scaling, false, {}, both.step.data(), &both.solved);
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
      CHECK(std::fabs(single.linearised.gradient_cosine - exact.linearised.gradient_cosine) <=
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
}

// The precision is that of the last linearisation, whatever its curvature: a route that is not
// primal has double precision's answers and refusals.
void TestSwitch() {
  Draw draw(7);
  const Architecture net = MakeNet({2, 5, 1}, Activation::kTanh, true, 1.0);
  const size_t n = 60, p = net.parameter_count;
  const Vector x = draw.Normals(n * 2), y = draw.Normals(n), w = draw.Normals(p, 0.6);
  Engine engine(net, 2);
  engine.SetData(n, x.data(), y.data(), nullptr);
  Vector gradient(p), out(p), step(p), elsewhere(n);
  Linearisation linearised;
  const auto linearise = [&](Curvature curvature, Precision precision) {
    CHECK(engine
              .Linearise(w.data(), curvature, 0.0, nullptr, {}, gradient.data(), &linearised,
                         precision)
              .ok(),
          "linearise %d", static_cast<int>(curvature));
  };
  linearise(Curvature::kPrimal, Precision::kSingle);
  CHECK(engine.precision() == Precision::kSingle, "single precision");
  CHECK(engine.CurvatureProduct(1, w.data(), {}, out.data()).ok(), "product in single precision");
  linearise(Curvature::kOrthogonal, Precision::kDouble);
  CHECK(engine.precision() == Precision::kDouble, "the orthogonal route has double precision");
  CHECK(engine.CurvatureProduct(1, w.data(), {}, out.data()).code == Code::kMisuse,
        "the orthogonal route has no products");
  Solution solved;
  CHECK(engine.Solve(1.0, 0.0, nullptr, true, {}, step.data(), &solved).ok(), "solve");
  CHECK(solved.condition >= 1.0, "condition %g", solved.condition);
  linearise(Curvature::kPrimal, Precision::kSingle);
  CHECK(engine.Product(w.data(), 1, w.data(), {}, elsewhere.data()).ok(), "product elsewhere");
  CHECK(engine.CurvatureProduct(1, w.data(), {}, out.data()).code == Code::kMisuse,
        "a product at parameters ends the curvature");
}

}  // namespace

int main() {
  TestSteps();
  TestFailure();
  TestSwitch();
  return Finish();
}
