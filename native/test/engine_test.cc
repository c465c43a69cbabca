// The engine against explicit Jacobians made by central differences and plain loops: curvature,
// gradient, steps, products, blocks of samples, threads, failures.
#include "engine.h"

#include <limits>
#include <thread>

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

struct Case {
  std::vector<size_t> sizes;
  bool bias;
  Activation activation;
};

void TestAgainstExplicit(const Case& c, unsigned seed) {
  Draw draw(seed);
  const Architecture net = MakeNet(c.sizes, c.activation, c.bias, 1.3);
  const size_t n = 120, outs = net.output_size, p = net.parameter_count, m = n * outs;
  const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(m), w = draw.Normals(p, 0.7);
  Vector s(n);
  for (double& value : s) value = std::fabs(draw.Normal());
  Engine engine(net, 2);
  CHECK(engine.SetData(n, x.data(), y.data(), s.data()).ok(), "data");

  Vector jacobian(m * p), f(m);
  engine.Jacobian(w.data(), 0, n, {}, jacobian.data());
  engine.Forward(w.data(), {}, f.data());
  double worst = 0.0;
  for (size_t j = 0; j < p; ++j) {
    const double h = 1e-6;
    Vector up = w, down = w, fu(m), fd(m);
    up[j] += h;
    down[j] -= h;
    engine.Forward(up.data(), {}, fu.data());
    engine.Forward(down.data(), {}, fd.data());
    for (size_t i = 0; i < m; ++i)
      worst = std::fmax(worst, std::fabs((fu[i] - fd[i]) / (2 * h) - jacobian[i * p + j]));
  }
  CHECK(worst < 1e-7, "Jacobian against differences: %g", worst);

  Vector weighted = jacobian;
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < p; ++j) weighted[i * p + j] *= std::sqrt(s[i / outs]);
  // Sums of at most max(m, p) products of entries below |J|^2.
  const double unit =
      8.0 * static_cast<double>(std::max(m, p)) * kEps * std::pow(Largest(weighted), 2);

  for (const bool dual : {false, true}) {
    for (const bool scaled : {false, true}) {
      const double decay = dual && scaled ? 0.0 : 0.4, damping = 0.9;
      Vector scaling(dual ? net.layers.size() : p, 0.0), step(p);
      Linearization result;
      Solution solution;
      Status status = engine.Linearize(w.data(), dual ? Route::kDual : Route::kPrimal, decay,
                                       scaled ? scaling.data() : nullptr, {}, &result);
      CHECK(status.ok(), "linearize");
      const Vector& gradient = engine.gradient();
      Vector d(p, 1.0);
      if (scaled && !dual) d = scaling;
      if (scaled && dual)
        for (size_t l = 0; l < net.layers.size(); ++l)
          for (size_t j = 0; j < net.layers[l].parameter_count(); ++j)
            d[net.layers[l].weight_offset + j] = scaling[l];
      const size_t order = engine.curvature().order();
      Vector curvature(order * order);
      engine.curvature().dense()->Copy(curvature.data());
      double off = 0.0, skew = 0.0;
      for (size_t i = 0; i < order; ++i)
        for (size_t j = 0; j < order; ++j) {
          double sum = 0.0;
          if (dual) {
            for (size_t k = 0; k < p; ++k) sum += weighted[i * p + k] * weighted[j * p + k] / d[k];
          } else {
            for (size_t k = 0; k < m; ++k) sum += weighted[k * p + i] * weighted[k * p + j];
          }
          off = std::fmax(off, std::fabs(sum - curvature[i * order + j]));
          skew = std::fmax(skew, std::fabs(curvature[i * order + j] - curvature[j * order + i]));
        }
      CHECK(off < unit, "curvature off by %g (dual %d, scaled %d)", off, dual, scaled);
      CHECK(skew == 0.0, "not symmetric");
      double loss = 0.0;
      Vector expected(p);
      for (size_t j = 0; j < p; ++j) expected[j] = decay * w[j];
      for (size_t i = 0; i < m; ++i) {
        const double r = std::sqrt(s[i / outs]) * (f[i] - y[i]);
        loss += 0.5 * r * r;
        for (size_t j = 0; j < p; ++j) expected[j] += weighted[i * p + j] * r;
      }
      CHECK(std::fabs(loss - result.loss) < 8.0 * static_cast<double>(m) * kEps * loss, "loss");
      double rest = 0.0;
      for (size_t j = 0; j < p; ++j) rest = std::fmax(rest, std::fabs(expected[j] - gradient[j]));
      CHECK(rest < unit * (1.0 + Largest(expected)), "gradient off by %g", rest);

      status = engine.Solve({damping, decay, scaled ? scaling.data() : nullptr, true}, {},
                            step.data(), &solution);
      CHECK(status.ok(), "solve");
      CHECK(solution.condition >= 1.0, "condition %g", solution.condition);
      Vector js(m, 0.0);
      for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < p; ++j) js[i] += weighted[i * p + j] * step[j];
      double residual = 0.0;
      for (size_t j = 0; j < p; ++j) {
        double sum = gradient[j] + (decay + damping * d[j]) * step[j];
        for (size_t i = 0; i < m; ++i) sum += weighted[i * p + j] * js[i];
        residual = std::fmax(residual, std::fabs(sum));
      }
      // Backward stable solves: the residual is at rounding level of |A| |step| and of the
      // right-hand side.
      const double limit =
          100.0 * unit * static_cast<double>(p) * (1.0 + Largest(step) + Largest(gradient));
      CHECK(residual < limit, "normal equations off by %g (dual %d, scaled %d)", residual, dual,
            scaled);
    }
  }
  // Blocks of five vectors (more than the engine takes at once) against the explicit Jacobian.
  const size_t count = 5;
  const Vector v = draw.Normals(count * p), u = draw.Normals(count * m);
  Vector jv(count * m), ju(count * p), gv(count * p), again(count * p);
  engine.Product(w.data(), count, v.data(), {}, jv.data());
  engine.TransposeProduct(w.data(), count, u.data(), {}, ju.data());
  Linearization result;
  engine.Linearize(w.data(), Route::kMatrixFree, 0.0, nullptr, {}, &result);
  CHECK(engine.curvature().Multiply(count, v.data(), {}, gv.data()).ok(), "matrix-free product");
  engine.Linearize(w.data(), Route::kPrimal, 0.0, nullptr, {}, &result);
  CHECK(engine.curvature().Multiply(count, v.data(), {}, again.data()).ok(), "product with G");
  double off = 0.0, top = 0.0;
  for (size_t k = 0; k < count; ++k) {
    Vector image(m, 0.0), back(p, 0.0), both(p, 0.0);
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < p; ++j) image[i] += jacobian[i * p + j] * v[k * p + j];
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < p; ++j) {
        back[j] += jacobian[i * p + j] * u[k * m + i];
        both[j] += jacobian[i * p + j] * s[i / outs] * image[i];
      }
      off = std::fmax(off, std::fabs(image[i] - jv[k * m + i]));
      top = std::fmax(top, std::fabs(image[i]));
    }
    for (size_t j = 0; j < p; ++j) {
      off = std::fmax(off, std::fabs(back[j] - ju[k * p + j]));
      off = std::fmax(off, std::fabs(both[j] - gv[k * p + j]));
      off = std::fmax(off, std::fabs(both[j] - again[k * p + j]));
      top = std::fmax(top, std::fmax(std::fabs(back[j]), std::fabs(both[j])));
    }
  }
  CHECK(off < 8.0 * static_cast<double>(m + p) * kEps * top, "products of a block: %g of %g", off,
        top);
}

