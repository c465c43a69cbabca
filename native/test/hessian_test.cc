// The products with the exact Hessian of the loss: against differences of the gradient, their
// Taylor remainders, symmetry, the Gram matrix where the two agree, sums over parts of the samples,
// threads, blocks of vectors, cancellation and order of calls. And the inverse of the damped system
// by the factor of the last solve, against the system itself.
#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

double Distance(const Vector& a, const Vector& b) {
  double off = 0.0;
  for (size_t j = 0; j < a.size(); ++j) off = std::fmax(off, std::fabs(a[j] - b[j]));
  return off;
}

double Dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

Vector Along(const Vector& w, double t, const Vector& v) {
  Vector at = w;
  for (size_t j = 0; j < w.size(); ++j) at[j] += t * v[j];
  return at;
}

struct Problem {
  Problem(Architecture given, size_t samples, unsigned seed = 31)
      : net(std::move(given)), n(samples) {
    Draw draw(seed);
    const size_t c = net.target_size();
    x = draw.Normals(n * net.input_size);
    y = draw.Normals(n * c);
    if (net.loss.kind == LossKind::kSoftmax) {
      // Rows of probabilities.
      for (size_t i = 0; i < n; ++i) {
        double sum = 0.0;
        for (size_t a = 0; a < c; ++a) sum += y[i * c + a] = std::exp(y[i * c + a]);
        for (size_t a = 0; a < c; ++a) y[i * c + a] /= sum;
      }
    } else if (net.loss.kind == LossKind::kLogistic) {
      for (double& value : y) value = 1.0 / (1.0 + std::exp(-value));
    } else if (net.loss.kind == LossKind::kPoisson) {
      for (double& value : y) value = std::floor(std::fabs(3.0 * value));
    }
    s = draw.Normals(n);
    for (double& value : s) value = std::fabs(value);
    w = draw.Normals(net.parameter_count, 0.5);
    v = draw.Normals(net.parameter_count);
  }

  void Give(SampleRange range, Engine* engine) const {
    CHECK(engine
              ->SetData(range.count, x.data() + range.first * net.input_size,
                        y.data() + range.first * net.target_size(), s.data() + range.first)
              .ok(),
          "data");
  }
  void Give(Engine* engine) const { Give({0, n}, engine); }

  Architecture net;
  size_t n;
  Vector x, y, s, w, v;
};

Linearization At(Engine* engine, const Vector& w, const Request& request = Route::kNone) {
  Linearization result;
  CHECK(engine->Linearize(w.data(), request, 0.0, nullptr, {}, &result).ok(), "linearize");
  return result;
}

Vector Times(Engine* engine, const Vector& vectors, size_t p) {
  Vector out(vectors.size(), -1.0);
  CHECK(engine->HessianProduct(vectors.size() / p, vectors.data(), {}, out.data()).ok(),
        "Hessian product");
  return out;
}

// Five points of the gradient along v: the error is h^4 f^(6)/30 + eps f''/h, least near h =
// eps^(1/5); where the second derivative jumps (relu, Huber) few samples pass the jump in a short
// step, and the pieces are so smooth that rounding is all of the error.
void TestDifferences(const Architecture& net, bool smooth) {
  const Problem problem(net, 40);
  Engine engine(net, 2);
  problem.Give(&engine);
  const double h = smooth ? std::pow(kEps, 0.2) : 1e-7;
  std::array<Vector, 4> gradients;
  const std::array<double, 4> places = {-2.0 * h, -h, h, 2.0 * h};
  for (size_t k = 0; k < places.size(); ++k) {
    At(&engine, Along(problem.w, places[k], problem.v));
    gradients[k] = engine.gradient();
  }
  At(&engine, problem.w);
  const Vector product = Times(&engine, problem.v, net.parameter_count);
  Vector expected(net.parameter_count);
  for (size_t j = 0; j < expected.size(); ++j)
    expected[j] =
        (gradients[0][j] - 8.0 * gradients[1][j] + 8.0 * gradients[2][j] - gradients[3][j]) /
        (12.0 * h);
  // eps^(4/5) = 3e-13 times the ratio of the sixth derivative to the second, of some 1e3 along
  // directions as long as the parameters; rounding of eps/h otherwise.
  const double level = smooth ? 3e-9 : 3e-7;
  CHECK(Distance(product, expected) < level * Largest(expected),
        "activation %d, loss %d: off by %g of %g", static_cast<int>(net.layers[0].activation),
        static_cast<int>(net.loss.kind), Distance(product, expected), Largest(expected));
}

