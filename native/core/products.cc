// Implements the products of blocks of vectors with J, its transpose and G (products.h), in one
// sweep over blocks of samples.
#include "products.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "gemm.h"
#include "panel_loops.h"
#include "tangents.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = Tangents::kTile;
// Vectors whose deltas stand in memory together: enough tasks for the threads from few samples.
constexpr size_t kGroup = 4;

template <typename T>
constexpr bool kSingle = std::is_same_v<T, float>;

}  // namespace

template <typename T>
void ProductsOf<T>::SetParameters(const double* parameters) {
  valid_ = false;
  parameters_.assign(parameters, parameters + net_.parameter_count);
  if constexpr (kSingle<T>) rounded_.assign(parameters, parameters + net_.parameter_count);
}

template <typename T>
void ProductsOf<T>::Release() {
  for (BufferOf<T>* buffer : {&inputs_, &panels_, &deltas_, &scratch_}) buffer->Release();
  passes_.Release();
  curved_.Release();
  valid_ = false;
}

template <typename T>
const T* ProductsOf<T>::Weights() const {
  if constexpr (kSingle<T>) {
    return rounded_.data();
  } else {
    return parameters_.data();
  }
}

template <typename T>
const T* ProductsOf<T>::Directions(size_t count, const double* vectors) {
  scales_.assign(count, 1.0);
  if constexpr (kSingle<T>) {
    const size_t p = net_.parameter_count;
    directions_.resize(count * p);
    for (size_t v = 0; v < count; ++v) {
      double largest = 0.0;
      for (size_t j = 0; j < p; ++j) largest = std::max(largest, std::fabs(vectors[v * p + j]));
      if (largest > 0.0 && largest < HUGE_VAL) scales_[v] = largest;
      Round(p, 1.0 / scales_[v], vectors + v * p, directions_.data() + v * p);
    }
    return directions_.data();
  } else {
    return vectors;
  }
}

template <typename T>
const T* ProductsOf<T>::Input(size_t layer, size_t* stride) const {
  if (layer == 0) {
    if constexpr (kSingle<T>) {
      *stride = stride_;
      return inputs_.data() + offset_;
    } else {
      *stride = data_.stride();
      return data_.Inputs(first_);
    }
  }
  *stride = stride_;
  return panels_.data() + input_row_[layer - 1] * stride_ + offset_;
}

template <typename T>
Status ProductsOf<T>::Forward(size_t count, const double* vectors, const Cancel& cancel,
                              double* out) {
  return Run({count, vectors, nullptr, out, nullptr}, cancel);
}

template <typename T>
Status ProductsOf<T>::Transpose(size_t count, const double* vectors, const Cancel& cancel,
                                double* out) {
  return Run({count, nullptr, vectors, nullptr, out}, cancel);
}

template <typename T>
Status ProductsOf<T>::Gram(size_t count, const double* vectors, const Cancel& cancel, double* out) {
  return Run({count, vectors, nullptr, nullptr, out}, cancel);
}

template <typename T>
Status ProductsOf<T>::Run(const Sweep& sweep, const Cancel& cancel) {
  Layout();
  const size_t n = data_.sample_count;
  const size_t group = std::min(sweep.count, kGroup);
  const Status reserved = Reserve(sweep, group);
  if (!reserved.ok()) return reserved;
  const T* directions =
      sweep.directions == nullptr ? nullptr : Directions(sweep.count, sweep.directions);
  const double weight = kSingle<T> ? LargestSquare() : 1.0;

  const SlotCut slots = data_.slots();
  if (sweep.images != nullptr && !data_.ranks().alone()) return Status::Misuse();
  Status status = block_ == n ? data_.Load(0, n) : Status::Ok();
  for (size_t slot = 0; slot < slots.count(); ++slot) {
    const SampleRange samples = slots.At(slot);
    for (first_ = samples.first; first_ < samples.end(); first_ += block_) {
      const size_t size = std::min(block_, samples.end() - first_);
      begins_slot_ = first_ == samples.first;
      if (status.ok()) status = RunForward(size, cancel);
      if (!status.ok()) return status;
      for (size_t v0 = 0; v0 < sweep.count; v0 += group)
        if (!RunGroup(sweep, directions, v0, std::min(group, sweep.count - v0), size, weight,
                      cancel))
          return Status::Canceled();
    }
    if (sweep.sums != nullptr) tree_.Close(slot, sweep.sums);
  }
  valid_ = kept_;
  return sweep.sums == nullptr ? Status::Ok()
                               : data_.ranks().Sum(sweep.sums, sweep.count * net_.parameter_count);
}

