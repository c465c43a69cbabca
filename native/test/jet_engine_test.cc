// The engine for residuals with derivatives: jets and rows of J against differences for every
// smooth activation, gradient, matrix, step and acceleration against those rows, threads, failures,
// bytes.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "check.h"
#include "jet_problem.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();
const Cancel kNever{};

Vector Parameters(const JetEngine& engine) {
  return Draw(2).Normals(engine.parameter_count(), 0.4);
}

Vector ResidualsOf(JetEngine* engine, const Vector& w) {
  Vector out(engine->row_count());
  CHECK(engine->Residuals(w.data(), kNever, out.data()).ok(), "residuals");
  return out;
}

Vector RowsOf(JetEngine* engine, const Vector& w) {
  Vector out(engine->row_count() * w.size());
  CHECK(engine->Jacobian(w.data(), 0, engine->row_count(), kNever, out.data()).ok(), "rows");
  return out;
}

// d f(w + t v) / dt at 0 by differences of fourth order.
template <typename Function>
Vector Along(const Vector& w, const Vector& v, double step, const Function& f) {
  const auto at = [&](double t) {
    Vector moved(w);
    for (size_t j = 0; j < w.size(); ++j) moved[j] += t * step * v[j];
    return f(moved);
  };
  const Vector up = at(1), down = at(-1), far = at(2), back = at(-2);
  Vector out(up.size());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = (8.0 * (up[i] - down[i]) - (far[i] - back[i])) / (12.0 * step);
  return out;
}

void TestRows(Activation activation) {
  JetEngine engine(JetNet(activation), LoadedTerms(17, 5), kJetUnknowns, 2);
  const Vector w = Parameters(engine), rows = RowsOf(&engine, w);
  const size_t p = w.size(), n = engine.row_count();
  CHECK(n == 2 * 17 + 5, "%zu rows", n);
  double largest = 0.0;
  for (size_t j = 0; j < p; ++j) {
    Vector unit(p, 0.0);
    unit[j] = 1.0;
    const Vector column =
        Along(w, unit, 1e-3, [&](const Vector& at) { return ResidualsOf(&engine, at); });
    for (size_t i = 0; i < n; ++i)
      largest = std::max(
          largest, std::fabs(column[i] - rows[i * p + j]) / (1.0 + std::fabs(rows[i * p + j])));
  }
  CHECK(largest <= 1e-8, "activation %d: rows are off by %g", static_cast<int>(activation),
        largest);
  Vector some(3 * p);
  CHECK(engine.Jacobian(w.data(), 30, 3, kNever, some.data()).ok(), "rows 30 to 32");
  CHECK(std::equal(some.begin(), some.end(), rows.begin() + static_cast<ptrdiff_t>(30 * p)),
        "a part of the rows is another");
}

// The jets of the outputs: derivatives of values by the coordinates, and of derivatives.
void TestJets(Activation activation) {
  JetEngine engine(JetNet(activation), LoadedTerms(2, 2), kJetUnknowns, 1);
  const Vector w = Parameters(engine), point = {0.3, -0.7};
  const JetChannels channels = InsideChannels();
  const size_t q = channels.count();
  const auto jets = [&](const Vector& x) {
    const Vector inputs = CoordinateJets(channels, 2, x);
    Vector out(2 * q);
    CHECK(engine.OutputJets(w.data(), channels, 1, inputs.data(), kNever, out.data()).ok(), "jets");
    return out;
  };
  const Vector at = jets(point);
  const Vector by_x = Along(point, {1.0, 0.0}, 1e-3, jets);
  const Vector by_y = Along(point, {0.0, 1.0}, 1e-3, jets);
  for (size_t o = 0; o < 2; ++o) {
    const double *u = &at[o * q], *dx = &by_x[o * q], *dy = &by_y[o * q];
    const double pairs[][2] = {{u[1], dx[0]}, {u[2], dy[0]}, {u[3], dx[1]},
                               {u[4], dx[2]}, {u[4], dy[1]}, {u[5], dx[1] + 0.5 * dy[2]}};
    for (const auto& [found, expected] : pairs)
      CHECK(std::fabs(found - expected) <= 1e-9 * (1.0 + std::fabs(expected)),
            "activation %d: %.12g, not %.12g", static_cast<int>(activation), found, expected);
  }
}

