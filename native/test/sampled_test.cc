// The sampled curvature against dense linear algebra: rows b_i = seed_i^T J_i from the Jacobian and
// the factor of the loss, their kernel, gradient, step and products with the damped inverse, for
// every loss; against the dual route where both are the same; and the bits for every number of
// threads.
#include <cstring>
#include <limits>
#include <string>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();
constexpr double kDecay = 0.3, kDamping = 0.9, kUniform = kDecay + kDamping;

struct Problem {
  Problem(const std::vector<size_t>& sizes, Loss loss, size_t samples, bool bias)
      : net(MakeNet(sizes, Activation::kTanh, bias, 1.3)), n(samples) {
    net.loss = loss;
    Draw draw(static_cast<unsigned>(samples) + static_cast<unsigned>(loss.kind));
    const size_t k = net.target_size(), c = net.output_size;
    x = draw.Normals(n * net.input_size);
    y.assign(n * k, 1.0 / static_cast<double>(k));  // targets that every loss takes
    s = draw.Normals(n);
    for (double& weight : s) weight = std::fabs(weight);
    w = draw.Normals(net.parameter_count, 0.5);
    signs = draw.Normals(n * c);
    for (double& sign : signs) sign = sign > 0.0 ? 1.0 : -1.0;
  }

  Status Give(Engine* engine) const { return engine->SetData(n, x.data(), y.data(), s.data()); }

  Architecture net;
  size_t n;
  Vector x, y, s, w, signs;
};

// Seeds sqrt(s) R v and s r of every sample from the loss of one sample at a time; n x c.
void SeedsOf(const Problem& problem, const Vector& psi, Vector* rows, Vector* gradient) {
  const size_t c = problem.net.output_size, k = problem.net.target_size();
  const Vector ones(c, 1.0);
  Vector factor(c * c), z(c), by_prediction(c);
  for (size_t i = 0; i < problem.n; ++i) {
    const double root = std::sqrt(problem.s[i]);
    const LossTile tile = {1, c, 1.0, &psi[i * c], 1, &problem.y[i * k], 1, &root};
    LossSeeds seeds;
    seeds.factor = factor.data();
    seeds.z = z.data();
    seeds.slope = ones.data();
    seeds.ld_factor = seeds.ld_z = seeds.ld_slope = 1;
    ApplyLoss(problem.net.loss, tile, &seeds);
    LossSeeds other;
    other.gradient = by_prediction.data();
    other.ld_gradient = 1;
    ApplyLoss(problem.net.loss, tile, &other);
    for (size_t a = 0; a < c; ++a) {
      double sum = 0.0;
      for (size_t b = 0; b < c; ++b) {
        const double entry = problem.net.loss.full() ? factor[b * c + a] : a == b ? factor[a] : 0.0;
        sum += entry * problem.signs[i * c + b];
      }
      (*rows)[i * c + a] = sum;
      (*gradient)[i * c + a] = by_prediction[a];
    }
  }
}

// out += rows^T u, rows m x p.
void AddTransposed(size_t m, size_t p, const Vector& rows, const Vector& u, Vector* out) {
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < p; ++j) (*out)[j] += rows[i * p + j] * u[i];
}

// |B^T B x + m x - right|_inf over the largest term of it.
double Residual(size_t n, const Vector& b, const Vector& x, const Vector& right) {
  const size_t p = x.size();
  Vector image(n, 0.0), sum(p, 0.0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < p; ++j) image[i] += b[i * p + j] * x[j];
  AddTransposed(n, p, b, image, &sum);
  double top = Largest(sum) + kUniform * Largest(x) + Largest(right), off = 0.0;
  for (size_t j = 0; j < p; ++j)
    off = std::fmax(off, std::fabs(sum[j] + kUniform * x[j] - right[j]));
  return off / top;
}

