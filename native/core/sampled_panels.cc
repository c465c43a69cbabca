// Implements the passes with one row of curvature a sample, and the products of these rows
// (sampled_panels.h).
#include "sampled_panels.h"

#include <algorithm>

#include "gemm.h"
#include "panel_loops.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = Tangents::kTile;
constexpr size_t kLeastTile = 64;
constexpr size_t kColumns = 32;  // of B B^T in a task

}  // namespace

// Few samples are cut so that two threads have work; every tile packs all weights.
size_t SampledPanels::TileSize(size_t samples) {
  return std::clamp(Parts(samples, 4 * kLeastTile) * kLeastTile, kLeastTile, kTile);
}

size_t SampledPanels::PassScratch(const Architecture& net, size_t samples) {
  // Slopes; R, z and the loss's gradient.
  const size_t c = net.output_size;
  return (UnitCount(net) + net.loss.factor_rows(c) + 2 * c) * TileSize(samples);
}

size_t SampledPanels::WorkerScratch(const Architecture& net, size_t samples) {
  const size_t most = std::max({PassScratch(net, samples), net.max_outputs() * TileSize(samples),
                                2 * samples * std::min(samples, kColumns)});
  return Parts(most, 8) * 8;
}

double SampledPanels::EstimateBytes(const Architecture& net, int threads, size_t samples) {
  return BytesOf<double>(Times(kKinds * UnitCount(net), samples)) +
         BytesOf<double>(WorkerScratch(net, samples) * static_cast<size_t>(threads));
}

Status SampledPanels::Reserve() {
  const size_t n = data_.sample_count, panels = Times(kKinds * UnitCount(net_), n);
  scratch_size_ = WorkerScratch(net_, n);
  const size_t scratch = scratch_size_ * static_cast<size_t>(threads_);
  if (!panels_.Reserve(panels)) return Status::Memory(panels * sizeof(double));
  return scratch_.Reserve(scratch) ? Status::Ok() : Status::Memory(scratch * sizeof(double));
}

void SampledPanels::Release() {
  panels_.Release();
  scratch_.Release();
}

double* SampledPanels::Units(size_t layer, Kind kind) {
  size_t before = 0;
  for (size_t l = 0; l < layer; ++l) before += kKinds * net_.layers[l].outputs;
  return panels_.data() + (before + kind * net_.layers[layer].outputs) * data_.sample_count;
}

Panel SampledPanels::Input(size_t layer) {
  if (layer == 0) return {data_.Inputs(0), data_.stride()};
  return {Units(layer - 1, kOutput), data_.sample_count};
}

Status SampledPanels::Compute(const double* parameters, const SampledSeeds& seeds,
                              const Cancel& cancel, double* loss) {
  const size_t n = data_.sample_count, most = TileSize(n), tiles = Parts(n, most);
  Status status = data_.Load(0, n);
  if (status.ok()) status = Reserve();
  if (!status.ok()) return status;
  std::vector<double> losses(tiles);
  const bool done =
      ThreadPool::Instance().Run(threads_, tiles, cancel, [&](size_t tile, int worker) {
        const size_t s0 = tile * most;
        losses[tile] = PassTile(parameters, seeds, s0, std::min(most, n - s0), Scratch(worker));
      });
  *loss = 0.0;
  for (const double one : losses) *loss += one;
  return done ? Status::Ok() : Status::Canceled();
}

double SampledPanels::PassTile(const double* parameters, const SampledSeeds& seeds, size_t s0,
                               size_t size, double* scratch) {
  const size_t n = data_.sample_count, most = TileSize(n);
  double* slopes = scratch;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Panel h = Input(l);
    ApplyLayer(net_.layers[l], parameters, size, h.data + s0, h.stride, Units(l, kOutput) + s0, n,
               slopes, most);
    slopes += net_.layers[l].outputs * most;
  }
  const double loss = SeedTile(seeds, s0, size, slopes - net_.output_size * most, slopes);
  BackwardTile(parameters, s0, size, scratch);
  return loss;
}

double SampledPanels::SeedTile(const SampledSeeds& seeds, size_t s0, size_t size,
                               const double* slopes, double* scratch) {
  const size_t n = data_.sample_count, most = TileSize(n), c = net_.output_size;
  const size_t last = net_.layers.size() - 1;
  double* row = Units(last, kRow) + s0;
  double* gradient = Units(last, kGradient) + s0;
  const double* root = data_.root_weight();
  const LossTile tile = {size,
                         c,
                         net_.output_scale,
                         Units(last, kOutput) + s0,
                         n,
                         data_.Targets(0, s0),
                         data_.stride(),
                         root == nullptr ? nullptr : root + s0};
  if (seeds.signs == nullptr) {
    for (size_t a = 0; a < c; ++a)
      for (size_t i = 0; i < size; ++i) {
        const double slope = net_.output_scale * slopes[a * most + i];
        row[a * n + i] = slope * seeds.rows[(s0 + i) * c + a];
        gradient[a * n + i] = slope * seeds.gradient[(s0 + i) * c + a];
      }
    return ApplyLoss(net_.loss, tile, nullptr);
  }
  LossSeeds by_prediction;
  by_prediction.gradient = gradient;
  by_prediction.ld_gradient = n;
  const double loss = ApplyLoss(net_.loss, tile, &by_prediction);
  LossSeeds root_seeds;
  root_seeds.factor = scratch;
  root_seeds.z = scratch + net_.loss.factor_rows(c) * most;
  root_seeds.slope = slopes;
  root_seeds.ld_factor = root_seeds.ld_z = root_seeds.ld_slope = most;
  ApplyLoss(net_.loss, tile, &root_seeds);
  const bool full = net_.loss.full();
  for (size_t a = 0; a < c; ++a) {
    const double* slope = slopes + a * most;
    for (size_t i = 0; i < size; ++i) {
      gradient[a * n + i] *= net_.output_scale * slope[i];
      row[a * n + i] = 0.0;
    }
    for (size_t b = full ? 0 : a; b < (full ? c : a + 1); ++b) {
      const double* factor = scratch + (full ? b * c + a : a) * most;
      const double* sign = seeds.signs + s0 * c + b;
      for (size_t i = 0; i < size; ++i) row[a * n + i] += factor[i] * sign[i * c];
    }
  }
  return loss;
}