// Gradient, matrix, step and acceleration of points that need several tiles and blocks.
void TestLinearization() {
  JetEngine engine(JetNet(Activation::kTanh), LoadedTerms(601, 300), kJetUnknowns, 2);
  const Vector w = Parameters(engine), r = ResidualsOf(&engine, w), rows = RowsOf(&engine, w);
  const size_t p = w.size(), n = engine.row_count();
  const double decay = 0.3, rounding = 16.0 * static_cast<double>(n) * kEps;
  Vector scaling(p, 0.0), gradient(p, 0.0), gram(p * p, 0.0);
  double loss = 0.0;
  for (size_t i = 0; i < n; ++i) {
    loss += 0.5 * r[i] * r[i];
    for (size_t j = 0; j < p; ++j) {
      gradient[j] += rows[i * p + j] * r[i];
      for (size_t k = 0; k < p; ++k) gram[j * p + k] += rows[i * p + j] * rows[i * p + k];
    }
  }
  for (size_t j = 0; j < p; ++j) gradient[j] += decay * w[j];
  Linearization result;
  double alone = 0.0;
  CHECK(engine.Evaluate(w.data(), kNever, &alone).ok() && std::fabs(alone - loss) < rounding * loss,
        "loss %g, not %g", alone, loss);
  for (const bool curvature : {false, true}) {
    CHECK(engine
              .Linearize(w.data(), curvature, decay, curvature ? scaling.data() : nullptr, kNever,
                         &result)
              .ok(),
          "linearize");
    CHECK(result.loss == alone, "the loss of a linearization is another");
    for (size_t j = 0; j < p; ++j)
      CHECK(std::fabs(engine.gradient()[j] - gradient[j]) <= rounding * Largest(gradient),
            "gradient %zu: %g, not %g", j, engine.gradient()[j], gradient[j]);
  }
  Vector held(p * p);
  engine.solver().Copy(held.data());
  for (size_t j = 0; j < p * p; ++j)
    CHECK(std::fabs(held[j] - gram[j]) <= rounding * Largest(gram), "G %zu: %g, not %g", j, held[j],
          gram[j]);
  for (size_t j = 0; j < p; ++j) CHECK(scaling[j] == held[j * p + j], "scaling %zu", j);
  CHECK(result.gradient_cosine > 0.0 && result.gradient_cosine <= 1.0, "cosine");

  Damping damping;
  damping.mu = 0.1;
  damping.decay = decay;
  damping.scaling = scaling.data();
  Solution solution;
  Vector step(p), acceleration(p);
  CHECK(engine.Solve(damping, kNever, step.data(), &solution).ok(), "solve");
  CHECK(engine.Accelerate(step.data(), kNever, acceleration.data()).ok(), "accelerate");
  // r_vv by differences of J v.
  const Vector second = Along(w, step, 1e-2 / (1.0 + Largest(step)), [&](const Vector& at) {
    const Vector j = RowsOf(&engine, at);
    Vector out(n, 0.0);
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < p; ++k) out[i] += j[i * p + k] * step[k];
    return out;
  });
  Vector bent(p, 0.0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < p; ++j) bent[j] += rows[i * p + j] * second[i];
  for (const bool is_step : {true, false}) {
    const Vector &x = is_step ? step : acceleration, &right = is_step ? gradient : bent;
    for (size_t j = 0; j < p; ++j) {
      double sum = right[j] + (decay + damping.mu * scaling[j]) * x[j];
      for (size_t k = 0; k < p; ++k) sum += gram[j * p + k] * x[k];
      CHECK(std::fabs(sum) <= 1e-8 * Largest(right), "equation %zu of the %s: %g", j,
            is_step ? "step" : "acceleration", sum);
    }
  }
}

struct Outcome {
  Vector gradient, matrix, acceleration, residuals;
  bool operator==(const Outcome&) const = default;
};

