#include "cost.h"

namespace gaussflow::cost {

namespace {

constexpr double kActivation = 16.0;  // one value and derivative, against one flop of a product
// A BLAS call on next to nothing: checks, buffers, edges.
constexpr double kCall = 500.0;

double Units(const Architecture& net) {
  double count = 0.0;
  for (const Layer& layer : net.layers) count += static_cast<double>(layer.outputs);
  return count;
}

double Cube(double x) { return x * x * x; }

}  // namespace

double Forward(const Architecture& net, size_t n) {
  const double each = 2.0 * static_cast<double>(net.parameter_count) + kActivation * Units(net);
  return static_cast<double>(n) * each + kCall * static_cast<double>(net.layers.size());
}

double Passes(const Architecture& net, size_t n) {
  // Back once an output, and a product with every row once an output.
  const double c = static_cast<double>(net.output_size);
  return Forward(net, n) * (1.0 + 2.0 * c);
}

double Linearize(const Architecture& net, size_t n, Curvature curvature) {
  const double p = static_cast<double>(net.parameter_count);
  const double rows = static_cast<double>(n) * static_cast<double>(net.output_size);
  const double passes = Passes(net, n);
  switch (curvature) {
    case Curvature::kNone:
    case Curvature::kMatrixFree:
      return passes;
    case Curvature::kPrimal:
      return passes + 0.5 * rows * p * p;
    case Curvature::kDual: {
      double widths = 0.0;
      for (const Layer& layer : net.layers)
        widths += static_cast<double>(layer.inputs + layer.outputs);
      return passes + rows * rows * widths;
    }
    case Curvature::kOrthogonal:
      return passes + 4.0 * (rows + p) * p * p;
  }
  return passes;
}

double Solve(const Architecture& net, size_t n, Curvature curvature, size_t order) {
  const double m = static_cast<double>(order);
  switch (curvature) {
    case Curvature::kNone:
      return 0.0;
    case Curvature::kPrimal:
      return Cube(m) / 3.0 + 20.0 * m * m;
    case Curvature::kDual:
      return Cube(m) / 3.0 + 20.0 * m * m + 2.0 * Passes(net, n);
    case Curvature::kMatrixFree:
      return Passes(net, n);  // one product
    case Curvature::kOrthogonal:
      return 40.0 * Cube(m);  // a rank-revealing factorization, where R is not clearly regular
  }
  return 0.0;
}

double Eigen(size_t order, bool vectors) {
  return (vectors ? 60.0 : 20.0) * Cube(static_cast<double>(order));
}

}  // namespace gaussflow::cost
