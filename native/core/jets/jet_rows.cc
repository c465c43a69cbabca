// Implements the rows of J of a tile, and sums of them (jet_rows.h).
#include "jets/jet_rows.h"

#include "jets/row_product.h"
#include "simd.h"

namespace gaussflow {

namespace {

typedef double Lanes __attribute__((vector_size(64), may_alias));
typedef double Unaligned __attribute__((vector_size(64), may_alias, aligned(8)));

// The channels of one point: channel q is q * step numbers on.
struct PointJets {
  const double* data;
  size_t step;
};

// to[o * inputs + k] = factor * sum over q of delta_q[o] h_q[k], written in whole vectors: what
// spills over the end of a unit is overwritten by the next.
GAUSSFLOW_CLONES
void OuterSum(size_t channels, size_t units, size_t inputs, double factor, const PointJets& delta,
              const PointJets& h, double* to) {
  const size_t width = RowWidth(inputs);
  for (size_t o = 0; o < units; ++o, to += inputs) {
    for (size_t k = 0; k < width; k += kRowLanes) {
      const double* from = h.data + k;
      Lanes sum = *reinterpret_cast<const Lanes*>(from) * delta.data[o];
      for (size_t q = 1; q < channels; ++q)
        sum += *reinterpret_cast<const Lanes*>(from + q * h.step) * delta.data[q * delta.step + o];
      *reinterpret_cast<Unaligned*>(to + k) = factor * sum;
    }
  }
}

}  // namespace

size_t JetRowSize(size_t parameters) { return RowWidth(parameters) + kRowLanes; }

void FormJetRow(const Architecture& net, size_t unknowns, const JetTile& tile, double factor,
                size_t i, double* row) {
  const JetPass& pass = tile.pass();
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    const double* deltas = pass.Adjoints(l) + i * RowWidth(layer.outputs);
    const PointJets delta{deltas, pass.ChannelSize(layer.outputs)};
    const PointJets h{pass.Inputs(l) + i * RowWidth(layer.inputs), pass.ChannelSize(layer.inputs)};
    OuterSum(pass.channels(), layer.outputs, layer.inputs, layer.factor, delta, h,
             row + layer.weight_offset);
    for (size_t o = 0; layer.bias && o < layer.outputs; ++o) row[layer.bias_offset + o] = deltas[o];
  }
  for (size_t u = 0; u < unknowns; ++u)
    row[net.parameter_count + u] = factor * tile.ByUnknown(u)[i];
}

size_t TransposeSize(const Architecture& net) {
  size_t size = 0;
  for (const Layer& layer : net.layers)
    size += RowWidth(layer.outputs) * (RowWidth(layer.inputs) + 1);
  return size;
}

void AddTranspose(const Architecture& net, const JetTile& tile, double* sums) {
  const JetPass& pass = tile.pass();
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    const size_t width = RowWidth(layer.outputs);
    const double* deltas = pass.Adjoints(l);
    AddTransposedProduct(pass.channels() * tile.count(), layer.factor, layer.outputs, deltas,
                         layer.inputs, pass.Inputs(l), sums);
    sums += width * RowWidth(layer.inputs);
    for (size_t i = 0; i < tile.count(); ++i, deltas += width)
      for (size_t o = 0; o < width; ++o) sums[o] += deltas[o];
    sums += width;
  }
}

void UnpackTranspose(const Architecture& net, const double* sums, double* out) {
  for (const Layer& layer : net.layers) {
    const size_t width = RowWidth(layer.inputs), units = RowWidth(layer.outputs);
    double* weights = out + layer.weight_offset;
    for (size_t o = 0; o < layer.outputs; ++o)
      for (size_t k = 0; k < layer.inputs; ++k)
        weights[o * layer.inputs + k] += sums[o * width + k];
    sums += units * width;
    for (size_t o = 0; layer.bias && o < layer.outputs; ++o) out[layer.bias_offset + o] += sums[o];
    sums += units;
  }
}

}  // namespace gaussflow