Outcome Run(int threads) {
  std::vector<JetTerm> terms = LoadedTerms(700, 90);
  JetEngine engine(JetNet(Activation::kSin), std::move(terms), kJetUnknowns, threads);
  const Vector w = Parameters(engine);
  Outcome out;
  out.residuals = ResidualsOf(&engine, w);
  Linearization result;
  CHECK(engine.Linearize(w.data(), true, 0.0, nullptr, kNever, &result).ok(), "linearize");
  out.gradient = engine.gradient();
  out.matrix.resize(w.size() * w.size());
  engine.solver().Copy(out.matrix.data());
  Damping damping;
  damping.mu = 1.0;
  Solution solution;
  Vector step(w.size());
  out.acceleration.resize(w.size());
  CHECK(engine.Solve(damping, kNever, step.data(), &solution).ok(), "solve");
  CHECK(engine.Accelerate(step.data(), kNever, out.acceleration.data()).ok(), "accelerate");
  CHECK(engine.Linearize(w.data(), false, 0.0, nullptr, kNever, &result).ok(), "gradient");
  out.gradient.insert(out.gradient.end(), engine.gradient().begin(), engine.gradient().end());
  return out;
}

void TestThreads() {
  const Outcome one = Run(1);
  for (int threads = 2; threads <= 4; ++threads)
    CHECK(Run(threads) == one, "%d threads give other bits", threads);
}

void TestFailures() {
  JetEngine engine(JetNet(Activation::kTanh), LoadedTerms(40, 10), kJetUnknowns, 2);
  Vector w = Parameters(engine), step(w.size());
  Solution solution;
  Linearization result;
  double loss;
  CHECK(engine.Solve({}, kNever, step.data(), &solution).code == Code::kMisuse, "no matrix");
  const std::atomic<bool> raised{true};
  const Cancel stopped{&raised, nullptr};
  CHECK(engine.Linearize(w.data(), true, 0.0, nullptr, stopped, &result).code == Code::kCanceled,
        "a raised flag");
  CHECK(!engine.holds(), "what was stopped is held");
  Vector broken(w);
  broken.back() = std::nan("");
  const Status status = engine.Linearize(broken.data(), true, 0.0, nullptr, kNever, &result);
  CHECK(status.code == Code::kNonFinite && status.value == 0, "a residual that is not finite");
  CHECK(engine.Evaluate(broken.data(), kNever, &loss).code == Code::kNonFinite, "loss");
  CHECK(engine.Linearize(w.data(), true, 0.0, nullptr, kNever, &result).ok(), "linearize");
  CHECK(engine.Accelerate(step.data(), kNever, step.data()).code == Code::kMisuse, "no factor");
}

// Other points, as many: the same as an engine made with them.
void TestLoad() {
  JetEngine engine(JetNet(Activation::kTanh), LoadedTerms(40, 10), kJetUnknowns, 1);
  std::vector<JetTerm> other = JetTerms(40, 10);
  LoadPoints(6, &other);
  const Vector w = Parameters(engine);
  for (size_t t = 0; t < other.size(); ++t)
    CHECK(engine.Load(t, other[t].inputs.data(), other[t].auxiliary.data()).ok(), "load");
  JetEngine fresh(JetNet(Activation::kTanh), std::move(other), kJetUnknowns, 1);
  CHECK(ResidualsOf(&engine, w) == ResidualsOf(&fresh, w), "residuals at the points of before");
}

void TestBytes() {
  for (const int threads : {1, 3}) {
    JetEngine engine(JetNet(Activation::kTanh), LoadedTerms(300, 70), kJetUnknowns, threads);
    const Vector w = Parameters(engine);
    Linearization result;
    Solution solution;
    Damping damping;
    damping.mu = 1.0;
    Vector step(w.size());
    CHECK(engine.Linearize(w.data(), true, 0.0, nullptr, kNever, &result).ok(), "linearize");
    CHECK(engine.Solve(damping, kNever, step.data(), &solution).ok(), "solve");
    CHECK(engine.Accelerate(step.data(), kNever, step.data()).ok(), "accelerate");
    const Footprint estimate = JetEngine::EstimateBytes(JetNet(Activation::kTanh),
                                                        JetTerms(300, 70), kJetUnknowns, threads);
    CHECK(estimate.total() == static_cast<double>(engine.bytes()), "%g estimated, %zu held",
          estimate.total(), engine.bytes());
  }
}

}  // namespace

int main() {
  for (int k = 0; k < kActivationCount; ++k) {
    const Activation activation = static_cast<Activation>(k);
    if (activation == Activation::kRelu) continue;
    TestJets(activation);
    TestRows(activation);
  }
  TestLinearization();
  TestThreads();
  TestFailures();
  TestLoad();
  TestBytes();
  return Finish();
}