struct Outcome {
  Vector gradient, step;
  double loss = 0.0;
  bool operator==(const Outcome&) const = default;
};

Outcome Iterate(const Architecture& net, size_t n, Route route, int threads, unsigned seed) {
  Draw draw(seed);
  const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(n * net.output_size),
               w = draw.Normals(net.parameter_count, 0.4);
  Engine engine(net, threads);
  engine.SetData(n, x.data(), y.data(), nullptr);
  Outcome outcome;
  outcome.step.resize(net.parameter_count);
  Linearization result;
  Solution solution;
  CHECK(engine.Linearize(w.data(), route, 0.0, nullptr, {}, &result).ok(), "linearize");
  CHECK(engine.Solve({.mu = 1.0}, {}, outcome.step.data(), &solution).ok(), "solve");
  outcome.gradient = engine.gradient();
  outcome.loss = result.loss;
  return outcome;
}

// The same bits for every number of threads, in all routes, with several outputs and several
// sample blocks.
void TestThreads() {
  const Architecture narrow = MakeNet({5, 24, 20, 3}, Activation::kTanh, true, 1.0);
  const Architecture wide = MakeNet({5, 300, 2}, Activation::kTanh, true, 1.0);
  for (const auto& [net, n, route] : {std::tuple{&narrow, size_t{20000}, Route::kPrimal},
                                      std::tuple{&wide, size_t{400}, Route::kDual},
                                      std::tuple{&narrow, size_t{700}, Route::kOrthogonal}}) {
    const Outcome one = Iterate(*net, n, route, 1, 3);
    for (int threads = 2; threads <= 4; ++threads)
      CHECK(Iterate(*net, n, route, threads, 3) == one, "%d threads give other bits", threads);
  }
  // Two engines at once, from two foreign threads.
  const Outcome alone = Iterate(wide, 300, Route::kDual, 2, 4);
  Outcome first, second;
  std::thread a([&] { first = Iterate(wide, 300, Route::kDual, 2, 4); });
  std::thread b([&] { second = Iterate(wide, 300, Route::kDual, 2, 4); });
  a.join();
  b.join();
  CHECK(first == alone && second == alone, "engines at work at once disturb each other");
}