// Halving t divides the remainder of the gradient by 4, and that of the loss by 8.
void TestTaylor(const Architecture& net) {
  const Problem problem(net, 40);
  Engine engine(net, 2);
  problem.Give(&engine);
  const double loss = At(&engine, problem.w).loss;
  const Vector gradient = engine.gradient();
  const Vector product = Times(&engine, problem.v, net.parameter_count);
  double slope_before = 0.0, loss_before = 0.0;
  for (const double t : {0.002, 0.001}) {
    const double moved = At(&engine, Along(problem.w, t, problem.v)).loss;
    Vector rest = engine.gradient();
    for (size_t j = 0; j < rest.size(); ++j) rest[j] -= gradient[j] + t * product[j];
    const double slope = Largest(rest);
    const double remainder = std::fabs(moved - loss - t * Dot(gradient, problem.v) -
                                       0.5 * t * t * Dot(product, problem.v));
    if (t == 0.001) {
      // The next terms are about t times their ratio, some tens.
      CHECK(std::fabs(slope_before / slope - 4.0) < 0.4,
            "loss %d: remainders of the gradient %g %g", static_cast<int>(net.loss.kind),
            slope_before, slope);
      CHECK(std::fabs(loss_before / remainder - 8.0) < 1.6, "loss %d: remainders of the loss %g %g",
            static_cast<int>(net.loss.kind), loss_before, remainder);
    }
    slope_before = slope;
    loss_before = remainder;
  }
}

void TestSymmetry(const Architecture& net) {
  const Problem problem(net, 300);
  const size_t p = net.parameter_count;
  Engine engine(net, 2);
  problem.Give(&engine);
  At(&engine, problem.w);
  const Vector u = Draw(5).Normals(p);
  Vector both = problem.v;
  both.insert(both.end(), u.begin(), u.end());
  const Vector products = Times(&engine, both, p);
  const Vector hv(products.begin(), products.begin() + static_cast<ptrdiff_t>(p));
  const Vector hu(products.begin() + static_cast<ptrdiff_t>(p), products.end());
  double scale = 0.0;
  for (size_t j = 0; j < p; ++j) scale += std::fabs(u[j] * hv[j]) + std::fabs(problem.v[j] * hu[j]);
  // Sums of n c p terms, whose magnitudes the signs do not hide: the rounding is a few eps of them.
  CHECK(std::fabs(Dot(u, hv) - Dot(problem.v, hu)) < 64.0 * kEps * scale,
        "u F'' v = %.17g, v F'' u = %.17g", Dot(u, hv), Dot(problem.v, hu));
}

// Without residuals the Hessian of the squared error is G; so is that of every loss with an exact
// factor where the predictions are linear in the parameters.
void TestGauss(const Architecture& net, bool fitted) {
  Problem problem(net, 200);
  const size_t p = net.parameter_count;
  Engine engine(net, 2);
  if (fitted) {
    problem.Give(&engine);
    CHECK(engine.Forward(problem.w.data(), {}, problem.y.data()).ok(), "forward");
  }
  problem.Give(&engine);
  At(&engine, problem.w, Route::kMatrixFree);
  Vector product(p);
  CHECK(engine.curvature().Multiply(1, problem.v.data(), {}, product.data()).ok(), "G v");
  const Vector exact = Times(&engine, problem.v, p);
  CHECK(Distance(exact, product) < 16.0 * 200.0 * kEps * Largest(product),
        "loss %d: %g from G v, of %g", static_cast<int>(net.loss.kind), Distance(exact, product),
        Largest(product));
}