void TestAgainstDense(const Problem& problem, bool given, const std::string& name) {
  const Architecture& net = problem.net;
  const size_t n = problem.n, c = net.output_size, p = net.parameter_count;
  Engine engine(net, 2);
  CHECK(problem.Give(&engine).ok(), "data");
  Vector jacobian(n * c * p), psi(n * c), seeds(n * c), by_prediction(n * c);
  CHECK(engine.Forward(problem.w.data(), {}, psi.data()).ok(), "forward");
  CHECK(engine.Jacobian(problem.w.data(), 0, n, {}, jacobian.data()).ok(), "Jacobian");
  double loss = 0.0;
  CHECK(engine.Evaluate(problem.w.data(), {}, &loss).ok(), "evaluate");
  Request request(Route::kSampled);
  if (given) {
    Draw draw(5);
    seeds = draw.Normals(n * c);
    by_prediction = draw.Normals(n * c);
    request.sampled = {nullptr, seeds.data(), by_prediction.data()};
  } else {
    SeedsOf(problem, psi, &seeds, &by_prediction);
    request.sampled.signs = problem.signs.data();
  }
  Vector b(n * p, 0.0), gradient(p);
  for (size_t row = 0; row < n * c; ++row)
    for (size_t j = 0; j < p; ++j) b[row / c * p + j] += seeds[row] * jacobian[row * p + j];
  for (size_t j = 0; j < p; ++j) gradient[j] = kDecay * problem.w[j];
  AddTransposed(n * c, p, jacobian, by_prediction, &gradient);

  Linearization result;
  const Status status = engine.Linearize(problem.w.data(), request, kDecay, nullptr, {}, &result);
  CHECK(status.ok(), "%s: linearize %d", name.c_str(), static_cast<int>(status.code));
  // Sums of at most n c p products, in another order.
  const double unit = 8.0 * static_cast<double>(n * c + p) * kEps;
  CHECK(std::fabs(result.loss - loss) <= unit * std::fabs(loss), "%s: loss %.17g, %.17g",
        name.c_str(), result.loss, loss);
  double off = 0.0;
  for (size_t j = 0; j < p; ++j)
    off = std::fmax(off, std::fabs(engine.gradient()[j] - gradient[j]));
  CHECK(off <= unit * (Largest(gradient) + Largest(by_prediction) * Largest(jacobian)),
        "%s: gradient off by %g", name.c_str(), off);

  Vector kernel(n * n);
  CHECK(engine.curvature().order() == n, "order");
  engine.curvature().dense()->Copy(kernel.data());
  double wrong = 0.0;
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < n; ++k) {
      double sum = 0.0;
      for (size_t j = 0; j < p; ++j) sum += b[i * p + j] * b[k * p + j];
      wrong = std::fmax(wrong, std::fabs(sum - kernel[i * n + k]));
    }
  CHECK(wrong <= unit * Largest(kernel), "%s: kernel off by %g of %g", name.c_str(), wrong,
        Largest(kernel));

  Vector step(p), inverse(p);
  Solution solution;
  const Damping damping = {.mu = kDamping, .decay = kDecay};
  CHECK(engine.Solve(damping, {}, step.data(), &solution).ok(), "%s: solve", name.c_str());
  Vector right(p);
  for (size_t j = 0; j < p; ++j) right[j] = -gradient[j];
  // The division by m multiplies the rounding of g - B^T u by |B^T B| / m at most.
  const double amplified = unit * (1.0 + static_cast<double>(n) * Largest(kernel) / kUniform);
  CHECK(Residual(n, b, step, right) <= amplified, "%s: step %g", name.c_str(),
        Residual(n, b, step, right));
  const Vector v = Draw(9).Normals(p);
  CHECK(engine.DampedInverse(v.data(), {}, inverse.data()).ok(), "%s: inverse", name.c_str());
  CHECK(Residual(n, b, inverse, v) <= amplified, "%s: inverse %g", name.c_str(),
        Residual(n, b, inverse, v));
  // Nothing to divide by, and what it does not have.
  CHECK(engine.Solve({}, {}, step.data(), &solution).code == Code::kMisuse, "no damping");
  CHECK(engine.Accelerate(v.data(), nullptr, {}, step.data()).code == Code::kMisuse, "accelerate");
}

Vector AnswersOf(const Problem& problem, int threads) {
  const size_t p = problem.net.parameter_count;
  Engine engine(problem.net, threads);
  CHECK(problem.Give(&engine).ok(), "data");
  Request request(Route::kSampled);
  request.sampled.signs = problem.signs.data();
  Linearization result;
  CHECK(engine.Linearize(problem.w.data(), request, kDecay, nullptr, {}, &result).ok(),
        "linearize");
  Vector out(2 * p + 1);
  out[0] = result.loss;
  std::copy_n(engine.gradient().data(), p, out.data() + 1);
  Solution solution;
  CHECK(engine.Solve({.mu = kDamping, .decay = kDecay}, {}, out.data() + 1 + p, &solution).ok(),
        "solve");
  return out;
}

void TestThreads(const Problem& problem) {
  const Vector right = AnswersOf(problem, 1);
  for (const int threads : {2, 3, 4}) {
    const Vector other = AnswersOf(problem, threads);
    CHECK(std::memcmp(right.data(), other.data(), right.size() * sizeof(double)) == 0,
          "%d threads: bits differ", threads);
  }
}

// One output, and signs of 1: b_i is the row of J~, and B B^T the kernel of the dual route.
void TestAgainstDual(LossKind loss) {
  Problem problem({3, 7, 1}, {loss, 0.5, 0.4, 0.1}, 90, true);
  std::fill(problem.signs.begin(), problem.signs.end(), 1.0);
  const size_t p = problem.net.parameter_count;
  const Vector sampled = AnswersOf(problem, 2);
  Engine engine(problem.net, 2);
  CHECK(problem.Give(&engine).ok(), "data");
  Linearization result;
  CHECK(engine.Linearize(problem.w.data(), Route::kDual, kDecay, nullptr, {}, &result).ok(),
        "dual");
  Vector step(p);
  Solution solution;
  CHECK(engine.Solve({.mu = kDamping, .decay = kDecay}, {}, step.data(), &solution).ok(), "solve");
  Vector kernel(problem.n * problem.n);
  engine.curvature().dense()->Copy(kernel.data());
  double off = 0.0;
  for (size_t j = 0; j < p; ++j) off = std::fmax(off, std::fabs(step[j] - sampled[1 + p + j]));
  const double limit = 8.0 * static_cast<double>(problem.n + p) * kEps *
                       (1.0 + static_cast<double>(problem.n) * Largest(kernel) / kUniform);
  CHECK(off <= limit * Largest(step), "loss %d: off by %g", static_cast<int>(loss), off);
}

}  // namespace

int main() {
  for (int kind = 0; kind < kLossKinds; ++kind) {
    // delta, tau and smoothing as their losses take them.
    const Loss loss = {static_cast<LossKind>(kind), 0.5, 0.4, 0.1};
    const bool two = loss.outputs_per_target() == 2;
    const std::string name = "loss " + std::to_string(kind);
    for (const bool given : {false, true}) {
      TestAgainstDense({{3, 6, 5, 4}, loss, 70, true}, given, name);
      TestAgainstDense({{4, two ? size_t{2} : size_t{1}}, loss, 9, false}, given,
                       name + ", one layer");
    }
    if (!two) TestAgainstDual(loss.kind);
  }
  // More than a tile of the passes, and than a block of columns.
  TestThreads({{30, 20, 10, 3}, {LossKind::kSoftmax}, 300, true});
  TestThreads({{5, 8, 1}, {LossKind::kSquaredError}, 129, true});
  return Finish();
}
