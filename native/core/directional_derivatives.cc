// Implements two methods of Tangents (tangents.h): the first and the second derivative of the
// predictions along a direction, for the engine's geodesic acceleration.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gemm.h"
#include "tangents.h"

namespace gaussflow {

Status Tangents::Product(const double* vector, const Cancel& cancel, double* out) {
  const Status reserved = ReserveScratch(Pass::kProduct);
  if (!reserved.ok()) return reserved;
  const size_t last = net_.layers.size() - 1;
  const size_t tiles = (count_ + kTile - 1) / kTile;
  const bool done =
      ThreadPool::Instance().Run(threads_, tiles, cancel, [&](size_t task, int worker) {
        const size_t s0 = task * kTile;
        const size_t size = std::min(kTile, count_ - s0);
        double* z = Scratch(worker);  // [unit][sample]: V h + v_b, the layer's own change of z
        for (size_t a = 0; a < net_.output_size; ++a) std::fill_n(out + a * count_ + s0, size, 0.0);
        for (size_t l = 0; l <= last; ++l) {
          const Layer& layer = net_.layers[l];
          const Panel h = Input(l);
          for (size_t o = 0; o < layer.outputs; ++o)
            std::fill_n(z + o * kTile, size, layer.bias ? vector[layer.bias_offset + o] : 0.0);
          Gemm('N', 'N', size, layer.outputs, layer.inputs, layer.factor, h.data + s0, h.stride,
               vector + layer.weight_offset, layer.inputs, 1.0, z, kTile);
          for (size_t a = 0; a < net_.output_size; ++a) {
            double* sum = out + a * count_ + s0;
            const Panel delta = Delta(l, a);
            const size_t first = net_.apart(l) ? a : 0;
            const size_t units = net_.apart(l) ? 1 : layer.outputs;
            for (size_t u = 0; u < units; ++u) {
              const double* d = delta.row(u) + s0;
              const double* dz = z + (first + u) * kTile;
              for (size_t i = 0; i < size; ++i) sum[i] += d[i] * dz[i];
            }
          }
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

// With z' and z'' the first two derivatives of a layer's pre-activations along (V, v_b),
//   z' = factor (V h + W h') + v_b      h'  = s'(z) z'
//   z'' = factor (2 V h' + W h'')       h'' = s''(z) z'^2 + s'(z) z''
Status Tangents::SecondDerivative(const double* parameters, const double* vector,
                                  const Cancel& cancel, double* out) {
  const size_t panel = net_.max_outputs() * kTile;
  const Status reserved = ReserveScratch(Pass::kSecondDerivative);
  if (!reserved.ok()) return reserved;
  const size_t last = net_.layers.size() - 1;
  const size_t tiles = (count_ + kTile - 1) / kTile;
  const bool done =
      ThreadPool::Instance().Run(threads_, tiles, cancel, [&](size_t task, int worker) {
        const size_t s0 = task * kTile;
        const size_t size = std::min(kTile, count_ - s0);
        double* z = Scratch(worker);
        double *dh = z + panel, *ddh = z + 2 * panel;  // h', h'' of the layer's input
        double *dz = z + 3 * panel, *ddz = z + 4 * panel;
        double *slope = z + 5 * panel, *bend = slope + kTile;  // s', s'' of one unit
        const auto product = [&](const Layer& layer, double factor, const double* h, size_t ldh,
                                 const double* weights, double beta, double* to) {
          MultiplyByWeights(layer, weights, factor, size, h, ldh, beta, to, kTile, TileThreads());
        };
        for (size_t l = 0; l <= last; ++l) {
          const Layer& layer = net_.layers[l];
          const Panel h = Input(l);
          for (size_t o = 0; o < layer.outputs; ++o) {
            std::fill_n(z + o * kTile, size, layer.bias ? parameters[layer.bias_offset + o] : 0.0);
            std::fill_n(dz + o * kTile, size, layer.bias ? vector[layer.bias_offset + o] : 0.0);
          }
          product(layer, layer.factor, h.data + s0, h.stride, parameters, 1.0, z);
          product(layer, layer.factor, h.data + s0, h.stride, vector, 1.0, dz);
          if (l == 0) {
            for (size_t o = 0; o < layer.outputs; ++o) std::fill_n(ddz + o * kTile, size, 0.0);
          } else {
            product(layer, layer.factor, dh, kTile, parameters, 1.0, dz);
            product(layer, 2.0 * layer.factor, dh, kTile, vector, 0.0, ddz);
            product(layer, layer.factor, ddh, kTile, parameters, 1.0, ddz);
          }
          const Panel above{inputs_[l + 1].data() + at_, held_};
          for (size_t o = 0; o < layer.outputs; ++o) {
            Derivatives(layer.activation, size, z + o * kTile, above.row(o) + s0, slope, bend);
            double *d = dz + o * kTile, *dd = ddz + o * kTile;
            for (size_t i = 0; i < size; ++i) {
              dd[i] = bend[i] * d[i] * d[i] + slope[i] * dd[i];
              d[i] *= slope[i];
            }
          }
          std::swap(dh, dz);
          std::swap(ddh, ddz);
        }
        ApplyFactor(s0, size, ddh, bend + kTile, out);
      });
  return done ? Status::Ok() : Status::Canceled();
}

}  // namespace gaussflow
