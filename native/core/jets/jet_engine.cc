// Implements JetEngine (jet_engine.h): points, evaluation, linearization, steps and acceleration.
#include "jets/jet_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "clock.h"
#include "curvature/measure.h"
#include "jets/jet_rows.h"
#include "vectors.h"

namespace gaussflow {

JetEngine::JetEngine(Architecture net, std::vector<JetTerm> terms, size_t unknowns, int threads)
    : net_(std::move(net)),
      terms_(std::move(terms)),
      unknowns_(unknowns),
      threads_(std::clamp(threads, 1, ThreadPool::kMaxThreads)),
      tiles_(CutTiles(net_, terms_)),
      blocks_(CutBlocks(tiles_, terms_)),
      system_(threads_),
      solver_(system_, this),
      gram_(parameter_count(), LargestBlock(blocks_), threads_),
      squares_(tiles_.size(), 0.0) {
  for (const JetTerm& term : terms_) row_count_ += term.rows();
}

Status JetEngine::Load(size_t term, const double* inputs, const double* auxiliary) {
  JetTerm& one = terms_[term];
  holds_ = solved_ = false;
  const size_t doubles = one.InputDoubles(net_.input_size) + one.AuxiliaryDoubles();
  return one.Load(net_.input_size, inputs, auxiliary) ? Status::Ok()
                                                      : Status::Memory(doubles * sizeof(double));
}

Status JetEngine::Begin(const double* parameters, bool back) {
  const size_t per_worker = Room(net_, terms_, unknowns_);
  const size_t room = per_worker * static_cast<size_t>(threads_);
  if (!room_.Reserve(room)) return Status::Memory(room * sizeof(double));
  if (!weights_.Pack(net_, parameters, back))
    return Status::Memory(PackedWeights::Doubles(net_, back) * sizeof(double));
  return Status::Ok();
}

double* JetEngine::WorkerRoom(int worker) {
  return room_.data() + static_cast<size_t>(worker) * Room(net_, terms_, unknowns_);
}

Status JetEngine::RunTiles(size_t first, size_t end, const double* parameters, size_t derivatives,
                           const Cancel& cancel, const Body& body) {
  const double* unknowns = UnknownsOf(parameters);
  const size_t lines = TileRoom(net_, terms_);
  const bool done =
      ThreadPool::Instance().Run(threads_, end - first, cancel, [&](size_t task, int worker) {
        const TilePlace& place = tiles_[first + task];
        double* room = WorkerRoom(worker);
        JetTile tile(net_, terms_[place.term], place, room);
        tile.Forward(weights_, unknowns, derivatives);
        body(tile, room + lines);
      });
  return done ? Status::Ok() : Status::Canceled();
}

double JetEngine::SumLosses() const {
  double sum = 0.0;
  for (const double square : squares_) sum += square;
  return 0.5 * sum;
}

Status JetEngine::Evaluate(const double* parameters, const Cancel& cancel, double* loss) {
  Status status = Begin(parameters, false);
  if (status.ok())
    status = RunTiles(0, tiles_.size(), parameters, 0, cancel, [this](JetTile& tile, double*) {
      squares_[tile.place().index] = tile.SumOfSquares();
    });
  if (!status.ok()) return status;
  *loss = SumLosses();
  return std::isfinite(*loss) ? status : Status::NonFinite(0);
}

Status JetEngine::Linearize(const double* parameters, bool curvature, double decay, double* scaling,
                            const Cancel& cancel, Linearization* result) {
  holds_ = solved_ = false;
  const double start = Now();
  parameters_.assign(parameters, parameters + parameter_count());
  gradient_.assign(parameter_count(), 0.0);
  Status status = Begin(parameters_.data(), true);
  if (!status.ok()) return status;
  if (curvature) {
    status = FormCurvature(cancel);
  } else {
    status = TransposeSum(
        1, cancel,
        [this](JetTile& tile) {
          double* c = tile.coefficients();
          for (size_t r = 0; r < terms_[tile.place().term].residuals(); ++r)
            for (size_t i = 0; i < tile.count(); ++i) *c++ = tile.Residual(r, i);
          squares_[tile.place().index] = tile.SumOfSquares();
        },
        gradient_.data());
  }
  if (!status.ok()) return status;
  result->loss = SumLosses();
  result->gradient_cosine = std::nan("");
  if (!std::isfinite(result->loss)) return Status::NonFinite(0);
  if (!AllFinite(parameter_count(), gradient_.data(), threads_)) return Status::NonFinite(1);
  (curvature ? result->curvature_seconds : result->pass_seconds) = Now() - start;
  if (curvature) {
    const SymmetricMatrix& g = system_.matrix();
    status = TakeDiagonal({gradient_, std::sqrt(2.0 * result->loss)}, g.upper(), g.n() + 1, scaling,
                          &result->gradient_cosine);
    if (!status.ok()) return status;
  }
  AddScaled(parameter_count(), gradient_.data(), decay, parameters_.data(), gradient_.data(),
            threads_);
  holds_ = curvature;
  return status;
}

void JetEngine::PutRows(JetTile* tile, size_t begin, double* lines) {
  const TilePlace& place = tile->place();
  const JetTerm& term = terms_[place.term];
  const size_t p = parameter_count(), size = JetRowSize(p + 1);
  size_t row = place.row - begin;
  for (size_t r = 0; r < term.residuals(); ++r) {
    tile->Back(weights_, r);
    for (size_t i0 = 0; i0 < place.count; i0 += JetGram::kLines) {
      const size_t count = std::min(JetGram::kLines, place.count - i0);
      for (size_t i = 0; i < count; ++i) {
        double* line = lines + i * size;
        FormJetRow(net_, unknowns_, *tile, term.factors[r], i0 + i, line);
        line[p] = tile->Residual(r, i0 + i);
      }
      gram_.Put(row + i0, count, lines, size);
    }
    row += place.count;
  }
}

Status JetEngine::FormCurvature(const Cancel& cancel) {
  Status status = solver_.Reserve(parameter_count(), parameter_count(), false);
  if (status.ok()) status = gram_.Reserve();
  for (const Block& block : blocks_) {
    if (!status.ok()) return status;
    status = RunTiles(block.first, block.end, parameters_.data(), 1, cancel,
                      [&](JetTile& tile, double* lines) {
                        squares_[tile.place().index] = tile.SumOfSquares();
                        PutRows(&tile, block.row, lines);
                      });
    if (status.ok())
      status = gram_.Add(block.rows, block.first == 0, cancel, &system_.matrix(), gradient_.data());
  }
  return status;
}

Status JetEngine::TransposeSum(size_t derivatives, const Cancel& cancel,
                               const std::function<void(JetTile& tile)>& coefficients,
                               double* out) {
  const size_t parts = SumParts(tiles_.size()), own = TransposeSize(net_);
  const size_t size = SumSize(net_, unknowns_), total = parts * size;
  if (!sums_.Reserve(total)) return Status::Memory(total * sizeof(double));
  const double* unknowns = UnknownsOf(parameters_.data());
  const bool done =
      ThreadPool::Instance().Run(threads_, parts, cancel, [&](size_t part, int worker) {
        double* sum = sums_.data() + part * size;
        std::fill_n(sum, size, 0.0);
        const size_t end = (part + 1) * tiles_.size() / parts;
        for (size_t t = part * tiles_.size() / parts; t < end && !cancel.Raised(); ++t) {
          JetTile tile(net_, terms_[tiles_[t].term], tiles_[t], WorkerRoom(worker));
          tile.Forward(weights_, unknowns, derivatives);
          coefficients(tile);
          tile.BackSum(weights_, unknowns_, tile.coefficients(), sum + own);
          AddTranspose(net_, tile, sum);
        }
      });
  if (!done || cancel.Raised()) return Status::Canceled();
  std::fill_n(out, parameter_count(), 0.0);
  for (size_t part = 0; part < parts; ++part) {
    const double* sum = sums_.data() + part * size;
    UnpackTranspose(net_, sum, out);
    for (size_t u = 0; u < unknowns_; ++u) out[net_.parameter_count + u] += sum[own + u];
  }
  return Status::Ok();
}

Status JetEngine::Solve(const Damping& damping, const Cancel& cancel, double* step,
                        Solution* result) {
  solved_ = false;
  if (!holds_ || (damping.correction.count > 0 && damping.condition)) return Status::Misuse();
  const bool uniform = damping.scaling == nullptr;
  Status status = solver_.Factor(uniform ? damping.mu + damping.decay : damping.decay, damping.mu,
                                 damping.scaling, damping.correction, damping.condition, cancel);
  if (!status.ok()) return status;
  std::vector<double> right(gradient_);
  for (double& value : right) value = -value;
  status = solver_.Solve(right.data(), cancel, step, &result->condition, &result->residual);
  solved_ = status.ok();
  return status;
}

Status JetEngine::Accelerate(const double* velocity, const Cancel& cancel, double* acceleration) {
  if (!holds_ || !solved_ || !solver_.factored()) return Status::Misuse();
  Status status = Begin(parameters_.data(), true);
  if (!status.ok()) return status;
  if (!direction_.Pack(net_, velocity, false))
    return Status::Memory(PackedWeights::Doubles(net_, false) * sizeof(double));
  std::vector<double> sum(parameter_count());
  status = TransposeSum(
      2, cancel,
      [&](JetTile& tile) {
        tile.Along(weights_, direction_, unknowns_, UnknownsOf(velocity), tile.coefficients());
      },
      sum.data());
  if (!status.ok()) return status;
  for (double& value : sum) value = -value;
  Solution solution;
  return solver_.Solve(sum.data(), cancel, acceleration, &solution.condition, &solution.residual);
}

Status JetEngine::DampedInverse(const double* v, const Cancel& cancel, double* x) {
  if (!solver_.factored()) return Status::Misuse();
  const Status status = solver_.ApplyFactor(v, cancel, x);
  if (!status.ok()) return status;
  return AllFinite(parameter_count(), x, threads_) ? status : Status::NonFinite(3);
}

}  // namespace gaussflow