void SampledPanels::BackwardTile(const double* parameters, size_t s0, size_t size,
                                 const double* slopes) {
  const size_t n = data_.sample_count, most = TileSize(n);
  size_t above_units = UnitCount(net_);
  for (size_t l = net_.layers.size() - 1; l > 0; --l) {
    const Layer& above = net_.layers[l];
    above_units -= above.outputs;
    const double* slope = slopes + (above_units - above.inputs) * most;
    for (const Kind kind : {kRow, kGradient}) {
      double* delta = Units(l - 1, kind) + s0;
      Gemm('N', 'T', size, above.inputs, above.outputs, above.factor, Units(l, kind) + s0, n,
           parameters + above.weight_offset, above.inputs, 0.0, delta, n);
      for (size_t k = 0; k < above.inputs; ++k) MultiplyInto(size, slope + k * most, delta + k * n);
    }
  }
}

Status SampledPanels::Gradient(const Cancel& cancel, double* out) {
  const size_t n = data_.sample_count;
  const std::vector<OuterPart> parts = CutOuterProducts(net_);
  const bool done =
      ThreadPool::Instance().Run(threads_, parts.size(), cancel, [&](size_t task, int /*worker*/) {
        const OuterPart& part = parts[task];
        const Layer& layer = net_.layers[part.layer];
        const Panel h = Input(part.layer);
        const double* delta = Units(part.layer, kGradient);
        AddOuterProduct(layer, part, n, h.data, h.stride, delta, n, true, out);
        AddBiasSums(layer, part, n, delta, n, 1.0, true, out);
      });
  return done ? Status::Ok() : Status::Canceled();
}

Status SampledPanels::MultiplyTransposed(const double* u, const Cancel& cancel, double* out) {
  const size_t n = data_.sample_count;
  const Status loaded = data_.Load(0, n);
  if (!loaded.ok()) return loaded;
  const bool scaled = ThreadPool::Instance().Run(
      threads_, net_.layers.size(), cancel, [&](size_t l, int /*worker*/) {
        for (size_t k = 0; k < net_.layers[l].outputs; ++k)
          MultiplyScaled(n, 1.0, u, Units(l, kRow) + k * n, Units(l, kGradient) + k * n);
      });
  return scaled ? Gradient(cancel, out) : Status::Canceled();
}

Status SampledPanels::Multiply(const double* v, const Cancel& cancel, double* out) {
  const size_t n = data_.sample_count, most = TileSize(n);
  const Status loaded = data_.Load(0, n);
  if (!loaded.ok()) return loaded;
  const bool done =
      ThreadPool::Instance().Run(threads_, Parts(n, most), cancel, [&](size_t tile, int worker) {
        const size_t s0 = tile * most, size = std::min(most, n - s0);
        double* z = Scratch(worker);
        std::fill_n(out + s0, size, 0.0);
        for (size_t l = 0; l < net_.layers.size(); ++l) {
          const Panel h = Input(l);
          PreActivations(net_.layers[l], v, size, h.data + s0, h.stride, z, most, 0);
          for (size_t k = 0; k < net_.layers[l].outputs; ++k) {
            const double* delta = Units(l, kRow) + k * n + s0;
            for (size_t i = 0; i < size; ++i) out[s0 + i] += delta[i] * z[k * most + i];
          }
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

Status SampledPanels::FormKernel(const Cancel& cancel, SymmetricMatrix* kernel) {
  const size_t n = data_.sample_count, blocks = Parts(n, kColumns);
  // The last columns are the longest.
  const bool done =
      ThreadPool::Instance().Run(threads_, blocks, cancel, [&](size_t task, int worker) {
        const size_t first = (blocks - 1 - task) * kColumns;
        AddColumns(first, std::min(kColumns, n - first), Scratch(worker), kernel);
      });
  return done ? Status::Ok() : Status::Canceled();
}

void SampledPanels::AddColumns(size_t first, size_t count, double* scratch,
                               SymmetricMatrix* kernel) {
  const size_t n = data_.sample_count, rows = first + count;
  double* inner = scratch;
  double* product = scratch + rows * count;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const Panel h = Input(l);
    const double* delta = Units(l, kRow);
    Gemm('N', 'T', rows, count, layer.inputs, 1.0, h.data, h.stride, h.data + first, h.stride, 0.0,
         inner, rows);
    Gemm('N', 'T', rows, count, layer.outputs, 1.0, delta, n, delta + first, n, 0.0, product, rows);
    for (size_t j = 0; j < count; ++j)
      AddFused(first + j + 1, layer.factor * layer.factor, layer.bias ? 1.0 : 0.0,
               product + j * rows, inner + j * rows, l == 0, &kernel->at(0, first + j));
  }
}

}  // namespace gaussflow
