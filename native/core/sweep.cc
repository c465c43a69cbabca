// Implements the block sizes and outer products that sweeps over the samples share (sweep.h).
#include "sweep.h"

#include <algorithm>

#include "gemm.h"
#include "tangents.h"

namespace gaussflow {

namespace {

// Doubles of a block's panels: about what the last level of cache holds, so that a layer's outer
// product sums over many samples at a time.
constexpr size_t kBlockDoubles = 6 << 20;
// Panels of all samples are kept while they are no larger than this, or than inputs in memory.
constexpr size_t kKeptDoubles = 8 << 20;

// Units, or inputs, of a part of a layer that has `count` of them.
size_t PartSize(size_t count) {
  const size_t parts = (count + kMostOfPart - 1) / kMostOfPart;
  return ((count + parts - 1) / parts + 7) / 8 * 8;
}

}  // namespace

size_t UnitCount(const Architecture& net) {
  size_t width = 0;
  for (const Layer& layer : net.layers) width += layer.outputs;
  return width;
}

size_t SweepBlock(size_t samples, size_t doubles_per_sample) {
  constexpr size_t kTile = Tangents::kTile;
  return std::min(samples, std::max<size_t>(1, kBlockDoubles / doubles_per_sample / kTile) * kTile);
}

bool KeepsPanels(const Architecture& net, size_t samples, bool from_file, size_t rows) {
  return (!from_file && rows <= net.input_size) || Times(rows, samples) <= kKeptDoubles;
}

size_t OuterPartCount(const Architecture& net) {
  size_t count = 0;
  for (const Layer& layer : net.layers)
    count +=
        Parts(layer.outputs, PartSize(layer.outputs)) * Parts(layer.inputs, PartSize(layer.inputs));
  return count;
}

std::vector<OuterPart> CutOuterProducts(const Architecture& net) {
  std::vector<OuterPart> parts;
  parts.reserve(OuterPartCount(net));
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    const size_t units = PartSize(layer.outputs), inputs = PartSize(layer.inputs);
    for (size_t u = 0; u < layer.outputs; u += units)
      for (size_t k = 0; k < layer.inputs; k += inputs)
        parts.push_back(
            {l, u, std::min(units, layer.outputs - u), k, std::min(inputs, layer.inputs - k)});
  }
  std::stable_sort(parts.begin(), parts.end(), [](const OuterPart& a, const OuterPart& b) {
    return a.units * a.inputs > b.units * b.inputs;
  });
  return parts;
}

void AddOuterProduct(const Layer& layer, const OuterPart& part, size_t count, const double* h,
                     size_t ldh, const double* delta, size_t ld_delta, bool first, double* sum) {
  Gemm('T', 'N', part.inputs, part.units, count, layer.factor, h + part.input * ldh, ldh,
       delta + part.unit * ld_delta, ld_delta, first ? 0.0 : 1.0,
       sum + layer.weight_offset + part.unit * layer.inputs + part.input, layer.inputs);
}

}  // namespace gaussflow
