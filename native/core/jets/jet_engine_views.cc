// Implements what JetEngine (jet_engine.h) shows besides steps: residuals, rows of J and jets of
// the outputs.
#include <algorithm>

#include "jets/jet_engine.h"
#include "jets/jet_rows.h"

namespace gaussflow {

Status JetEngine::Residuals(const double* parameters, const Cancel& cancel, double* out) {
  const Status status = Begin(parameters, false);
  if (!status.ok()) return status;
  return RunTiles(0, tiles_.size(), parameters, 0, cancel, [&](JetTile& tile, double*) {
    const TilePlace& place = tile.place();
    const size_t residuals = terms_[place.term].residuals();
    for (size_t i = 0; i < place.count; ++i)
      for (size_t r = 0; r < residuals; ++r)
        out[place.row + i * residuals + r] = tile.Residual(r, i);
  });
}

Status JetEngine::Jacobian(const double* parameters, size_t first, size_t count,
                           const Cancel& cancel, double* out) {
  Status status = Begin(parameters, true);
  const size_t p = parameter_count(), end = first + count;
  const auto rows = [this](size_t tile) {
    return tiles_[tile].count * terms_[tiles_[tile].term].residuals();
  };
  size_t tile = 0, last = tiles_.size();
  while (tile < last && tiles_[tile].row + rows(tile) <= first) ++tile;
  while (last > tile && tiles_[last - 1].row >= end) --last;
  if (!status.ok()) return status;
  return RunTiles(tile, last, parameters, 1, cancel, [&](JetTile& at, double* line) {
    const TilePlace& place = at.place();
    const JetTerm& term = terms_[place.term];
    for (size_t r = 0; r < term.residuals(); ++r) {
      at.Back(weights_, r);
      for (size_t i = 0; i < place.count; ++i) {
        const size_t row = place.row + i * term.residuals() + r;
        if (row < first || row >= end) continue;
        FormJetRow(net_, unknowns_, at, term.factors[r], i, line);
        std::copy_n(line, p, out + (row - first) * p);
      }
    }
  });
}

Status JetEngine::OutputJets(const double* parameters, const JetChannels& channels, size_t points,
                             const double* inputs, const Cancel& cancel, double* out) {
  constexpr size_t kPoints = 64;
  const size_t d = net_.input_size, q = channels.count(), jets = net_.output_size * q;
  const size_t per_worker = JetPass::Doubles(net_, channels, kPoints) + jets * kPoints;
  Buffer room;
  const size_t total = per_worker * static_cast<size_t>(threads_);
  if (!room.Reserve(total)) return Status::Memory(total * sizeof(double));
  if (!weights_.Pack(net_, parameters, false))
    return Status::Memory(PackedWeights::Doubles(net_, false) * sizeof(double));
  const bool done = ThreadPool::Instance().Run(
      threads_, Parts(points, kPoints), cancel, [&](size_t task, int worker) {
        const size_t first = task * kPoints, count = std::min(kPoints, points - first);
        double* own = room.data() + static_cast<size_t>(worker) * per_worker;
        double* read = own + JetPass::Doubles(net_, channels, kPoints);
        JetPass pass(net_, channels, count, own);
        pass.SetInputs(inputs + first * q * d);
        pass.Forward(weights_, 0);
        pass.ReadOutputs(read);
        for (size_t i = 0; i < count; ++i)
          for (size_t k = 0; k < jets; ++k) out[(first + i) * jets + k] = read[k * count + i];
      });
  return done ? Status::Ok() : Status::Canceled();
}

}  // namespace gaussflow
