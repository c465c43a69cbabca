// Implements the forward and backward passes of the core (tangents.h) and the gradient that is
// formed from them.
#include "tangents.h"

#include <algorithm>
#include <cmath>

#include "gemm.h"

namespace gaussflow {

namespace {
constexpr size_t kMostUnits = 128;  // of a block of units of one layer
constexpr size_t kChunk = 512;      // samples of a transpose product at a time
}  // namespace

size_t Tangents::DoublesPerSample(const Architecture& net) {
  size_t count = net.output_size;  // z~
  for (size_t l = 0; l < net.layers.size(); ++l)
    count += net.layers[l].outputs + net.delta_rows(l) * net.output_size;
  return count;
}

size_t Tangents::BlockSize(const Architecture& net, size_t count) {
  // About 24 MiB of panels: large enough that a tile of G is visited rarely, small enough for any
  // number of samples.
  constexpr size_t kDoubles = 3 << 20;
  const size_t samples = kDoubles / DoublesPerSample(net);
  const size_t whole_tiles = std::max<size_t>(1, samples / kTile) * kTile;
  return std::min(count, whole_tiles);
}

Panel Tangents::Input(size_t layer) const {
  if (layer == 0) return {data_.Inputs(first_), data_.stride()};
  return {inputs_[layer].data() + at_, held_};
}

Panel Tangents::Delta(size_t layer, size_t a) const {
  return {deltas_[layer].data() + a * net_.delta_rows(layer) * held_ + at_, held_};
}

double* Tangents::DeltaRow(size_t layer, size_t a, size_t unit) {
  return deltas_[layer].data() + (a * net_.delta_rows(layer) + unit) * held_ + at_;
}

size_t Tangents::ScratchDoubles(const Architecture& net, Pass pass, size_t count) {
  const auto doubles = [&]() -> size_t {
    size_t units = 0;
    switch (pass) {
      case Pass::kCompute:  // slopes
        for (const Layer& layer : net.layers) units += layer.outputs;
        return units * kTile;
      case Pass::kTransposeProduct:
        return kMostUnits * kChunk;
      case Pass::kDiagonal:
        return (std::max(net.input_size, net.max_outputs()) + kMostUnits) * std::min(kTile, count);
      case Pass::kProduct:
        return net.max_outputs() * kTile;
      case Pass::kSecondDerivative:
        return (5 * net.max_outputs() + 2) * kTile + LossScratch(net);
    }
    return 0;
  };
  return (doubles() + 7) / 8 * 8;
}

size_t Tangents::PartialDoubles(const Architecture& net, size_t tiles) {
  return net.loss.sum_of_squares() ? tiles : 2 * tiles;
}

double Tangents::EstimateBytes(const Architecture& net, int threads, const SlotCut& slots,
                               size_t most, const std::vector<Pass>& passes) {
  const size_t held = slots.LargestBlock(most);
  const bool whole = held == slots.samples();
  const size_t tiles = whole ? TileCount(slots, {0, held}, kTile) : Parts(held, kTile);
  // Blocks of all samples are held at once, and the passes select a slot's.
  const size_t selected = std::min(most, slots.Largest());
  size_t scratch = ScratchDoubles(net, Pass::kCompute, held);
  for (const Pass pass : passes) scratch = std::max(scratch, ScratchDoubles(net, pass, selected));
  return BytesOf<double>(DoublesPerSample(net) * held + PartialDoubles(net, tiles) +
                         scratch * static_cast<size_t>(threads)) +
         BytesOf<Tile>(tiles);
}

Status Tangents::ReserveScratch(Pass pass) {
  const size_t doubles = ScratchDoubles(net_, pass, count_);
  if (!scratch_.Reserve(doubles * static_cast<size_t>(threads_)))
    return Status::Memory(doubles * sizeof(double));
  scratch_size_ = doubles;
  return Status::Ok();
}

Status Tangents::ReservePanels() {
  const size_t depth = net_.layers.size();
  inputs_.resize(depth + 1);
  deltas_.resize(depth);
  const Status no_memory = Status::Memory(DoublesPerSample(net_) * held_ * sizeof(double));
  for (size_t l = 0; l < depth; ++l) {
    if (!inputs_[l + 1].Reserve(net_.layers[l].outputs * held_)) return no_memory;
    if (!deltas_[l].Reserve(net_.delta_rows(l) * net_.output_size * held_)) return no_memory;
  }
  if (!residual_.Reserve(net_.output_size * held_)) return no_memory;
  return ReserveScratch(Pass::kCompute);
}

Status Tangents::Compute(const double* parameters, size_t first, size_t count, bool weighted,
                         const Cancel& cancel) {
  Status status = data_.Load(first, count);
  if (!status.ok()) return status;
  first_ = first;
  count_ = held_ = count;
  at_ = 0;
  status = ReservePanels();
  if (!status.ok()) return status;

  CutTiles(data_.slots(), {first, count}, kTile, &tiles_);
  for (Tile& tile : tiles_) tile.first -= first;
  partial_.assign(PartialDoubles(net_, tiles_.size()), 0.0);
  const bool done =
      ThreadPool::Instance().Run(threads_, tiles_.size(), cancel, [&](size_t task, int worker) {
        const Tile& tile = tiles_[task];
        double* slopes = Scratch(worker);
        ForwardTile(parameters, tile, slopes);
        if (weighted) {
          const TileSums sums = SeedTile(tile.first, tile.count, slopes);
          partial_[task] = sums.loss;
          if (!net_.loss.sum_of_squares()) partial_[tiles_.size() + task] = sums.square;
        } else {
          SeedUnits(tile.first, tile.count, slopes);
        }
        BackwardTile(parameters, tile.first, tile.count, slopes);
      });
  if (!done) return Status::Canceled();
  Select(first, count);
  return Status::Ok();
}

void Tangents::Select(size_t first, size_t count) {
  at_ = at_ + first - first_;
  first_ = first;
  count_ = count;
  const auto begins = [](const Tile& tile, size_t at) { return tile.first < at; };
  const auto tile_at = [&](size_t at) {
    return static_cast<size_t>(std::lower_bound(tiles_.begin(), tiles_.end(), at, begins) -
                               tiles_.begin());
  };
  first_tile_ = tile_at(at_);
  end_tile_ = tile_at(at_ + count);
  residual_square_ = 0.0;
  if (net_.loss.sum_of_squares()) return;
  for (size_t k = first_tile_; k < end_tile_; ++k) residual_square_ += partial_[tiles_.size() + k];
}

void Tangents::AddLoss(double* loss) const {
  for (size_t k = first_tile_; k < end_tile_; ++k) *loss += partial_[k];
}

void Tangents::ForwardTile(const double* parameters, const Tile& tile, double* slopes) {
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Panel h = Input(l);
    ApplyLayer(net_.layers[l], parameters, tile.count, h.data + tile.first, h.stride,
               inputs_[l + 1].data() + tile.first, held_, slopes, kTile, tile.alone ? threads_ : 0);
    slopes += net_.layers[l].outputs * kTile;
  }
}

