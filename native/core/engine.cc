// Implements Engine (engine.h): data, forward passes, evaluation, linearization and acceleration;
// solves and products are delegated to the curvature (curvature/) and to products.h.
#include "engine.h"

#include <algorithm>
#include <cmath>

#include "clock.h"
#include "vectors.h"

namespace gaussflow {

Engine::Engine(Architecture architecture, int threads, const SlotShare& share, const Ranks& ranks)
    : net_(std::move(architecture)),
      threads_(std::clamp(threads, 1, ThreadPool::kMaxThreads)),
      data_(share, ranks),
      tangents_(net_, data_, threads_),
      products_(net_, data_, threads_, sums_),
      hessian_(net_, data_, threads_, parameters_, sums_),
      curvatures_(net_, threads_, data_, tangents_, products_, parameters_, sums_),
      curvature_(&curvatures_.none()) {}

Status Engine::SetData(size_t n, const double* inputs, const double* targets,
                       const double* weights) {
  return data_.Set(n, net_.input_size, net_.target_size(), inputs, targets, weights);
}

Status Engine::ReserveData(size_t n, bool weighted) {
  return data_.Reserve(n, net_.input_size, net_.target_size(), weighted);
}

Status Engine::ReserveFile(size_t n, const FileLayout& layout, bool weighted) {
  return data_.ReserveFile(n, net_.input_size, net_.target_size(), layout, weighted);
}

size_t Engine::ForwardDoubles(const Architecture& net, int threads) {
  return 2 * net.max_outputs() * Tangents::kTile * static_cast<size_t>(threads);
}

template <typename Body>
Status Engine::ForEachTile(const double* parameters, const Cancel& cancel, const Body& body) {
  constexpr size_t kTile = Tangents::kTile;
  const size_t work = ForwardDoubles(net_, threads_), n = data_.sample_count;
  const size_t per_worker = work / static_cast<size_t>(threads_);
  if (!forward_work_.Reserve(work)) return Status::Memory(work * sizeof(double));
  const SlotCut slots = data_.slots();
  CutTiles(slots, {0, n}, kTile, &tiles_);
  // All at once from memory, in blocks of whole tiles from a file.
  const size_t most = data_.from_file() ? Tangents::BlockSize(net_, n) : n;
  for (size_t from = 0, to = 0; from < tiles_.size(); from = to) {
    const size_t first = tiles_[from].first;
    const SampleRange block = most == n ? SampleRange{0, n} : slots.BlockAt(first, most);
    while (to < tiles_.size() && tiles_[to].first < block.end()) ++to;
    const Status loaded = data_.Load(block.first, block.count);
    if (!loaded.ok()) return loaded;
    const bool done =
        ThreadPool::Instance().Run(threads_, to - from, cancel, [&](size_t task, int worker) {
          const Tile& tile = tiles_[from + task];
          body(from + task, tile,
               ForwardOutputs(net_, data_, parameters, tile.first, tile.count,
                              forward_work_.data() + static_cast<size_t>(worker) * per_worker,
                              tile.alone ? threads_ : 0));
        });
    if (!done) return Status::Canceled();
  }
  return Status::Ok();
}

Status Engine::Forward(const double* parameters, const Cancel& cancel, double* out) {
  if (!ranks().alone()) return Status::Misuse();
  return ForEachTile(parameters, cancel, [&](size_t, const Tile& tile, const double* f) {
    for (size_t i = 0; i < tile.count; ++i)
      for (size_t a = 0; a < net_.output_size; ++a)
        out[(tile.first + i) * net_.output_size + a] =
            net_.output_scale * f[a * Tangents::kTile + i];
  });
}

LossTile Engine::TileOf(const Tile& tile, const double* f) const {
  const double* root = data_.root_weight();
  return {tile.count,        net_.output_size,
          net_.output_scale, f,
          Tangents::kTile,   data_.Targets(0, tile.first),
          data_.stride(),    root == nullptr ? nullptr : root + tile.first};
}

Status Engine::Evaluate(const double* parameters, const Cancel& cancel, double* loss) {
  const SlotCut slots = data_.slots();
  // A slot has at most one tile that is not whole.
  std::vector<double> partial(Parts(data_.sample_count, Tangents::kTile) + slots.count() - 1);
  Status status = losses_.Reserve(slots, kLosses, threads_);
  if (status.ok())
    status = ForEachTile(parameters, cancel, [&](size_t index, const Tile& tile, const double* f) {
      partial[index] = ApplyLoss(net_.loss, TileOf(tile, f), nullptr);
    });
  if (!status.ok()) return status;
  double sums[kLosses] = {};
  for (size_t slot = 0, tile = 0; slot < slots.count(); ++slot) {
    const size_t end = slots.At(slot).end();
    for (; tile < tiles_.size() && tiles_[tile].first < end; ++tile) sums[0] += partial[tile];
    losses_.Close(slot, sums);
  }
  // On the rank that has the sample, which can say so.
  if (!std::isfinite(sums[0])) return Status::NonFinite(0);
  status = ranks().Sum(sums, 1);
  if (!status.ok()) return status;
  *loss = sums[0];
  return std::isfinite(*loss) ? status : Status::NonFinite(0);
}

void Engine::LeaveLinearization() {
  curvature_ = &curvatures_.none();
  linearized_ = solved_ = false;
  if (factor_ != nullptr && !factor_->traits().factor_alone) factor_ = nullptr;
}

Status Engine::Linearize(const double* parameters, const Request& request, double decay,
                         double* scaling, const Cancel& cancel, Linearization* result) {
  const size_t p = net_.parameter_count;
  if (Refusal(request) != nullptr) return Status::Misuse();
  const bool exact_gram =
      request.route == Route::kPrimal && request.precision == Precision::kDouble;
  if (request.average != nullptr && !exact_gram) return Status::Misuse();
  const double start = Now();
  LeaveLinearization();  // until the new one is whole
  hessian_.Invalidate();
  if (request.route != Route::kNone && request.average == nullptr) factor_ = nullptr;
  Resize(&parameters_, p);
  Copy(p, parameters, parameters_.data(), threads_);
  Resize(&gradient_, p);
  Fill(p, 0.0, gradient_.data(), threads_);
  *result = {};
  result->gradient_cosine = std::nan("");

  Curvature& next = curvatures_.Take(request);
  Status status = next.Begin(request, scaling);
  if (status.ok())
    status = next.traits().passes_itself ? RunOwnPasses(&next, cancel, result)
                                         : RunPasses(&next, cancel, result);
  if (!status.ok()) return status;
  const double before = Now();
  // The measure of the gradient is one of sums of squares.
  const double norm = net_.loss.sum_of_squares() ? std::sqrt(2.0 * result->loss) : std::nan("");
  status = next.Finish({gradient_, norm}, cancel, scaling, result);
  if (!status.ok()) return status;
  result->curvature_seconds += Now() - before;
  AddDecay(decay);
  curvature_ = &next;
  linearized_ = true;
  result->pass_seconds = Now() - start - result->curvature_seconds;
  return Status::Ok();
}

Status Engine::RunPasses(Curvature* curvature, const Cancel& cancel, Linearization* result) {
  const size_t n = data_.sample_count, most = curvature->BlockSize(n);
  const SlotCut slots = data_.slots();
  has_residual_ = true;
  double sums[kLosses] = {};
  Status status = losses_.Reserve(slots, kLosses, threads_);
  if (status.ok()) status = sums_.Reserve(slots, gradient_.size(), threads_);
  if (status.ok()) status = RunSlots(curvature, most, cancel, sums, result);
  if (status.ok()) status = JoinRanks(sums);
  const double before = Now();
  if (status.ok()) status = curvature->JoinRanks();
  result->curvature_seconds += Now() - before;
  if (!status.ok()) return status;
  if (most == n) tangents_.Select(0, n);
  result->loss = sums[0];
  result->residual_square = sums[1];
  if (!std::isfinite(result->loss)) return Status::NonFinite(0);
  if (!has_residual_) status = FormGradient(most, cancel);
  if (!status.ok()) return status;
  return AllFinite(gradient_.size(), gradient_.data(), threads_) ? Status::Ok()
                                                                 : Status::NonFinite(1);
}

Status Engine::RunSlots(Curvature* curvature, size_t most, const Cancel& cancel, double* sums,
                        Linearization* result) {
  const size_t n = data_.sample_count;
  const SlotCut slots = data_.slots();
  Status status;
  // Where one block has room for all samples, their passes are run at once.
  if (most == n) status = tangents_.Compute(parameters_.data(), 0, n, true, cancel);
  for (size_t slot = 0; slot < slots.count(); ++slot) {
    const SampleRange samples = slots.At(slot);
    for (size_t first = samples.first; first < samples.end(); first += most) {
      const size_t count = std::min(most, samples.end() - first);
      if (status.ok() && most == n) tangents_.Select(first, count);
      if (status.ok() && most < n)
        status = tangents_.Compute(parameters_.data(), first, count, true, cancel);
      if (status.ok()) status = AddPasses(cancel, sums);
      const double before = Now();
      if (status.ok())
        status = curvature->AddBlock({first, count, first == samples.first, gradient_}, cancel);
      result->curvature_seconds += Now() - before;
      if (!status.ok()) return status;
    }
    losses_.Close(slot, sums);
    sums_.Close(slot, gradient_.data());
    const double before = Now();
    status = curvature->EndSlot(slot, cancel);
    result->curvature_seconds += Now() - before;
  }
  return status;
}

Status Engine::JoinRanks(double* sums) {
  if (ranks().alone()) return Status::Ok();
  // A gradient that is formed anew is looked at then.
  if (has_residual_ && !AllFinite(gradient_.size(), gradient_.data(), threads_))
    return Status::NonFinite(1);
  double joined[] = {sums[0], sums[1], has_residual_ ? 0.0 : 1.0};
  Status status = ranks().Sum(joined, std::size(joined));
  if (status.ok()) status = ranks().SumPart(gradient_.data(), gradient_.size());
  std::copy_n(joined, kLosses, sums);
  has_residual_ = joined[kLosses] == 0.0;
  return status;
}

Status Engine::RunOwnPasses(Curvature* curvature, const Cancel& cancel, Linearization* result) {
  const Status status = curvature->RunPasses(cancel, gradient_.data(), result);
  if (!status.ok()) return status;
  return AllFinite(gradient_.size(), gradient_.data(), threads_) ? Status::Ok()
                                                                 : Status::NonFinite(1);
}

Status Engine::AddPasses(const Cancel& cancel, double* sums) {
  tangents_.AddLoss(&sums[0]);
  if (!std::isfinite(sums[0])) return Status::NonFinite(0);
  sums[1] += tangents_.residual_square();
  has_residual_ = has_residual_ && tangents_.has_residual();
  return has_residual_ ? tangents_.AddTransposeProduct({}, cancel, gradient_.data()) : Status::Ok();
}

Status Engine::FormGradient(size_t most, const Cancel& cancel) {
  const size_t n = data_.sample_count;
  const SlotCut slots = data_.slots();
  Fill(gradient_.size(), 0.0, gradient_.data(), threads_);
  Status status = sums_.Reserve(slots, gradient_.size(), threads_);
  for (size_t slot = 0; slot < slots.count(); ++slot) {
    const SampleRange samples = slots.At(slot);
    for (size_t first = samples.first; first < samples.end(); first += most) {
      const size_t count = std::min(most, samples.end() - first);
      if (status.ok()) status = tangents_.Compute(parameters_.data(), first, count, false, cancel);
      if (status.ok()) status = tangents_.TakeGradients(cancel);
      if (status.ok()) status = tangents_.AddTransposeProduct({}, cancel, gradient_.data());
      if (!status.ok()) return status;
    }
    sums_.Close(slot, gradient_.data());
  }
  // Curvatures that hold the panels of all samples read those of J~.
  if (most == n) status = tangents_.Compute(parameters_.data(), 0, n, true, cancel);
  if (!status.ok() || ranks().alone()) return status;
  if (!AllFinite(gradient_.size(), gradient_.data(), threads_)) return Status::NonFinite(1);
  return ranks().Sum(gradient_.data(), gradient_.size());
}

void Engine::AddDecay(double decay) {
  if (decay == 0.0) return;
  ForEachPart(gradient_.size(), threads_, [&](size_t, size_t first, size_t last) {
    for (size_t j = first; j < last; ++j) gradient_[j] += decay * parameters_[j];
  });
}

Status Engine::Solve(const Damping& damping, const Cancel& cancel, double* step, Solution* result) {
  solved_ = false;
  factor_ = nullptr;
  Status status = curvature_->Factor(damping, cancel);
  if (!status.ok()) return status;
  const size_t n = data_.sample_count;
  if (tangents_.held() == n) tangents_.Select(0, n);
  const RightSide side = {gradient_.data(), has_residual_ ? tangents_.Residual().data : nullptr,
                          damping.decay, damping.scaling};
  status = curvature_->Solve(side, cancel, step, result);
  solved_ = status.ok();
  if (solved_ && curvature_->factored()) factor_ = curvature_;
  return status;
}

Status Engine::Accelerate(const double* velocity, const double* scaling, const Cancel& cancel,
                          double* acceleration) {
  const Curvature::Traits traits = curvature_->traits();
  if (!traits.accelerates || !solved_ || !curvature_->factored()) return Status::Misuse();
  const size_t n = data_.sample_count, p = net_.parameter_count;
  std::vector<double> second(curvature_->BlockSize(n) * net_.output_size);
  std::vector<double> sum(traits.reads_seeds ? 0 : p, 0.0);
  const auto derive = [&] {
    return tangents_.SecondDerivative(parameters_.data(), velocity, cancel, second.data());
  };
  Status status;
  if (traits.reads_seeds) {
    status = curvatures_.context().Panels(0, n, cancel);
    if (status.ok()) status = derive();
  } else {
    const auto add = [&](size_t, size_t count) {
      const Status derived = derive();
      if (!derived.ok()) return derived;
      return tangents_.AddTransposeProduct({second.data(), count}, cancel, sum.data());
    };
    status = curvature_->SumOverSamples(p, sum.data(), cancel, add);
  }
  if (!status.ok()) return status;
  Solution solution;
  return curvature_->Solve({sum.data(), second.data(), 0.0, scaling}, cancel, acceleration,
                           &solution);
}

Status Engine::DampedInverse(const double* v, const Cancel& cancel, double* x) {
  if (factor_ == nullptr || !factor_->factored()) return Status::Misuse();
  const size_t n = data_.sample_count;
  if (tangents_.held() == n) tangents_.Select(0, n);
  const Status status = factor_->ApplyFactor(v, cancel, x);
  if (!status.ok()) return status;
  return AllFinite(net_.parameter_count, x, threads_) ? status : Status::NonFinite(3);
}

Status Engine::HessianProduct(size_t count, const double* vectors, const Cancel& cancel,
                              double* out) {
  return linearized_ ? hessian_.Multiply(count, vectors, cancel, out) : Status::Misuse();
}

Status Engine::Product(const double* parameters, size_t count, const double* vectors,
                       const Cancel& cancel, double* out) {
  if (!ranks().alone()) return Status::Misuse();
  LeaveLinearization();  // the panels are used anew
  products_.SetParameters(parameters);
  return products_.Forward(count, vectors, cancel, out);
}

Status Engine::TransposeProduct(const double* parameters, size_t count, const double* vectors,
                                const Cancel& cancel, double* out) {
  LeaveLinearization();
  products_.SetParameters(parameters);
  return products_.Transpose(count, vectors, cancel, out);
}

Status Engine::Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                        double* out) {
  if (!ranks().alone()) return Status::Misuse();
  LeaveLinearization();
  constexpr size_t kTile = Tangents::kTile;
  const size_t p = net_.parameter_count, c = net_.output_size;
  std::vector<double> columns(std::min(count, kTile) * c * p);
  for (size_t s0 = 0; s0 < count; s0 += kTile) {
    const size_t size = std::min(kTile, count - s0), rows = size * c;
    const Status status = tangents_.Compute(parameters, first + s0, size, false, cancel);
    if (!status.ok()) return status;
    tangents_.WriteColumns(columns.data());
    for (size_t i = 0; i < size; ++i)
      for (size_t a = 0; a < c; ++a) {
        double* row = out + ((s0 + i) * c + a) * p;
        for (size_t j = 0; j < p; ++j) row[j] = columns[j * rows + a * size + i];
      }
  }
  return Status::Ok();
}

}  // namespace gaussflow