// The sums of two parts of the samples are those of all; panels that are kept, and panels that are
// formed anew in several blocks.
void TestParts(const std::vector<size_t>& sizes, size_t n) {
  const Architecture net = MakeNet(sizes, Activation::kTanh, true, 1.3);
  const Problem problem(net, n);
  const size_t p = net.parameter_count, first = n / 3;
  Engine whole(net, 2), left(net, 1), right(net, 2);
  problem.Give(&whole);
  problem.Give({0, first}, &left);
  problem.Give({first, n - first}, &right);
  for (Engine* engine : {&whole, &left, &right}) At(engine, problem.w);
  const Vector all = Times(&whole, problem.v, p), again = Times(&whole, problem.v, p);
  Vector sum = Times(&left, problem.v, p);
  const Vector rest = Times(&right, problem.v, p);
  for (size_t j = 0; j < p; ++j) sum[j] += rest[j];
  CHECK(Distance(all, sum) < static_cast<double>(n) * kEps * Largest(all), "parts: off by %g of %g",
        Distance(all, sum), Largest(all));
  CHECK(all == again, "a second product at the same point has other bits");
}

void TestBits(const Architecture& net) {
  const Problem problem(net, 700);
  const size_t p = net.parameter_count, count = 6;
  const Vector block = Draw(8).Normals(count * p);
  Vector expected;
  for (const int threads : {1, 2, 3}) {
    Engine engine(net, threads);
    problem.Give(&engine);
    At(&engine, problem.w);
    const Vector products = Times(&engine, block, p);
    if (expected.empty()) expected = products;
    CHECK(products == expected, "%d threads: other bits", threads);
    for (size_t k = 0; k < count; ++k) {
      const auto from = static_cast<ptrdiff_t>(k * p), to = from + static_cast<ptrdiff_t>(p);
      const Vector one = Times(&engine, {block.begin() + from, block.begin() + to}, p);
      CHECK(one == Vector(expected.begin() + from, expected.begin() + to),
            "vector %zu by itself: other bits", k);
    }
    // Elsewhere and back: kept panels are of one point.
    At(&engine, Along(problem.w, 0.1, problem.v));
    CHECK(Times(&engine, block, p) != expected, "the products of another point");
    At(&engine, problem.w);
    CHECK(Times(&engine, block, p) == expected, "back at the first point: other bits");
  }
}

void TestOrderOfCalls() {
  const Architecture net = MakeNet({3, 6, 2}, Activation::kTanh, true, 1.3);
  const Problem problem(net, 600);
  const size_t p = net.parameter_count;
  Engine engine(net, 2);
  problem.Give(&engine);
  Vector out(p), image(problem.n * net.output_size), step(p), before(p), after(p);
  const auto code = [&] { return engine.HessianProduct(1, problem.v.data(), {}, out.data()).code; };
  const auto inverse = [&] { return engine.DampedInverse(problem.v.data(), {}, out.data()).code; };
  CHECK(code() == Code::kMisuse, "before the first linearization");
  CHECK(inverse() == Code::kMisuse, "no factor before the first linearization");
  At(&engine, problem.w, Route::kPrimal);
  CHECK(inverse() == Code::kMisuse, "no factor before the first solve");
  CHECK(engine.Product(problem.w.data(), 1, problem.v.data(), {}, image.data()).ok(), "J v");
  CHECK(code() == Code::kMisuse, "after a product with J, which ends the linearization");
  Vector far(p, 1e200);
  Linearization result;
  CHECK(!engine.Linearize(far.data(), Route::kNone, 0.0, nullptr, {}, &result).ok(), "far out");
  CHECK(code() == Code::kMisuse, "after a linearization that failed");
  for (const Route route : {Route::kPrimal, Route::kDual}) {
    At(&engine, problem.w, route);
    Solution solution;
    CHECK(engine.Solve({.mu = 0.3}, {}, step.data(), &solution).ok(), "solve");
    CHECK(engine.Accelerate(step.data(), nullptr, {}, before.data()).ok(), "acceleration");
    const Vector product = Times(&engine, problem.v, p);
    CHECK(engine.Accelerate(step.data(), nullptr, {}, after.data()).ok(), "acceleration again");
    CHECK(before == after, "route %d: a Hessian product changed the acceleration",
          static_cast<int>(route));
    CHECK(inverse() == Code::kOk, "route %d: the inverse", static_cast<int>(route));
    CHECK(engine.Solve({.mu = 0.3}, {}, after.data(), &solution).ok() && after == step,
          "route %d: a Hessian product changed the step", static_cast<int>(route));
    std::atomic<bool> flag{true};
    CHECK(engine.HessianProduct(1, problem.v.data(), {&flag, nullptr}, out.data()).code ==
              Code::kCanceled,
          "a raised flag cancels");
    CHECK(Times(&engine, problem.v, p) == product, "a canceled product leaves something behind");
  }
  for (const Route route : {Route::kOrthogonal, Route::kMatrixFree}) {
    At(&engine, problem.w, route);
    Solution solution;
    if (route == Route::kOrthogonal)
      CHECK(engine.Solve({.mu = 0.3}, {}, step.data(), &solution).ok(), "solve");
    CHECK(inverse() == Code::kMisuse, "route %d has no factor to apply", static_cast<int>(route));
    CHECK(code() == Code::kOk, "route %d has Hessian products", static_cast<int>(route));
  }
}

