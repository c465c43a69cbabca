// The geodesic acceleration against its equation (G + decay I + mu D) a = -J~^T psi~_vv without
// any matrix: G by products, psi_vv by arithmetic on Taylor series of second order, all in double,
// so that what is left over is rounding.
#include <algorithm>
#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// f(t) = value + first t + second t^2 / 2.
struct Series {
  double value = 0.0, first = 0.0, second = 0.0;
};

Series operator+(Series a, Series b) {
  return {a.value + b.value, a.first + b.first, a.second + b.second};
}
Series operator*(Series a, Series b) {
  return {a.value * b.value, a.first * b.value + a.value * b.first,
          a.second * b.value + 2.0 * a.first * b.first + a.value * b.second};
}
Series Tanh(Series z) {
  const double h = std::tanh(z.value), slope = 1.0 - h * h;
  return {h, slope * z.first, slope * z.second - 2.0 * h * slope * z.first * z.first};
}

// Second derivatives of the predictions along v, n x c.
Vector AlongTwice(const Architecture& net, size_t n, const Vector& x, const Vector& w,
                  const Vector& v) {
  const auto weight = [&](size_t j) { return Series{w[j], v[j], 0.0}; };
  Vector out;
  for (size_t i = 0; i < n; ++i) {
    std::vector<Series> h;
    for (size_t k = 0; k < net.input_size; ++k) h.push_back({x[i * net.input_size + k], 0.0, 0.0});
    for (const Layer& layer : net.layers) {
      std::vector<Series> next;
      for (size_t o = 0; o < layer.outputs; ++o) {
        Series z = layer.bias ? weight(layer.bias_offset + o) : Series{};
        for (size_t k = 0; k < layer.inputs; ++k)
          z = z + Series{layer.factor, 0.0, 0.0} *
                      weight(layer.weight_offset + o * layer.inputs + k) * h[k];
        next.push_back(layer.activation == Activation::kTanh ? Tanh(z) : z);
      }
      h = next;
    }
    for (const Series& f : h) out.push_back(net.output_scale * f.second);
  }
  return out;
}

void TestEquation(const Architecture& net, size_t n, const Request& request, bool scaled) {
  Draw draw(13);
  const size_t p = net.parameter_count, c = net.output_size, m = n * c;
  const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(m), w = draw.Normals(p, 0.5),
               v = draw.Normals(p);
  Vector s(n), step(p), a(p), image(m), left(p), right(p);
  for (double& value : s) value = std::fabs(draw.Normal());
  Engine engine(net, 2);
  CHECK(engine.SetData(n, x.data(), y.data(), s.data()).ok(), "data");
  const bool dual = request.route == Route::kDual;
  const double damping = 2.0, decay = dual && scaled ? 0.0 : 0.3;
  Vector scaling(dual ? net.layers.size() : p, 0.0);
  double* state = scaled ? scaling.data() : nullptr;
  Linearization linearized;
  Solution solved;

  engine.Linearize(w.data(), Route::kMatrixFree, decay, nullptr, {}, &linearized);
  CHECK(engine.Accelerate(v.data(), nullptr, {}, a.data()).code == Code::kMisuse,
        "matrix-free there is no factor");
  double trace = 0.0;
  for (const double square : linearized.diagonal) trace += square;

  engine.Linearize(w.data(), request, decay, state, {}, &linearized);
  CHECK(engine.Accelerate(v.data(), state, {}, a.data()).code == Code::kMisuse,
        "before the solve there is no factor");
  CHECK(engine.Solve({damping, decay, state}, {}, step.data(), &solved).ok(), "solve");
  CHECK(engine.Accelerate(v.data(), state, {}, a.data()).ok(), "accelerate");

  Vector second = AlongTwice(net, n, x, w, v);
  for (size_t k = 0; k < m; ++k) second[k] *= s[k / c];
  engine.TransposeProduct(w.data(), 1, second.data(), {}, right.data());
  engine.Product(w.data(), 1, a.data(), {}, image.data());
  for (size_t k = 0; k < m; ++k) image[k] *= s[k / c];
  engine.TransposeProduct(w.data(), 1, image.data(), {}, left.data());
  double off = 0.0, shift = 0.0;
  for (size_t l = 0; l < net.layers.size(); ++l)
    for (size_t k = 0; k < net.layers[l].parameter_count(); ++k) {
      const size_t j = net.layers[l].weight_offset + k;
      const double d = !scaled ? 1.0 : dual ? scaling[l] : scaling[j];
      shift = std::fmax(shift, decay + damping * d);
      off = std::fmax(off, std::fabs(left[j] + (decay + damping * d) * a[j] + right[j]));
    }
  // A backward stable solve leaves a small multiple of (p + m) eps of |A| |a| and the right side;
  // conjugate gradients end at 1e-8 in the norm of A, which is at most sqrt(cond A) in this one.
  const double scale = (trace + shift) * Largest(a) + Largest(right);
  const double level = request.precision == Precision::kSingle
                           ? SingleSystem::kTolerance
                           : 16.0 * static_cast<double>(p + m) * kEps;
  CHECK(off < level * scale, "off by %g of %g, route %d, scaled %d", off, scale,
        static_cast<int>(request.route), scaled);
}

}  // namespace

int main() {
  for (const bool bias : {true, false}) {
    const Architecture deep = MakeNet({3, 6, 5, 2}, Activation::kTanh, bias, 1.3);
    const Architecture wide = MakeNet({4, 40, 2}, Activation::kTanh, bias, 0.7);
    for (const bool scaled : {true, false}) {
      TestEquation(deep, 300, Route::kPrimal, scaled);
      TestEquation(deep, 300, {Route::kPrimal, Precision::kSingle}, scaled);
      TestEquation(wide, 30, Route::kDual, scaled);
    }
  }
  return Finish();
}