void TestFailures() {
  const Architecture net = MakeNet({2, 3, 1}, Activation::kTanh, true, 1.0);
  Vector x{1, 2, 3, 4}, y{0, 0}, w(net.parameter_count, 0.1), step(net.parameter_count);
  Linearization result;
  Solution solution;
  Engine engine(net, 2);
  engine.SetData(2, x.data(), y.data(), nullptr);
  CHECK(engine.Solve({.mu = 1.0}, {}, step.data(), &solution).code == Code::kMisuse,
        "solve too early");
  std::atomic<bool> flag{true};
  const Cancel cancel{&flag, nullptr};
  CHECK(engine.Linearize(w.data(), Route::kPrimal, 0.0, nullptr, cancel, &result).code ==
            Code::kCanceled,
        "canceled");
  CHECK(engine.curvature().order() == 0, "a canceled linearization leaves no curvature");
  w[0] = std::nan("");
  CHECK(engine.Linearize(w.data(), Route::kPrimal, 0.0, nullptr, {}, &result).code ==
            Code::kNonFinite,
        "NaN");
  // Nothing of what failed is left in the next one.
  w[0] = 0.1;
  Engine fresh(net, 1);
  fresh.SetData(2, x.data(), y.data(), nullptr);
  for (Engine* one : {&engine, &fresh})
    CHECK(one->Linearize(w.data(), Route::kPrimal, 0.3, nullptr, {}, &result).ok(), "again");
  CHECK(engine.gradient() == fresh.gradient(), "a failed linearization left its gradient");
  w[0] = std::nan("");
  double loss = 0.0;
  CHECK(engine.Evaluate(w.data(), {}, &loss).code == Code::kNonFinite, "NaN loss");
  // p = 2 x 10^9 would need 2^65 bytes.
  const Architecture huge = MakeNet({2, 1000, 1}, Activation::kTanh, true, 1.0);
  SymmetricMatrix matrix;
  CHECK(!matrix.Reserve(size_t{1} << 31), "an absurd order is refused");
  CHECK(Iterate(huge, 3, Route::kDual, 2, 1).loss > 0.0, "a wide network takes the dual route");
}

}  // namespace

int main() {
  unsigned seed = 1;
  for (const bool bias : {true, false}) {
    TestAgainstExplicit({{3, 5, 4, 1}, bias, Activation::kTanh}, seed++);
    TestAgainstExplicit({{4, 6, 5, 3}, bias, Activation::kSilu}, seed++);
    TestAgainstExplicit({{2, 9, 2}, bias, Activation::kGelu}, seed++);
    TestAgainstExplicit({{3, 2}, bias, Activation::kIdentity}, seed++);
  }
  TestThreads();
  TestFailures();
  return Finish();
}
