// The tangent kernel against J D^-1 J^T with a stored J, at the edges of panels and tiles, and with
// more units than are summed over at a time; the same bits for every number of threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "curvature/kernel_builder.h"
#include "tangents.h"

using namespace gaussflow;
using namespace gaussflow::test;

int main() {
  for (const size_t outputs : {1u, 3u}) {
    for (const size_t n : {1u, 23u, 24u, 25u, 97u, 191u, 192u, 193u, 290u, 385u}) {
      const size_t units = n == 97 ? 200 : 5;
      // One layer alone: different outputs have nothing in common.
      const std::vector<size_t> widths =
          n == 25 ? std::vector<size_t>{3, outputs} : std::vector<size_t>{3, units, 4, outputs};
      const Architecture net = MakeNet(widths, Activation::kTanh, n % 2 == 1, 1.3);
      Draw draw(static_cast<unsigned>(n));
      const Vector inputs = draw.Normals(n * 3), targets = draw.Normals(n * outputs);
      const Vector parameters = draw.Normals(net.parameter_count, 0.5);
      const Vector factors = {0.5, 2.0, 3.0};
      Dataset data;
      CHECK(data.Set(n, 3, outputs, inputs.data(), targets.data(), nullptr).ok(), "data");
      Tangents tangents(net, data, 1);
      CHECK(tangents.Compute(parameters.data(), 0, n, true, {}).ok(), "passes");
      const size_t order = n * outputs, p = net.parameter_count;
      Vector j(order * p);
      tangents.WriteColumns(j.data());
      Vector first, measured;
      size_t units_of_all = 0;
      for (const Layer& layer : net.layers) units_of_all += layer.outputs;
      for (int threads = 1; threads <= 3; ++threads) {
        Tangents panels(net, data, threads);
        CHECK(panels.Compute(parameters.data(), 0, n, true, {}).ok(), "passes");
        Vector squares(2 * units_of_all, 0.0);
        CHECK(panels.AddUnitSquares({}, squares.data()).ok(), "squares");
        if (threads == 1) measured = squares;
        CHECK(squares == measured, "n %zu: other squares with %d threads", n, threads);
      }
      size_t unit = 0;
      for (const Layer& layer : net.layers) {
        for (size_t o = 0; o < layer.outputs; ++o, ++unit) {
          double weights = 0.0, bias = 0.0;
          for (size_t row = 0; row < order; ++row) {
            for (size_t q = 0; q < layer.inputs; ++q)
              weights += std::pow(j[(layer.weight_offset + o * layer.inputs + q) * order + row], 2);
            if (layer.bias) bias += std::pow(j[(layer.bias_offset + o) * order + row], 2);
          }
          // Sums of positive terms: n c inputs of them, two roundings more in each.
          const double share = 2.0 * std::numeric_limits<double>::epsilon() *
                               static_cast<double>(order * layer.inputs + 4);
          CHECK(std::fabs(measured[2 * unit] - weights) <= share * weights, "n %zu unit %zu", n,
                unit);
          const double other = measured[2 * unit + 1];
          CHECK(std::fabs(other - bias) <= share * bias, "n %zu bias of unit %zu", n, unit);
        }
      }
      for (int threads = 1; threads <= 3; ++threads) {
        KernelBuilder builder(net, threads);
        SymmetricMatrix k;
        CHECK(k.Reserve(order), "memory");
        // What is not written, or not in its place, is seen.
        std::fill_n(k.lower(), SymmetricMatrix::Count(order), std::nan(""));
        CHECK(builder.Form(tangents, factors.data(), {}, &k).ok(), "kernel");
        Vector upper;
        for (size_t b = 0; b < order; ++b)
          for (size_t a = 0; a <= b; ++a) upper.push_back(k.at(a, b));
        for (size_t b = 0; b < order; ++b)
          for (size_t a = b; a < order; ++a)
            CHECK(std::isnan(k.lower()[b * order + a]), "n %zu: the factor's %zu %zu", n, a, b);
        if (threads == 1) first = upper;
        CHECK(upper == first, "n %zu: other bits with %d threads", n, threads);
      }
      double worst = 0.0;
      size_t at = 0;
      for (size_t b = 0; b < order; ++b)
        for (size_t a = 0; a <= b; ++a) {
          double sum = 0.0, size = 0.0;
          for (size_t l = 0; l < net.layers.size(); ++l) {
            const Layer& layer = net.layers[l];
            for (size_t q = 0; q < layer.parameter_count(); ++q) {
              const double* column = j.data() + (layer.weight_offset + q) * order;
              const double term = column[a] * column[b] / factors[l];
              sum += term;
              size += std::fabs(term);
            }
          }
          // Both sums have p terms; the factored form multiplies two sums, whose errors add.
          const double error = std::fabs(sum - first[at++]);
          worst = std::fmax(worst, error / (size + std::numeric_limits<double>::min()));
        }
      // Cancellation inside a factor is measured against the sum of moduli of J's terms: products
      // of inner products, so the bound has both lengths.
      const double bound = 8.0 * static_cast<double>(p) * std::numeric_limits<double>::epsilon();
      CHECK(worst < bound, "n %zu outputs %zu: %g above %g", n, outputs, worst, bound);
    }
  }
  return Finish();
}