void Tangents::BackwardTile(const double* parameters, size_t s0, size_t size,
                            const double* slopes) {
  const size_t last = net_.layers.size() - 1;
  size_t slope_row = 0;
  for (size_t l = 0; l < last; ++l) slope_row += net_.layers[l].outputs;
  for (size_t l = last; l > 0; --l) {
    const Layer& above = net_.layers[l];
    slope_row -= above.inputs;
    const double* w = parameters + above.weight_offset;
    for (size_t a = 0; a < net_.output_size; ++a) {
      double* delta = DeltaRow(l - 1, a, 0) + s0;
      if (net_.apart(l)) {
        // Only unit a of the last layer carries row a: an outer product instead of a matrix
        // product.
        const double* seed = DeltaRow(last, a, 0) + s0;
        for (size_t k = 0; k < above.inputs; ++k) {
          const double weight = above.factor * w[a * above.inputs + k];
          for (size_t i = 0; i < size; ++i) delta[k * held_ + i] = weight * seed[i];
        }
      } else {
        Gemm('N', 'T', size, above.inputs, above.outputs, above.factor, DeltaRow(l, a, 0) + s0,
             held_, w, above.inputs, 0.0, delta, held_);
      }
      for (size_t k = 0; k < above.inputs; ++k) {
        const double* slope = slopes + (slope_row + k) * kTile;
        double* row = delta + k * held_;
        for (size_t i = 0; i < size; ++i) row[i] *= slope[i];
      }
    }
  }
}

