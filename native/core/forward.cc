// Implements the forward pass of one layer and of the whole network on a tile of samples
// (tangents.h), for the engine, the passes and the products.
#include <algorithm>
#include <utility>

#include "gemm.h"
#include "tangents.h"
#include "vectors.h"

namespace gaussflow {

void MultiplyByWeights(const Layer& layer, const double* weights, double factor, size_t size,
                       const double* h, size_t ldh, double beta, double* z, size_t ldz,
                       int threads) {
  const double* w = weights + layer.weight_offset;
  if (threads > 0 && layer.inputs * layer.outputs >= kLargeVector)
    GemmByColumns('N', 'N', size, layer.outputs, layer.inputs, factor, h, ldh, w, layer.inputs,
                  beta, z, ldz, threads);
  else
    Gemm('N', 'N', size, layer.outputs, layer.inputs, factor, h, ldh, w, layer.inputs, beta, z,
         ldz);
}

void PreActivations(const Layer& layer, const double* parameters, size_t size, const double* h,
                    size_t ldh, double* z, size_t ldz, int threads) {
  if (layer.bias) {
    for (size_t o = 0; o < layer.outputs; ++o)
      std::fill_n(z + o * ldz, size, parameters[layer.bias_offset + o]);
  }
  MultiplyByWeights(layer, parameters, layer.factor, size, h, ldh, layer.bias ? 1.0 : 0.0, z, ldz,
                    threads);
}

void ApplyLayer(const Layer& layer, const double* parameters, size_t size, const double* h,
                size_t ldh, double* z, size_t ldz, double* slope, size_t ld_slope, int threads) {
  PreActivations(layer, parameters, size, h, ldh, z, ldz, threads);
  for (size_t o = 0; o < layer.outputs; ++o)
    Activate(layer.activation, size, z + o * ldz,
             slope == nullptr ? nullptr : slope + o * ld_slope);
}

const double* ForwardOutputs(const Architecture& net, const Dataset& data, const double* parameters,
                             size_t first, size_t count, double* work, int threads) {
  constexpr size_t kTile = Tangents::kTile;
  const double* h = data.Inputs(first);
  size_t stride = data.stride();
  double* out = work;
  double* spare = work + net.max_outputs() * kTile;
  for (const Layer& layer : net.layers) {
    ApplyLayer(layer, parameters, count, h, stride, out, kTile, nullptr, 0, threads);
    h = out;
    stride = kTile;
    std::swap(out, spare);
  }
  return h;
}

}  // namespace gaussflow
