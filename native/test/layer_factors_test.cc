// The factors of the Kronecker preconditioner against plain sums: inputs by a forward pass of
// loops, deltas as the columns of J~ that belong to biases.
#include "curvature/layer_factors.h"

#include <limits>

#include "check.h"
#include "engine.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

double Gap(const Vector& a, const Vector& b) {
  double gap = 0.0, top = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    gap = std::fmax(gap, std::fabs(a[i] - b[i]));
    top = std::fmax(top, std::fabs(b[i]));
  }
  return gap / top;
}

// Layers of 300 and 140 inputs: more than one task works on each factor.
void TestFactors(bool bias) {
  Draw draw(11);
  const Architecture net = MakeNet({4, 300, 140, 2}, Activation::kTanh, bias, 1.3);
  const size_t n = 90, c = net.output_size, p = net.parameter_count;
  const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(n * c),
               w = draw.Normals(p, 0.1);
  Vector s(n);
  for (double& value : s) value = std::fabs(draw.Normal());
  Engine engine(net, 4);
  CHECK(engine.SetData(n, x.data(), y.data(), s.data()).ok(), "data");
  Vector jacobian(n * c * p), out(LayerFactorsSize(net));
  engine.Jacobian(w.data(), 0, n, {}, jacobian.data());
  Linearization result;
  CHECK(engine.curvature().LayerFactors({}, out.data()).code == Code::kMisuse,
        "factors without curvature");
  engine.Linearize(w.data(), Route::kMatrixFree, 0.0, nullptr, {}, &result);
  // Twice: the first factor is kept from the first time.
  for (int time = 0; time < 2; ++time) {
    CHECK(engine.curvature().LayerFactors({}, out.data()).ok(), "factors");
    Vector h = x;
    size_t at = 0;
    for (const Layer& layer : net.layers) {
      const size_t size = layer.right_size(), outs = layer.outputs;
      Vector right(size * size, 0.0), left(outs * outs, 0.0), next(n * outs);
      for (size_t i = 0; i < n; ++i) {
        Vector row(h.begin() + static_cast<ptrdiff_t>(i * layer.inputs),
                   h.begin() + static_cast<ptrdiff_t>((i + 1) * layer.inputs));
        for (double& value : row) value *= layer.factor;
        if (bias) row.push_back(1.0);
        for (size_t j = 0; j < size; ++j)
          for (size_t k = 0; k < size; ++k)
            right[j * size + k] += row[j] * row[k] / static_cast<double>(n);
        for (size_t o = 0; o < outs; ++o) {
          double z = bias ? w[layer.bias_offset + o] : 0.0;
          for (size_t k = 0; k < layer.inputs; ++k)
            z += w[layer.weight_offset + o * layer.inputs + k] * row[k];
          next[i * outs + o] = std::tanh(z);
        }
        // The delta is the derivative by the bias, or by a weight over its input.
        for (size_t a = 0; a < c; ++a) {
          const double* j = jacobian.data() + (i * c + a) * p;
          const auto delta = [&](size_t o) {
            return bias ? j[layer.bias_offset + o]
                        : j[layer.weight_offset + o * layer.inputs] / row[0];
          };
          for (size_t o = 0; o < outs; ++o)
            for (size_t q = 0; q < outs; ++q) left[o * outs + q] += s[i] * delta(o) * delta(q);
        }
      }
      const Vector a(out.begin() + static_cast<ptrdiff_t>(at),
                     out.begin() + static_cast<ptrdiff_t>(at + right.size()));
      at += right.size();
      const Vector b(out.begin() + static_cast<ptrdiff_t>(at),
                     out.begin() + static_cast<ptrdiff_t>(at + left.size()));
      at += left.size();
      // Sums of n c products of numbers that themselves come from sums of up to 300.
      const double bound = 8.0 * static_cast<double>(n * c + 300) * kEps;
      CHECK(Gap(a, right) < bound, "right factor off by %g, bias %d", Gap(a, right), bias);
      CHECK(Gap(b, left) < bound, "left factor off by %g, bias %d", Gap(b, left), bias);
      h = next;
    }
  }
}

}  // namespace

int main() {
  TestFactors(true);
  TestFactors(false);
  return Finish();
}