template <typename T>
Status ProductsOf<T>::RunForward(size_t size, const Cancel& cancel) {
  offset_ = kept_ ? first_ : 0;
  const Status loaded = data_.Load(first_, size);
  if (!loaded.ok() || valid_) return loaded;
  const auto forward = [&](size_t tile, int worker) {
    ForwardTile(tile * kTile, std::min(kTile, size - tile * kTile), worker);
  };
  return ThreadPool::Instance().Run(threads_, Parts(size, kTile), cancel, forward)
             ? Status::Ok()
             : Status::Canceled();
}

template <typename T>
bool ProductsOf<T>::RunGroup(const Sweep& sweep, const T* directions, size_t v0, size_t vectors,
                             size_t size, double weight, const Cancel& cancel) {
  // In float the output scale and the largest weight of a sample stay out of the panels, whose
  // range they would take.
  const double common = kSingle<T> ? net_.output_scale * net_.output_scale * weight : 1.0;
  const size_t tiles = (size + kTile - 1) / kTile, per_worker = 2 * net_.max_outputs() * kTile;
  ThreadPool& pool = ThreadPool::Instance();
  const bool passed = pool.Run(threads_, tiles * vectors, cancel, [&](size_t task, int worker) {
    const size_t slot = task % vectors, s0 = task / vectors * kTile;
    const size_t width = std::min(kTile, size - s0);
    T* work = scratch_.data() + static_cast<size_t>(worker) * per_worker;
    const T* direction =
        directions == nullptr ? nullptr : directions + (v0 + slot) * net_.parameter_count;
    T* image = ImageTile(sweep, direction, v0 + slot, s0, width, work);
    if (sweep.sums == nullptr) return;
    if (Curved(sweep)) ApplyCurvature(s0, width, worker, image);
    SeedTile(sweep, image, slot, s0, width, 1.0 / weight);
    BackwardTile(slot, s0, width);
  });
  if (!passed || sweep.sums == nullptr) return passed;
  return pool.Run(threads_, parts_.size() * vectors, cancel, [&](size_t task, int worker) {
    const size_t slot = task % vectors;
    const double whole = sweep.directions == nullptr ? 1.0 : common * scales_[v0 + slot];
    AddOuter(parts_[task / vectors], slot, size, begins_slot_, whole, worker,
             sweep.sums + (v0 + slot) * net_.parameter_count);
  });
}

template <typename T>
T* ProductsOf<T>::ImageTile(const Sweep& sweep, const T* direction, size_t v, size_t s0,
                            size_t width, T* image) {
  const SlotCut slots = data_.slots();
  const size_t c = net_.output_size;
  // Coefficients and images are of the samples of all ranks.
  const size_t at = (v * slots.total() + slots.begin() + first_ + s0) * c;
  if (direction != nullptr) {
    image = TangentTile(direction, s0, width, image);
  } else {
    const double* from = sweep.coefficients + at;
    for (size_t i = 0; i < width; ++i)
      for (size_t a = 0; a < c; ++a) image[a * kTile + i] = static_cast<T>(from[i * c + a]);
  }
  if (sweep.images != nullptr) {
    double* to = sweep.images + at;
    for (size_t i = 0; i < width; ++i)
      for (size_t a = 0; a < c; ++a) to[i * c + a] = image[a * kTile + i];
  }
  return image;
}

template <typename T>
double ProductsOf<T>::LargestSquare() const {
  const double* root = data_.root_weight();
  double largest = 0.0;
  for (size_t i = 0; root != nullptr && i < data_.sample_count; ++i)
    largest = std::max(largest, root[i]);
  return largest > 0.0 ? largest * largest : 1.0;
}

template <typename T>
void ProductsOf<T>::ForwardTile(size_t s0, size_t size, int worker) {
  if constexpr (kSingle<T>) {
    const size_t width = net_.max_outputs() * kTile;
    double* from = passes_.data() + static_cast<size_t>(worker) * 3 * width;
    double *to = from + width, *slope = to + width;
    const double* h = data_.Inputs(first_ + s0);
    size_t ldh = data_.stride();
    for (size_t k = 0; k < net_.input_size; ++k)
      Round(size, 1.0, h + k * ldh, inputs_.data() + k * stride_ + offset_ + s0);
    for (size_t l = 0; l < net_.layers.size(); ++l) {
      ApplyLayer(net_.layers[l], parameters_.data(), size, h, ldh, to, kTile, slope, kTile);
      float* panel = panels_.data() + input_row_[l] * stride_ + offset_ + s0;
      for (size_t o = 0; o < net_.layers[l].outputs; ++o) {
        Round(size, 1.0, to + o * kTile, panel + o * stride_);
        Round(size, 1.0, slope + o * kTile, Slope(l) + o * stride_ + s0);
      }
      std::swap(from, to);
      h = from;
      ldh = kTile;
    }
  } else {
    for (size_t l = 0; l < net_.layers.size(); ++l) {
      size_t ldh = 0;
      const double* h = Input(l, &ldh);
      ApplyLayer(net_.layers[l], parameters_.data(), size, h + s0, ldh,
                 panels_.data() + input_row_[l] * stride_ + offset_ + s0, stride_, Slope(l) + s0,
                 stride_);
    }
  }
}

