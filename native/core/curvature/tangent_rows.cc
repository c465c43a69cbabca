// Implements the transposition of the tangents of a block, and their scaling in float
// (tangent_rows.h). GramBuilder (gram_builder.cc) and SampleSystem (sample_system.cc, in float)
// call Fill for each block of samples of a linearization.
#include "curvature/tangent_rows.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace gaussflow {

namespace {

// The power of two nearest 1 / root mean square; 1 where that is 0 or not finite.
double Reciprocal(double sum_of_squares, size_t count) {
  const double square = sum_of_squares / static_cast<double>(count);
  if (!(square > 0.0) || !std::isfinite(square)) return 1.0;
  int exponent = 0;
  std::frexp(std::sqrt(square), &exponent);
  return std::ldexp(1.0, std::clamp(-exponent, -1000, 1000));
}

double SumOfSquares(const double* values, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) sum += values[i] * values[i];
  return sum;
}

// Row `from` of a panel, times `scale`, becomes column `at` of samples x `stride` numbers.
template <typename T>
void Turn(const double* from, double scale, size_t s0, size_t size, T* to, size_t stride) {
  to += s0 * stride;
  for (size_t i = 0; i < size; ++i) to[i * stride] = static_cast<T>(scale * from[s0 + i]);
}

}  // namespace

template <typename T>
TangentRows<T>::TangentRows(const Architecture& architecture, int threads)
    : net_(architecture), threads_(threads) {
  for (const Layer& layer : net_.layers) {
    input_scales_.emplace_back(layer.right_size(), 1.0);
    delta_scales_.emplace_back(layer.outputs, 1.0);
  }
}

template <typename T>
Status TangentRows<T>::Fill(const Tangents& tangents, const Cancel& cancel) {
  count_ = tangents.count();
  const Status reserved = Reserve();
  if (!reserved.ok()) return reserved;
  constexpr size_t kSamples = 64;
  const bool done = ThreadPool::Instance().Run(
      threads_, (count_ + kSamples - 1) / kSamples, cancel, [&](size_t task, int) {
        const size_t s0 = task * kSamples, size = std::min(kSamples, count_ - s0);
        for (size_t l = 0; l < net_.layers.size(); ++l) {
          FillInputs(tangents, l, s0, size);
          FillDeltas(tangents, l, s0, size);
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

template <typename T>
Status TangentRows<T>::Reserve() {
  inputs_.resize(net_.layers.size());
  deltas_.resize(net_.layers.size());
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const size_t inputs = InputCount(net_, l, count_), deltas = DeltaCount(net_, l, count_);
    if (!inputs_[l].Reserve(inputs)) return Status::Memory(inputs * sizeof(T));
    if (!deltas_[l].Reserve(deltas)) return Status::Memory(deltas * sizeof(T));
    std::fill_n(inputs_[l].data() + inputs - kLanes, kLanes, T(0));
    std::fill_n(deltas_[l].data() + deltas - kLanes, kLanes, T(0));
  }
  return Status::Ok();
}

template <typename T>
void TangentRows<T>::FillInputs(const Tangents& tangents, size_t l, size_t s0, size_t size) {
  const Layer& layer = net_.layers[l];
  const Panel h = tangents.Input(l);
  T* to = inputs_[l].data();
  for (size_t k = 0; k < layer.inputs; ++k)
    Turn(h.row(k), layer.factor * input_scales_[l][k], s0, size, to + k, InputStride(l));
  if (!layer.bias) return;
  for (size_t i = s0; i < s0 + size; ++i) to[i * InputStride(l) + layer.inputs] = T(1);
}

template <typename T>
void TangentRows<T>::FillDeltas(const Tangents& tangents, size_t l, size_t s0, size_t size) {
  const bool apart = net_.apart(l);
  T* to = deltas_[l].data();
  for (size_t a = 0; a < net_.output_size; ++a) {
    const Panel delta = tangents.Delta(l, a);
    const size_t units = net_.delta_rows(l);
    for (size_t o = 0; o < units; ++o)
      Turn(delta.row(o), delta_scales_[l][apart ? a : o], s0, size, to + a * units + o,
           DeltaStride(l));
  }
}

template <typename T>
void TangentRows<T>::Release() {
  for (BufferOf<T>& buffer : inputs_) buffer.Release();
  for (BufferOf<T>& buffer : deltas_) buffer.Release();
}

template <typename T>
size_t TangentRows<T>::bytes() const {
  size_t total = 0;
  for (const BufferOf<T>& buffer : inputs_) total += buffer.bytes();
  for (const BufferOf<T>& buffer : deltas_) total += buffer.bytes();
  for (const auto& scales : input_scales_) total += scales.capacity() * sizeof(double);
  for (const auto& scales : delta_scales_) total += scales.capacity() * sizeof(double);
  return total;
}

template <typename T>
double TangentRows<T>::EstimateBytes(const Architecture& net, size_t count) {
  size_t numbers = 0, scales = 0;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    if (count > 0) numbers += InputCount(net, l, count) + DeltaCount(net, l, count);
    scales += net.layers[l].right_size() + net.layers[l].outputs;
  }
  return BytesOf<T>(numbers) + BytesOf<double>(scales);
}

template <typename T>
void TangentRows<T>::Measure(const Tangents& tangents) {
  if (!std::is_same_v<T, float>) return;
  const size_t last = net_.layers.size() - 1, c = net_.output_size, count = tangents.count();
  for (size_t l = 0; l <= last; ++l) {
    const Layer& layer = net_.layers[l];
    const Panel h = tangents.Input(l);
    for (size_t k = 0; k < layer.inputs; ++k)
      input_scales_[l][k] =
          Reciprocal(layer.factor * layer.factor * SumOfSquares(h.row(k), count), count);
    for (size_t o = 0; o < layer.outputs; ++o) {
      double sum = 0.0;
      if (net_.apart(l)) {
        sum = SumOfSquares(tangents.Delta(l, o).row(0), count);
      } else {
        for (size_t a = 0; a < c; ++a) sum += SumOfSquares(tangents.Delta(l, a).row(o), count);
      }
      delta_scales_[l][o] = Reciprocal(sum, count);
    }
  }
}

template <typename T>
std::vector<double> TangentRows<T>::scales() const {
  std::vector<double> all;
  for (size_t l = 0; l < net_.layers.size(); ++l)
    for (const auto* part : {&input_scales_[l], &delta_scales_[l]})
      all.insert(all.end(), part->begin(), part->end());
  return all;
}

template <typename T>
void TangentRows<T>::set_scales(const std::vector<double>& scales) {
  auto from = scales.begin();
  for (size_t l = 0; l < net_.layers.size(); ++l)
    for (auto* part : {&input_scales_[l], &delta_scales_[l]})
      for (double& scale : *part) scale = *from++;
}

template class TangentRows<double>;
template class TangentRows<float>;

}  // namespace gaussflow