// (G + decay I + mu D) x = v.
void TestInverse(const Architecture& net, size_t n, const Request& request, bool scaled,
                 double level) {
  const Problem problem(net, n);
  const size_t p = net.parameter_count, c = net.output_size;
  const bool dual = request.route == Route::kDual;
  const double mu = 0.7, decay = dual && scaled ? 0.0 : 0.3;
  Engine engine(net, 2);
  problem.Give(&engine);
  Vector scaling(dual ? net.layers.size() : p, 0.0), step(p), x(p), left(p), image(n * c);
  double* state = scaled ? scaling.data() : nullptr;
  Linearization linearized;
  CHECK(engine.Linearize(problem.w.data(), request, decay, state, {}, &linearized).ok(), "point");
  Solution solution;
  CHECK(engine.Solve({mu, decay, state}, {}, step.data(), &solution).ok(), "solve");
  CHECK(engine.DampedInverse(problem.v.data(), {}, x.data()).ok(), "inverse");
  CHECK(engine.Product(problem.w.data(), 1, x.data(), {}, image.data()).ok(), "J x");
  for (size_t k = 0; k < image.size(); ++k) image[k] *= problem.s[k / c];
  CHECK(engine.TransposeProduct(problem.w.data(), 1, image.data(), {}, left.data()).ok(), "J^T u");
  double off = 0.0, shift = 0.0;
  for (size_t l = 0; l < net.layers.size(); ++l)
    for (size_t k = 0; k < net.layers[l].parameter_count(); ++k) {
      const size_t j = net.layers[l].weight_offset + k;
      const double d = decay + mu * (!scaled ? 1.0 : dual ? scaling[l] : scaling[j]);
      shift = std::fmax(shift, d);
      off = std::fmax(off, std::fabs(left[j] + d * x[j] - problem.v[j]));
    }
  const double scale = Largest(left) + shift * Largest(x) + Largest(problem.v);
  CHECK(off < level * scale, "route %d, precision %d, subset %d, scaled %d: off by %g of %g",
        static_cast<int>(request.route), static_cast<int>(request.precision),
        request.subset != nullptr, scaled, off, scale);
}

// The factor of a subset is that of another matrix, yet symmetric and positive definite.
void TestSubsetInverse(const Architecture& net, const std::vector<uint32_t>& subset) {
  const Problem problem(net, 300);
  const size_t p = net.parameter_count;
  Engine engine(net, 2);
  problem.Give(&engine);
  At(&engine, problem.w, {Route::kPrimal, Precision::kSingle, &subset});
  Vector step(p), u = Draw(4).Normals(p), of_u(p), of_v(p);
  Solution solution;
  CHECK(engine.Solve({.mu = 30.0}, {}, step.data(), &solution).ok(), "solve");
  CHECK(engine.DampedInverse(u.data(), {}, of_u.data()).ok(), "inverse");
  CHECK(engine.DampedInverse(problem.v.data(), {}, of_v.data()).ok(), "inverse");
  double scale = 0.0;
  for (size_t j = 0; j < p; ++j) scale += std::fabs(u[j] * of_v[j]) + std::fabs(of_u[j] * step[j]);
  // Sums of p terms in float.
  CHECK(std::fabs(Dot(u, of_v) - Dot(problem.v, of_u)) < 16.0 * 400.0 * 6e-8 * scale,
        "%zu samples: u x_v = %g, v x_u = %g", subset.size(), Dot(u, of_v), Dot(problem.v, of_u));
  CHECK(Dot(u, of_u) > 0.0 && Dot(problem.v, of_v) > 0.0, "not positive definite");
}

