// Implements the forming of the tangent kernel from layer-wise products (kernel_builder.h).
#include "curvature/kernel_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "panel_loops.h"

namespace gaussflow {

namespace {

// Groups in a panel of PairProduct, on either side, and the samples in it.
constexpr size_t kWide = 3;
constexpr size_t kSamples = kWide * PanelShape<double>::kLanes;
// Panels of a tile: a tile's two products stay in a core's cache.
constexpr size_t kMostPanels = 8;
// Units that are summed over at a time: one panel of them stays in the nearest cache.
constexpr size_t kDepth = 192;

}  // namespace

KernelBuilder::Cut::Cut(size_t samples)
    : panels(Parts(samples, kSamples)), wide(Parts(panels, Parts(panels, kMostPanels))) {}

size_t KernelBuilder::Cut::TileSize() const { return wide * kSamples * wide * kSamples; }

KernelBuilder::Block KernelBuilder::Cut::At(size_t row, size_t column) const {
  const size_t i = row * wide, j = column * wide;
  return {i, j, std::min(wide, panels - i), std::min(wide, panels - j), wide * kSamples, false};
}

PanelShape<double> KernelBuilder::Shape(size_t panels, size_t depth) {
  return {panels * kWide, kWide, depth};
}

size_t KernelBuilder::PackedDoubles(const Architecture& net, const Cut& cut) {
  size_t packed = 0;
  for (size_t l = 0; l < net.layers.size(); ++l)
    packed = std::max(packed, Shape(cut.panels, net.layers[l].inputs).Size() +
                                  net.output_size * Shape(cut.panels, net.delta_rows(l)).Size());
  return packed;
}

size_t KernelBuilder::ScratchDoubles(const Architecture& net, const Cut& cut) {
  return (net.output_size > 1 ? 3 : 2) * cut.TileSize();
}

double KernelBuilder::EstimateBytes(const Architecture& net, int threads, size_t samples) {
  const Cut cut(samples);
  return BytesOf<double>(PackedDoubles(net, cut) +
                         ScratchDoubles(net, cut) * static_cast<size_t>(threads));
}

Status KernelBuilder::Reserve(const Cut& cut) {
  const size_t packed = PackedDoubles(net_, cut);
  scratch_size_ = ScratchDoubles(net_, cut);
  const size_t scratch = scratch_size_ * static_cast<size_t>(threads_);
  if (!packed_.Reserve(packed)) return Status::Memory(packed * sizeof(double));
  return scratch_.Reserve(scratch) ? Status::Ok() : Status::Memory(scratch * sizeof(double));
}

void KernelBuilder::Pack(const Panel& from, size_t samples, size_t first, size_t last,
                         const PanelShape<double>& shape, double* to) {
  for (size_t k = 0; k < shape.capacity; ++k) {
    const double* row = from.row(k);
    for (size_t p = first; p < last; ++p) {
      double* line = to + p * shape.Stride() + k * kSamples;
      const size_t count = std::min(kSamples, samples - p * kSamples);
      std::copy_n(row + p * kSamples, count, line);
      std::fill(line + count, line + kSamples, 0.0);
    }
  }
}

void KernelBuilder::Multiply(const PanelShape<double>& shape, const double* left,
                             const double* right, const Block& block, double* out) {
  const size_t depth = shape.capacity;
  for (size_t k = 0; k < depth; k += kDepth) {
    const size_t count = std::min(kDepth, depth - k);
    const double* rows = right + block.row * shape.Stride() + k * kSamples;
    const double* columns = left + block.column * shape.Stride() + k * kSamples;
    if (!block.triangle) {
      PairProduct(Shape(block.rows, depth), rows, Shape(block.columns, depth), columns, count,
                  k > 0, out, block.stride);
      continue;
    }
    for (size_t q = 0; q < block.columns; ++q)
      PairProduct(Shape(q + 1, depth), rows, Shape(1, depth), columns + q * shape.Stride(), count,
                  k > 0, out + q * kSamples * block.stride, block.stride);
  }
}

Status KernelBuilder::Form(const Tangents& tangents, const double* layer_factors,
                           const Cancel& cancel, SymmetricMatrix* k) {
  const size_t n = tangents.count(), outputs = net_.output_size;
  const Cut cut(n);
  const Status reserved = Reserve(cut);
  if (!reserved.ok()) return reserved;
  const size_t tiles = Parts(cut.panels, cut.wide);
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t j = 0; j < tiles; ++j)
    for (size_t i = 0; i <= j; ++i) pairs.emplace_back(i, j);

