// Implements the products with the exact Hessian (hessian_products.h), in one sweep over blocks of
// samples: the panels of the gradient, then for every vector the derivative of both passes along it
// and the outer products.
#include "hessian_products.h"

#include <algorithm>

#include "gemm.h"
#include "panel_loops.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = Tangents::kTile;
// Vectors whose panels stand in memory together: enough tasks for the threads from few samples.
constexpr size_t kGroup = 4;

}  // namespace

HessianProducts::Room HessianProducts::RoomFor(const Architecture& net, size_t workers,
                                               const Shape& shape) {
  const size_t units = UnitCount(net), n = shape.samples;
  const size_t moving = shape.group * (2 * units - net.output_size);
  Room room;
  room.block = SweepBlock(n, net.input_size + kKinds * units + moving);
  room.kept = KeepsPanels(net, n, shape.from_file, kKinds * units);
  room.stride = room.kept ? n : room.block;
  room.panels = kKinds * units * room.stride;
  room.moving = moving * room.block;
  room.scratch = net.max_outputs() * kTile * workers;
  return room;
}

HessianProducts::Room HessianProducts::OneVector(const Sizes& sizes) {
  return RoomFor(sizes.net, sizes.workers(), {sizes.samples, sizes.file_width > 0, 1});
}

size_t HessianProducts::BlockSize(const Sizes& sizes) {
  return sizes.cut().LargestBlock(OneVector(sizes).block);
}

double HessianProducts::EstimateBytes(const Sizes& sizes) {
  const Room room = OneVector(sizes);
  return BytesOf<double>(room.panels + room.moving + room.scratch) +
         BytesOf<OuterPart>(OuterPartCount(sizes.net));
}

size_t HessianProducts::bytes() const {
  return panels_.bytes() + moving_.bytes() + scratch_.bytes() +
         parts_.capacity() * sizeof(OuterPart);
}

Status HessianProducts::Reserve(size_t count, size_t group) {
  const Room room =
      RoomFor(net_, static_cast<size_t>(threads_), {data_.sample_count, data_.from_file(), group});
  block_ = room.block;
  kept_ = room.kept;
  stride_ = room.stride;
  const auto reserve = [](Buffer* buffer, size_t numbers) {
    return buffer->Reserve(numbers) ? Status::Ok() : Status::Memory(numbers * sizeof(double));
  };
  if (panels_.size() < room.panels) valid_ = false;
  Status status = reserve(&panels_, room.panels);
  if (status.ok()) status = reserve(&moving_, room.moving);
  if (status.ok()) status = reserve(&scratch_, room.scratch);
  if (status.ok()) status = tree_.Reserve(data_.slots(), count * net_.parameter_count, threads_);
  return status;
}

void HessianProducts::Layout() {
  if (!parts_.empty()) return;
  std::vector<OuterPart> parts = CutOuterProducts(net_);
  std::vector<size_t> first_unit;
  units_ = 0;
  for (const Layer& layer : net_.layers) {
    first_unit.push_back(units_);
    units_ += layer.outputs;
  }
  moving_rows_ = 2 * units_ - net_.output_size;
  // Nothing throws from here on.
  first_unit_.swap(first_unit);
  parts_.swap(parts);
}

const double* HessianProducts::Input(size_t layer, size_t* stride) {
  *stride = layer == 0 ? data_.stride() : stride_;
  return layer == 0 ? data_.Inputs(first_) : Row(layer - 1, kValue);
}

LossTile HessianProducts::TileAt(size_t s0, size_t size) {
  const double* root = data_.root_weight();
  return {size,
          net_.output_size,
          net_.output_scale,
          Row(last(), kValue) + s0,
          stride_,
          data_.Targets(0, first_ + s0),
          data_.stride(),
          root == nullptr ? nullptr : root + first_ + s0};
}

