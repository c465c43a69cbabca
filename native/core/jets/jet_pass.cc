// Implements the passes of jets through a network (jet_pass.h).
#include "jets/jet_pass.h"

#include <algorithm>
#include <utility>

#include "jets/jet_rules.h"
#include "jets/row_product.h"

namespace gaussflow {

namespace {

// Derivatives of jets along a direction: dz, ddz, dh, ddh.
constexpr size_t kAlong = 4;

}  // namespace

size_t PackedWeights::Doubles(const Architecture& net, bool back) {
  size_t doubles = 0;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    doubles += PackedSize(layer.inputs, layer.outputs);
    if (back && l > 0) doubles += PackedSize(layer.outputs, layer.inputs);
  }
  return doubles;
}

bool PackedWeights::Pack(const Architecture& net, const double* parameters, bool back) {
  if (!buffer_.Reserve(Doubles(net, back))) return false;
  parameters_ = parameters;
  forward_.assign(net.layers.size(), 0);
  back_.assign(net.layers.size(), 0);
  size_t at = 0;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    const double* weights = parameters + layer.weight_offset;
    forward_[l] = at;
    PackRows(true, layer.inputs, layer.outputs, layer.factor, weights, buffer_.data() + at);
    at += PackedSize(layer.inputs, layer.outputs);
    if (!back || l == 0) continue;
    back_[l] = at;
    PackRows(false, layer.outputs, layer.inputs, layer.factor, weights, buffer_.data() + at);
    at += PackedSize(layer.outputs, layer.inputs);
  }
  return true;
}

JetPass::JetPass(const Architecture& net, const JetChannels& channels, size_t points, double* room)
    : net_(net), channels_(channels), points_(points), room_(room) {
  const size_t q = channels.count();
  size_t at = 0;
  const auto take = [&at](size_t doubles) { return std::exchange(at, at + doubles); };
  inputs_.push_back(take(q * ChannelSize(net.input_size)));
  for (const Layer& layer : net.layers) {
    const size_t size = ChannelSize(layer.outputs);
    pre_activations_.push_back(take(q * size));
    slopes_.push_back(take(kMostDerivatives * size));
    inputs_.push_back(take(q * size));
    adjoints_.push_back(take(q * size));
    widest_ = std::max(widest_, size);
  }
  along_ = take(kAlong * q * widest_);
  scratch_ = take(std::max(kBackScratch, kAlongScratch) * widest_);
}

size_t JetPass::Doubles(const Architecture& net, const JetChannels& channels, size_t points) {
  const JetPass sizes(net, channels, points, nullptr);
  return sizes.scratch_ + std::max(kBackScratch, kAlongScratch) * sizes.widest_;
}

size_t JetPass::ChannelSize(size_t units) const { return points_ * RowWidth(units); }

void JetPass::SetInputs(const double* inputs) {
  const size_t d = net_.input_size, width = RowWidth(d), channels = channels_.count();
  double* to = Jets(0);
  for (size_t q = 0; q < channels; ++q) {
    for (size_t i = 0; i < points_; ++i, to += width) {
      std::copy_n(inputs + (i * channels + q) * d, d, to);
      std::fill_n(to + d, width - d, 0.0);
    }
  }
}

void JetPass::AddBias(const Layer& layer, const double* bias, double* z) const {
  if (!layer.bias) return;
  const size_t width = RowWidth(layer.outputs);
  for (size_t i = 0; i < points_; ++i, z += width)
    for (size_t o = 0; o < layer.outputs; ++o) z[o] += bias[o];
}

void JetPass::Slopes(size_t layer, double** slopes) const {
  const size_t size = ChannelSize(net_.layers[layer].outputs);
  for (size_t k = 0; k < kMostDerivatives; ++k) slopes[k] = room_ + slopes_[layer] + k * size;
}

void JetPass::Forward(const PackedWeights& weights, size_t derivatives) {
  const size_t order = channels_.order() + derivatives, rows = channels_.count() * points_;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const size_t size = ChannelSize(layer.outputs);
    double* z = room_ + pre_activations_[l];
    double* slopes[kMostDerivatives];
    Slopes(l, slopes);
    RowProduct(rows, layer.inputs, Inputs(l), layer.outputs, weights.forward(l), false, z);
    AddBias(layer, weights.bias(layer), z);
    ActivationSeries(layer.activation, size, order, z, Jets(l + 1), slopes);
    JetsForward(channels_, size, slopes, z, Jets(l + 1));
  }
}

void JetPass::Read(const double* jets, double* out) const {
  const size_t outputs = net_.output_size, width = RowWidth(outputs), channels = channels_.count();
  for (size_t o = 0; o < outputs; ++o)
    for (size_t q = 0; q < channels; ++q)
      for (size_t i = 0; i < points_; ++i)
        *out++ = net_.output_scale * jets[(q * points_ + i) * width + o];
}

void JetPass::Back(const PackedWeights& weights, const double* adjoints, double factor) {
  const size_t outputs = net_.output_size, width = RowWidth(outputs), channels = channels_.count();
  const size_t last = net_.layers.size() - 1;
  double* seeds = room_ + adjoints_[last];
  std::fill_n(seeds, channels * points_ * width, 0.0);
  for (size_t o = 0; o < outputs; ++o)
    for (size_t q = 0; q < channels; ++q)
      for (size_t i = 0; i < points_; ++i)
        seeds[(q * points_ + i) * width + o] = net_.output_scale * factor * *adjoints++;
  for (size_t l = last + 1; l-- > 0;) {
    const Layer& layer = net_.layers[l];
    double* slopes[kMostDerivatives];
    Slopes(l, slopes);
    double* delta = room_ + adjoints_[l];
    JetsBack(channels_, ChannelSize(layer.outputs), slopes, room_ + pre_activations_[l], delta,
             room_ + scratch_);
    if (l > 0)
      RowProduct(channels * points_, layer.outputs, delta, layer.inputs, weights.back(l), false,
                 room_ + adjoints_[l - 1]);
  }
}

void JetPass::Along(const PackedWeights& weights, const PackedWeights& direction, double* first,
                    double* second) {
  const size_t part = channels_.count() * widest_, rows = channels_.count() * points_;
  double *dz = room_ + along_, *ddz = dz + part, *dh = dz + 2 * part, *ddh = dz + 3 * part;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const size_t in = layer.inputs, out = layer.outputs, size = ChannelSize(out);
    RowProduct(rows, in, Inputs(l), out, direction.forward(l), false, dz);
    AddBias(layer, direction.bias(layer), dz);
    if (l == 0) {
      std::fill_n(ddz, channels_.count() * size, 0.0);
    } else {
      RowProduct(rows, in, dh, out, weights.forward(l), true, dz);
      RowProduct(rows, in, dh, out, direction.forward(l), false, ddz);
      for (size_t i = 0; i < channels_.count() * size; ++i) ddz[i] *= 2.0;
      RowProduct(rows, in, ddh, out, weights.forward(l), true, ddz);
    }
    double* slopes[kMostDerivatives];
    Slopes(l, slopes);
    JetsAlong(channels_, size, slopes, room_ + pre_activations_[l], dz, ddz, dh, ddh,
              room_ + scratch_);
  }
  Read(dh, first);
  Read(ddh, second);
}

}  // namespace gaussflow