  ThreadPool& pool = ThreadPool::Instance();
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const auto inputs = Shape(cut.panels, layer.inputs);
    const auto deltas = Shape(cut.panels, net_.delta_rows(l));
    double* h = packed_.data();
    double* delta = h + inputs.Size();  // of output 0, then of output 1, ...
    const bool packed = pool.Run(threads_, tiles, cancel, [&](size_t tile, int) {
      const size_t first = tile * cut.wide, last = std::min(cut.panels, first + cut.wide);
      Pack(tangents.Input(l), n, first, last, inputs, h);
      for (size_t a = 0; a < outputs; ++a)
        Pack(tangents.Delta(l, a), n, first, last, deltas, delta + a * deltas.Size());
    });
    if (!packed) return Status::Canceled();

    const double d = layer_factors == nullptr ? 1.0 : layer_factors[l];
    const Fusion fusion = {layer.factor * layer.factor / d, layer.bias ? 1.0 / d : 0.0, l == 0};
    const bool rows_apart = net_.apart(l);
    const bool added = pool.Run(threads_, pairs.size(), cancel, [&](size_t task, int worker) {
      const auto [ti, tj] = pairs[task];
      const bool diagonal = ti == tj;
      Block block = cut.At(ti, tj), turned = cut.At(tj, ti);
      double* inner = scratch_.data() + static_cast<size_t>(worker) * scratch_size_;
      double* product = inner + cut.TileSize();
      double* turned_inner = product + cut.TileSize();
      // Different outputs need the whole of a diagonal tile, and so does their inner product.
      block.triangle = diagonal && outputs == 1;
      Multiply(inputs, h, h, block, inner);
      if (outputs > 1 && !diagonal) Turn(block, inner, turned_inner);
      const auto add = [&](const Block& at, size_t a, size_t b, const double* of_inputs) {
        // Different rows share no unit of the last layer where R is diagonal.
        const bool apart = rows_apart && a != b;
        if (apart && !fusion.first) return;
        if (apart)
          std::fill_n(product, cut.TileSize(), 0.0);
        else
          Multiply(deltas, delta + b * deltas.Size(), delta + a * deltas.Size(), at, product);
        Add(fusion, at, n, a, b, product, of_inputs, k);
      };
      for (size_t a = 0; a < outputs; ++a) {
        for (size_t b = a; b < outputs; ++b) {
          block.triangle = diagonal && a == b;
          add(block, a, b, inner);
          // Samples (j, i) of different outputs stand on this side of the diagonal of K too.
          if (a != b && !diagonal) add(turned, a, b, turned_inner);
        }
      }
    });
    if (!added) return Status::Canceled();
  }
  return Status::Ok();
}

void KernelBuilder::Turn(const Block& block, const double* from, double* to) {
  for (size_t j = 0; j < block.columns * kSamples; ++j)
    for (size_t i = 0; i < block.rows * kSamples; ++i)
      to[i * block.stride + j] = from[j * block.stride + i];
}

void KernelBuilder::Add(const Fusion& fusion, const Block& block, size_t n, size_t a, size_t b,
                        const double* product, const double* inner, SymmetricMatrix* k) {
  const size_t i0 = block.row * kSamples, j0 = block.column * kSamples;
  const size_t rows = std::min(block.rows * kSamples, n - i0);
  const size_t columns = std::min(block.columns * kSamples, n - j0);
  for (size_t j = 0; j < columns; ++j)
    AddFused(block.triangle ? j + 1 : rows, fusion.scale, fusion.shift, product + j * block.stride,
             inner + j * block.stride, fusion.first, &k->at(a * n + i0, b * n + j0 + j));
}

}  // namespace gaussflow