Status HessianProducts::Multiply(size_t count, const double* vectors, const Cancel& cancel,
                                 double* out) {
  Layout();
  const size_t n = data_.sample_count, p = net_.parameter_count, group = std::min(count, kGroup);
  Status status = Reserve(count, group);
  if (status.ok() && block_ == n) status = data_.Load(0, n);
  const SlotCut slots = data_.slots();
  for (size_t slot = 0; slot < slots.count(); ++slot) {
    const SampleRange samples = slots.At(slot);
    for (first_ = samples.first; first_ < samples.end(); first_ += block_) {
      const size_t size = std::min(block_, samples.end() - first_);
      begins_slot_ = first_ == samples.first;
      if (status.ok()) status = RunGradient(size, cancel);
      if (!status.ok()) return status;
      for (size_t v = 0; v < count; v += group)
        if (!RunGroup(vectors + v * p, std::min(group, count - v), size, cancel, out + v * p))
          return Status::Canceled();
    }
    tree_.Close(slot, out);
  }
  valid_ = kept_;
  return data_.ranks().Sum(out, count * p);
}

Status HessianProducts::RunGradient(size_t size, const Cancel& cancel) {
  offset_ = kept_ ? first_ : 0;
  const Status loaded = data_.Load(first_, size);
  if (!loaded.ok() || valid_) return loaded;
  const auto gradient = [&](size_t tile, int worker) {
    GradientTile(tile * kTile, std::min(kTile, size - tile * kTile), worker);
  };
  return ThreadPool::Instance().Run(threads_, Parts(size, kTile), cancel, gradient)
             ? Status::Ok()
             : Status::Canceled();
}

void HessianProducts::GradientTile(size_t s0, size_t size, int worker) {
  double* z = Scratch(worker);
  for (size_t l = 0; l <= last(); ++l) {
    const Layer& layer = net_.layers[l];
    size_t ldh = 0;
    const double* h = Input(l, &ldh);
    PreActivations(layer, parameters_.data(), size, h + s0, ldh, z, kTile, 0);
    for (size_t o = 0; o < layer.outputs; ++o) {
      const size_t at = o * stride_ + s0;
      double* value = Row(l, kValue) + at;
      std::copy_n(z + o * kTile, size, value);
      Activate(layer.activation, size, value, nullptr);
      Derivatives(layer.activation, size, z + o * kTile, value, Row(l, kSlope) + at,
                  Row(l, kBend) + at);
    }
  }
  LossSeeds seeds;
  seeds.gradient = Row(last(), kDelta) + s0;
  seeds.ld_gradient = stride_;
  ApplyLoss(net_.loss, TileAt(s0, size), &seeds);
  TakeGradient(last(), net_.output_scale, s0, size);
  for (size_t l = last(); l > 0; --l) {
    const Layer& above = net_.layers[l];
    Gemm('N', 'T', size, above.inputs, above.outputs, above.factor, Row(l, kDelta) + s0, stride_,
         parameters_.data() + above.weight_offset, above.inputs, 0.0, Row(l - 1, kDelta) + s0,
         stride_);
    TakeGradient(l - 1, 1.0, s0, size);
  }
}

void HessianProducts::TakeGradient(size_t layer, double scale, size_t s0, size_t size) {
  for (size_t o = 0; o < net_.layers[layer].outputs; ++o) {
    const size_t at = o * stride_ + s0;
    double* delta = Row(layer, kDelta) + at;
    double* bend = Row(layer, kBend) + at;
    MultiplyScaled(size, scale, delta, bend, bend);
    MultiplyScaled(size, scale, delta, Row(layer, kSlope) + at, delta);
  }
}

bool HessianProducts::RunGroup(const double* directions, size_t vectors, size_t size,
                               const Cancel& cancel, double* sums) {
  const size_t p = net_.parameter_count;
  ThreadPool& pool = ThreadPool::Instance();
  const auto passes = [&](size_t task, int worker) {
    const size_t slot = task % vectors, s0 = task / vectors * kTile;
    const size_t width = std::min(kTile, size - s0);
    const double* direction = directions + slot * p;
    double* work = Scratch(worker);
    ForwardTile(direction, slot, s0, width, work);
    SeedTile(slot, s0, width, work);
    BackwardTile(direction, slot, s0, width, work);
  };
  const auto outer = [&](size_t task, int /*worker*/) {
    const size_t slot = task % vectors;
    AddOuter(parts_[task / vectors], slot, size, sums + slot * p);
  };
  return pool.Run(threads_, Parts(size, kTile) * vectors, cancel, passes) &&
         pool.Run(threads_, parts_.size() * vectors, cancel, outer);
}

