// Implements the methods of Tangents (tangents.h) that write the results of the loss into the
// panels: the deltas of the last layer, the residual, and products with the factor of its
// curvature. tangents.cc calls them for every tile of samples.
#include <algorithm>
#include <cmath>

#include "tangents.h"

namespace gaussflow {

bool Tangents::has_residual() const {
  return net_.loss.sum_of_squares() || std::isfinite(residual_square_);
}

LossTile Tangents::TileAt(size_t s0, size_t size) const {
  const double* root = data_.root_weight();
  return {size,
          net_.output_size,
          net_.output_scale,
          inputs_[net_.layers.size()].data() + at_ + s0,
          held_,
          data_.Targets(0, first_ + s0),
          data_.stride(),
          root == nullptr ? nullptr : root + first_ + s0};
}

Tangents::TileSums Tangents::SeedTile(size_t s0, size_t size, const double* slopes) {
  const size_t last = net_.layers.size() - 1, c = net_.output_size;
  for (size_t l = 0; l < last; ++l) slopes += net_.layers[l].outputs * kTile;
  LossSeeds seeds;
  seeds.factor = DeltaRow(last, 0, 0) + s0;
  seeds.z = residual_.data() + at_ + s0;
  seeds.ld_factor = seeds.ld_z = held_;
  seeds.slope = slopes;
  seeds.ld_slope = kTile;
  const double loss = ApplyLoss(net_.loss, TileAt(s0, size), &seeds);
  if (net_.loss.sum_of_squares()) return {loss, 0.0};
  double square = 0.0;
  for (size_t a = 0; a < c; ++a)
    for (size_t i = 0; i < size; ++i) square += seeds.z[a * held_ + i] * seeds.z[a * held_ + i];
  return {loss, square};
}

Status Tangents::TakeGradients(const Cancel& cancel) {
  const bool done =
      ThreadPool::Instance().Run(threads_, tiles_.size(), cancel, [&](size_t task, int /*worker*/) {
        LossSeeds seeds;
        seeds.gradient = residual_.data() + at_ + tiles_[task].first;
        seeds.ld_gradient = held_;
        ApplyLoss(net_.loss, TileAt(tiles_[task].first, tiles_[task].count), &seeds);
      });
  return done ? Status::Ok() : Status::Canceled();
}

void Tangents::SeedUnits(size_t s0, size_t size, const double* slopes) {
  const size_t last = net_.layers.size() - 1, c = net_.output_size;
  for (size_t l = 0; l < last; ++l) slopes += net_.layers[l].outputs * kTile;
  for (size_t b = 0; b < c; ++b)
    for (size_t row = 0; row < net_.delta_rows(last); ++row) {
      const size_t a = net_.apart(last) ? b : row;
      double* seed = DeltaRow(last, b, row) + s0;
      const double* slope = slopes + a * kTile;
      for (size_t i = 0; i < size; ++i) seed[i] = a == b ? net_.output_scale * slope[i] : 0.0;
    }
}

size_t Tangents::LossScratch(const Architecture& net) {
  const size_t c = net.output_size;
  return net.loss.sum_of_squares() ? 0 : (net.loss.factor_rows(c) + c) * kTile;
}

void Tangents::ApplyFactor(size_t s0, size_t size, const double* values, double* scratch,
                           double* out) {
  const size_t c = net_.output_size;
  const LossTile tile = TileAt(s0, size);
  if (net_.loss.sum_of_squares()) {
    for (size_t a = 0; a < c; ++a)
      for (size_t i = 0; i < size; ++i) {
        const double root = tile.root == nullptr ? 1.0 : tile.root[i];
        out[a * count_ + s0 + i] = root * net_.output_scale * values[a * kTile + i];
      }
    return;
  }
  LossSeeds seeds;
  seeds.factor = scratch;
  seeds.z = scratch + net_.loss.factor_rows(c) * kTile;
  seeds.ld_factor = seeds.ld_z = kTile;
  ApplyLoss(net_.loss, tile, &seeds);
  for (size_t b = 0; b < c; ++b) {
    double* row = out + b * count_ + s0;
    std::fill_n(row, size, 0.0);
    for (size_t a = net_.loss.full() ? 0 : b; a < (net_.loss.full() ? c : b + 1); ++a) {
      const double* factor = scratch + (net_.loss.full() ? b * c + a : b) * kTile;
      for (size_t i = 0; i < size; ++i)
        row[i] += factor[i] * net_.output_scale * values[a * kTile + i];
    }
  }
}

}  // namespace gaussflow
