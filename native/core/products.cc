#include "products.h"

#include <algorithm>

#include "blas.h"
#include "simd.h"
#include "tangents.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = Tangents::kTile;
// Vectors whose deltas stand in memory together: enough tasks for the threads from few samples.
constexpr size_t kGroup = 4;
// Doubles of a block's panels and deltas: about what the last level of cache holds, so that a
// layer's outer product sums over many samples at a time.
constexpr size_t kBlockDoubles = 6 << 20;
// Panels of all samples are kept from product to product while they are no larger than this, or
// than inputs in memory.
constexpr size_t kKeptDoubles = 8 << 20;
constexpr size_t kPart = 256;

GAUSSFLOW_CLONES
void MultiplyInto(size_t n, const double* a, double* z) {
  for (size_t i = 0; i < n; ++i) z[i] *= a[i];
}

GAUSSFLOW_CLONES
void MultiplyScaled(size_t n, double scale, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = scale * a[i] * b[i];
}

// In eight strands, which the compiler may run side by side: one strand would wait for every
// addition.
GAUSSFLOW_CLONES
double Sum(size_t n, const double* a) {
  double strands[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t k = 0; k < 8; ++k) strands[k] += a[i + k];
  double total = 0.0;
  for (const double strand : strands) total += strand;
  for (; i < n; ++i) total += a[i];
  return total;
}

size_t PartSize(size_t count) {
  const size_t parts = (count + kPart - 1) / kPart;
  return ((count + parts - 1) / parts + 7) / 8 * 8;
}

}  // namespace

void Products::SetParameters(const double* parameters) {
  parameters_.assign(parameters, parameters + net_.parameter_count);
  valid_ = false;
}

void Products::Layout() {
  if (!parts_.empty()) return;
  size_t row = 0;
  width_ = 0;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    input_row_.push_back(row);  // of the layer's outputs: the next layer's inputs
    row += layer.outputs;
    slope_row_.push_back(row);
    row += layer.outputs;
    delta_row_.push_back(width_);
    width_ += layer.outputs;
    const size_t units = PartSize(layer.outputs), inputs = PartSize(layer.inputs);
    for (size_t u = 0; u < layer.outputs; u += units)
      for (size_t k = 0; k < layer.inputs; k += inputs)
        parts_.push_back(
            {l, u, std::min(units, layer.outputs - u), k, std::min(inputs, layer.inputs - k)});
  }
  // Large parts first, so that the threads end together.
  std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    return a.units * a.inputs > b.units * b.inputs;
  });
}

const double* Products::Input(size_t layer, size_t* stride) const {
  if (layer == 0) {
    *stride = data_.stride();
    return data_.Inputs(first_);
  }
  *stride = stride_;
  return panels_.data() + input_row_[layer - 1] * stride_ + offset_;
}

Status Products::Forward(size_t count, const double* vectors, const Cancel& cancel, double* out) {
  return Run({count, vectors, nullptr, out, nullptr}, cancel);
}

Status Products::Transpose(size_t count, const double* vectors, const Cancel& cancel, double* out) {
  return Run({count, nullptr, vectors, nullptr, out}, cancel);
}

Status Products::Gram(size_t count, const double* vectors, const Cancel& cancel, double* out) {
  return Run({count, vectors, nullptr, nullptr, out}, cancel);
}

Status Products::Run(const Sweep& sweep, const Cancel& cancel) {
  Layout();
  const size_t n = data_.sample_count, c = net_.output_size, p = net_.parameter_count;
  const size_t group = std::min(sweep.count, kGroup);
  const size_t per_sample =
      net_.input_size + 2 * width_ + (sweep.sums == nullptr ? 0 : group * width_);
  block_ = std::min(n, std::max<size_t>(1, kBlockDoubles / per_sample / kTile) * kTile);
  kept_ = (!data_.from_file() && 2 * width_ <= net_.input_size) || 2 * width_ * n <= kKeptDoubles;
  stride_ = kept_ ? n : block_;
  const size_t panel_size = 2 * width_ * stride_;
  if (panels_.size() < panel_size) valid_ = false;
  if (!panels_.Reserve(panel_size)) return Status::Memory(panel_size * sizeof(double));
  if (sweep.sums != nullptr && !deltas_.Reserve(group * width_ * block_))
    return Status::Memory(group * width_ * block_ * sizeof(double));
  const size_t per_worker = 2 * net_.max_width() * kTile;
  if (!scratch_.Reserve(per_worker * static_cast<size_t>(threads_)))
    return Status::Memory(per_worker * static_cast<size_t>(threads_) * sizeof(double));

  ThreadPool& pool = ThreadPool::Instance();
  for (first_ = 0; first_ < n; first_ += block_) {
    const size_t size = std::min(block_, n - first_), tiles = (size + kTile - 1) / kTile;
    offset_ = kept_ ? first_ : 0;
    const Status loaded = data_.Load(first_, size);
    if (!loaded.ok()) return loaded;
    if (!valid_) {
      if (!pool.Run(threads_, tiles, cancel, [&](size_t tile, int) {
            ForwardTile(tile * kTile, std::min(kTile, size - tile * kTile));
          }))
        return Status::Cancelled();
    }
    for (size_t v0 = 0; v0 < sweep.count; v0 += group) {
      const size_t vectors = std::min(group, sweep.count - v0);
      const bool passed = pool.Run(threads_, tiles * vectors, cancel, [&](size_t task, int worker) {
        const size_t slot = task % vectors, v = v0 + slot;
        const size_t s0 = task / vectors * kTile, width = std::min(kTile, size - s0);
        double* image = scratch_.data() + static_cast<size_t>(worker) * per_worker;
        if (sweep.directions != nullptr) {
          image = TangentTile(sweep.directions + v * p, s0, width, image);
        } else {
          const double* from = sweep.coefficients + v * n * c + (first_ + s0) * c;
          for (size_t i = 0; i < width; ++i)
            for (size_t a = 0; a < c; ++a) image[a * kTile + i] = from[i * c + a];
        }
        if (sweep.images != nullptr) {
          double* to = sweep.images + v * n * c + (first_ + s0) * c;
          for (size_t i = 0; i < width; ++i)
            for (size_t a = 0; a < c; ++a) to[i * c + a] = image[a * kTile + i];
        }
        if (sweep.sums == nullptr) return;
        // The weights of the samples belong to J~ only, and J~^T J~ has both roots.
        const double* root = sweep.directions != nullptr ? data_.root_weight() : nullptr;
        const size_t last = net_.layers.size() - 1;
        for (size_t a = 0; a < c; ++a) {
          double* u = image + a * kTile;
          if (root != nullptr)
            for (size_t i = 0; i < width; ++i) {
              const double r = root[first_ + s0 + i];
              u[i] *= r * r;
            }
          MultiplyScaled(width, net_.output_scale, u, Slope(last) + a * stride_ + s0,
                         Delta(slot, last) + a * block_ + s0);
        }
        BackwardTile(slot, s0, width);
      });
      if (!passed) return Status::Cancelled();
      if (sweep.sums == nullptr) continue;
      const bool summed =
          pool.Run(threads_, parts_.size() * vectors, cancel, [&](size_t task, int) {
            const size_t slot = task % vectors;
            AddOuter(parts_[task / vectors], slot, size, first_ == 0, sweep.sums + (v0 + slot) * p);
          });
      if (!summed) return Status::Cancelled();
    }
  }
  valid_ = kept_;
  return Status::Ok();
}