std::vector<Tangents::UnitBlock> Tangents::UnitBlocks() const {
  std::vector<UnitBlock> blocks;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const size_t outputs = net_.layers[l].outputs;
    // A block's product packs all inputs of the layer: few blocks where there are enough of them.
    const size_t units = outputs >= 4 * kMostUnits   ? kMostUnits
                         : outputs >= 2 * kMostUnits ? 64
                                                     : 16;
    for (size_t o = 0; o < outputs; o += units)
      blocks.push_back({l, o, std::min(units, outputs - o)});
  }
  return blocks;
}

Status Tangents::AddTransposeProduct(Panel coefficients, const Cancel& cancel, double* out) {
  if (coefficients.data == nullptr) coefficients = Residual();
  const std::vector<UnitBlock> blocks = UnitBlocks();
  const Status reserved = ReserveScratch(Pass::kTransposeProduct);
  if (!reserved.ok()) return reserved;
  const bool done =
      ThreadPool::Instance().Run(threads_, blocks.size(), cancel, [&](size_t task, int worker) {
        const UnitBlock& block = blocks[task];
        const Layer& layer = net_.layers[block.layer];
        const Panel h = Input(block.layer);
        double* e = Scratch(worker);  // [unit][sample]: sum over outputs of coefficient * delta
        for (size_t s0 = 0; s0 < count_; s0 += kChunk) {
          const size_t size = std::min(kChunk, count_ - s0);
          for (size_t u = 0; u < block.count; ++u) {
            double* row = e + u * kChunk;
            if (net_.apart(block.layer)) {
              const size_t a = block.first + u;
              const double* delta = Delta(block.layer, a).data + s0;
              const double* c = coefficients.row(a) + s0;
              for (size_t i = 0; i < size; ++i) row[i] = c[i] * delta[i];
            } else {
              for (size_t a = 0; a < net_.output_size; ++a) {
                const double* delta = Delta(block.layer, a).row(block.first + u) + s0;
                const double* c = coefficients.row(a) + s0;
                if (a == 0) {
                  for (size_t i = 0; i < size; ++i) row[i] = c[i] * delta[i];
                } else {
                  for (size_t i = 0; i < size; ++i) row[i] += c[i] * delta[i];
                }
              }
            }
            if (layer.bias) {
              double sum = 0.0;
              for (size_t i = 0; i < size; ++i) sum += row[i];
              out[layer.bias_offset + block.first + u] += sum;
            }
          }
          Gemm('T', 'N', layer.inputs, block.count, size, layer.factor, h.data + s0, h.stride, e,
               kChunk, 1.0, out + layer.weight_offset + block.first * layer.inputs, layer.inputs);
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

Status Tangents::AddDiagonal(const Cancel& cancel, double* diagonal) {
  const std::vector<UnitBlock> blocks = UnitBlocks();
  const size_t chunk = std::min(kTile, count_);
  const Status reserved = ReserveScratch(Pass::kDiagonal);
  if (!reserved.ok()) return reserved;
  const bool done =
      ThreadPool::Instance().Run(threads_, blocks.size(), cancel, [&](size_t task, int worker) {
        const UnitBlock& block = blocks[task];
        const Layer& layer = net_.layers[block.layer];
        const Panel h = Input(block.layer);
        double* squares = Scratch(worker);  // [unit][sample]: sum over outputs of delta^2
        double* inputs = squares + kMostUnits * chunk;  // [input][sample]: h^2
        for (size_t s0 = 0; s0 < count_; s0 += chunk) {
          const size_t size = std::min(chunk, count_ - s0);
          for (size_t k = 0; k < layer.inputs; ++k) {
            const double* from = h.row(k) + s0;
            for (size_t i = 0; i < size; ++i) inputs[k * chunk + i] = from[i] * from[i];
          }
          for (size_t u = 0; u < block.count; ++u) {
            double* row = squares + u * chunk;
            std::fill_n(row, size, 0.0);
            for (size_t a = 0; a < net_.output_size; ++a) {
              if (net_.apart(block.layer) && a != block.first + u) continue;
              const double* delta =
                  Delta(block.layer, a).row(net_.apart(block.layer) ? 0 : block.first + u) + s0;
              for (size_t i = 0; i < size; ++i) row[i] += delta[i] * delta[i];
            }
            if (layer.bias) {
              double sum = 0.0;
              for (size_t i = 0; i < size; ++i) sum += row[i];
              diagonal[layer.bias_offset + block.first + u] += sum;
            }
          }
          Gemm('T', 'N', layer.inputs, block.count, size, layer.factor * layer.factor, inputs,
               chunk, squares, chunk, 1.0,
               diagonal + layer.weight_offset + block.first * layer.inputs, layer.inputs);
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

Status Tangents::AddUnitSquares(const Cancel& cancel, double* squares) {
  const size_t depth = net_.layers.size();
  const size_t tiles = (count_ + kTile - 1) / kTile;
  std::vector<double> lengths(depth * count_, 0.0);  // [layer][sample]: |h|^2
  bool done =
      ThreadPool::Instance().Run(threads_, depth * tiles, cancel, [&](size_t task, int /*worker*/) {
        const size_t l = task / tiles, s0 = task % tiles * kTile;
        const size_t size = std::min(kTile, count_ - s0);
        double* sum = lengths.data() + l * count_ + s0;
        for (size_t k = 0; k < net_.layers[l].inputs; ++k) {
          const double* h = Input(l).row(k) + s0;
          for (size_t i = 0; i < size; ++i) sum[i] += h[i] * h[i];
        }
      });
  if (!done) return Status::Canceled();

  size_t units = 0;
  std::vector<size_t> before;  // units of the layers below
  for (const Layer& layer : net_.layers) {
    before.push_back(units);
    units += layer.outputs;
  }
  const std::vector<UnitBlock> blocks = UnitBlocks();
  done =
      ThreadPool::Instance().Run(threads_, blocks.size(), cancel, [&](size_t task, int /*worker*/) {
        const UnitBlock& block = blocks[task];
        const Layer& layer = net_.layers[block.layer];
        const double* length = lengths.data() + block.layer * count_;
        for (size_t u = block.first; u < block.first + block.count; ++u) {
          double weights = 0.0, bias = 0.0;
          for (size_t a = 0; a < net_.output_size; ++a) {
            if (net_.apart(block.layer) && a != u) continue;
            const double* delta = Delta(block.layer, a).row(net_.apart(block.layer) ? 0 : u);
            for (size_t i = 0; i < count_; ++i) {
              const double square = delta[i] * delta[i];
              weights += square * length[i];
              bias += square;
            }
          }
          double* of_unit = squares + 2 * (before[block.layer] + u);
          of_unit[0] += layer.factor * layer.factor * weights;
          if (layer.bias) of_unit[1] += bias;
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

void Tangents::WriteColumns(double* out) const {
  const size_t c = net_.output_size, last = net_.layers.size() - 1, rows = count_ * c;
  std::fill_n(out, rows * net_.parameter_count, 0.0);
  for (size_t l = 0; l <= last; ++l) {
    const Layer& layer = net_.layers[l];
    const Panel h = Input(l);
    for (size_t a = 0; a < c; ++a) {
      const Panel panel = Delta(l, a);
      const bool apart = net_.apart(l);
      for (size_t o = apart ? a : 0; o < (apart ? a + 1 : layer.outputs); ++o) {
        const double* delta = panel.row(apart ? 0 : o);
        for (size_t k = 0; k < layer.inputs; ++k) {
          double* column = out + (layer.weight_offset + o * layer.inputs + k) * rows + a * count_;
          const double* input = h.row(k);
          for (size_t i = 0; i < count_; ++i) column[i] = layer.factor * delta[i] * input[i];
        }
        if (layer.bias)
          std::copy_n(delta, count_, out + (layer.bias_offset + o) * rows + a * count_);
      }
    }
  }
}

size_t Tangents::bytes() const {
  size_t total = residual_.bytes() + scratch_.bytes() + partial_.capacity() * sizeof(double) +
                 tiles_.capacity() * sizeof(Tile);
  for (const Buffer& buffer : inputs_) total += buffer.bytes();
  for (const Buffer& buffer : deltas_) total += buffer.bytes();
  return total;
}

}  // namespace gaussflow