// Those of the others majorize, or are of the expected Hessian.
bool HasExactFactor(LossKind kind) {
  return kind == LossKind::kSquaredError || kind == LossKind::kLogistic ||
         kind == LossKind::kSoftmax || kind == LossKind::kPoisson;
}

Architecture With(Architecture net, Loss loss) {
  net.loss = loss;
  return net;
}

}  // namespace

int main() {
  const std::array<Loss, kLossKinds> losses = {{{LossKind::kSquaredError},
                                                {LossKind::kHuber, 0.5},
                                                {LossKind::kLogistic},
                                                {LossKind::kSoftmax},
                                                {LossKind::kGaussianNll},
                                                {LossKind::kPseudoHuber, 2.0},
                                                {LossKind::kLogCosh},
                                                {LossKind::kQuantile, 0.0, 0.3, 1.0},
                                                {LossKind::kPoisson}}};
  // One each: a list that is too short would end in squared errors.
  for (size_t k = 0; k < losses.size(); ++k)
    CHECK(static_cast<size_t>(losses[k].kind) == k, "loss %zu is missing", k);
  for (const Loss& loss : losses) {
    const size_t c = 3 * loss.outputs_per_target();
    for (int k = 0; k < kActivationCount; ++k) {
      const auto activation = static_cast<Activation>(k);
      const bool smooth = activation != Activation::kRelu && loss.kind != LossKind::kHuber;
      TestDifferences(With(MakeNet({3, 6, 5, c}, activation, true, 1.3), loss), smooth);
      TestDifferences(With(MakeNet({3, 6, c}, activation, false, 0.7), loss), smooth);
      TestDifferences(With(MakeNet({4, c}, activation, true, 1.0), loss), smooth);
      // An output layer that is not linear.
      Architecture bent = With(MakeNet({3, 5, c}, activation, true, 1.3), loss);
      bent.layers.back().activation = activation;
      TestDifferences(bent, smooth);
    }
    const Architecture net = With(MakeNet({3, 6, 5, c}, Activation::kTanh, true, 1.3), loss);
    if (loss.kind != LossKind::kHuber) TestTaylor(net);
    TestSymmetry(net);
    TestBits(net);
    if (HasExactFactor(loss.kind))
      TestGauss(With(MakeNet({4, 3}, Activation::kIdentity, true, 1.3), loss), false);
  }
  TestGauss(MakeNet({3, 6, 5, 2}, Activation::kSilu, true, 1.3), true);
  TestParts({5, 9, 2}, 1000);
  if (!Small()) {
    TestParts({600, 40, 3}, 2000);
    TestParts({4, 300, 300, 2}, 7000);
  }
  TestOrderOfCalls();
  const Architecture deep = MakeNet({3, 6, 5, 2}, Activation::kTanh, true, 1.3);
  const Architecture wide = MakeNet({4, 40, 2}, Activation::kTanh, true, 0.7);
  std::vector<uint32_t> half, few;
  for (uint32_t i = 0; i < 300; i += 2) half.push_back(i);
  for (uint32_t i = 0; i < 300; i += 100) few.push_back(i);
  for (const bool scaled : {true, false}) {
    // A backward stable solve leaves (p + m) eps; a factor in float, (p + m) eps of float.
    TestInverse(deep, 300, Route::kPrimal, scaled, 16.0 * 400.0 * kEps);
    TestInverse(deep, 300, {Route::kPrimal, Precision::kSingle}, scaled, 16.0 * 400.0 * 6e-8);
    TestInverse(wide, 30, Route::kDual, scaled, 16.0 * 400.0 * kEps);
  }
  TestSubsetInverse(deep, half);
  TestSubsetInverse(deep, few);
  return Finish();
}