void Products::ForwardTile(size_t s0, size_t size) {
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    size_t ldh = 0;
    const double* h = Input(l, &ldh);
    ApplyLayer(net_.layers[l], parameters_.data(), size, h + s0, ldh,
               panels_.data() + input_row_[l] * stride_ + offset_ + s0, stride_, Slope(l) + s0,
               stride_);
  }
}

double* Products::TangentTile(const double* direction, size_t s0, size_t size,
                              double* scratch) const {
  double* from = scratch + net_.max_width() * kTile;
  double* to = scratch;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    size_t ldh = 0;
    const double* h = Input(l, &ldh);
    if (layer.bias) {
      for (size_t o = 0; o < layer.outputs; ++o)
        std::fill_n(to + o * kTile, size, direction[layer.bias_offset + o]);
    }
    blas::Gemm('N', 'N', size, layer.outputs, layer.inputs, layer.factor, h + s0, ldh,
               direction + layer.weight_offset, layer.inputs, layer.bias ? 1.0 : 0.0, to, kTile);
    if (l > 0)
      blas::Gemm('N', 'N', size, layer.outputs, layer.inputs, layer.factor, from, kTile,
                 parameters_.data() + layer.weight_offset, layer.inputs, 1.0, to, kTile);
    for (size_t o = 0; o < layer.outputs; ++o)
      MultiplyInto(size, Slope(l) + o * stride_ + s0, to + o * kTile);
    std::swap(from, to);
  }
  if (net_.output_scale != 1.0) {
    for (size_t a = 0; a < net_.output_size; ++a)
      for (size_t i = 0; i < size; ++i) from[a * kTile + i] *= net_.output_scale;
  }
  return from;
}

void Products::BackwardTile(size_t slot, size_t s0, size_t size) {
  for (size_t l = net_.layers.size() - 1; l > 0; --l) {
    const Layer& above = net_.layers[l];
    double* delta = Delta(slot, l - 1) + s0;
    blas::Gemm('N', 'T', size, above.inputs, above.outputs, above.factor, Delta(slot, l) + s0,
               block_, parameters_.data() + above.weight_offset, above.inputs, 0.0, delta, block_);
    for (size_t k = 0; k < above.inputs; ++k)
      MultiplyInto(size, Slope(l - 1) + k * stride_ + s0, delta + k * block_);
  }
}

void Products::AddOuter(const Part& part, size_t slot, size_t count, bool first,
                        double* sum) const {
  const Layer& layer = net_.layers[part.layer];
  size_t ldh = 0;
  const double* h = Input(part.layer, &ldh) + part.input * ldh;
  const double* delta = Delta(slot, part.layer) + part.unit * block_;
  blas::Gemm('T', 'N', part.inputs, part.units, count, layer.factor, h, ldh, delta, block_,
             first ? 0.0 : 1.0, sum + layer.weight_offset + part.unit * layer.inputs + part.input,
             layer.inputs);
  if (!layer.bias || part.input != 0) return;
  for (size_t u = 0; u < part.units; ++u) {
    const double total = Sum(count, delta + u * block_);
    double* to = sum + layer.bias_offset + part.unit + u;
    *to = first ? total : *to + total;
  }
}

size_t Products::bytes() const {
  return panels_.bytes() + deltas_.bytes() + scratch_.bytes() +
         parameters_.capacity() * sizeof(double) + parts_.capacity() * sizeof(Part);
}

}  // namespace gaussflow