void HessianProducts::ForwardTile(const double* direction, size_t slot, size_t s0, size_t size,
                                  double* image) {
  for (size_t l = 0; l <= last(); ++l) {
    const Layer& layer = net_.layers[l];
    size_t ldh = 0;
    const double* h = Input(l, &ldh);
    double* z = DeltaDot(slot, l) + s0;
    if (layer.bias) {
      for (size_t o = 0; o < layer.outputs; ++o)
        std::fill_n(z + o * block_, size, direction[layer.bias_offset + o]);
    }
    Gemm('N', 'N', size, layer.outputs, layer.inputs, layer.factor, h + s0, ldh,
         direction + layer.weight_offset, layer.inputs, layer.bias ? 1.0 : 0.0, z, block_);
    if (l > 0)
      Gemm('N', 'N', size, layer.outputs, layer.inputs, layer.factor, ValueDot(slot, l - 1) + s0,
           block_, parameters_.data() + layer.weight_offset, layer.inputs, 1.0, z, block_);
    const bool top = l == last();
    double* values = top ? image : ValueDot(slot, l) + s0;
    const size_t stride = top ? kTile : block_;
    for (size_t o = 0; o < layer.outputs; ++o) {
      const size_t at = o * stride_ + s0;
      MultiplyScaled(size, top ? net_.output_scale : 1.0, Row(l, kSlope) + at, z + o * block_,
                     values + o * stride);
      MultiplyInto(size, Row(l, kBend) + at, z + o * block_);
    }
  }
}

void HessianProducts::SeedTile(size_t slot, size_t s0, size_t size, double* image) {
  const LossTile tile = TileAt(s0, size);
  ApplyLossHessian(net_.loss, tile, image, kTile);
  for (size_t a = 0; a < net_.output_size; ++a) {
    double* second = image + a * kTile;
    if (tile.root != nullptr)
      for (size_t i = 0; i < size; ++i) second[i] *= tile.root[i] * tile.root[i];
    AddFused(size, net_.output_scale, 0.0, Row(last(), kSlope) + a * stride_ + s0, second, false,
             DeltaDot(slot, last()) + a * block_ + s0);
  }
}

void HessianProducts::BackwardTile(const double* direction, size_t slot, size_t s0, size_t size,
                                   double* work) {
  for (size_t l = last(); l > 0; --l) {
    const Layer& above = net_.layers[l];
    const auto back = [&](const double* weights, const double* delta, size_t stride, double beta) {
      Gemm('N', 'T', size, above.inputs, above.outputs, above.factor, delta + s0, stride,
           weights + above.weight_offset, above.inputs, beta, work, kTile);
    };
    back(direction, Row(l, kDelta), stride_, 0.0);
    back(parameters_.data(), DeltaDot(slot, l), block_, 1.0);
    for (size_t k = 0; k < above.inputs; ++k)
      AddFused(size, 1.0, 0.0, Row(l - 1, kSlope) + k * stride_ + s0, work + k * kTile, false,
               DeltaDot(slot, l - 1) + k * block_ + s0);
  }
}

void HessianProducts::AddOuter(const OuterPart& part, size_t slot, size_t size, double* sum) {
  const size_t l = part.layer;
  const Layer& layer = net_.layers[l];
  size_t ldh = 0;
  const double* h = Input(l, &ldh);
  AddOuterProduct(layer, part, size, h, ldh, DeltaDot(slot, l), block_, begins_slot_, sum);
  if (l > 0)
    AddOuterProduct(layer, part, size, ValueDot(slot, l - 1), block_, Row(l, kDelta), stride_,
                    false, sum);
  AddBiasSums(layer, part, size, DeltaDot(slot, l), block_, 1.0, begins_slot_, sum);
}

}  // namespace gaussflow
