// Implements the estimates of the cost of calls (cost.h), one formula for each kind of work.
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

double HessianProduct(const Architecture& net, size_t n) {
  // Two products with the weights of every layer for the gradient, and six for its derivative.
  return 8.0 * Forward(net, n);
}

double Solves(size_t order) {
  const double m = static_cast<double>(order);
  return 20.0 * m * m;
}

double FactorAndSolve(size_t order) {
  return Cube(static_cast<double>(order)) / 3.0 + Solves(order);
}

double Eigen(size_t order, bool vectors) {
  return (vectors ? 60.0 : 20.0) * Cube(static_cast<double>(order));
}

}  // namespace gaussflow::cost