template <typename T>
T* ProductsOf<T>::TangentTile(const T* direction, size_t s0, size_t size, T* scratch) const {
  T* from = scratch + net_.max_outputs() * kTile;
  T* to = scratch;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    size_t ldh = 0;
    const T* h = Input(l, &ldh);
    const T factor = static_cast<T>(layer.factor), rest = layer.bias ? T(1) : T(0);
    if (layer.bias) {
      for (size_t o = 0; o < layer.outputs; ++o)
        std::fill_n(to + o * kTile, size, direction[layer.bias_offset + o]);
    }
    Gemm('N', 'N', size, layer.outputs, layer.inputs, factor, h + s0, ldh,
         direction + layer.weight_offset, layer.inputs, rest, to, kTile);
    if (l > 0)
      Gemm('N', 'N', size, layer.outputs, layer.inputs, factor, from, kTile,
           Weights() + layer.weight_offset, layer.inputs, T(1), to, kTile);
    for (size_t o = 0; o < layer.outputs; ++o)
      MultiplyInto(size, Slope(l) + o * stride_ + s0, to + o * kTile);
    std::swap(from, to);
  }
  if (!kSingle<T> && net_.output_scale != 1.0) {
    for (size_t a = 0; a < net_.output_size; ++a)
      for (size_t i = 0; i < size; ++i) from[a * kTile + i] *= static_cast<T>(net_.output_scale);
  }
  return from;
}

template <typename T>
void ProductsOf<T>::BackwardTile(size_t slot, size_t s0, size_t size) {
  for (size_t l = net_.layers.size() - 1; l > 0; --l) {
    const Layer& above = net_.layers[l];
    T* delta = Delta(slot, l - 1) + s0;
    Gemm('N', 'T', size, above.inputs, above.outputs, static_cast<T>(above.factor),
         Delta(slot, l) + s0, block_, Weights() + above.weight_offset, above.inputs, T(0), delta,
         block_);
    for (size_t k = 0; k < above.inputs; ++k)
      MultiplyInto(size, Slope(l - 1) + k * stride_ + s0, delta + k * block_);
  }
}

template <typename T>
void ProductsOf<T>::AddOuter(const OuterPart& part, size_t slot, size_t count, bool first,
                             double scale, int worker, double* sum) {
  const Layer& layer = net_.layers[part.layer];
  size_t ldh = 0;
  const T* h = Input(part.layer, &ldh);
  const T* delta = Delta(slot, part.layer);
  if constexpr (kSingle<T>) {
    const size_t each = scratch_.size() / static_cast<size_t>(threads_);
    float* own = scratch_.data() + static_cast<size_t>(worker) * each;
    Gemm('T', 'N', part.inputs, part.units, count, 1.0F, h + part.input * ldh, ldh,
         delta + part.unit * block_, block_, 0.0F, own, part.inputs);
    double* to = sum + layer.weight_offset + part.unit * layer.inputs + part.input;
    for (size_t u = 0; u < part.units; ++u)
      for (size_t k = 0; k < part.inputs; ++k) {
        const double value = scale * layer.factor * static_cast<double>(own[u * part.inputs + k]);
        double* entry = to + u * layer.inputs + k;
        *entry = first ? value : *entry + value;
      }
  } else {
    AddOuterProduct(layer, part, count, h, ldh, delta, block_, first, sum);
  }
  AddBiasSums(layer, part, count, delta, block_, scale, first, sum);
}

template <typename T>
size_t ProductsOf<T>::bytes() const {
  return inputs_.bytes() + panels_.bytes() + deltas_.bytes() + scratch_.bytes() + passes_.bytes() +
         curved_.bytes() + (parameters_.capacity() + scales_.capacity()) * sizeof(double) +
         (rounded_.capacity() + directions_.capacity()) * sizeof(T) +
         parts_.capacity() * sizeof(OuterPart);
}

template class ProductsOf<double>;
template class ProductsOf<float>;

}  // namespace gaussflow
